"""MNIST and Fashion-MNIST: 70,000 images of 28 x 28 bytes each, in four idx files of one form."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import DataError
from gnomon.datasets.fetch import RemoteFile, Source, fetch
from gnomon.datasets.images import ImagePart, join_parts

UBYTES = b"\0\0\x08"  # how an idx file of unsigned bytes begins; the number of axes follows
STEMS = {"train": "train", "test": "t10k"}
SHAPE = (28, 28)
DIGITS = tuple(str(k) for k in range(10))
GARMENTS = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
MNIST_NOTE = (
    "MNIST (LeCun, Cortes & Burges 1998), training and test part. No licence is stated: fetched, never redistributed."
)
FASHION_NOTE = "Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, Zalando), training and test part; MIT licence."

Files = Mapping[str, RemoteFile]


def _files(folder: str, home: str, packaged: str, pins: Mapping[str, str]) -> Files:
    return {
        name: RemoteFile(f"{folder}/{name}", f"{home}{name}.gz", pin, ".gz", f"{packaged}{name}" if packaged else "")
        for name, pin in pins.items()
    }


MNIST_FILES = _files(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "",
    {  # the wrappers differ from home to home, so the pins are those of the unpacked files
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "md5:a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "md5:27ae3e4e09519cfbb04c329615203637",
    },
)
FASHION_FILES = _files(
    "fashion_mnist",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "/usr/share/datasets/fashion-mnist/",  # Debian's package dataset-fashion-mnist
    {
        "train-images-idx3-ubyte": "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
)


def load_mnist(classes: int = 10, files: Files = MNIST_FILES) -> Dataset:
    """70,000 handwritten digits, (n, 28, 28) uint8; the first 60,000 are the training part.

    Args:
        classes: 10.
        files: name -> where each of the four idx files comes from.

    Raises:
        DataError: a file can't be had, or is not in idx form.
    """
    return join_parts(_read_parts(files), DIGITS[:classes], "mnist", MNIST_NOTE)


def load_fashion_mnist(classes: int = 10, files: Files = FASHION_FILES) -> Dataset:
    """70,000 garments, (n, 28, 28) uint8; the first 60,000 are the training part.

    Args:
        classes: 10.
        files: name -> where each of the four idx files comes from.

    Raises:
        DataError: a file can't be had, or is not in idx form.
    """
    return join_parts(_read_parts(files), GARMENTS[:classes], "fashion_mnist", FASHION_NOTE)


def read_idx(content: bytes, source: str) -> NDArray[np.uint8]:
    """The array of unsigned bytes that an idx file holds.

    >>> read_idx(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 5, 6, 7]), "digits").tolist()
    [[5, 6, 7]]

    Raises:
        DataError: another form, or another length than its head says.
    """
    axes = content[3] if content[:3] == UBYTES and len(content) > 3 else 0
    head = 4 + 4 * axes
    if axes == 0 or len(content) < head:
        raise DataError(f"{source}: expected an idx file of bytes, got something else")
    shape = struct.unpack(f">{axes}I", content[4:head])
    if len(content) != head + math.prod(shape):
        raise DataError(f"{source}: expected {math.prod(shape):,} bytes after its head, got {len(content) - head:,}")
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _read_parts(files: Files) -> dict[str, ImagePart]:
    parts = {}
    for title, stem in STEMS.items():
        images, labels = (files[f"{stem}-{kind}-ubyte"] for kind in ("images-idx3", "labels-idx1"))
        pixels, names = read_idx(fetch(images), images.path), read_idx(fetch(labels), labels.path)
        if pixels.shape[1:] != SHAPE or names.shape != (len(pixels),):
            raise DataError(
                f"{images.path}: expected images of {SHAPE} and a label each, got {pixels.shape} and {names.shape}"
            )
        parts[title] = ImagePart(pixels, names.astype(np.int64))
    return parts


MNIST = Source(
    name="mnist",
    title="MNIST: handwritten digits, 28 x 28 pixels",
    rows=70000,
    features=784,
    classes=(10,),
    terms="no licence stated; fetched, never redistributed",
    load=load_mnist,
)
FASHION_MNIST = Source(
    name="fashion_mnist",
    title="Fashion-MNIST: garments, 28 x 28 pixels",
    rows=70000,
    features=784,
    classes=(10,),
    terms="MIT (Zalando)",
    load=load_fashion_mnist,
)
