"""Finds the scales for int8: runs a network over representative inputs and notes the ranges.

Values that an operator only moves about (padding, joining, depth to space) share one scale with
what they are made of, so that nothing is rounded twice. What a sigmoid gives lies between 0 and 1,
and TFLite fixes its scale.
"""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from models.training.flatbuffer import Quantisation, Scale
from models.training.graph import Graph, Kind

STEPS = 255
LOGISTIC = Scale(1 / 256, -128)
MOVED = (Kind.PAD, Kind.CONCAT, Kind.DEPTH_TO_SPACE)


def calibrate(
    network: nn.Module,
    graph: Graph,
    representative: Iterable[torch.Tensor],
    float_layers: Collection[str] = (),
) -> Quantisation:
    """The scales that hold every value that the inputs (batch × channels × height × width) give."""
    watched = {layer.last for layer in graph.layers} | {graph.input}
    watcher = _Watcher(fx.symbolic_trace(network.eval()), watched)
    with torch.no_grad():
        for example in representative:
            watcher.run(example)
    last = {layer.name: layer.last for layer in graph.layers} | {graph.input: graph.input}
    groups = _groups(graph)
    scales = {}
    for name in graph.shapes:
        together = [
            watcher.ranges[last[one]] for one in groups[name] if last[one] in watcher.ranges
        ]
        scales[name] = _scale(min(low for low, _ in together), max(high for _, high in together))
    scales |= {layer.name: LOGISTIC for layer in graph.layers if layer.kind is Kind.LOGISTIC}
    return Quantisation(scales, frozenset(float_layers))


def _groups(graph: Graph) -> dict[str, set[str]]:
    """For every value, the values that share its scale."""
    groups = {name: {name} for name in graph.shapes}
    for layer in graph.layers:
        if layer.kind in MOVED:
            together = set().union(groups[layer.name], *(groups[name] for name in layer.inputs))
            for name in together:
                groups[name] = together
    return groups


def _scale(low: float, high: float) -> Scale:
    """The scale for a range, which must hold 0 exactly: that is what padding is made of."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = float(np.float32(max(high - low, 1e-6) / STEPS))
    return Scale(step, round(-128 - low / step))


class _Watcher(fx.Interpreter):
    """Notes the least and the largest of the values that are watched."""

    def __init__(self, traced: fx.GraphModule, watched: Collection[str]) -> None:
        super().__init__(traced)
        self._watched = watched
        self.ranges: dict[str, tuple[float, float]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.name in self._watched:
            low, high = self.ranges.get(n.name, (0.0, 0.0))
            self.ranges[n.name] = (min(low, float(value.min())), max(high, float(value.max())))
        return value
