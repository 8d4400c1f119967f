"""Turns a small convolutional network of torch into the layers that a TFLite file is made of.

Torch's own tracer gives the network as a list of calls; here batch norms are folded into the
convolutions before them, rectifiers fused, dropout left out, and what is left is put into TFLite's
order of axes. Nothing with a fixed size stands in the result, so that an interpreter can give the
input another batch, height and width.

Two traps. A strided convolution of torch pads both sides alike, TFLite's SAME pads the far side
more where a size is even: SAME is used only where it means the same, and an explicit PAD elsewhere
(both hold for sizes with the remainders of the example's, so for multiples of the strides). And
torch's pixel shuffle takes its channels in another order than DEPTH_TO_SPACE: the convolution
before it gives them in that order instead.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from models.training.graph import CONVOLUTIONS, NO_PADS, Floats, Graph, Kind, Layer, Pads


class Unsupported(Exception):
    """The network has a call that is not known here; the message names it."""


def read_graph(network: nn.Module, example: torch.Tensor) -> Graph:
    """The layers of a network in evaluation mode. Raises Unsupported."""
    traced = fx.symbolic_trace(network.eval())
    shapes = _Shapes(traced)
    with torch.no_grad():
        shapes.run(example)
    reader = _Reader(traced, shapes.found)
    for node in traced.graph.nodes:
        reader.take(node)
    return reader.graph()


class _Shapes(fx.Interpreter):
    """Notes the shape of what every call gives."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.found: dict[str, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            self.found[n.name] = tuple(value.shape)
        return value


class _Reader:
    """Takes the calls one by one. `_layers` are the layers so far, `_value` says by which of them a
    call's result is given, and `_padded` holds paddings until the convolution that they are for."""

    def __init__(self, traced: fx.GraphModule, shapes: dict[str, tuple[int, ...]]) -> None:
        self._modules = dict(traced.named_modules())
        self._shapes = shapes
        self._layers: dict[str, Layer] = {}
        self._value: dict[Any, str] = {}
        self._padded: dict[Any, tuple[fx.Node, Pads]] = {}
        self._input = ""
        self._outputs: tuple[str, ...] = ()

    def graph(self) -> Graph:
        shapes = {}
        for name in (self._input, *self._layers):
            batch, channels, height, width = self._shapes[name]
            shapes[name] = (batch, height, width, channels)
        return Graph(self._input, tuple(self._layers.values()), self._outputs, shapes)

    def take(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self._input = self._value[node] = node.name
        elif node.op == "output":
            self._outputs = self._names(node.args[0])
        else:
            module = self._modules[str(node.target)] if node.op == "call_module" else None
            known = _KNOWN.get(type(module) if module else node.target)
            if known is None:
                raise Unsupported(f"{node.name}: {node.target} has no counterpart in TFLite here")
            known(self, node, module)

    def _names(self, nodes: Any) -> tuple[str, ...]:
        nodes = nodes if isinstance(nodes, Sequence) else (nodes,)
        try:
            return tuple(self._value[node] for node in nodes)
        except KeyError as missing:
            raise Unsupported(f"{missing.args[0]}: nothing here takes what this gives") from None

    def _add(self, layer: Layer, node: fx.Node) -> None:
        self._layers[layer.name] = layer
        self._value[node] = layer.name

    def pass_on(self, node: fx.Node, _: Any) -> None:
        (self._value[node],) = self._names(node.args[0])

    def join(self, node: fx.Node, _: Any) -> None:
        if (node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)) != 1:
            raise Unsupported(f"{node.name}: only channels can be joined")
        self._add(Layer(Kind.CONCAT, node.name, node.name, self._names(node.args[0])), node)

    def add_up(self, node: fx.Node, _: Any) -> None:
        self._add(Layer(Kind.ADD, node.name, node.name, self._names(node.args)), node)

    def squash(self, node: fx.Node, _: Any) -> None:
        self._add(Layer(Kind.LOGISTIC, node.name, node.name, self._names(node.args[0])), node)

    def pad(self, node: fx.Node, module: nn.ZeroPad2d | None) -> None:
        how = (*node.args[2:], *node.kwargs.values())
        if any(argument not in (None, "constant", 0) for argument in how):
            raise Unsupported(f"{node.name}: only zeros can be padded, given by place")
        padding: Any = module.padding if module else node.args[1]
        left, right, top, bottom = padding
        source: Any = node.args[0]
        self._padded[node] = (source, (top, bottom, left, right))

    def convolve(self, node: fx.Node, module: nn.Conv2d) -> None:
        depthwise = module.groups > 1
        if isinstance(module.padding, str) or module.padding_mode != "zeros":
            raise Unsupported(f"{node.name}: give the padding as numbers, of zeros")
        if module.dilation != (1, 1) or (depthwise and module.weight.shape[1] != 1):
            raise Unsupported(f"{node.name}: dilation and wide groups are not known here")
        name, same = self._padded_input(node, module)
        layer = Layer(
            Kind.DEPTHWISE if depthwise else Kind.CONV,
            node.name,
            node.name,
            (name,),
            weights=module.weight.detach()
            .numpy()
            .transpose((1, 2, 3, 0) if depthwise else (0, 2, 3, 1)),
            bias=_bias(module),
            stride=_pair(module.stride),
            same=same,
        )
        self._add(layer, node)

    def _padded_input(self, node: fx.Node, module: nn.Conv2d) -> tuple[str, bool]:
        """The value that a convolution takes, and whether it pads that itself by SAME."""
        source: Any = node.args[0]
        down, across = _pair(module.padding)
        pads: Pads = (down, down, across, across)
        if source in self._padded:
            source, (top, bottom, left, right) = self._padded[source]
            pads = (down + top, down + bottom, across + left, across + right)
        (name,) = self._names(source)
        batch, channels, height, width = self._shapes[source.name]
        if pads == _same_pads((height, width), _pair(module.kernel_size), _pair(module.stride)):
            return name, True
        if pads == NO_PADS:
            return name, False
        padded = Layer(Kind.PAD, f"{node.name}_pad", source.name, (name,), pads=pads)
        top, bottom, left, right = pads
        shape = (batch, channels, height + top + bottom, width + left + right)
        self._shapes[padded.name] = shape
        self._layers[padded.name] = padded
        return padded.name, False

    def fold(self, node: fx.Node, module: nn.BatchNorm2d) -> None:
        """Batch norm in evaluation mode is a factor and a summand per channel."""
        layer = self._sole(node, CONVOLUTIONS)
        if layer.relu:
            raise Unsupported(f"{node.name}: batch norm must stand before the rectifier")
        spread = np.sqrt(_numbers(module.running_var) + module.eps)
        factor = _numbers(module.weight) / spread
        shift = _numbers(module.bias) - _numbers(module.running_mean) * factor
        by_channel = factor if layer.kind is Kind.DEPTHWISE else factor[:, None, None, None]
        weights = (layer.weights * by_channel).astype(np.float32)
        bias = (layer.bias * factor + shift).astype(np.float32)
        self._layers[layer.name] = replace(layer, last=node.name, weights=weights, bias=bias)
        self._value[node] = layer.name

    def rectify(self, node: fx.Node, _: Any) -> None:
        """Into the convolution before it; what only moves pixels about may stand between."""
        layer = self._sole(node, (*CONVOLUTIONS, Kind.ADD, Kind.DEPTH_TO_SPACE))
        self._layers[layer.name] = replace(layer, last=node.name)
        maker = self._layers[layer.inputs[0]] if layer.kind is Kind.DEPTH_TO_SPACE else layer
        # What a rectified shuffle is made of has the shuffle's range.
        self._layers[maker.name] = replace(maker, last=node.name, relu=True)
        self._value[node] = layer.name

    def shuffle(self, node: fx.Node, module: nn.PixelShuffle | None) -> None:
        """Torch has an output channel's pixels side by side, DEPTH_TO_SPACE a pixel's channels."""
        layer = self._sole(node, (Kind.CONV,))
        argument: Any = module.upscale_factor if module else node.args[1]
        block = int(argument)
        order = np.arange(len(layer.bias)).reshape(-1, block * block).T.ravel()
        weights, bias = layer.weights[order], layer.bias[order]
        self._layers[layer.name] = replace(layer, weights=weights, bias=bias)
        shuffled = Layer(Kind.DEPTH_TO_SPACE, node.name, node.name, (layer.name,), block=block)
        self._add(shuffled, node)

    def _sole(self, node: fx.Node, kinds: Sequence[Kind]) -> Layer:
        """The layer whose value goes nowhere but into this call."""
        source: Any = node.args[0]
        layer = self._layers.get(self._value.get(source, ""))
        if layer is None or layer.kind not in kinds or len(source.users) > 1:
            raise Unsupported(f"{node.name}: {node.target} must follow a convolution directly")
        return layer


_KNOWN: dict[Any, Callable[[_Reader, fx.Node, Any], None]] = {
    nn.Conv2d: _Reader.convolve,
    nn.BatchNorm2d: _Reader.fold,
    **dict.fromkeys((nn.Dropout, nn.Dropout2d, nn.Identity), _Reader.pass_on),
    **dict.fromkeys((nn.ZeroPad2d, functional.pad), _Reader.pad),
    **dict.fromkeys((nn.ReLU, functional.relu, torch.relu, "relu"), _Reader.rectify),
    **dict.fromkeys(
        (nn.PixelShuffle, functional.pixel_shuffle, torch.pixel_shuffle), _Reader.shuffle
    ),
    **dict.fromkeys((torch.cat, torch.concat), _Reader.join),
    **dict.fromkeys((operator.add, operator.iadd, torch.add), _Reader.add_up),
    **dict.fromkeys((nn.Sigmoid, torch.sigmoid, "sigmoid"), _Reader.squash),
}
"""What is done for a call, by the module's type, the function or the method's name."""


def _numbers(tensor: torch.Tensor | None) -> Any:
    if tensor is None:
        raise Unsupported("batch norm must have learnt its mean, variance, weight and bias")
    return tensor.detach().double().numpy()


def _bias(module: nn.Conv2d) -> Floats:
    if module.bias is None:
        return np.zeros(module.out_channels, np.float32)
    return np.asarray(module.bias.detach().numpy())


def _pair(numbers: Any) -> tuple[int, int]:
    first, second = numbers
    return first, second


def _same_pads(size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int]) -> Pads:
    """What SAME pads: as much as gives every stride a result, the odd one at the far side."""
    pads = []
    for length, tap, step in zip(size, kernel, stride, strict=True):
        total = max((-(-length // step) - 1) * step + tap - length, 0)
        pads += [total // 2, total - total // 2]
    top, bottom, left, right = pads
    return top, bottom, left, right
