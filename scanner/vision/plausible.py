"""Whether what was decoded is an MRZ at all: pages are full of other text.

The rule has three parts, and all must be met:

- **legible**: the characters' mean probability, as seen, is at least `LEGIBLE` (their geometric
  mean). Type of other kinds, textures and photographs leave the network undecided.
- **likelier as an MRZ**: the picture is by `ODDS` nats likelier as an MRZ whose check digits hold
  than as text in which every character is as likely as any other (`Evidence.odds`). Letters where
  dates belong cost. A document in clear print gains 35 to 55 nats from what its layout allows and
  from its check digits, one with two of them wrong 28 or more; of clear rows of random letters and
  digits one in a thousand gains 17.
- **filled as one**: there is a number; at least `LEAST_FILLERS` characters are fillers, which part
  and pad the fields of every document; and no more than `MOST_FILLERS` of all are, which is what
  line drawings look like.
"""

from math import log

from scanner.mrz.check_digits import FILLER
from scanner.mrz.layouts import LAYOUTS
from scanner.vision.decode import Decoded

LEGIBLE = 0.5
ODDS = 20.0
LEAST_FILLERS = 2
MOST_FILLERS = 0.8


def plausible(decoded: Decoded) -> bool:
    """Whether the characters are those of an MRZ rather than of any other text."""
    text = "".join(decoded.lines)
    number = LAYOUTS[decoded.format].fields["number"].text(decoded.lines)
    return (
        decoded.evidence.mean_log_p >= log(LEGIBLE)
        and decoded.evidence.odds >= ODDS
        and number.strip(FILLER) != ""
        and LEAST_FILLERS <= text.count(FILLER) <= MOST_FILLERS * len(text)
    )
