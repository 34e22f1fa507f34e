import struct

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror

from gnomon.core.errors import DataError
from gnomon.datasets import load_dataset
from gnomon.datasets.idx_images import FASHION_FILES, MNIST_FILES, load_fashion_mnist, load_mnist, read_idx

RNG = np.random.default_rng(0)
PIXELS = {
    "train": RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8),
    "t10k": RNG.integers(0, 256, (4, 28, 28), np.uint8),
}
LABELS = {"train": np.arange(6, dtype=np.uint8), "t10k": np.arange(6, 10, dtype=np.uint8)}


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def put(mirror, pixels=PIXELS, labels=LABELS):
    contents = {f"{stem}-images-idx3-ubyte": idx(array) for stem, array in pixels.items()}
    contents |= {f"{stem}-labels-idx1-ubyte": idx(array) for stem, array in labels.items()}
    return {name: mirror(f"mnist/{name}", content) for name, content in contents.items()}


@pytest.mark.parametrize(("load", "name"), [(load_mnist, "mnist"), (load_fashion_mnist, "fashion_mnist")])
def test_both_parts_are_read_one_after_the_other(mirror, load, name):
    data = load(files=put(mirror))
    assert np.array_equal(data.x, np.concatenate([PIXELS["train"], PIXELS["t10k"]]))
    assert data.y.tolist() == list(range(10))
    assert data.x.dtype == np.uint8
    assert data.ids[[0, 5, 6, 9]].tolist() == ["train:0", "train:5", "test:0", "test:3"]
    assert data.name == name
    assert len(data.features) == 784
    assert data.features.features[29].name == "1-1"
    drawn = data.features.random(3, np.random.default_rng(0))
    assert drawn.shape == (3, 28, 28)
    assert drawn.dtype == np.uint8


def test_a_file_in_another_form_is_refused_in_one_line(mirror):
    with pytest.raises(DataError, match=r"expected images of \(28, 28\)"):
        load_mnist(files=put(mirror, labels={**LABELS, "train": LABELS["t10k"]}))
    with pytest.raises(DataError, match=r"expected images of \(28, 28\)"):
        load_mnist(files=put(mirror, pixels={**PIXELS, "train": PIXELS["train"][:, :14]}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an idx file of bytes"),
        (b"\0\0\x08", "expected an idx file of bytes"),
        (b"\0\0\x08\x02\0\0\0\1", "expected an idx file of bytes"),
        (b"\0\0\x0d\x01\0\0\0\1\0\0\0\0", "expected an idx file of bytes"),
        (b"<html>not found</html>", "expected an idx file of bytes"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], "expected 6 bytes after its head, got 5"),
        (idx(np.zeros((2, 3), np.uint8)) + b"\0", "expected 6 bytes after its head, got 7"),
    ],
)
def test_what_is_no_idx_file_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        read_idx(content, "file")


def test_pins_are_those_of_the_unpacked_files():
    assert {file.packing for files in (MNIST_FILES, FASHION_FILES) for file in files.values()} == {".gz"}
    assert all(file.url.startswith("https://") for files in (MNIST_FILES, FASHION_FILES) for file in files.values())
    assert len({file.pin for files in (MNIST_FILES, FASHION_FILES) for file in files.values()}) == 8


@needs_mirror("mnist")
def test_the_real_mnist():
    data = load_dataset("mnist")
    assert data.x.shape == (70000, 28, 28)
    assert data.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]  # as every tutorial shows them
    assert data.y[60000:60010].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(data.y[:60000]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.x[:60000].mean() / 255 == pytest.approx(0.1307, abs=1e-4)
