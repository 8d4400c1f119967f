"""Who may do what at the console: one table of roles.

Whatever a role is not given here, it may not do. A technician sees nothing of any document.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody at central is there for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"


class May(StrEnum):
    """Something that the console lets people do."""

    ALERTS = "alerts"
    ANSWER = "answer"
    ESCALATIONS = "escalations"
    DEVICES = "devices"
    HISTORY = "history"
    EXPORT = "export"
    TRENDS = "trends"
    AUDIT = "audit"


_OPERATOR = frozenset({May.ALERTS, May.ANSWER, May.DEVICES, May.HISTORY, May.TRENDS})

MAY: dict[Role, frozenset[May]] = {
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _OPERATOR | {May.EXPORT, May.ESCALATIONS, May.AUDIT},
    Role.TECHNICIAN: frozenset({May.DEVICES, May.TRENDS}),
    Role.AUDITOR: frozenset({May.HISTORY, May.EXPORT, May.AUDIT, May.TRENDS}),
}

EVERY_ROLE = frozenset(Role)


def may(role: Role, *any_of: May) -> bool:
    """Whether `role` may do one of these."""
    return not MAY[role].isdisjoint(any_of)
