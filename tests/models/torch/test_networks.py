"""Built-in networks, the rows that they read, and seeds that leave torch's own state alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError, ModelError, UsageError  # noqa: E402
from gnomon.models.torch.networks import (  # noqa: E402
    Scratch,
    build_seeded,
    cnn,
    find_factory,
    layout_of,
    mlp,
    resolve_device,
    tensor_rows,
)


def test_an_mlp_has_a_dropout_behind_each_activation_and_none_without() -> None:
    kinds = [type(layer).__name__ for layer in mlp((4,), 3, (8, 5), "relu", 0.5)]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert [type(layer).__name__ for layer in mlp((2, 3), 3, (), "tanh", 0.0)] == ["Linear"]
    assert mlp((2, 3), 3, (), "tanh", 0.0)[0].in_features == 6


@pytest.mark.parametrize("size", [(4, 4), (9, 13)])
def test_a_cnn_answers_images_of_odd_sizes_and_refuses_tiny_ones(size: tuple[int, int]) -> None:
    assert cnn((3, *size), 5, (7,), "tanh", 0.0)(torch.zeros(2, 3, *size)).shape == (2, 5)
    with pytest.raises(DataError, match="expected 4 x 4 pixels or more, got 3 x 9"):
        cnn((3, 3, 9), 5, (7,), "tanh", 0.0)


def test_weights_follow_the_seed_and_torchs_state_goes_on_as_before() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    one, same, other = (build_seeded(lambda: torch.nn.Linear(3, 2), seed).weight for seed in (5, 5, 6))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(ModelError, match=r"return a torch\.nn\.Module, got int"):
        build_seeded(lambda: 3, 0)
    with pytest.raises(ModelError, match="the network cannot be built: in_features"):
        build_seeded(lambda: (_ for _ in ()).throw(ValueError("in_features")), 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mpl", 'did you mean "mlp"'),
        ("no_such_module:f", "cannot be imported"),
        ("math:pi", r"expected a function of \(input_shape, n_classes\)"),
    ],
)
def test_networks_that_are_not_there(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_factory(name)


def test_layouts_and_devices() -> None:
    assert (layout_of("mlp"), layout_of("cnn")) == ("flat", "image")
    assert (layout_of("own:net"), layout_of(lambda shape, c: None)) == ("as_is", "as_is")
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(UsageError, match='expected device "auto", "cpu" or "cuda"'):
        resolve_device("gpu!")


def test_bytes_of_images_are_scaled_and_bits_of_tables_are_not() -> None:
    images = np.full((2, 4, 5), 255, np.uint8)
    rows = tensor_rows(images, "image", "cpu")
    assert rows.shape == (1, 4, 5)
    assert float(rows.block(0, 2).max()) == 1.0
    bits = tensor_rows(np.eye(3, dtype=bool), "flat", "cpu")
    taken = bits.take(torch.tensor([[2, 0]]), Scratch())
    np.testing.assert_array_equal(taken, [[[0, 0, 1], [1, 0, 0]]])


@pytest.mark.parametrize(
    ("x", "layout", "words"),
    [
        (np.array([["a"]]), "flat", "needs numbers"),
        (np.zeros(3), "flat", r"needs rows \(n, d\)"),
        (np.zeros((2, 2)), "image", "needs images"),
        (np.array([[np.nan]]), "flat", "must be finite"),
    ],
)
def test_rows_that_no_network_reads(x: np.ndarray, layout: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        tensor_rows(x, layout, "cpu")


def test_scratch_is_used_again_and_grows() -> None:
    scratch, like = Scratch(), torch.zeros(1)
    first = scratch.get("a", (2, 3), like)
    assert scratch.get("a", (3,), like).data_ptr() == first.data_ptr()
    assert scratch.get("a", (4, 5), like).shape == (4, 5)


@pytest.mark.parametrize(
    ("device", "gpus", "words"),
    [
        ("cuda", 0, 'torch sees no GPU here; use "auto" or "cpu"'),
        ("cuda:99", 1, 'torch sees 1 GPU here, "cuda:0"'),
        ("cuda:2", 2, 'torch sees 2 GPUs here, "cuda:0" to "cuda:1"'),
    ],
)
def test_a_gpu_that_is_not_there_is_one_line(device: str, gpus: int, words: str) -> None:
    with pytest.raises(UsageError, match=f"^device '{device}': {words}$"):
        resolve_device(device, gpus)


def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert [resolve_device(name, 2) for name in ("auto", "cuda", "cuda:1", "cpu")] == ["cuda", "cuda", "cuda:1", "cpu"]
