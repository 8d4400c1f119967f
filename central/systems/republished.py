"""What is republished, as other systems may count on it: plain CloudEvents 1.0 in JSON.

`central/systems/republish.py` tells them; `docs/asyncapi.yaml` has their schemas from here, and a
test holds what is really told against it.
"""

from typing import Literal

from pydantic import Field

from scanner.alert import AlertData, AnswerOutcome
from scanner.alert.messages import DeviceName, Id, Line, Moment, Said

ALERT = "org.borderpost.alert.v1"
ANSWERED = "org.borderpost.answered.v1"
"""The type of an answer's event. It is not what the device is told: there is no counter in it; and
the operator's reason stays at central."""


class RepublishedAlert(Said):
    """An alert, as its device said it; `time` is when the document was read and `receivedat` when
    central had the alert."""

    specversion: Literal["1.0"]
    id: Id
    source: str = Field(max_length=128)
    type: Literal["org.borderpost.alert.v1"]
    time: Moment
    receivedat: Moment
    datacontenttype: Literal["application/json"]
    data: AlertData


class AnsweredData(Said):
    """What central answered to an alert of a device, and until when it holds."""

    device: DeviceName
    alert: Id
    outcome: AnswerOutcome
    instruction: Line = Field(max_length=500)
    at: Moment
    until: Moment


class RepublishedAnswer(Said):
    """An answer that an operator gave."""

    specversion: Literal["1.0"]
    id: Id
    source: Literal["borderpost/central"]
    type: Literal["org.borderpost.answered.v1"]
    time: Moment
    datacontenttype: Literal["application/json"]
    data: AnsweredData
