"""CIFAR from small archives as Python 2 wrote the canonical ones, and from strips as a mirror may hold them."""

import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror, tar_of

from gnomon.core.errors import DataError
from gnomon.datasets import load_dataset
from gnomon.datasets.cifar import CIFAR10_FILES, CIFAR100_FILES, load_cifar10, load_cifar100
from gnomon.datasets.fetch import pin_of_all

RNG = np.random.default_rng(0)


def text(value):
    """Python 2's str, as its pickle of protocol 2 writes it."""
    return (b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value))) + value


def array(rows):
    """An array of bytes, as numpy under Python 2 pickled it."""
    head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    shape = b"M" + struct.pack("<H", len(rows)) + b"M" + struct.pack("<H", rows.shape[1]) + b"\x86"
    return head + b"(K\x01" + shape + dtype + b"\x89" + text(rows.tobytes()) + b"tb"


def pickled(**held):
    """A dictionary by Python 2."""

    def value(v):
        if isinstance(v, np.ndarray):
            return array(v)
        return b"](" + b"".join(text(k) if isinstance(k, bytes) else b"K" + bytes([k]) for k in v) + b"e"

    return b"\x80\x02}(" + b"".join(text(key.encode()) + value(v) for key, v in held.items()) + b"u."


def batch(n, classes, key):
    return {"data": RNG.integers(0, 256, (n, 3072), dtype=np.uint8), key: RNG.integers(0, classes, n).tolist()}


TEN = {name: batch(3, 10, "labels") for names in CIFAR10_FILES.batches.values() for name in names}
HUNDRED = {name: batch(4, 100, "fine_labels") for names in CIFAR100_FILES.batches.values() for name in names}


def put10(mirror, **changed):
    files = {name: pickled(**held) for name, held in TEN.items()}
    files["cifar-10-batches-py/batches.meta"] = pickled(label_names=[b"class %d" % k for k in range(10)])
    files["cifar-10-batches-py/readme.html"] = b"<html>"
    files |= {f"cifar-10-batches-py/{name}": content for name, content in changed.items()}
    content = tar_of({name: content for name, content in files.items() if content is not None})
    return replace(CIFAR10_FILES, archive=mirror("cifar10/cifar-10-python.tar.gz", content))


def test_cifar10_reads_the_canonical_pickles(mirror):
    data = load_cifar10(files=put10(mirror))
    assert data.x.shape == (18, 32, 32, 3)
    assert data.x.dtype == np.uint8
    assert data.y.tolist() == [k for held in TEN.values() for k in held["labels"]]
    second = TEN["cifar-10-batches-py/data_batch_2"]["data"][0]
    assert data.x[3, 5, 7].tolist() == [second[5 * 32 + 7], second[1024 + 5 * 32 + 7], second[2048 + 5 * 32 + 7]]
    assert data.classes == tuple(f"class {k}" for k in range(10))
    assert data.ids[[0, 14, 15]].tolist() == ["train:0", "train:14", "test:0"]
    assert "never redistributed" in data.note
    assert "a part of it" not in data.note
    assert data.features.features[-1].name == "31-31-2"


def test_cifar100_reads_fine_labels(mirror):
    files = {name: pickled(**held) for name, held in HUNDRED.items()}
    files["cifar-100-python/meta"] = pickled(fine_label_names=[b"class %d" % k for k in range(100)])
    files = replace(CIFAR100_FILES, archive=mirror("cifar100/cifar-100-python.tar.gz", tar_of(files)))
    data = load_cifar100(files=files)
    assert data.x.shape == (8, 32, 32, 3)
    assert data.n_classes == 100
    assert data.y.tolist() == [k for held in HUNDRED.values() for k in held["fine_labels"]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test_batch": None}, 'with the file "cifar-10-batches-py/test_batch"'),
        ({"test_batch": b"cos\nsystem\n(S'touch /tmp/x'\ntR."}, "test_batch: refused: .*os.system"),
        ({"test_batch": pickled(**batch(3, 10, "label"))}, "expected 3 whole numbers as labels"),
        ({"test_batch": pickled(labels=[1])}, "expected images as bytes"),
        ({"test_batch": pickled(data=np.zeros((2, 5), np.uint8), labels=[1, 2])}, "expected images as bytes"),
        ({"test_batch": b"\x80\x02]."}, "expected images as bytes"),
        ({"batches.meta": pickled(label_names=[b"a"])}, "the names of 10 classes, got 1"),
        ({"batches.meta": pickled(label_names=[1, 2])}, "expected class names"),
    ],
)
def test_cifar_in_another_form_is_refused_in_one_line(mirror, changed, message):
    with pytest.raises(DataError, match=message) as caught:
        load_cifar10(files=put10(mirror, **changed))
    assert "\n" not in str(caught.value)


@pytest.fixture
def strips(mirror, tmp_path):
    """A mirror of 500 and 500 images as strips, and how the loader is told of them."""
    images = pytest.importorskip("PIL.Image")
    pixels = RNG.integers(0, 256, (1000, 32, 32, 3), dtype=np.uint8)
    labels = RNG.integers(0, 10, 1000)
    contents = {"classes.json": json.dumps([f"class {k}" for k in range(10)]).encode()}
    for title, rows in (("train", slice(500)), ("test", slice(500, 1000))):
        strip, names = io.BytesIO(), io.BytesIO()
        images.fromarray(pixels[rows].reshape(-1, 32, 3)).save(strip, format="WEBP", lossless=True)
        np.save(names, labels[rows])
        contents |= {f"{title}_000.webp": strip.getvalue(), f"{title}_labels.npy": names.getvalue()}
    for name, content in contents.items():
        mirror(f"cifar10/{name}", content)
    pin = pin_of_all(contents[name] for name in sorted(contents))
    return pixels, labels, replace(CIFAR10_FILES, strips=pin), tmp_path / "mirror" / "cifar10"


def test_strips_of_a_mirror_are_read_and_named_as_a_part(strips):
    pixels, labels, files, _ = strips
    data = load_cifar10(files=files)
    assert np.array_equal(data.x, pixels)
    assert np.array_equal(data.y, labels)
    assert data.ids[[0, 999]].tolist() == ["strips-train:0", "strips-test:499"]
    assert "a part of it, in an order of its own" in data.note
    assert "500 rows of the training part and 500 of the test part" in data.note


def test_the_canonical_archive_of_a_mirror_comes_before_its_strips(strips, mirror):
    files = replace(put10(mirror), strips=strips[2].strips)
    assert len(load_cifar10(files=files)) == 18


@pytest.mark.parametrize("name", ["train_000.webp", "test_labels.npy", "classes.json"])
def test_strips_of_another_content_are_refused_before_they_are_decoded(strips, monkeypatch, name):
    _, _, files, folder = strips
    monkeypatch.setattr("gnomon.datasets.cifar._decode", lambda strip: pytest.fail("decoded"))
    (folder / name).write_bytes((folder / name).read_bytes() + b"\0")
    with pytest.raises(DataError, match="wrong checksum over its strips and labels"):
        load_cifar10(files=files)
    (folder / name).unlink()
    if name != "train_labels.npy":
        with pytest.raises(DataError, match="wrong checksum"):
            load_cifar10(files=files)


@needs_mirror("cifar10", "cifar100")
@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_the_real_images_load_from_a_mirror(name, classes):
    data = load_dataset(name)
    assert len(data) in (30000, 60000)
    assert data.x.shape[1:] == (32, 32, 3)
    assert np.array_equal(np.unique(data.y), np.arange(classes))
    assert data.x[: len(data) * 2 // 3].mean() / 255 == pytest.approx(
        0.474, abs=0.01
    )  # all colours of the training part
    assert ("a part of it" in data.note) == (len(data) == 30000)
