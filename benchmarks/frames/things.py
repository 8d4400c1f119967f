"""Things on a desk, each as a picture, its outline as a mask, and its width in millimetres."""

import cv2
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

Thing = tuple[Picture, Picture, float]


def _whole(picture: Picture, corner: int = 0) -> Picture:
    """A mask of all of it, with round corners."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (corner, 0), (width - corner, height), 255, -1)
    cv2.rectangle(mask, (0, corner), (width, height - corner), 255, -1)
    for x, y in ((corner, corner), (width - corner - 1, corner)):
        cv2.circle(mask, (x, y), corner, 255, -1, cv2.LINE_AA)
        cv2.circle(mask, (x, height - y - 1), corner, 255, -1, cv2.LINE_AA)
    return mask


def keyboard(random: Random) -> Thing:
    sheet = Sheet(1350, 480, colour(random, 90))
    font, key = proportional(26, random), paper(random, 30)
    ink = (240, 240, 240) if sum(key) < 380 else (20, 20, 20)
    for row in range(5):
        for column in range(14):
            x, y = 20 + column * 94, 20 + row * 90
            sheet.draw.rounded_rectangle((x, y, x + 84, y + 80), 10, fill=key)
            text = letters(random, 1) if random.random() < 0.8 else digits(random, 1)
            sheet.write(x + 16, y + 12, text, font, ink)
    picture = sheet.picture()
    return picture, _whole(picture, 20), float(random.uniform(260, 320))


def pen(random: Random) -> Thing:
    picture = np.full((60, 1000, 3), colour(random, 200), np.uint8)
    picture[:16] = np.minimum(picture[:16].astype(int) + 60, 255).astype(np.uint8)
    mask = np.zeros((60, 1000), np.uint8)
    outline = np.array([[0, 30], [90, 6], [990, 4], [999, 30], [990, 56], [90, 54]])
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
    return picture, mask, float(random.uniform(130, 150))


def coin(random: Random) -> Thing:
    base = np.array(random.choice([[90, 150, 185], [175, 178, 180], [60, 100, 160]]))
    picture = np.full((240, 240, 3), base, np.uint8)
    cv2.circle(picture, (120, 120), 100, (base * 0.75).tolist(), 6, cv2.LINE_AA)
    cv2.ellipse(picture, (120, 120), (40, 60), 20, 0, 360, (base * 1.2).tolist(), -1, cv2.LINE_AA)
    mask = np.zeros((240, 240), np.uint8)
    cv2.circle(mask, (120, 120), 118, 255, -1, cv2.LINE_AA)
    return picture, mask, float(random.uniform(17, 26))


def cup(random: Random) -> Thing:
    """From above: a rim, and what is in it."""
    rim, inside = np.array(paper(random, 120)), (30, 50, 80)
    picture = np.full((400, 400, 3), rim, np.uint8)
    cv2.circle(picture, (200, 200), 165, (rim * 0.8).tolist(), -1, cv2.LINE_AA)
    cv2.circle(picture, (200, 200), 150, inside, -1, cv2.LINE_AA)
    mask = np.zeros((400, 400), np.uint8)
    cv2.circle(mask, (200, 200), 190, 255, -1, cv2.LINE_AA)
    return picture, mask, float(random.uniform(75, 95))


def cable(random: Random) -> Thing:
    x = np.linspace(10, 990, 40)
    y = 300 + np.cumsum(random.normal(0, 26, 40))
    line = np.column_stack([x, np.clip(y, 20, 580)]).astype(np.int32)
    picture = np.full((600, 1000, 3), colour(random, 90), np.uint8)
    mask = np.zeros((600, 1000), np.uint8)
    cv2.polylines(mask, [line], False, 255, 14, cv2.LINE_AA)
    return picture, mask, float(random.uniform(250, 400))


def telephone(random: Random) -> Thing:
    picture = np.full((1000, 480, 3), 18, np.uint8)
    if random.random() < 0.5:
        picture[50:950, 25:455] = random.integers(40, 230, 3)
        for row in range(6):
            top = 120 + 130 * row
            cv2.rectangle(picture, (60, top), (420, top + 70), (235, 235, 235), -1)
    return picture, _whole(picture, 60), float(random.uniform(68, 78))


def ruler(random: Random) -> Thing:
    sheet = Sheet(1600, 150, paper(random, 150))
    font = proportional(30, random)
    for mark in range(160):
        deep = 60 if mark % 10 == 0 else 30
        sheet.draw.line((10 + mark * 10, 0, 10 + mark * 10, deep), fill=(20, 20, 20), width=2)
        if mark % 10 == 0:
            sheet.write(14 + mark * 10, 64, str(mark // 10), font)
    picture = sheet.picture()
    return picture, _whole(picture), 160.0


def note(random: Random) -> Thing:
    sheet = Sheet(400, 400, (250, 235, int(random.integers(80, 160))))
    font = proportional(38, random)
    for row in range(int(random.integers(1, 6))):
        sheet.write(30, 40 + 62 * row, words(random, 10)[:16], font, (30, 40, 120))
    picture = sheet.picture()
    return picture, _whole(picture), 76.0


def cover(random: Random) -> Thing:
    """A closed booklet: a title in gold and a crest."""
    deep, gold = colour(random, 110), (206, 176, 98)
    sheet = Sheet(620, 880, deep)
    sheet.write(150, 110, word(random).upper()[:9], proportional(58, random), gold)
    sheet.draw.ellipse((200, 300, 420, 540), outline=gold, width=8)
    sheet.draw.polygon([(310, 330), (380, 480), (240, 480)], outline=gold)
    sheet.write(170, 660, word(random).upper()[:8], proportional(54, random), gold)
    picture = sheet.picture()
    return picture, _whole(picture, 24), 88.0


def card(random: Random) -> Thing:
    """A bank or member's card: a chip, embossed digits in four groups, a name."""
    sheet = Sheet(1012, 638, colour(random, 230))
    pale = (240, 236, 214)
    sheet.draw.rounded_rectangle((90, 220, 230, 330), 16, fill=(205, 178, 110))
    number = "  ".join(digits(random, 4) for _ in range(4))
    big = machine(56) if random.random() < 0.5 else monospaced(56, random)
    sheet.write(80, 360, number, big, pale)
    sheet.write(430, 450, f"{digits(random, 2)}/{digits(random, 2)}", monospaced(34, random), pale)
    sheet.write(80, 530, words(random, 14).upper()[:22], monospaced(38, random), pale)
    sheet.write(80, 60, word(random).upper() + " BANK", proportional(48, random), pale)
    picture = sheet.picture()
    return picture, _whole(picture, 36), 85.6
