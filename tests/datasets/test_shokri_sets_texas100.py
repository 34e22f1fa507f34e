"""Texas100: bits and classes, and forms that are refused."""

import numpy as np
import pytest
from tests.datasets.archives import tar_of
from tests.datasets.test_shokri_sets_purchase100 import BITS, LABELS, lines

from gnomon.core.errors import DataError
from gnomon.datasets.shokri_sets import load_texas100


def texas(**changed):
    labels = b"".join(b"%d\n" % k for k in LABELS)
    files = {"texas/100/labels": labels, "texas/100/feats": lines(BITS), "texas/readme": b"?"}
    return tar_of({name: changed.get(name.rpartition("/")[2], content) for name, content in files.items()})


def test_texas_reads_bits_and_classes(mirror):
    data = load_texas100(archive=mirror("texas100/dataset_texas.tgz", texas()))
    assert np.array_equal(data.x, BITS)
    assert data.x.dtype == np.uint8
    assert np.array_equal(data.y, LABELS - 1)
    assert data.features.is_binary
    assert "never redistributed" in data.note


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (texas(labels=b"1\n2\n"), "300 labels"),
        (texas(labels=b"x\n" * 300), "one whole number a line"),
        (texas(feats=b"0,1,3\n"), "expected bits, got 3"),
        (tar_of({"texas/100/labels": b"1\n"}), 'the file "texas/100/feats"'),
    ],
)
def test_texas_in_another_form_is_refused(mirror, content, message):
    with pytest.raises(DataError, match=message):
        load_texas100(archive=mirror("texas100/dataset_texas.tgz", content))
