import numpy as np
import pytest

from gnomon.core.data.dataset import make_dataset
from gnomon.core.data.labels import match_classes
from gnomon.core.errors import DataError

X = np.arange(6.0)[:, None]


@pytest.mark.parametrize(
    ("labels", "known", "places", "rule"),
    [
        ([1, 2], [2, 1], [1, 0], "names"),
        (["1.0", "2.0"], [1, 2, 3], [0, 1], "numbers"),
        (["007", "010"], ["007", "010"], [0, 1], "names"),
        (["a", "b"], [False, True], [0, 1], "order"),
        ([1, 2, 3], [0, 1, 2], [0, 1, 2], "order"),
        ([False, True], [0, 1], [0, 1], "order"),
        ([-1, 1], [-1.0, 1.0], [0, 1], "names"),
        ([1, 2], ["0", "1"], None, None),
        (["7", "007"], [7, 8], None, None),
        (["a", "b"], [0, 1, 2], None, None),
        (["a", "c"], ["a", "b"], None, None),
        ([0, 1], [1, 2], None, None),
    ],
)
def test_labels_are_matched_for_certain_or_not_at_all(labels, known, places, rule):
    match = match_classes(labels, known)
    assert (None if match is None else match.places.tolist(), None if match is None else match.rule) == (places, rule)


def test_the_models_classes_become_those_of_the_data_whatever_the_labels_are_called():
    data = make_dataset(X, ["2.0", "7", "2.0", "7", "7", "7"], known=[7, 1, 2])
    assert data.classes == ("7", "1", "2.0")
    assert data.labels == (7, 1, 2)
    assert data.y.tolist() == [2, 0, 2, 0, 0, 0]
    assert data.take(np.array([1])).labels == (7, 1, 2)
    assert make_dataset(X, [1.0, 2.0] * 3).labels == (1, 2)
    one = make_dataset(X, ["b"] * 6, known=["a", "b"])
    assert (one.classes, one.y.tolist()) == (("a", "b"), [1] * 6)
    with pytest.raises(
        DataError, match=r'd: row r1 has the label "x", which the model does not know \(it knows a, b\)'
    ):
        make_dataset(X, ["a", "x", "a", "a", "x", "b"], known=["a", "b"], ids=[f"r{i}" for i in range(6)], name="d")
