"""Papers that are no travel documents' MRZ pages: text, lists, forms, slips, code.

Some of them are what a hasty reader takes for an MRZ: rows of capitals and digits of equal length
in a machine's type, `<` in lines of a program, one line of OCR-B on a payment slip.
"""

import numpy as np

from benchmarks.frames.lettering import (
    Picture,
    Random,
    Sheet,
    colour,
    digits,
    letters,
    machine,
    monospaced,
    paper,
    proportional,
    word,
    words,
)


def text_page(random: Random) -> Picture:
    """A letter or a page of a book."""
    sheet = Sheet(1000, int(random.integers(900, 1414)), paper(random, 225))
    size = random.uniform(15, 30)
    font, y = proportional(size, random), 70.0
    sheet.write(80, y, words(random, 18).upper(), proportional(size * 1.7, random))
    y += size * 3.5
    while y < sheet.height - 80:
        if random.random() > 0.12:
            sheet.write(80, y, words(random, int(840 / size * 1.75))[: int(860 / size * 1.9)], font)
        y += size * 1.5
    return sheet.picture()


def receipt(random: Random) -> Picture:
    """A till's slip."""
    sheet = Sheet(560, int(random.integers(800, 1400)), paper(random, 232))
    font, big = monospaced(24, random), monospaced(34, random)
    sheet.write(90, 40, word(random).upper() + " MARKT", big)
    y, ink = 130.0, (70, 70, 76)
    while y < sheet.height - 220:
        price = f"{random.integers(0, 99)},{digits(random, 2)}"
        sheet.write(30, y, f"{word(random).upper()[:16]:<22}{price:>10}", font, ink)
        y += 32
    sheet.write(30, y + 12, f"SUMME EUR{digits(random, 3):>18},{digits(random, 2)}", font)
    _bars(sheet, random, 60, y + 60, 440, 90)
    sheet.write(110, y + 155, digits(random, 13), font)
    return sheet.picture()


def bar_codes(random: Random) -> Picture:
    """A label with bar codes, numbers and a square code."""
    sheet = Sheet(1000, 640, paper(random, 235))
    for row in range(int(random.integers(1, 4))):
        _bars(sheet, random, 60, 40 + 190 * row, random.uniform(400, 850), 110)
        sheet.write(90, 155 + 190 * row, digits(random, 18), monospaced(30, random))
    cell, side = 9, int(random.integers(21, 33))
    for y, x in np.argwhere(random.random((side, side)) < 0.5):
        left, top = 660 + x * cell, 330 + y * cell
        sheet.draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill=(15, 15, 15))
    return sheet.picture()


def form(random: Random) -> Picture:
    """Boxes to fill in, some of them filled with capitals one a box."""
    sheet = Sheet(1000, 1300, paper(random, 228))
    label, fill, ink = proportional(17, random), monospaced(30, random), colour(random, 120)
    y = 60
    while y < 1200:
        sheet.write(60, y, words(random, 14), label, ink)
        cells = int(random.integers(8, 28))
        text = (letters(random, cells // 2) + " " + digits(random, cells))[:cells]
        written = random.random() < 0.6
        for place in range(cells):
            left = 60 + place * 31
            sheet.draw.rectangle((left, y + 26, left + 31, y + 66), outline=ink)
            if written:
                sheet.write(left + 6, y + 28, text[place], fill, (24, 30, 90))
        y += int(random.integers(90, 150))
    return sheet.picture()


def table(random: Random) -> Picture:
    """A print-out: columns of numbers, codes and dates, every row as long as the next."""
    sheet = Sheet(1200, 900, paper(random, 225))
    size = random.uniform(18, 26)
    font = machine(size) if random.random() < 0.4 else monospaced(size, random)
    y = 50.0
    while y < 850:
        row = f"{letters(random, 3)} {digits(random, 6)} {digits(random, 2)}.{digits(random, 2)} "
        row += f"{digits(random, 8)} {letters(random, 5)} {digits(random, 4)}"
        sheet.write(50, y, row, font)
        y += size * (3 if random.random() < 0.1 else 1.6)
    return sheet.picture()


def code(random: Random) -> Picture:
    """A program on paper or on a screen, full of `<`."""
    dark = random.random() < 0.5
    sheet = Sheet(1280, 800, (28, 30, 36) if dark else (250, 250, 246))
    font, ink = (
        monospaced(random.uniform(18, 28), random),
        (210, 214, 205) if dark else (30, 30, 60),
    )
    for row in range(22):
        names = [word(random) for _ in range(4)]
        line = str(
            random.choice(
                [
                    f"std::cout << {names[0]} << '<' << {names[1]} << std::endl;",
                    f"for (int i = 0; i < {digits(random, 3)}; i <<= 1) {names[0]}[i]++;",
                    f"if ({names[0]} < {names[1]} && {names[2]} <= {digits(random, 2)}) {{",
                    f"<<<<<<< {names[0].upper()}",
                    f"<td class='{names[0]}'>{names[1]}</td><td>{digits(random, 6)}</td>",
                    f"#define {names[0].upper()}_{names[1].upper()} 0x{digits(random, 8)}",
                ]
            )
        )
        sheet.write(40 + 40 * int(random.integers(0, 4)), 30 + row * 34, line, font, ink)
    return sheet.picture()


def payment_slip(random: Random) -> Picture:
    """A slip with one line for a machine at its foot, in the MRZ's own type."""
    sheet = Sheet(1300, 640, paper(random, 225))
    label, value = proportional(18, random), monospaced(28, random)
    for place in range(6):
        x, y = 50 + 420 * (place % 3), 50 + 190 * (place // 3)
        sheet.write(x, y, words(random, 12), label, (150, 60, 50))
        sheet.write(x, y + 30, words(random, 15).upper(), value)
    line = f"{digits(random, 13)}>{digits(random, 26)}+ {digits(random, 9)}>"
    if random.random() < 0.4:
        line = f"<{digits(random, 9)}<{digits(random, 8)}<{digits(random, 12)}<"
    sheet.write(60, 550, line, machine(34))
    return sheet.picture()


def envelope(random: Random) -> Picture:
    sheet = Sheet(1100, 560, paper(random, 215))
    font = proportional(30, random)
    for row in range(4):
        sheet.write(560, 270 + 44 * row, words(random, 14), font)
    sheet.draw.rectangle((930, 40, 1050, 180), fill=colour(random))
    return sheet.picture()


def chart(random: Random) -> Picture:
    """Axes, curves and a legend."""
    sheet = Sheet(1100, 760, paper(random, 238))
    font = proportional(20, random)
    for place in range(9):
        sheet.write(20, 640 - 68 * place, digits(random, 3), font)
        sheet.write(110 + 105 * place, 690, digits(random, 4), font)
        sheet.draw.line((90, 652 - 68 * place, 1060, 652 - 68 * place), fill=(200, 200, 205))
    x = np.linspace(100, 1050, 60)
    for row in range(int(random.integers(1, 5))):
        y = 380 + np.cumsum(random.normal(0, 22, 60))
        ink = colour(random, 220)
        points = [float(v) for pair in zip(x, y, strict=True) for v in pair]
        sheet.draw.line(points, fill=ink, width=3)
        sheet.write(820, 60 + 30 * row, words(random, 10), font, ink)
    return sheet.picture()


def _bars(sheet: Sheet, random: Random, x: float, y: float, width: float, height: float) -> None:
    at = x
    while at < x + width:
        bar = float(random.choice([2, 4, 6]))
        sheet.draw.rectangle((at, y, at + bar, y + height), fill=(18, 18, 20))
        at += bar + float(random.choice([3, 5, 7]))
