"""From a trained network to the bytes of a TFLite file, a pure function of its weights.

The file is written by our own hand (`trace`, `quantise`, `flatbuffer`) and by no converter: the
networks are a dozen convolutions, and so nothing is left to a converter's version. The bytes depend
on weights and representative inputs alone, there are no transpositions, no size stands in the file,
and the operators are ones that XNNPACK runs in every interpreter that we support.
"""

from collections.abc import Iterable

import torch
from torch import nn

from models.training.flatbuffer import Precision, write
from models.training.quantise import calibrate
from models.training.trace import read_graph

__all__ = ["Precision", "export"]


def export(
    network: nn.Module,
    example: torch.Tensor,
    precision: Precision = Precision.FLOAT32,
    representative: Iterable[torch.Tensor] = (),
    *,
    float_outputs: bool = False,
) -> bytes:
    """A TFLite file: float32 in and out, batch × height × width × channels.

    `example` (batch × channels × height × width) gives the sizes that the file states; others are
    given with `resize_tensor_input`, with height and width congruent to the example's modulo the
    network's strides. `representative` inputs are needed for int8 alone. With `float_outputs` the
    layers that give the outputs stay in float there, so that small differences remain.
    """
    graph = read_graph(network, example)
    if precision is not Precision.INT8:
        return write(graph, precision)
    float_layers = graph.outputs if float_outputs else ()
    return write(graph, precision, calibrate(network, graph, representative, float_layers))
