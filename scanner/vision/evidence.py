"""What a decision about lines rests on, and the thresholds that it is held against.

The numbers are few, and each counts one way: more is surer. So they can be recorded once for every
frame of a calibration, and thresholds chosen afterwards, without decoding again.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """How clear the picture must be; see `Evidence` for what each is held against."""

    checked: float = 0.8
    """The least probability of a character that check digits cover, where all of them hold."""
    unaided: float = 0.0
    """The same where one of them fails: then the others bear out little, and the whole picture has
    to be as clear as what it says of the one."""
    unchecked: float = 0.9
    """The same where no check digit covers it: in names, State, code and sex."""
    borne_out: float = 0.5
    """How far the lines must outdo all others whose check digits hold."""
    confidence: float = 0.0
    """The least probability that every character is right. A network trained with smoothed labels
    never says more than 0.96 or so of a character, and 88 of them leave little."""
    misprinted: float = 0.95
    """The least probability of a character that a check digit called wrong as printed covers, and
    of one that is called out of place as printed."""
    gap: float = 7.0
    """By how many nats the lines as seen must be likelier than the best whose check digits hold,
    for calling a check digit wrong as printed."""
    repair: float = 4.0
    """Below this gap the lines of a doubtful reading are those whose check digits hold."""


DEFAULT = Thresholds()


@dataclass(frozen=True)
class Evidence:
    """How clear the lines as seen are. Probabilities heed what the layout allows (`decode`)."""

    agree: bool
    """Whether the lines as seen are the best ones whose check digits hold."""
    least_checked: float
    """The least probability of a character that check digits cover; those under a failing one are
    left to `least_misprinted`."""
    least_unchecked: float
    least_misprinted: float
    """The least probability of a character under a failing check digit or out of place; 1.0 where
    there is none, 0.0 where no digit stands for the check digit: that is no misprint, but a line
    that was cut short or is taken for one of another length."""
    borne_out: float
    """Of the probability of all that might stand where check digits cover and have them hold, the
    share of the best: 1.0 where nothing else comes near."""
    confidence: float
    """The probability that the lines as seen are what is printed: among all lines whose check
    digits hold, where theirs do, else of every place for itself."""
    gap: float
    """Log probability of the lines as seen less that of the best whose check digits hold."""
    held: tuple[str, ...]
    """The check digits that hold, by name; an empty one neither holds nor fails."""
    failed: tuple[str, ...]
    misfits: int
    """How many characters stand where the layout does not allow them."""
    mean_log_p: float
    """The mean log probability of the characters as the network gave it, before any prior."""
    odds: float
    """By how many nats the picture is likelier as an MRZ of this layout, its check digits holding,
    than as text in which every character is as likely as any other."""

    def is_read(self, thresholds: Thresholds) -> bool:
        """Whether the lines as seen are sure to be what is printed."""
        checked = thresholds.checked if self.agree else thresholds.unaided
        return (
            self.least_checked >= checked
            and self.least_unchecked >= thresholds.unchecked
            and self.least_misprinted >= thresholds.misprinted
            and self.confidence >= thresholds.confidence
            and (
                self.borne_out >= thresholds.borne_out if self.agree else self.gap >= thresholds.gap
            )
        )
