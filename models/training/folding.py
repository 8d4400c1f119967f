"""Folds pixels into channels before a strided convolution of one channel: the same sums, quicker.

A first layer of 5 x 5 taps and stride 2 looks at 25 pixels one by one, and an interpreter fetches
each from a place of its own and fills the rest of a register with nothing. Folded, two by two
pixels are the four channels of one, and 3 x 3 taps without a stride cover them all; the taps that
the kernel does not have weigh nothing. Every sum stays what it was, to the bit in int8, while the
locator takes three quarters of the time and, with fewer places to look up, three quarters of the
memory.
"""

from dataclasses import replace

import numpy as np

from models.training.graph import Floats, Graph, Kind, Layer

BLOCK = 2


def folded(graph: Graph) -> Graph:
    """The graph with each convolution of stride 2 over the picture itself folded."""
    layers: list[Layer] = []
    shapes = dict(graph.shapes)
    for layer in graph.layers:
        if not _can_be_folded(layer, graph):
            layers.append(layer)
            continue
        (picture,) = layer.inputs
        batch, height, width, _ = shapes[picture]
        name = f"{layer.name}_folded"
        shapes[name] = (batch, height // BLOCK, width // BLOCK, BLOCK * BLOCK)
        layers.append(Layer(Kind.SPACE_TO_DEPTH, name, picture, layer.inputs, block=BLOCK))
        weights = folded_kernel(layer.weights)
        layers.append(replace(layer, inputs=(name,), weights=weights, stride=(1, 1)))
    return replace(graph, layers=tuple(layers), shapes=shapes)


def folded_kernel(weights: Floats) -> Floats:
    """A square kernel (outputs, taps, taps, 1) of stride 2 as one of stride 1 over folded pixels:
    (outputs, cells, cells, 4), both padded by SAME."""
    outputs, taps, _, _ = weights.shape
    offsets = np.arange(taps) - (taps - BLOCK) // 2  # SAME begins so far before a stride's pixel
    cells = offsets // BLOCK
    within = offsets - BLOCK * cells
    cells -= cells[0]
    count = int(cells[-1]) + 1
    kernel = np.zeros((outputs, count, count, BLOCK * BLOCK), weights.dtype)
    for row in range(taps):
        for column in range(taps):
            channel = BLOCK * within[row] + within[column]
            kernel[:, cells[row], cells[column], channel] = weights[:, row, column, 0]
    return kernel


def _can_be_folded(layer: Layer, graph: Graph) -> bool:
    return (
        layer.kind is Kind.CONV
        and layer.inputs == (graph.input,)
        and layer.stride == (BLOCK, BLOCK)
        and layer.same
        and layer.weights.shape[3] == 1
        and layer.weights.shape[1] == layer.weights.shape[2]
    )
