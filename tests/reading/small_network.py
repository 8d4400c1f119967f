"""A small network in a TFLite file, with every operator that ours have; no trained weights."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from models.training.flatbuffer import Precision, Quantisation, Scale, write
from models.training.graph import Graph, Kind, Layer

CHANNELS = 6
STEP = 0.05
"""What a step of int8 stands for, also in the pictures that it takes in."""


def small_graph() -> Graph:
    """A stride, a way round it, and a head: half of the input's size, `CHANNELS` channels."""
    random = np.random.default_rng(4)

    def weights(*shape: int) -> dict[str, np.ndarray]:
        spread = np.sqrt(2 / np.prod(shape[1:]))
        return {
            "weights": random.normal(0, spread, shape).astype(np.float32),
            "bias": random.normal(0, 0.1, shape[0] if shape[0] > 1 else shape[-1]).astype(
                np.float32
            ),
        }

    def layer(kind: Kind, name: str, *inputs: str, **fields: object) -> Layer:
        return Layer(kind, name, name, inputs, **fields)  # type: ignore[arg-type]

    return Graph(
        "picture",
        (
            layer(Kind.CONV, "half", "picture", stride=(2, 2), same=True, relu=True,
                  **weights(8, 3, 3, 1)),
            layer(Kind.PAD, "padded", "half", pads=(1, 0, 1, 0)),
            layer(Kind.CONV, "quarter", "padded", stride=(2, 2), **weights(16, 2, 2, 8)),
            layer(Kind.DEPTHWISE, "blurred", "quarter", same=True, **weights(1, 3, 3, 16)),
            layer(Kind.DEPTH_TO_SPACE, "risen", "blurred", block=2),
            layer(Kind.CONCAT, "both", "half", "risen"),
            layer(Kind.CONV, "logits", "both", same=True, **weights(CHANNELS, 1, 1, 12)),
            layer(Kind.LOGISTIC, "shares", "logits"),
        ),
        ("shares",),
        {
            "picture": (1, 16, 16, 1), "half": (1, 8, 8, 8), "padded": (1, 9, 9, 8),
            "quarter": (1, 4, 4, 16), "blurred": (1, 4, 4, 16), "risen": (1, 8, 8, 4),
            "both": (1, 8, 8, 12), "logits": (1, 8, 8, CHANNELS), "shares": (1, 8, 8, CHANNELS),
        },
    )  # fmt: skip


def write_small_network(folder: Path, precision: Precision = Precision.FLOAT32) -> Path:
    """The network's file, listed in the folder's SHA256SUMS."""
    graph = small_graph()
    scales = dict.fromkeys(graph.shapes, Scale(STEP, 0)) | {"shares": Scale(1 / 256, -128)}
    quantisation = Quantisation(scales) if precision is Precision.INT8 else None
    content = write(graph, precision, quantisation)
    path = folder / "small.tflite"
    path.write_bytes(content)
    (folder / "SHA256SUMS").write_text(f"{sha256(content).hexdigest()}  {path.name}\n")
    return path
