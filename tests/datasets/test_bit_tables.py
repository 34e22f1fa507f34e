import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gnomon.core.errors import DataError
from gnomon.datasets import bit_tables
from gnomon.datasets.bit_tables import read_bits

TABLES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 7)), elements=st.integers(0, 1))


def written(bits, labels=None, quoted=False, end="\n"):
    heads = [""] * len(bits) if labels is None else [f'"{k}",' if quoted else f"{k}," for k in labels]
    return end.join(head + ",".join(map(str, row)) for head, row in zip(heads, bits.tolist(), strict=True)).encode()


@given(TABLES, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 40))
def test_bits_are_read_as_written(bits, quoted, end, closed, chunk):
    labels = [10**k for k in range(len(bits))]
    text = written(bits, labels, quoted, end) + (end.encode() if closed else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bit_tables, "CHUNK", chunk)
        table = read_bits(io.BytesIO(text), "t", labelled=True)
        bare = read_bits(io.BytesIO(written(bits, end=end)), "t", labelled=False)
    assert table.labels.tolist() == labels
    assert np.array_equal(table.bits, bits)
    assert np.array_equal(bare.bits, bits)
    assert table.bits.dtype == bare.bits.dtype == np.uint8
    assert bare.labels.size == 0


def test_other_ways_to_write_the_same_numbers_are_read_too():
    table = read_bits(io.BytesIO(b'"2","1","0"\n\n3,1.0, 0\n'), "t", labelled=True)
    assert table.labels.tolist() == [2, 3]
    assert table.bits.tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "got nothing"),
        (b"\n\n", "got nothing"),
        (b"1,0,2\n", "expected bits, got 2"),
        (b"1,0,x\n", "expected lines of numbers"),
        (b"1,0,1\n1,0\n", "expected lines of numbers"),
        (b"1.5,0,1\n", "whole numbers before the bits, got 1.5"),
        (b"5\n6\n", r"got \[0\]"),
        (b"\xff\xfe\n", "expected lines of numbers"),
    ],
)
def test_anything_else_is_refused_in_one_line(text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_bits(io.BytesIO(text), "t", labelled=True)
    assert "\n" not in str(caught.value)


def test_blocks_of_unlike_width_are_refused(monkeypatch):
    monkeypatch.setattr(bit_tables, "CHUNK", 6)
    with pytest.raises(DataError, match=r"all of one length, got \[2, 3\]"):
        read_bits(io.BytesIO(b"1,0,1\n1,0,1,1\n"), "t", labelled=True)
