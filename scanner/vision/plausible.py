"""Whether what was decoded is an MRZ at all: pages are full of other text.

The rule has three parts, and all must be met:

- **legible**: the characters' mean probability (their geometric mean) is at least `LEGIBLE`. Text
  in other type, textures and photographs leave the network undecided.
- **in place**: at most one character in `MISFITS` stands where its layout does not allow it. Plain
  words where dates and check digits belong miss by far more.
- **borne out**: two check digits hold and no fewer than fail, or, for a specimen whose check digits
  are wrong, every character is clear (`CLEAR` in the mean), none is out of place and the first
  letter is one of Doc 9303's.

Two of four check digits hold by chance in about 5 of 100 texts that have digits where digits
belong; such texts are rare in themselves.
"""

from math import log

from scanner.vision.decode import Decoded

LEGIBLE = 0.5
CLEAR = 0.9
MISFITS = 12
LEAST_HELD = 2


def plausible(decoded: Decoded) -> bool:
    """Whether the characters are those of an MRZ rather than of any other text."""
    evidence = decoded.evidence
    size = sum(map(len, decoded.lines))
    if evidence.mean_log_p < log(LEGIBLE) or evidence.misfits * MISFITS > size:
        return False
    if len(evidence.held) >= max(LEAST_HELD, len(evidence.failed)):
        return True
    return evidence.mean_log_p >= log(CLEAR) and not evidence.misfits and evidence.known_code
