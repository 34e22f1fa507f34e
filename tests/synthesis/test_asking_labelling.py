import numpy as np
import pandas as pd
import pytest
from tests.synthesis.toy import Constant, Linear, bits, log_softmax

from gnomon.core.answers import Reveal
from gnomon.core.errors import ModelError, UsageError
from gnomon.synthesis import label_by_target


def test_labels_are_the_targets_answers_in_batches_and_counted():
    target = Linear(8, 3)
    x = bits(8).random(9000, np.random.default_rng(0))
    found = label_by_target(x, target, ("a", "b", "c"))
    assert (found.y == Linear(8, 3)(x).argmax(axis=1)).all()
    assert found.queries == target.asked == 9000
    assert len(target.batches) == 3
    assert found.x is x
    assert found.unseen == ()


def test_a_target_that_reveals_labels_only_will_do():
    target = Linear(8, 3)
    x = bits(8).random(50, np.random.default_rng(0))
    hidden = Reveal("labels")
    found = label_by_target(x, lambda rows: hidden.apply(target(rows)), ("a", "b", "c"), reveal=hidden)
    assert (found.y == target(x).argmax(axis=1)).all()


def test_classes_without_records_are_named():
    assert label_by_target(np.zeros((4, 2)), Constant([0.1, 0.8, 0.1]), ("a", "b", "c")).unseen == ("a", "c")


def test_frames_are_labelled_too():
    frame = pd.DataFrame({"v": [0.2, 0.9, 0.4]})
    found = label_by_target(
        frame, lambda rows: log_softmax(np.column_stack([0 * rows.v, rows.v - 0.5])), ("low", "high")
    )
    assert found.y.tolist() == [0, 1, 0]


def test_no_records_cost_nothing():
    assert label_by_target(np.zeros((0, 2)), Constant([0.5, 0.5]), ("a", "b")).queries == 0


def test_the_budget_is_looked_at_before_anything_is_asked():
    target = Linear(8, 3)
    with pytest.raises(UsageError, match="takes 10 queries, but 9 are left"):
        label_by_target(np.zeros((10, 8)), target, ("a", "b", "c"), budget=9)
    assert target.asked == 0


def test_nonsense_is_refused():
    with pytest.raises(ModelError, match="NaN"):
        label_by_target(np.zeros((3, 2)), lambda x: np.full((len(x), 2), np.nan), ("a", "b"))
    with pytest.raises(ModelError, match="3 classes where 2 are expected"):
        label_by_target(np.zeros((3, 2)), Constant([0.5, 0.3, 0.2]), ("a", "b"))
