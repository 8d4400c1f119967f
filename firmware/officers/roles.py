"""Who may do what at the desk: one table of roles. Whatever a role is not given here, it may not
do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody at the desk is there for."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"


class Right(StrEnum):
    """Something that the desk lets people do."""

    CHECK = "check"
    """Type a document, correct what was read."""
    REFER = "refer"
    """Give the outcome of a referral."""
    DRILL = "drill"
    HEALTH = "health"
    """See how the device is."""


MAY: dict[Role, frozenset[Right]] = {
    Role.OFFICER: frozenset({Right.CHECK, Right.REFER}),
    Role.SUPERVISOR: frozenset(Right),
    Role.TECHNICIAN: frozenset({Right.CHECK, Right.HEALTH}),
}


@dataclass(frozen=True)
class Officer:
    """Somebody who may sign in."""

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Whether the role gives that right."""
        return right in MAY[self.role]
