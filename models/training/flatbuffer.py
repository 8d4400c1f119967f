"""Writes layers as a TFLite file, byte for byte the same every time.

A TFLite file is one flatbuffer: tensors, constant data, and operators that name tensors by their
number. Three ways to write the same layers:

- float32, as trained;
- float16 weights, which the interpreter widens when it loads the file: half the size, the same
  speed;
- int8, where the ranges of all values are known: weights with one scale per channel, values with
  one scale and zero point, sums in int32. The input is int8, too, whoever gives it knows its scale
  from the file; outputs stay float32. Layers named as `float` keep float32 weights and values, and
  conversions stand where the two meet.

The file's version of every operator is the oldest that knows the types used, so that tflite-runtime
2.14 reads it as well as today's LiteRT.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from models.training.graph import CONVOLUTIONS, Graph, Kind, Layer
from models.training.operators import operator

ALIGNMENT = 16
"""Of constant data, in bytes: the interpreter uses it where it lies."""

FREE = -1
"""An axis that may be given another size."""

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class Precision(StrEnum):
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"


@dataclass(frozen=True)
class Scale:
    """What an int8 q stands for: `step` × (q − `zero`)."""

    step: float
    zero: int


@dataclass(frozen=True)
class Quantisation:
    """The scale of every value, and the layers that stay in float."""

    scales: Mapping[str, Scale]
    float_layers: Collection[str] = ()


class _Data(schema.BufferT):  # type: ignore[misc]
    """Constant data, aligned."""

    def Pack(self, builder: flatbuffers.Builder) -> int:
        payload = self.data.tobytes() if self.data is not None else b""
        if payload:
            builder.StartVector(1, len(payload), ALIGNMENT)
            builder.head -= len(payload)
            builder.Bytes[builder.head : builder.head + len(payload)] = payload
            data = builder.EndVector()
        schema.BufferStart(builder)
        if payload:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def write(graph: Graph, precision: Precision, quantisation: Quantisation | None = None) -> bytes:
    """The bytes of a TFLite file. `quantisation` is needed for int8, and for nothing else."""
    if (precision is Precision.INT8) != (quantisation is not None):
        raise ValueError("scales belong to int8, and int8 needs them")
    writer = _Writer(graph, precision, quantisation)
    for layer in graph.layers:
        writer.add(layer)
    model = writer.model()
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@dataclass
class _Writer:
    graph: Graph
    precision: Precision
    quantisation: Quantisation | None
    _tensors: list[Any] = field(default_factory=list)
    _buffers: list[Any] = field(default_factory=lambda: [_Data()])
    _codes: dict[tuple[int, int], int] = field(default_factory=dict)
    _operators: list[Any] = field(default_factory=list)
    _values: dict[tuple[str, bool], int] = field(default_factory=dict)
    """The tensor of a value, by its name and whether it is quantised."""

    def __post_init__(self) -> None:
        self._value_tensor(self.graph.input, self.quantisation is not None)

    def model(self) -> Any:
        outputs = [self._value(name, quantised=False) for name in self.graph.outputs]
        codes = [
            schema.OperatorCodeT(
                deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=version
            )
            for code, version in self._codes
        ]
        graph = schema.SubGraphT(
            tensors=self._tensors,
            inputs=[self._values[self.graph.input, self.quantisation is not None]],
            outputs=outputs,
            operators=self._operators,
            name="main",
        )
        return schema.ModelT(
            version=3,
            operatorCodes=codes,
            subgraphs=[graph],
            description="borderpost",
            buffers=self._buffers,
        )

    def add(self, layer: Layer) -> None:
        quantised = self.quantisation is not None and (
            layer.name not in self.quantisation.float_layers
        )
        inputs = [self._value(name, quantised) for name in layer.inputs]
        if layer.kind in CONVOLUTIONS:
            inputs += self._weights(layer, quantised)
        elif layer.kind is Kind.PAD:
            top, bottom, left, right = layer.pads
            around = [[0, 0], [top, bottom], [left, right], [0, 0]]
            inputs.append(self._constant(f"{layer.name}/pads", np.array(around, np.int32)))
        output = self._value_tensor(layer.name, quantised)
        code, version, options_type, options = operator(layer, quantised)
        self._operate(code, version, inputs, output, options_type, options)

    def _operate(
        self,
        code: int,
        version: int,
        inputs: list[int],
        output: int,
        options_type: int = 0,
        options: Any = None,
    ) -> None:
        self._operators.append(
            schema.OperatorT(
                opcodeIndex=self._codes.setdefault((code, version), len(self._codes)),
                inputs=inputs,
                outputs=[output],
                builtinOptionsType=options_type,
                builtinOptions=options,
            )
        )

    def _value(self, name: str, quantised: bool) -> int:
        """The tensor of a value in the form that is asked for, converted where it is not there."""
        if (name, quantised) not in self._values:
            source = self._values[name, not quantised]
            target = self._value_tensor(name, quantised)
            if quantised:
                self._operate(schema.BuiltinOperator.QUANTIZE, 1, [source], target)
            else:
                self._operate(schema.BuiltinOperator.DEQUANTIZE, 2, [source], target)
        return self._values[name, quantised]

    def _value_tensor(self, name: str, quantised: bool) -> int:
        shape = self.graph.shapes[name]
        channels = shape[-1]
        tensor = schema.TensorT(
            shape=list(shape),
            shapeSignature=[FREE, FREE, FREE, channels],
            type=schema.TensorType.INT8 if quantised else schema.TensorType.FLOAT32,
            buffer=0,
            name=f"{name}/int8" if quantised else name,
            hasRank=True,
        )
        if quantised:
            scale = self.quantisation.scales[name]
            tensor.quantization = schema.QuantizationParametersT(
                scale=[scale.step], zeroPoint=[scale.zero]
            )
        self._tensors.append(tensor)
        number = self._values[name, quantised] = len(self._tensors) - 1
        return number

    def _constant(
        self, name: str, data: NDArray[Any], steps: NDArray[np.float32] | None = None, axis: int = 0
    ) -> int:
        self._buffers.append(_Data(data=np.ascontiguousarray(data)))
        tensor = schema.TensorT(
            shape=list(data.shape),
            type=_TYPES[data.dtype],
            buffer=len(self._buffers) - 1,
            name=name,
            hasRank=True,
        )
        if steps is not None:
            tensor.quantization = schema.QuantizationParametersT(
                scale=steps.tolist(), zeroPoint=[0] * len(steps), quantizedDimension=axis
            )
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _weights(self, layer: Layer, quantised: bool) -> list[int]:
        named = (f"{layer.name}/weights", f"{layer.name}/bias")
        if quantised:
            axis = 3 if layer.kind is Kind.DEPTHWISE else 0
            step = self.quantisation.scales[layer.inputs[0]].step
            weights, bias, steps = _quantised(layer, axis, step)
            return [
                self._constant(named[0], weights, steps, axis),
                self._constant(named[1], bias, (steps * step).astype(np.float32)),
            ]
        if self.precision is Precision.FLOAT32 or self.quantisation is not None:
            return [
                self._constant(named[0], layer.weights),
                self._constant(named[1], layer.bias),
            ]
        return [
            self._widened(named[0], layer.weights),
            self._widened(named[1], layer.bias),
        ]

    def _widened(self, name: str, data: NDArray[np.float32]) -> int:
        """A constant kept in float16, given out in float32."""
        kept = self._constant(f"{name}/float16", data.astype(np.float16))
        self._tensors.append(
            schema.TensorT(
                shape=list(data.shape),
                type=schema.TensorType.FLOAT32,
                buffer=0,
                name=name,
                hasRank=True,
            )
        )
        self._operate(schema.BuiltinOperator.DEQUANTIZE, 3, [kept], len(self._tensors) - 1)
        return len(self._tensors) - 1


def _quantised(
    layer: Layer, axis: int, step: float
) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.float32]]:
    """Weights and bias as integers, and the step of each output channel."""
    others = tuple(other for other in range(4) if other != axis)
    largest = np.abs(layer.weights).max(axis=others)
    steps = (np.maximum(largest, 1e-8) / 127).astype(np.float32)
    by_channel = np.expand_dims(steps, others)
    weights = np.clip(np.round(layer.weights / by_channel), -127, 127).astype(np.int8)
    bias = np.round(layer.bias.astype(np.float64) / (steps.astype(np.float64) * step))
    return weights, bias.clip(-(2**31) + 1, 2**31 - 1).astype(np.int32), steps
