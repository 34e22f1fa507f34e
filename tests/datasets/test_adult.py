"""Adult: both parts as one table."""

import pytest

from gnomon.core.errors import DataError
from gnomon.datasets.adult import load_adult

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
