"""The TFLite operator for every kind of layer, with its version and options.

The version is the oldest that knows the types used, so that tflite-runtime 2.14 reads the file as
well as today's LiteRT.
"""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from models.training.graph import Kind, Layer


def operator(layer: Layer, quantised: bool) -> tuple[int, int, int, Any]:
    """An operator's code and version, and its options' type and value."""
    codes, options = schema.BuiltinOperator, schema.BuiltinOptions
    relu = schema.ActivationFunctionType.RELU if layer.relu else 0
    padding = schema.Padding.SAME if layer.same else schema.Padding.VALID
    down, across = layer.stride
    newer = 2 if quantised else 1
    match layer.kind:
        case Kind.CONV:
            how = schema.Conv2DOptionsT(
                padding=padding, strideH=down, strideW=across, fusedActivationFunction=relu
            )
            return codes.CONV_2D, 3 if quantised else 1, options.Conv2DOptions, how
        case Kind.DEPTHWISE:
            how = schema.DepthwiseConv2DOptionsT(
                padding=padding,
                strideH=down,
                strideW=across,
                depthMultiplier=1,
                fusedActivationFunction=relu,
            )
            version = 3 if quantised else 1
            return codes.DEPTHWISE_CONV_2D, version, options.DepthwiseConv2DOptions, how
        case Kind.PAD:
            return codes.PAD, newer, options.PadOptions, schema.PadOptionsT()
        case Kind.DEPTH_TO_SPACE:
            how = schema.DepthToSpaceOptionsT(blockSize=layer.block)
            return codes.DEPTH_TO_SPACE, 1, options.DepthToSpaceOptions, how
        case Kind.CONCAT:
            how = schema.ConcatenationOptionsT(axis=3)
            return codes.CONCATENATION, newer, options.ConcatenationOptions, how
        case Kind.ADD:
            how = schema.AddOptionsT(fusedActivationFunction=relu)
            return codes.ADD, newer, options.AddOptions, how
        case Kind.LOGISTIC:
            return codes.LOGISTIC, newer, 0, None
