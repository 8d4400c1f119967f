"""From a trained network to the bytes of a TFLite file, a pure function of its weights.

The file is written by our own hand (`trace`, `folding`, `quantise`, `flatbuffer`) and by no
converter: the networks are a dozen convolutions, and so nothing is left to a converter's version.
The bytes depend on weights and representative inputs alone, there are no transpositions, no size
stands in the file, and the operators are ones that XNNPACK runs in every interpreter that we
support.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from torch import nn

from models.training.flatbuffer import Precision, write
from models.training.folding import folded
from models.training.quantise import calibrate
from models.training.trace import read_graph
from scanner.vision.shapes import folded as folded_pictures
from scanner.vision.shapes import in_steps

__all__ = ["Mismatch", "Precision", "export", "verify"]


class Mismatch(Exception):
    """A file does not give what its network gives; the message says by how much."""


def export(
    network: nn.Module,
    example: torch.Tensor,
    precision: Precision = Precision.FLOAT32,
    representative: Iterable[torch.Tensor] = (),
    *,
    float_outputs: bool = False,
) -> bytes:
    """A TFLite file: float32 in and out, batch × height × width × channels; of int8 precision it
    takes int8 in. A network of one channel takes folded pictures there, as far as it can
    (`folding`).

    `example` (batch × channels × height × width) gives the sizes that the file states; others are
    given with `resize_tensor_input`, with height and width congruent to the example's modulo the
    network's strides. `representative` inputs are needed for int8 alone. With `float_outputs` the
    layers that give the outputs stay in float there, so that small differences remain.
    """
    graph = folded(read_graph(network, example))
    if precision is not Precision.INT8:
        return write(graph, precision)
    float_layers = graph.outputs if float_outputs else ()
    return write(graph, precision, calibrate(network, graph, representative, float_layers))


def verify(
    network: nn.Module, content: bytes, pictures: Iterable[torch.Tensor], tolerance: float
) -> float:
    """The largest difference between what the file and the network give, in standard deviations of
    the network's answers. Raises Mismatch where it is over the tolerance."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    (taken,) = interpreter.get_input_details()
    worst = 0.0
    for picture in pictures:
        with torch.no_grad():
            given = network.eval()(picture)
        answers = given if isinstance(given, (tuple, list)) else (given,)
        pixels = _as_taken(picture.permute(0, 2, 3, 1).contiguous().numpy(), taken)
        interpreter.resize_tensor_input(taken["index"], pixels.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], pixels)
        interpreter.invoke()
        for answer, output in zip(answers, interpreter.get_output_details(), strict=True):
            right = answer.permute(0, 2, 3, 1).numpy()
            off = np.abs(interpreter.get_tensor(output["index"]) - right).max()
            worst = max(worst, float(off / right.std()))
    if worst > tolerance:
        raise Mismatch(f"the file is off by {worst:.2g}; at most {tolerance:.2g} is allowed")
    return worst


def _as_taken(pixels: np.ndarray, taken: dict[str, Any]) -> np.ndarray:
    """A network's input as its file takes it."""
    if pixels.shape[-1] != taken["shape"][-1]:
        pixels = folded_pictures(pixels)
    if taken["dtype"] is not np.int8:
        return pixels
    return in_steps(pixels, *taken["quantization"])
