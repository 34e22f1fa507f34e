"""Location30: the authors' table."""

import numpy as np
import pytest
from tests.datasets.archives import tar_of

from gnomon.core.errors import DataError
from gnomon.datasets.shokri_sets import load_location30


def test_location30_reads_the_authors_table(mirror):
    text = b'"30",0,1,1\n"1",1,0,0\n"13",0,0,0\n'
    data = load_location30(archive=mirror("location30/dataset_location.tgz", tar_of({"bangkok": text})))
    assert data.y.tolist() == [29, 0, 12]
    assert data.classes[29] == "30"
    assert data.x.tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert data.x.dtype == np.uint8


@pytest.mark.parametrize(
    "content",
    [
        tar_of({"paris": b'"1",0\n'}),
        tar_of({"bangkok": b'"1",x\n'}),
        tar_of({"bangkok": b'"1",2\n"2",0\n'}),
        tar_of({"bangkok": b'"31",1\n"2",0\n'}),
        b"no tar",
    ],
    ids=["no table", "no numbers", "no bits", "a class too many", "no archive"],
)
def test_location30_in_another_form_is_refused(mirror, content):
    with pytest.raises(DataError):
        load_location30(archive=mirror("location30/dataset_location.tgz", content))
