"""Each loss, and the way back from it, by the commands of docs/recovery.md."""

from pathlib import Path
from typing import Any

from benchmarks.recovering.course import Course
from benchmarks.recovering.desk import Desk
from benchmarks.recovering.site import WITHIN_S, Site, reached
from tests.delivery.both_ends import wait_for

DESKS = 3
_EACH = 3


def central_gone(folder: Path, course: Course, store: str = "sqlite") -> None:
    """Central's machine is gone with all its disk; a backup of yesterday is there."""
    with Site(folder, DESKS, store) as site:
        backup, kept, answered = _a_day(site, course)
        for name in ("receive", "enrol"):
            site.kill(name)
        site.lose(site.central_folder)
        site.empty_database()
        _scan(site.desks)
        queued = sum(desk.waiting() for desk in site.desks)
        with course.step("borderpost-central restore FILE --check"):
            site.central("restore", str(backup), "--check")
        with course.step("borderpost-central restore FILE"):
            site.central("restore", str(backup))
        with course.step("borderpost-central receive: it receives"):
            site.start("receive")
        with course.step(f"the desks' {queued} queued messages are acknowledged"):
            site.until_all_is_told()
        with course.step("what was said since the backup is there again"):
            site.until_all_is_there()
        with course.step("borderpost-central serve: the console listens"):
            site.start("serve")
        _check(site, course, kept, answered)
        _check_it_goes_on(site, course)


def central_gone_postgresql(folder: Path, course: Course) -> None:
    """The same, with PostgreSQL on that machine too."""
    central_gone(folder, course, "postgresql")


def database_set_back(folder: Path, course: Course) -> None:
    """PostgreSQL is restored to yesterday; keys and receivers are what they were."""
    with Site(folder, DESKS, "postgresql") as site:
        backup, kept, answered = _a_day(site, course)
        away = site.desks[0]
        away.kill()
        with course.step("the receiver is stopped, the database dropped and made"):
            site.stop("receive")
            site.empty_database()
        with course.step("borderpost-central restore FILE --only store"):
            site.central("restore", str(backup), "--only", "store")
        lost = set(kept) - site.alerts().keys()
        course.hold("the alerts of the day were gone at first", len(lost) == DESKS * _EACH)
        with course.step("borderpost-central receive: it receives"):
            site.start("receive")
        with course.step(f"the {len(site.desks) - 1} desks that are there said the day's again"):
            site.until_all_is_there(site.desks[1:])
        away.start()
        with course.step("the desk that was away says them when it is started"):
            site.until_all_is_there()
        _check(site, course, kept, answered)
        _check_it_goes_on(site, course)


def broker_gone(folder: Path, course: Course) -> None:
    """The one Mosquitto's machine is gone with all its disk."""
    with Site(folder, DESKS) as site:
        _scan(site.desks)
        site.until_all_is_told()
        kept = site.alerts()
        site.kill("mosquitto")
        site.lose(site.broker_folder)
        _scan(site.desks)
        queued = sum(desk.waiting() for desk in site.desks)
        with course.step("borderpost-central broker config"):
            site.configure_broker()
        with course.step("Mosquitto is started, and listens"):
            site.start_broker()
        with course.step(f"the desks come back; {queued} queued messages are acknowledged"):
            site.until_all_is_told()
        _check(site, course, kept, {})
        _check_it_goes_on(site, course)


def authority_lost(folder: Path, course: Course) -> None:
    """The authority's key is lost, and there is no copy of it."""
    with Site(folder, DESKS) as site:
        _scan(site.desks)
        site.until_all_is_told()
        kept = site.alerts()
        site.stop("enrol")
        (site.central_folder / "keys/authority").rename(folder / "lost")
        _scan(site.desks)
        site.until_all_is_told()
        course.hold("alerts arrive while there is no authority", len(site.alerts()) == 18)
        with course.step("borderpost-central enrol authority, enrol worker, broker config"):
            site.central("enrol", "authority", "--name", "Utopia Border")
            site.central("enrol", "worker", "receiver-1", str(site.central_folder / "worker"))
            site.configure_broker()
        with course.step("broker, receiver and enrolment service are started anew"):
            site.stop("mosquitto")
            site.stop("receive")
            site.start_broker()
            site.start("receive")
            site.start("enrol", "serve")
        _scan(site.desks)
        course.hold("desks wait for their new certificates", all(d.waiting() for d in site.desks))
        for desk in site.desks:
            with course.step(
                f"{desk.name}: enrol token --again, borderpost enrol --again, restart"
            ):
                site.enrol(desk, "--again")
                desk.kill()
                desk.start()
        with course.step("what waited is acknowledged"):
            site.until_all_is_told()
        _check(site, course, kept, {})
        _check_it_goes_on(site, course)


def card_dead(folder: Path, course: Course) -> None:
    """A desk's card is dead, with what waited on it; another card is set up under the same name."""
    with Site(folder, 1) as site:
        (desk,) = site.desks
        desk.scan(_EACH)
        site.until_all_is_told()
        kept = site.alerts()
        site.stop("receive")
        desk.scan()
        desk.close()
        site.desks.remove(desk)
        site.start("receive")
        new = site.add_desk(desk.name)
        with course.step("enrol token --again, borderpost enrol at the new card"):
            new.enrol(site.central("enrol", "token", new.name, "--again"))
        with course.step("the desk is started"):
            new.start()
        with course.step("its first alert is acknowledged"):
            new.scan()
            site.until_all_is_told(new)
        there = site.alerts()
        course.hold("what central had is there, unchanged", _unchanged(kept, there))
        course.hold("the new card's alert is there", new.alerts() <= there.keys())
        course.hold(
            "what waited on the dead card is lost, and nothing else",
            desk.alerts() - there.keys() == desk.alerts() - kept.keys(),
        )


def stolen(folder: Path, course: Course) -> None:
    """A desk is stolen, and goes on running in the thief's hands."""
    with Site(folder, 2) as site:
        thief, other = site.desks
        _scan(site.desks)
        site.until_all_is_told()
        kept = site.alerts()
        with course.step("borderpost-central enrol revoke"):
            said = site.central("enrol", "revoke", thief.name)
        course.hold("Mosquitto was told at once", "was told to read it" in said)
        thief.scan()
        other.scan()
        with course.step("an alert of another desk, said after the thief's, is acknowledged"):
            site.until_all_is_told(other)
        course.hold("nothing of the thief's arrives", not reached(lambda: _new_of(site, thief), 3))
        with course.step("Mosquitto is started anew: the thief's connection ends"):
            site.stop("mosquitto")
            site.start_broker()
        refused = site.log("mosquitto")
        course.hold(
            "it does not connect again",
            reached(lambda: "certificate verify failed" in refused.read_text(), 30),
        )
        new = site.add_desk("desk-3")
        with course.step(
            "its replacement under a new name: enrol token, borderpost enrol, started"
        ):
            site.enrol(new)
            new.start()
        new.scan()
        other.scan()
        site.until_all_is_told(new, other)
        there = site.alerts()
        course.hold("what central had is there, unchanged", _unchanged(kept, there))
        course.hold("the others' alerts are there", new.alerts() | other.alerts() <= there.keys())
        thief.kill()


def _a_day(
    site: Site, course: Course
) -> tuple[Path, dict[str, dict[str, Any]], dict[str, dict[str, str]]]:
    """Yesterday with an answer, the backup, and today with another: the backup, central's alerts,
    and what desks hold of answers."""
    _scan(site.desks)
    site.until_all_is_told()
    first = site.desks[0]
    site.answer(min(first.alerts()), first)
    folder = site.folder / "backups"
    folder.mkdir()
    with course.step("borderpost-central backup FOLDER, while all is running"):
        site.central("backup", str(folder), "--keep", "7")
    (backup,) = folder.iterdir()
    _scan(site.desks)
    site.until_all_is_told()
    site.answer(max(first.alerts()), first)
    return backup, site.alerts(), {desk.name: desk.answers() for desk in site.desks}


def _scan(desks: list[Desk]) -> None:
    for desk in desks:
        desk.scan(_EACH)


def _check(
    site: Site,
    course: Course,
    kept: dict[str, dict[str, Any]],
    answered: dict[str, dict[str, str]],
) -> None:
    """No alert is lost and no answer changed."""
    raised = set[str]().union(*(desk.alerts() for desk in site.desks))
    there = site.alerts()
    course.hold(f"every alert is at central, once: {len(raised)}", raised == there.keys())
    given = {alert for held in answered.values() for alert in held}
    if again := [alert for alert in given if not there[alert]["answers"]]:
        course.hold(
            "the answer since the backup is at its desk, and to be given again at central",
            len(again) == 1,
        )
    course.hold("each says what it said", _unchanged(kept, there))
    for desk in site.desks:
        before = answered.get(desk.name, {})
        course.hold(f"{desk.name} holds the answers that it held", desk.answers() == before)
    for alert, one in kept.items():
        now = there[alert]["answers"]
        if now:
            course.hold("an answer before the backup is unchanged", now == one["answers"])
    course.hold("the audit trail holds", "holds" in site.central("audit", "verify"))


def _check_it_goes_on(site: Site, course: Course) -> None:
    """A new hit arrives, and its answer comes to the desk."""
    desk = site.desks[-1]
    before = desk.alerts()
    desk.scan()
    (alert,) = desk.alerts() - before
    wait_for(lambda: alert in site.alerts(), WITHIN_S)
    site.answer(alert, desk)
    course.hold("a new hit is answered", desk.answers()[alert] == "confirmed")


def _unchanged(kept: dict[str, dict[str, Any]], there: dict[str, dict[str, Any]]) -> bool:
    """Whether each alert says what it said; when it was received is another matter."""
    own = ("answers", "received_at", "late")
    return all(
        {name: value for name, value in there.get(alert, {}).items() if name not in own}
        == {name: value for name, value in one.items() if name not in own}
        for alert, one in kept.items()
    )


def _new_of(site: Site, desk: Desk) -> bool:
    return len(desk.alerts() & site.alerts().keys()) > _EACH
