"""The two kinds of network: one locates, the other recognises (and a second of it verifies). Small
enough for one core of a Raspberry Pi; nothing in them depends on the size of the picture, so one
file serves every frame.

Both are plain convolutions with batch norm and ReLU. Padding is TensorFlow's SAME (what is odd goes
right and below), written out, so that the exported graph is the same function.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from scanner.vision.lines import MAP_STEP
from scanner.vision.shapes import CLASSES, FOLD, HEIGHT

GEOMETRY = 3
"""What the recogniser says of a column beside its class: see `strips.Strip`."""
MAPS = 9
"""What the locator says of a pixel, in the order of `scanner.vision.lines`: core of a line, within
an MRZ, logarithm of the capital's height, the way to the middle of the line (x, y), its axis
(cosine and sine of twice its angle) and its reading direction (cosine and sine). Only the last two
tell up from down, which small print does not always show; all else holds either way."""


class Block(nn.Module):
    """Padding, convolution, batch norm, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        *,
        closes_height: bool = False,
    ) -> None:
        super().__init__()
        across = max(0, kernel[1] - stride[1])
        down = 0 if closes_height else max(0, kernel[0] - stride[0])
        # left, right, top, bottom
        self.padding = (across // 2, across - across // 2, down // 2, down - down // 2)
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, picture: Tensor) -> Tensor:
        padded = functional.pad(picture, self.padding)
        return functional.relu(self.norm(self.convolution(padded)))


class Recogniser(nn.Module):
    """(batch, 1, HEIGHT, width) -> (batch, CLASSES + GEOMETRY, 1, width / STEP), logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Block(1, 20, stride=(2, 2)),
            Block(20, 40, stride=(2, 2)),
            Block(40, 56),
            Block(56, 80, stride=(2, 1)),
            Block(80, 80),
            Block(80, 112, (HEIGHT // 8, 3), closes_height=True),
            Block(112, 112, (1, 5)),
        )
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Conv2d(112, CLASSES + GEOMETRY, 1)

    def forward(self, strips: Tensor) -> Tensor:
        return self.head(self.dropout(self.body(strips)))


class Rise(nn.Module):
    """Twice the size by a 1x1 convolution whose channels become pixels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs * 4, 1)

    def forward(self, picture: Tensor) -> Tensor:
        return functional.relu(functional.pixel_shuffle(self.convolution(picture), 2))


class Locator(nn.Module):
    """A U-Net: (batch, FOLD ** 2, height / FOLD, width / FOLD) -> (batch, 4 * MAPS, the same),
    logits: of pictures whose pixels are folded into channels (`scanner.vision.shapes.folded`), maps
    whose pixels are, two by two (`unfolded`).

    No layer works on single pixels, nor on maps at their full size: an interpreter spends more time
    on finding a pixel's neighbours than on reckoning with so few channels. So the same work takes a
    third of the time (docs/decisions/0026).

    Height and width are multiples of `scanner.vision.locate.MULTIPLE`.
    """

    WIDTHS = (32, 48, 64, 80)

    def __init__(self) -> None:
        super().__init__()
        first, *deeper = self.WIDTHS
        self.stem = Block(FOLD**2, first)
        self.down = nn.ModuleList()
        inputs = first
        for width in deeper:
            self.down.append(
                nn.Sequential(Block(inputs, width, stride=(2, 2)), Block(width, width))
            )
            inputs = width
        self.bottom = Block(inputs, inputs)
        self.up = nn.ModuleList()
        self.join = nn.ModuleList()
        for width in reversed(self.WIDTHS[:-1]):
            self.up.append(Rise(inputs, width))
            self.join.append(Block(2 * width, width))
            inputs = width
        self.head = nn.Conv2d(inputs, MAPS * (FOLD // MAP_STEP) ** 2, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        kept = [self.stem(pictures)]
        for stage in self.down:
            kept.append(stage(kept[-1]))
        here = self.bottom(kept.pop())
        for rise, join in zip(self.up, self.join, strict=True):
            here = join(torch.cat([rise(here), kept.pop()], 1))
        return self.head(here)


def unfolded(maps: Tensor) -> Tensor:
    """Maps as the locator gives them, at half of the picture's size: (batch, MAPS, ...)."""
    return functional.pixel_shuffle(maps, FOLD // MAP_STEP)
