"""Folds pixels into channels where a network takes its picture in: the same sums, quicker.

A strided convolution of one channel looks at its pixels one by one, and an interpreter fetches each
from a place of its own and fills the rest of a register with nothing. So networks take pictures in
which FOLD by FOLD pixels are the channels of one (`scanner.vision.shapes.folded`). One whose first
two layers halve the picture is written accordingly: the first gives its two by two results as
channels of one, the second takes them so, and neither has a stride any more. The taps that a kernel
does not have weigh nothing: every sum stays what it was, to the bit in int8.
"""

from dataclasses import replace

import numpy as np

from models.training.graph import Floats, Graph, Kind, Layer
from scanner.vision.shapes import FOLD

HALF = 2
"""The stride of the layers that can be folded."""


def folded(graph: Graph) -> Graph:
    """The graph, taking in folded pictures. One that does not begin with two such layers is left as
    it is, also one that takes in folded pictures already."""
    if len(graph.layers) < 2 or not _can_be_folded(graph):
        return graph
    first, second, *others = graph.layers
    layers = (_refolded(first, FOLD), _refolded(second, FOLD // HALF), *others)
    batch, height, width, _ = graph.shapes[graph.input]
    cells = (batch, height // FOLD, width // FOLD)
    shapes = dict(graph.shapes)
    shapes[graph.input] = (*cells, FOLD**2)
    shapes[first.name] = (*cells, len(layers[0].bias))
    return replace(graph, layers=layers, shapes=shapes)


def _can_be_folded(graph: Graph) -> bool:
    """Whether the first two layers halve a picture of one channel, and nothing else takes what
    stands between."""
    first, second, *others = graph.layers
    return (
        graph.shapes[graph.input][-1] == 1
        and _halves(first, graph.input)
        and _halves(second, first.name)
        and not any({graph.input, first.name} & set(layer.inputs) for layer in others)
    )


def _halves(layer: Layer, source: str) -> bool:
    return (
        layer.kind is Kind.CONV
        and layer.inputs == (source,)
        and layer.same
        and layer.stride == (HALF, HALF)
        and layer.weights.shape[1] == layer.weights.shape[2]
    )


def _refolded(layer: Layer, fold: int) -> Layer:
    """A convolution of stride 2 over pixels that are folded `fold` by `fold`, which gives its
    results folded half as much."""
    bias = np.tile(layer.bias, (fold // HALF) ** 2)
    return replace(layer, weights=refolded(layer.weights, fold), bias=bias, stride=(1, 1))


def refolded(weights: Floats, fold: int) -> Floats:
    """A square kernel (outputs, taps, taps, inputs) of stride 2 as one of stride 1 over folded
    pixels: (outputs * (fold / 2) ** 2, cells, cells, inputs * fold ** 2), both padded by SAME."""
    outputs, taps, _, inputs = weights.shape
    results = fold // HALF
    # SAME begins so far before a stride's pixel.
    offsets = HALF * np.arange(results)[:, None] + np.arange(taps) - (taps - HALF) // 2
    cells, within = offsets // fold, offsets % fold
    cells -= cells.min()
    count = int(cells.max()) + 1
    kernel = np.zeros((results, results, outputs, count, count, fold, fold, inputs), weights.dtype)
    for row, column in np.ndindex(results, results):
        for down, across in np.ndindex(taps, taps):
            at = cells[row, down], cells[column, across], within[row, down], within[column, across]
            kernel[row, column, :, *at] = weights[:, down, across]
    return kernel.reshape(results**2 * outputs, count, count, fold**2 * inputs)
