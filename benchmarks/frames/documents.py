"""Other pages of documents: what an officer may open by mistake. None has an MRZ."""

import cv2
import numpy as np

from benchmarks.frames.lettering import (
    Picture,
    Random,
    Sheet,
    colour,
    digits,
    letters,
    monospaced,
    paper,
    proportional,
    word,
    words,
)
from benchmarks.frames.mrz_place import Place
from benchmarks.frames.textures import clouds


def visa_page(random: Random) -> Picture:
    """A page for visas: fine lines, a number pierced through it, stamps across each other."""
    ink = colour(random, 190)
    sheet = Sheet(880, 1240, paper(random, 222))
    _fine_lines(sheet, random)
    sheet.write(340, 40, "VISAS", proportional(48, random), ink)
    sheet.write(420, 1170, digits(random, 2), proportional(34, random), ink)
    _pierced(sheet, digits(random, 8))
    picture = sheet.picture()
    for _ in range(int(random.integers(0, 6))):
        _stamp(picture, random)
    return picture


def front_of_card(random: Random) -> Picture:
    """The side of a card that has no MRZ: a silhouette, fields, a chip, a signature."""
    sheet = Sheet(1012, 638, paper(random, 190))
    _fine_lines(sheet, random)
    ink, deep = (30, 32, 40), colour(random, 130)
    sheet.draw.rectangle((0, 0, 1012, 80), fill=deep)
    title = words(random, 20).upper()[:34]
    sheet.write(30, 18, title, proportional(38, random), (245, 245, 245))
    sheet.draw.rectangle((40, 110, 330, 490), fill=paper(random, 170), outline=deep)
    sheet.draw.ellipse((115, 160, 255, 340), fill=deep)
    sheet.draw.ellipse((60, 350, 310, 660), fill=deep)
    sheet.draw.rectangle((30, 492, 340, 638), fill=paper(random, 215))
    label, value = proportional(17, random), proportional(32, random)
    for row in range(5):
        sheet.write(380, 105 + 84 * row, words(random, 9), label, deep)
        filled = [
            words(random, 12).upper(),
            digits(random, 9),
            letters(random, 2) + digits(random, 6),
        ]
        sheet.write(380, 127 + 84 * row, str(random.choice(filled)), value, ink)
    curve = np.column_stack([np.linspace(400, 800, 30), 570 + random.normal(0, 22, 30)])
    sheet.draw.line([tuple(p) for p in curve.tolist()], fill=(20, 20, 60), width=4)
    return sheet.picture()


def boarding_pass(random: Random) -> Picture:
    """Capitals in a machine's type and a block of bars."""
    sheet = Sheet(1300, 560, paper(random, 232))
    font, label = monospaced(34, random), proportional(18, random)
    for place in range(9):
        x, y = 50 + 300 * (place % 3), 60 + 120 * (place // 3)
        sheet.write(x, y, words(random, 8), label)
        sheet.write(
            x, y + 24, f"{letters(random, 3)}/{letters(random, 6)} {digits(random, 3)}", font
        )
    for y in range(70, 460, 9):
        for x in range(960, 1260, 4):
            if random.random() < 0.5:
                sheet.draw.rectangle((x, y, x + 3, y + 8), fill=(20, 20, 20))
    sheet.write(
        50, 470, f"ETKT {digits(random, 3)} {digits(random, 10)} {letters(random, 6)}", font
    )
    return sheet.picture()


def booklet(random: Random) -> Picture:
    """Two pages of small print side by side, as the first and last of a passport."""
    sheet = Sheet(1500, 1050, paper(random, 222))
    _fine_lines(sheet, random)
    font = proportional(random.uniform(16, 24), random)
    for side in (60, 810):
        sheet.write(side, 60, words(random, 16).upper(), proportional(34, random))
        for row in range(26):
            if random.random() > 0.15:
                sheet.write(side, 150 + 33 * row, words(random, 50)[:58], font)
    sheet.draw.line((750, 0, 750, 1050), fill=(120, 120, 120), width=5)
    return sheet.picture()


def without_its_mrz(page: Picture, place: Place, random: Random) -> Picture:
    """A page of the corpus with the MRZ's area cut away: the part above it alone, or the whole with
    blank paper in its stead."""
    height, width = page.shape[:2]
    top = int(max(0, place.top - place.pitch))
    if top > 0.35 * height and random.random() < 0.5:
        return np.ascontiguousarray(page[:top])
    bottom = int(min(height, place.bottom + place.pitch))
    blank = page.copy()
    rows = page[max(0, top - 4) : max(1, top)].reshape(-1, 3)
    tone = np.median(rows, axis=0)
    cloudy = 3 * clouds(random, width, max(2, bottom - top), 0.5)[: bottom - top, :, None]
    blank[top:bottom] = np.clip(tone + cloudy, 0, 255).astype(np.uint8)
    return blank


def _fine_lines(sheet: Sheet, random: Random) -> None:
    """A guilloche."""
    tint = paper(random, 165)
    x = np.arange(0, sheet.width + 8, 8)
    swing, step = random.uniform(6, 30), int(random.integers(7, 16))
    wave = swing * np.sin(x / random.uniform(25, 90)) + 6 * np.sin(x / 17)
    for base in range(-30, sheet.height + 30, step):
        line = np.column_stack([x, base + wave])
        sheet.draw.line([tuple(p) for p in line.tolist()], fill=tint)


def _pierced(sheet: Sheet, number: str) -> None:
    for place, digit in enumerate(number):
        for hole in range(7):
            x, y = 300 + 38 * place + 7 * (hole % 3), 1080 + 9 * hole
            if (int(digit) * 37 >> hole) & 1:
                sheet.draw.ellipse((x, y, x + 6, y + 6), fill=(70, 70, 70))


def _stamp(picture: Picture, random: Random) -> None:
    """A border stamp's imprint, uneven, at an angle."""
    ink = colour(random, 150)
    stamp = Sheet(360, 240, (255, 255, 255))
    box = (8, 8, 350, 230)
    if random.random() < 0.5:
        stamp.draw.ellipse(box, outline=ink, width=7)
    else:
        stamp.draw.rounded_rectangle(box, 20, outline=ink, width=7)
    stamp.write(90, 40, word(random).upper()[:8], proportional(40, random), ink)
    stamp.write(60, 100, f"{digits(random, 2)} {letters(random, 3)} {digits(random, 4)}",
                monospaced(34, random), ink)  # fmt: skip
    stamp.write(100, 165, digits(random, 6), monospaced(28, random), ink)
    move = cv2.getRotationMatrix2D((180, 120), random.uniform(-60, 60), random.uniform(0.7, 1.2))
    shift = move[:, 2] + random.uniform([0, 60], [450, 900])
    move = np.column_stack([move[:, :2], shift])
    size = (picture.shape[1], picture.shape[0])
    laid = cv2.warpAffine(stamp.picture(), move, size, borderValue=(255, 255, 255))
    worn = np.clip(0.8 + 0.35 * clouds(random, *size, 0.1), 0.2, 1)[..., None]
    picture[:] = (picture * (1 - worn * (1 - laid.astype(np.float32) / 255))).astype(np.uint8)
