"""The model card, written from what is there: sizes, thresholds and how they were found."""

import json
from pathlib import Path

from models.training import learned


def text(models: Path, choice_file: Path) -> str:
    """The card, Markdown."""
    choice = json.loads(choice_file.read_text())
    limits = json.loads((models / "thresholds.json").read_text())
    rows = [_row(models, name, **figures) for name, figures in learned.read(models).items()]
    return _CARD.format(
        table="\n".join(rows),
        total=sum(path.stat().st_size for path in models.glob("*.tflite")),
        limits="\n".join(f"| `{name}` | {value} |" for name, value in limits.items()),
        one_in=round(1 / choice["bound"]),
        share=choice["read_of_legible"],
        **choice,
    )


def _row(models: Path, name: str, weights: int, samples: int) -> str:
    size = (models / f"{name}.tflite").stat().st_size
    return f"| {name} | {weights:,} | {size:,} | {samples:,} |"


_CARD = """# Models

The reader's three networks (`docs/reading.md` tells how a picture is read with them), the
thresholds behind *read*, and `SHA256SUMS`, which the reader holds the files against before it uses
them. This page is written by `make train`; what made them is in `training/`.

| network | weights | bytes | samples learned from |
|---|---|---|---|
{table}

Together {total:,} bytes, in int8, with the layers that answer in float so that small differences
remain. They take in pictures whose pixels are folded four by four (`training/folding.py`).

## What they learned from

Rendered pages and strips alone, drawn anew for every step, so none is seen twice: fictional people,
Debian's fonts-ocr-b thickened, thinned, widened, slanted and worn (one line in fourteen in other
free faces), security patterns, picture-like blobs, holograms, laminate, stamps, hands, cluttered
desks, glare, shadow, defocus, motion, noise, sharpening, JPEG, low resolution, perspective and
curled paper. No real person's document was used, and no public specimen: those only report.

## What was missed, and what was done about it

- Neighbouring lines grew together where print is small or blurred: the locator draws a thin core
  and says where the middle of the line is, so that pixels vote for their line.
- Print that stands on its head was taken for upright: the axis of a line and the way it is read are
  told apart.
- Ends of lines were lost under a finger or a reflection: both are drawn over pages, lines are led
  on to where the others end, and sought eleven characters beyond.
- Strips lay a little off after the first look: a second course of strips that are cut out of whole
  pages, with the errors that the device makes.
- Other text, other sides of documents and bare desks were taken for an MRZ: they are drawn among
  the pages, and what is no likelier as an MRZ than as any other text is none.
- A worn letter was surely taken for another, T for I, P for F: a second network of the same kind,
  the verifier, trained from other weights on other strips, has to agree.

## The thresholds

A reading is *read* where its check digits bear it out and no character is less probable than this:

| threshold | value |
|---|---|
{limits}

They were fixed on {frames:,} rendered frames that training never saw ({with_mrz:,} of them with an
MRZ, many of them illegible on purpose). The lines were exact on {right:,}; *read* were {read:,}
({share:.1%} of those that are legible), **none of them wrongly**. By the rule of three at most one
in {one_in:,} of frames like these is read wrongly (95 %).

The damage that is drawn turns one character into another now and then: an R that lost its leg is a
P to every eye. {apart:,} frames were *read* otherwise than was meant where the picture itself, held
against clean glyphs of both characters and with no network having a say (`training/shown.py`),
shows what was read, or where an edge cuts the character. They are in neither of the figures above.
Frames unlike all these may do worse: a cut of OCR-B that was never drawn, say.

## Limits

- Print in which a person cannot tell O from 0 is not told apart here either: it is doubtful.
- A document whose MRZ is narrower than 44 times 7 px is mostly too small.
- Light print on dark ground was drawn rarely.
- One MRZ is read of a picture that shows two.

## Make them anew

`make train` (PyTorch; an afternoon on two cores, minutes on an accelerator, which it uses if there
is one). `python -m models.training --help` lists the stages; each goes on where it was stopped.
"""
