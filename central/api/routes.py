"""What the interface answers. Each route names the one scope that opens it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Security

from central import audit
from central.api import reading
from central.api.asked import AlertsAsked, Nothing, StatsAsked
from central.api.models import NOT_FOUND, REFUSALS, Alert, Alerts, Device, Devices, Lists, Stats
from central.api.reader import reader
from central.console import devices as fleet
from central.console import history
from central.console.alert_view import views
from central.console.wire import written
from central.store.store import Store
from central.systems.tokens import Scope, Token
from scanner.alert.messages import DeviceName, Id
from scanner.web.problem import not_found

ForAlerts = Annotated[Token, Security(reader, scopes=[Scope.ALERTS.value])]
ForDevices = Annotated[Token, Security(reader, scopes=[Scope.DEVICES.value])]
DevicePart = Annotated[DeviceName, Path(description="The device's name.")]
IdPart = Annotated[Id, Path(description="The alert's id.")]

_ASKED_FOR = "What was asked for."

router = APIRouter(responses=REFUSALS)


@router.get("/alerts", response_description=_ASKED_FOR, response_model=Alerts)
def alerts(request: Request, token: ForAlerts, asked: Annotated[AlertsAsked, Query()]) -> Any:
    """The alerts, the latest first, with the documents that they are about.

    Whatever is read here stands in the audit trail, under the token's name.
    """
    store, now = _store(request), datetime.now(UTC)
    with store.reading() as db:
        page = history.page(db, asked.filter(), asked.limit, asked.before, now)
    ids = [alert["id"] for alert in page["alerts"]]
    if ids:
        _note(store, token, "alerts", {"asked": asked.told(), "alerts": ids}, now)
    return {**page, "now": written(now)}


@router.get(
    "/alerts/{device}/{alert}",
    response_description=_ASKED_FOR,
    response_model=Alert,
    responses=NOT_FOUND,
)
def one_alert(
    request: Request,
    token: ForAlerts,
    device: DevicePart,
    alert: IdPart,
    _asked: Annotated[Nothing, Query()],
) -> Any:
    """One alert of a device."""
    store, now = _store(request), datetime.now(UTC)
    with store.reading() as db:
        row = reading.alert_named(db, device, alert)
        told = [] if row is None else views(db, [row], now)
    if not told:
        raise not_found()
    _note(store, token, alert, {"device": device}, now)
    return told[0]


@router.get("/devices", response_description=_ASKED_FOR, response_model=Devices)
def devices(request: Request, _token: ForDevices, _asked: Annotated[Nothing, Query()]) -> Any:
    """Every device, how it is, and which are blind."""
    now = datetime.now(UTC)
    with _store(request).reading() as db:
        known = fleet.known(db)
    shown = [fleet.view(one, request.app.state.settings, now) for one in known]
    return {"devices": shown, "now": written(now)}


@router.get(
    "/devices/{device}", response_description=_ASKED_FOR, response_model=Device, responses=NOT_FOUND
)
def one_device(
    request: Request, _token: ForDevices, device: DevicePart, _asked: Annotated[Nothing, Query()]
) -> Any:
    """One device."""
    with _store(request).reading() as db:
        known = fleet.known(db, [device])
    if not known:
        raise not_found()
    return fleet.view(known[0], request.app.state.settings, datetime.now(UTC))


@router.get("/lists", response_description=_ASKED_FOR, response_model=Lists)
def lists(request: Request, _token: ForDevices, _asked: Annotated[Nothing, Query()]) -> Any:
    """Which version of each list is at which device."""
    with _store(request).reading() as db:
        known = fleet.known(db)
    return {"lists": reading.lists_of(known), "now": written(datetime.now(UTC))}


@router.get("/stats", response_description=_ASKED_FOR, response_model=Stats)
def stats(request: Request, _token: ForDevices, asked: Annotated[StatsAsked, Query()]) -> Any:
    """What devices counted, hour by hour, the latest first; counts so small that they could point
    at a person are null."""
    with _store(request).reading() as db:
        page = reading.hours(db, asked)
    return {**page, "now": written(datetime.now(UTC))}


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _note(store: Store, token: Token, subject: str, detail: dict[str, Any], now: datetime) -> None:
    """Document data leaves only once the audit trail says to whom."""
    with store.changing(quietly=True) as tx:
        audit.record(tx, f"token {token.name}", "system", "alerts read", subject, detail, now)
