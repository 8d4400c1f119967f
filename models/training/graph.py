"""What a network looks like on its way into a TFLite file: a list of layers.

Axes are in TFLite's order: batch, height, width, channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pads = tuple[int, int, int, int]
"""Rows and columns of zeros: top, bottom, left, right."""

NO_PADS: Pads = (0, 0, 0, 0)


class Kind(StrEnum):
    CONV = "conv"
    DEPTHWISE = "depthwise"
    PAD = "pad"
    DEPTH_TO_SPACE = "depth_to_space"
    CONCAT = "concat"
    ADD = "add"
    LOGISTIC = "logistic"


CONVOLUTIONS = (Kind.CONV, Kind.DEPTHWISE)


def _nothing() -> Floats:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class Layer:
    """One operation. A value goes by the name of the layer that gives it; `last` is the call of
    torch's whose result that is, once batch norm and rectifier are in it."""

    kind: Kind
    name: str
    last: str
    inputs: tuple[str, ...]
    weights: Floats = field(default_factory=_nothing)
    """Outputs, rows, columns, inputs; of a depthwise convolution 1, rows, columns, channels."""
    bias: Floats = field(default_factory=_nothing)
    stride: tuple[int, int] = (1, 1)
    same: bool = False
    relu: bool = False
    pads: Pads = NO_PADS
    block: int = 1


@dataclass(frozen=True)
class Graph:
    """A network: layers in order, the names of the values that go in and come out, and the shape of
    every value at the example's size."""

    input: str
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
