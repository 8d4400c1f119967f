"""What an MRZ line is printed on, at the resolution of the camera: tint, guilloche, pictures that
run under it, and what stands close above and below. Left out, sixteen characters in a hundred were
read wrongly in photographs; nothing else in the generator matters so much."""

import cv2
import numpy as np
from numpy.typing import NDArray

Ground = NDArray[np.uint8]
_WORDS = "SURNAME GIVEN NAMES DATE OF BIRTH AUTHORITY Nom Prenoms Signature du titulaire No. 12 JAN"


def ground(rng: np.random.Generator, width: int, height: int, pitch: float) -> Ground:
    """Paper of that size in px, seen at `pitch` px a character."""
    tone = float(rng.uniform(165, 255)) if rng.random() < 0.85 else float(rng.uniform(90, 200))
    picture = np.full((height, width), tone, np.float32)
    if rng.random() < 0.6:
        picture += _blobs(rng, width, height, pitch)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _guilloche(rng, picture, pitch, tone)
    if rng.random() < 0.25:
        _labels(rng, picture, pitch, tone)
    if rng.random() < 0.18:
        _edge(rng, picture)
    if rng.random() < 0.12:
        _strokes(rng, picture, pitch)
    return picture


def _blobs(rng: np.random.Generator, width: int, height: int, pitch: float) -> NDArray[np.float32]:
    """Cloudy tone at one to three scales, as of a picture or a watermark."""
    whole = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        grain = float(pitch * np.exp(rng.uniform(np.log(0.3), np.log(8))))
        shape = (int(height / grain) + 2, int(width / grain) + 2)
        coarse = rng.standard_normal(shape, np.float32) * float(rng.uniform(1, 15))
        whole += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return whole


def _guilloche(rng: np.random.Generator, picture: Ground, pitch: float, tone: float) -> None:
    """Families of fine waves, lighter or darker than the paper."""
    height, width = picture.shape
    x = np.arange(-4, width + 8, 4, dtype=np.float32)
    for _ in range(int(rng.integers(1, 3))):
        apart = pitch * rng.uniform(0.2, 1.4)
        wave = pitch * rng.uniform(2, 20)
        rise = pitch * rng.uniform(0.2, 3)
        slope = rng.normal(0, 0.5)
        shade = int(np.clip(tone + rng.normal(-18, 18), 0, 255))
        steep = rng.random() < 0.25
        phase, drift = rng.uniform(0, 6.3), rng.uniform(0, 1.5)
        span = int(min(60, (height + abs(slope) * width + 2 * rise) / apart + 1))
        curves = []
        for i in range(span):
            y = (
                i * apart
                - rise
                - max(0.0, slope) * width
                + slope * x
                + rise * np.sin(2 * np.pi * x / wave + phase + i * drift * 0.3)
            )
            points = np.stack([x, y], 1) if not steep else np.stack([y * 4, x / 4], 1)
            curves.append(np.round(points * 8).astype(np.int32))
        cv2.polylines(picture, curves, False, shade, 1, cv2.LINE_AA, 3)


def _labels(rng: np.random.Generator, picture: Ground, pitch: float, tone: float) -> None:
    """Ordinary print just above or below, which is no MRZ."""
    height, width = picture.shape
    for _ in range(int(rng.integers(1, 3))):
        start = int(rng.integers(len(_WORDS) - 12))
        size = float(pitch / 22 * rng.uniform(0.4, 1.3))
        up = rng.random() < 0.5
        y = rng.uniform(0, 0.15) * height if up else rng.uniform(0.92, 1.2) * height
        face = int(
            rng.choice(
                [
                    cv2.FONT_HERSHEY_SIMPLEX,
                    cv2.FONT_HERSHEY_DUPLEX,
                    cv2.FONT_HERSHEY_COMPLEX,
                    cv2.FONT_HERSHEY_PLAIN,
                ]
            )
        )
        shade = int(tone * rng.uniform(0.1, 0.7))
        place = (int(rng.uniform(-0.2, 0.8) * width), int(y))
        cv2.putText(
            picture,
            _WORDS[start : start + 24],
            place,
            face,
            size,
            shade,
            max(1, round(size * 1.5)),
            cv2.LINE_AA,
        )


def _edge(rng: np.random.Generator, picture: Ground) -> None:
    """The page ends: desk, or the dark behind a scan, above or below or at an end."""
    height, width = picture.shape
    shade = int(rng.uniform(0, 255))
    side = rng.integers(4)
    if side < 2:
        y = rng.uniform(0, 0.2) * height
        tilt = rng.normal(0, 0.05) * width
        edge = np.array([[0, y], [width, y + tilt], [width, -50], [0, -50]])
        if side:
            edge[:, 1] = height - edge[:, 1]
    else:
        x = rng.uniform(0, 0.06) * width
        edge = np.array([[x, 0], [x + rng.normal(0, 3), height], [-50, height], [-50, 0]])
        if side == 3:
            edge[:, 0] = width - edge[:, 0]
    cv2.fillPoly(picture, [np.round(edge * 8).astype(np.int32)], shade, cv2.LINE_AA, 3)
    if rng.random() < 0.5:
        noise = rng.integers(-25, 25, picture.shape, dtype=np.int16)
        mask = picture == shade
        picture[mask] = np.clip(picture[mask] + noise[mask], 0, 255)


def _strokes(rng: np.random.Generator, picture: Ground, pitch: float) -> None:
    """A pen, a scratch, a fold, a rule."""
    height, width = picture.shape
    for _ in range(int(rng.integers(1, 4))):
        ends = rng.uniform(0, 1, (2, 2)) * (width, height)
        points = np.round(ends * 8).astype(int)
        shade = int(rng.uniform(0, 255))
        thick = max(1, int(pitch * rng.uniform(0.02, 0.16)))
        cv2.line(picture, points[0].tolist(), points[1].tolist(), shade, thick, cv2.LINE_AA, 3)
