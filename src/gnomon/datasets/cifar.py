"""Pickles that hold nothing but plain containers, text, bytes, numbers and numpy arrays of numbers.

A pickle is a program. This reader knows three names, those that an array is made of, and calls nothing else, so a
pickle that asks for more is refused before anything in it has run.

CIFAR-10 and CIFAR-100: 60,000 images of 32 x 32 pixels in three colours each (Krizhevsky 2009).
"""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import DataError, import_extra
from gnomon.datasets.bit_tables import opened_tar
from gnomon.datasets.fetch import RemoteFile, Source, fetch, mirror_folder, pin_of_all, read_mirror
from gnomon.datasets.images import ImagePart, join_parts

_RECONSTRUCT = np.empty(0).__reduce__()[0]  # numpy's own, wherever this version keeps it
ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which plain data do not need")
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to something outside of it ({pid!r})")


def read_plain_pickle(content: bytes, source: str) -> Any:
    """What a pickle of plain data holds; Python 2's text comes as bytes.

    >>> read_plain_pickle(pickle.dumps({"labels": [1, 2]}), "batch")
    {'labels': [1, 2]}

    Raises:
        DataError: a damaged pickle, or one that asks for anything but arrays of numbers.
    """
    try:
        return _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise almost anything
        raise DataError(f"{source}: refused: it is no pickle of plain data ({error})") from error


HOME = "https://www.cs.toronto.edu/~kriz/"
SHAPE = (32, 32, 3)
STRIP_ROWS = 500
NOTE = "{title} (Krizhevsky 2009), {parts}. No licence is stated: fetched from its home, never redistributed."
BOTH = "training and test part"
SOME = (
    "a part of it, in an order of its own, from lossless strips in the local mirror: {:,} rows of the training part "
    "and {:,} of the test part"
)


@dataclass(frozen=True)
class CifarFiles:
    """How one of the two is kept.

    Attributes:
        name: what a plan calls it.
        title: what reports call it.
        archive: the canonical tar file of pickles.
        batches: part -> names of its pickles in the archive.
        labels: key of the labels in a pickle.
        meta: name of the pickle of class names, and the key there.
        strips: pin over the files of the other form, in which a mirror may hold a part: ``train_000.webp``, ... and
            ``test_000.webp``, ... of 500 images each, ``train_labels.npy``, ``test_labels.npy``, ``classes.json``.
    """

    name: str
    title: str
    archive: RemoteFile
    batches: dict[str, tuple[str, ...]]
    labels: bytes
    meta: tuple[str, bytes]
    strips: str


CIFAR10_FILES = CifarFiles(
    name="cifar10",
    title="CIFAR-10",
    archive=RemoteFile(
        path="cifar10/cifar-10-python.tar.gz",
        url=f"{HOME}cifar-10-python.tar.gz",
        pin="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    batches={
        "train": tuple(f"cifar-10-batches-py/data_batch_{k}" for k in range(1, 6)),
        "test": ("cifar-10-batches-py/test_batch",),
    },
    labels=b"labels",
    meta=("cifar-10-batches-py/batches.meta", b"label_names"),
    strips="sha256:d98223ffbcfb49aaca15feaec2f73b9b7e109ef564d8bd9c7e8058f645dd2fa7",
)
CIFAR100_FILES = CifarFiles(
    name="cifar100",
    title="CIFAR-100",
    archive=RemoteFile(
        path="cifar100/cifar-100-python.tar.gz",
        url=f"{HOME}cifar-100-python.tar.gz",
        pin="sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
    batches={"train": ("cifar-100-python/train",), "test": ("cifar-100-python/test",)},
    labels=b"fine_labels",
    meta=("cifar-100-python/meta", b"fine_label_names"),
    strips="sha256:2633813e7d478845fed015910f51bfcdb74757f9031602ce056d455c53e9df59",
)


def load_cifar10(classes: int = 10, files: CifarFiles = CIFAR10_FILES) -> Dataset:
    """60,000 images, (n, 32, 32, 3) uint8, 10 classes; the first 50,000 are the training part.

    A mirror that holds strips has fewer rows, in another order; the note says so.

    Args:
        classes: 10.
        files: how they are kept.

    Raises:
        DataError: they can't be had, or are not in the canonical form.
        MissingExtraError: strips need pillow.
    """
    return _load(classes, files)


def load_cifar100(classes: int = 100, files: CifarFiles = CIFAR100_FILES) -> Dataset:
    """60,000 images, (n, 32, 32, 3) uint8, 100 fine classes; the first 50,000 are the training part.

    A mirror that holds strips has fewer rows, in another order; the note says so.

    Args:
        classes: 100.
        files: how they are kept.

    Raises:
        DataError: they can't be had, or are not in the canonical form.
        MissingExtraError: strips need pillow.
    """
    return _load(classes, files)


def _load(classes: int, files: CifarFiles) -> Dataset:
    content = read_mirror(files.archive)
    strips = _find_strips(files) if content is None else []
    if strips:
        parts, names = _from_strips(strips, files)
        told = SOME.format(*(len(part.labels) for part in parts.values()))
    else:
        parts, names = _from_archive(fetch(files.archive) if content is None else content, files)
        told = BOTH
    if len(names) != classes:
        raise DataError(f"{files.archive.path}: expected the names of {classes} classes, got {len(names)}")
    return join_parts(parts, names, files.name, NOTE.format(title=files.title, parts=told))


def _from_archive(content: bytes, files: CifarFiles) -> tuple[dict[str, ImagePart], tuple[str, ...]]:
    source = files.archive.path
    held = {}
    wanted = {files.meta[0], *(name for names in files.batches.values() for name in names)}
    with opened_tar(content, source) as tar:  # in the archive's order: each step back would unpack it anew
        for member in tar:
            stream = tar.extractfile(member) if member.name in wanted else None
            if stream is not None:
                held[member.name] = read_plain_pickle(stream.read(), f"{source}: {member.name}")
    for name in sorted(wanted - held.keys()):
        raise DataError(f'{source}: expected a tar file with the file "{name}", found none of this name')
    parts = {}
    for title, names in files.batches.items():
        batches = [_read_batch(held[name], files.labels, f"{source}: {name}") for name in names]
        parts[title] = ImagePart(
            np.concatenate([batch.images for batch in batches]), np.concatenate([batch.labels for batch in batches])
        )
    return parts, _read_names(held[files.meta[0]], files.meta[1], f"{source}: {files.meta[0]}")


def _read_batch(held: Any, key: bytes, source: str) -> ImagePart:
    data, labels = (held.get(name) if isinstance(held, dict) else None for name in (b"data", key))
    if not (isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.shape[1:] == (3 * 32 * 32,)):
        raise DataError(f"{source}: expected images as bytes of shape (n, 3072), got something else")
    if not (isinstance(labels, list) and len(labels) == len(data) and all(type(k) is int for k in labels)):
        raise DataError(f"{source}: expected {len(data)} whole numbers as labels, got something else")
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # the file holds one plane a colour
    return ImagePart(images, np.array(labels, dtype=np.int64))


def _read_names(held: Any, key: bytes, source: str) -> tuple[str, ...]:
    names = held.get(key) if isinstance(held, dict) else None
    if not (isinstance(names, list) and all(isinstance(name, bytes) for name in names)):
        raise DataError(f"{source}: expected class names, got something else")
    return tuple(name.decode("ascii", "replace") for name in names)


def _find_strips(files: CifarFiles) -> list[Path]:
    root = mirror_folder()
    folder = None if root is None else (root / files.archive.path).parent
    if folder is None or not (folder / "train_labels.npy").is_file():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix in (".webp", ".npy", ".json"))


def _from_strips(places: list[Path], files: CifarFiles) -> tuple[dict[str, ImagePart], tuple[str, ...]]:
    folder = places[0].parent
    contents = {place.name: place.read_bytes() for place in places}
    if pin_of_all(contents.values()) != files.strips:  # before anything is decoded
        raise DataError(f"{folder}: wrong checksum over its strips and labels; replace them, or take them away")
    parts = {}
    for title in ("train", "test"):
        strips = [content for name, content in contents.items() if name.startswith(title) and name.endswith(".webp")]
        labels = np.load(io.BytesIO(contents[f"{title}_labels.npy"]), allow_pickle=False)
        images = np.concatenate([_decode(strip) for strip in strips])
        parts[f"strips-{title}"] = ImagePart(images, labels.astype(np.int64))  # not the canonical row numbers
    return parts, tuple(json.loads(contents["classes.json"]))


def _decode(strip: bytes) -> NDArray[np.uint8]:
    images = import_extra("PIL.Image", "data", "reading images from a mirror of strips")
    with images.open(io.BytesIO(strip), formats=["WEBP"]) as image:
        return np.asarray(image.convert("RGB")).reshape(STRIP_ROWS, *SHAPE)


CIFAR10 = Source(
    name="cifar10",
    title="CIFAR-10: photographs, 32 x 32 pixels in colour",
    rows=60000,
    features=3072,
    classes=(10,),
    terms="no licence stated; fetched from its home, never redistributed",
    load=load_cifar10,
)
CIFAR100 = Source(
    name="cifar100",
    title="CIFAR-100: photographs, 32 x 32 pixels in colour, fine classes",
    rows=60000,
    features=3072,
    classes=(100,),
    terms="no licence stated; fetched from its home, never redistributed",
    load=load_cifar100,
)
