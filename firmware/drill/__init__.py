"""Drills: specimens that give every kind of verdict, in the place of documents, at a real desk.

A drill is told apart from the real thing at every step. Its specimens are shown by the desk itself
or are printed ones of Utopia, the State that Doc 9303 keeps for specimens; they are judged against
lists of their own; its hits are no alerts, its scans are in no count, and what it says to central
is a message of another kind. Whatever else comes before the camera meanwhile is real and is treated
so, and so is whatever the desk's own lists know.
"""

from firmware.drill.drill import Drill, DrillRefused
from firmware.drill.running import Rehearsed, RehearsedAnswer
from firmware.drill.telling import Record
from firmware.drill.view import DrillView

__all__ = ["Drill", "DrillRefused", "DrillView", "Record", "Rehearsed", "RehearsedAnswer"]
