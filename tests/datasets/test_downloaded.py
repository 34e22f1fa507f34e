"""The loaders of fetched sets, on small files in their canonical form; on the real ones where a mirror has them."""

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror, tar_of

from gnomon.core.errors import DataError
from gnomon.datasets import load_dataset
from gnomon.datasets.adult import load_adult
from gnomon.datasets.location30 import load_location30

TRAIN = b"""39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, ?, <=50K
50, ?, 83311, Bachelors, 13, Married-civ-spouse, Exec-managerial, Husband, White, Male, 0, 0, 13, United-States, >50K

"""  # noqa: E501 - the lines are as the canonical file has them
TEST = b"""|1x3 Cross validator
25, Private, 226802, 11th, 7, Never-married, Machine-op-inspct, Own-child, Black, Male, 0, 0, 40, United-States, <=50K.
28, Local-gov, 336951, Assoc-acdm, 12, Married-civ-spouse, Protective-serv, Husband, White, Male, 0, 0, 40, None, >50K.

"""


def test_adult_joins_both_parts_and_keeps_missing_answers_as_a_category(mirror):
    data = load_adult(train=mirror("adult/adult.data", TRAIN), test=mirror("adult/adult.test", TEST))
    assert data.classes == ("<=50K", ">50K")
    assert data.y.tolist() == [0, 1, 0, 1]
    assert data.x.shape == (4, 14)
    assert data.x["native-country"].tolist() == ["?", "United-States", "United-States", "None"]
    assert data.x["workclass"].tolist()[1] == "?"
    kinds = {name: data.x[name].dtype.kind for name in data.x.columns}
    assert kinds["age"] == "i"
    assert kinds["sex"] == "O"
    assert [f.kind for f in data.features.features].count("categorical") == 8


@pytest.mark.parametrize(
    ("train", "message"),
    [(TRAIN.replace(b">50K", b"a lot"), "got a lot"), (TRAIN.replace(b"39,", b"old,"), "expected UCI's table")],
)
def test_adult_in_another_form_is_refused(mirror, train, message):
    with pytest.raises(DataError, match=message):
        load_adult(train=mirror("adult/adult.data", train), test=mirror("adult/adult.test", TEST))


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


@needs_mirror("location30", "adult")
@pytest.mark.parametrize(("name", "shape", "classes"), [("location30", (5010, 446), 30), ("adult", (48842, 14), 2)])
def test_the_real_files_load_from_a_mirror(name, shape, classes):
    data = load_dataset(name)
    assert data.x.shape == shape
    assert np.array_equal(np.unique(data.y), np.arange(classes))
