"""Tables of bits in the form of Shokri et al.'s releases: a tar file, in it lines of 0 and 1, the class before them."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gnomon.core.arrays import Ints
from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.core.errors import DataError

CHUNK = 1 << 24
COMMA, ZERO = b",0"


@dataclass(frozen=True)
class BitTable:
    """Lines of a table.

    Attributes:
        labels: (n,) what stands before the bits; empty if nothing does.
        bits: (n, d) uint8 of 0 and 1.
    """

    labels: Ints
    bits: NDArray[np.uint8]


def bit_features(names: Iterable[str]) -> FeatureSpace:
    """A space of one binary feature a column."""
    return FeatureSpace(tuple(Feature(name, "binary", (j,)) for j, name in enumerate(names)))


@contextmanager
def opened_tar(content: bytes, source: str) -> Iterator[tarfile.TarFile]:
    """The tar file (packed or not) that these bytes are; nothing in it is written to the disk.

    Raises:
        DataError: the bytes are no tar file, or it is broken at the place that is read.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as tar:
            yield tar
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{source}: cannot be read as a tar file ({str(error).splitlines()[0]})") from error


def tar_member(tar: tarfile.TarFile, name: str, source: str) -> IO[bytes]:
    """The file of this name (a leading ``./`` does not count).

    Raises:
        DataError: there is none.
    """
    for member in tar:
        if member.isfile() and member.name.removeprefix("./") == name:
            stream = tar.extractfile(member)
            if stream is not None:
                return stream
    raise DataError(f'{source}: expected a tar file with the file "{name}", found none of this name')


def read_bits(stream: IO[bytes], source: str, *, labelled: bool) -> BitTable:
    """Reads lines such as ``"30",0,1,1`` (labelled) or ``0,1,1``, a block at a time.

    Args:
        stream: the text.
        source: what messages call it.
        labelled: whether a whole number, quoted or not, stands before the bits.

    Raises:
        DataError: no lines, lines of unlike length, or something else than whole numbers and bits.
    """
    labels, bits = [], []
    rest = b""
    while True:
        chunk = stream.read(CHUNK)
        block = rest + (chunk or b"\n")  # the last line may lack its end
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        text = block[:end].replace(b"\r", b"")
        if text.strip():
            part = _strict_lines(text, labelled=labelled) or _loose_lines(text, source, labelled=labelled)
            labels.append(part.labels)
            bits.append(part.bits)
        if not chunk:
            break
    widths = {part.shape[1] for part in bits}
    if len(widths) != 1 or 0 in widths:
        raise DataError(f"{source}: expected lines of bits, all of one length, got {sorted(widths) or 'nothing'}")
    return BitTable(np.concatenate(labels), np.concatenate(bits))


def _strict_lines(text: bytes, *, labelled: bool) -> BitTable | None:
    """The usual form, in which bits take two characters each; None if a line has another."""
    width = text[: text.index(b"\n")].count(b",") + (0 if labelled else 1)
    raw = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    span = 2 * width - (0 if labelled else 1)  # from the comma before the first bit, or from the first bit
    if width == 0 or (ends - starts < span + labelled).any() or (not labelled and (ends - starts > span).any()):
        return None
    tails = sliding_window_view(raw, span)[ends - span]
    first = 1 if labelled else 0
    bits = tails[:, first::2] - np.uint8(ZERO)
    if (bits > 1).any() or (tails[:, 1 - first :: 2] != COMMA).any():
        return None
    heads = [text[start:end].strip(b'"') for start, end in zip(starts, ends - span, strict=True)] if labelled else []
    if not all(head.isdigit() for head in heads):
        return None
    return BitTable(np.array(heads, dtype=np.int64), bits)


def _loose_lines(text: bytes, source: str, *, labelled: bool) -> BitTable:
    """Whatever else a table of numbers may look like (quoted, 1.0, blanks), read slowly."""
    try:
        table = np.loadtxt(io.BytesIO(text), delimiter=",", quotechar='"', dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise DataError(f"{source}: expected lines of numbers ({error})") from error
    labels, bits = (table[:, 0], table[:, 1:]) if labelled else (np.empty(0), table)
    if not np.isin(bits, (0, 1)).all():
        raise DataError(f"{source}: expected bits, got {bits[~np.isin(bits, (0, 1))][0]:g}")
    if not (labels == np.round(labels)).all():
        raise DataError(
            f"{source}: expected whole numbers before the bits, got {labels[labels != np.round(labels)][0]}"
        )
    return BitTable(labels.astype(np.int64), bits.astype(np.uint8))
