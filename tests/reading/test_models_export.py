"""What training hands to the device is the network that was trained (needs torch: `make train`)."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

torch = pytest.importorskip("torch", reason="torch is part of the training environment alone")

from models.training.export import Mismatch, Precision, export, verify  # noqa: E402
from models.training.folding import folded, refolded  # noqa: E402
from models.training.nets import Locator, Recogniser  # noqa: E402
from models.training.trace import Unsupported, read_graph  # noqa: E402
from scanner.vision.shapes import FOLD, HEIGHT  # noqa: E402

EXAMPLES = {Recogniser: (3, 1, HEIGHT, 576), Locator: (1, FOLD**2, 72, 128)}
OTHERS = {
    Recogniser: [(1, 1, HEIGHT, 64), (2, 1, HEIGHT, 420)],
    Locator: [(1, FOLD**2, 96, 128), (2, FOLD**2, 40, 24)],
}


def network(kind: type[torch.nn.Module], seed: int = 0) -> torch.nn.Module:
    """Random weights, and batch norms that have learnt something."""
    torch.manual_seed(seed)
    made = kind()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.8, 1.2)
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.3)
    return made.eval()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_file_gives_what_torch_gives_at_any_size(kind: type[torch.nn.Module]) -> None:
    made = network(kind)
    content = export(made, torch.randn(EXAMPLES[kind]))
    for shape in (EXAMPLES[kind], *OTHERS[kind]):
        verify(made, content, [torch.randn(shape)], tolerance=1e-4)


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("precision", Precision)
def test_smaller_files_give_nearly_the_same(
    kind: type[torch.nn.Module], precision: Precision
) -> None:
    made = network(kind)
    pictures = [torch.randn(EXAMPLES[kind]) for _ in range(2)]
    content = export(made, pictures[0], precision, pictures)
    verify(made, content, pictures, tolerance=0.6 if precision is Precision.INT8 else 0.02)


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("precision", Precision)
def test_xnnpack_runs_the_whole_network(kind: type[torch.nn.Module], precision: Precision) -> None:
    pictures = [torch.randn(EXAMPLES[kind])]
    content = export(network(kind), pictures[0], precision, pictures)
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (whole,) = [op for op in interpreter._get_ops_details() if op["op_name"] == "DELEGATE"]
    details = interpreter.get_output_details()
    assert set(whole["outputs"]) == {output["index"] for output in details}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_network_takes_sixteen_pixels_as_the_channels_of_one(
    kind: type[torch.nn.Module],
) -> None:
    graph = folded(read_graph(network(kind), torch.randn(EXAMPLES[kind])))
    assert graph.shapes[graph.input][-1] == FOLD**2
    assert graph.layers[0].stride == (1, 1)


@pytest.mark.parametrize("fold", [2, 4])
@pytest.mark.parametrize("taps", [2, 3, 4])
def test_a_folded_kernel_gives_the_sums_of_the_one_that_was_folded(taps: int, fold: int) -> None:
    rng = np.random.default_rng(taps)
    kernel = rng.integers(-9, 9, (2, taps, taps, 3)).astype(np.float32)
    picture = rng.integers(0, 9, (1, 3, 16, 24)).astype(np.float32)

    def same(pixels: np.ndarray, weights: np.ndarray, stride: int) -> np.ndarray:
        over = weights.shape[1] - stride
        around = (over // 2, over - over // 2) * 2
        padded = torch.nn.functional.pad(torch.from_numpy(pixels), around)
        taken = torch.from_numpy(np.ascontiguousarray(weights.transpose(0, 3, 1, 2)))
        return torch.nn.functional.conv2d(padded, taken, stride=stride).numpy()

    def put(pixels: np.ndarray, block: int) -> np.ndarray:
        """Folded: row, column, channel."""
        _, channels, height, width = pixels.shape
        cells = pixels.reshape(channels, height // block, block, width // block, block)
        inner = cells.transpose(2, 4, 0, 1, 3)
        return np.ascontiguousarray(inner.reshape(1, -1, height // block, width // block))

    told = same(put(picture, fold), refolded(kernel, fold), 1)
    assert np.array_equal(told, put(same(picture, kernel, 2), fold // 2))


def test_the_bytes_depend_on_the_weights_alone() -> None:
    example = torch.zeros(EXAMPLES[Recogniser])
    one, same, other = (network(Recogniser, seed) for seed in (1, 1, 2))
    assert export(one, example) == export(same, example) != export(other, example)


class Pooled(torch.nn.Module):
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(pictures, 1)


class Padded(torch.nn.Module):
    """Pads alike on both sides where SAME would not."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(1, 4, 3, 2, padding=1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.convolution(pictures)


def test_padding_alike_on_both_sides_is_kept() -> None:
    made, picture = Padded(), torch.randn(1, 1, 16, 20)
    verify(made, export(made, picture), [picture], tolerance=1e-5)


def test_a_layer_that_cannot_be_written_is_named() -> None:
    with pytest.raises(Unsupported, match="adaptive_avg_pool2d"):
        export(Pooled(), torch.zeros(1, 1, 8, 8))


def test_a_file_of_other_weights_does_not_pass_for_the_network() -> None:
    example = torch.randn(EXAMPLES[Recogniser])
    content = export(network(Recogniser, 1), example)
    with pytest.raises(Mismatch):
        verify(network(Recogniser, 2), content, [example], tolerance=1e-3)


def test_int8_holds_a_value_of_zero_exactly() -> None:
    made = network(Locator)
    picture = torch.zeros(EXAMPLES[Locator])
    content = export(made, picture, Precision.INT8, [picture, picture + 3.3])
    interpreter = Interpreter(model_content=content, num_threads=1)
    zeros = [
        detail["quantization"][1]
        for detail in interpreter.get_tensor_details()
        if detail["dtype"] is np.int8 and detail["quantization"][0]
    ]
    assert zeros and all(-128 <= zero <= 127 for zero in zeros)
