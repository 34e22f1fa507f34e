from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.core.arrays import Ints
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import ModelError
from gnomon.core.seeds import Seeds
from gnomon.shadow.masks import classes_and_categories, draw_shadows, repair
from gnomon.shadow.pool import PoolAnswers

POOL = np.arange(40)
DATA = make_dataset(pd.DataFrame({"k": ["rare", *"xy" * 19, "x"], "n": np.linspace(0, 1, 40)}), np.arange(40) % 2)


def answers(count: int, failed: dict[int, str]) -> PoolAnswers:
    well = [i for i in range(count) if i not in failed]
    each = [np.full((1, 2), i, np.float32) for i in well]
    return PoolAnswers(each, [str(i) for i in well], [True] * len(well), 1, 1.0, [], [1.0] * len(well),
                       [{}] * len(well), {}, failed)  # fmt: skip


def draw(count: int):
    return draw_shadows(POOL, count, 20, np.random.default_rng(0))


def test_without_failures_all_stays_as_it_is():
    drawn, found = draw(4), answers(4, {})
    kept = repair(found, drawn, [0, 1, 2, 3], lambda *_: pytest.fail("trained again"), DATA, POOL, Seeds(0))
    assert kept.found is found
    assert kept.drawn.train == drawn.train


def test_a_model_that_lacked_a_category_is_drawn_again_with_it():
    drawn = draw(8)
    lacking = [i for i in range(8) if 0 not in drawn.train[i]]
    asked: list[tuple[list[Ints], list[int]]] = []

    def train(rows, seeds, may_fail):
        asked.append((list(rows), list(seeds)))
        return answers(len(rows), {})

    kept = repair(answers(8, dict.fromkeys(lacking, "unknown")), drawn, list(range(8)), train, DATA, POOL, Seeds(0))
    [(rows, seeds)] = asked
    assert seeds == lacking
    assert all(0 in part and len(part) == 20 for part in rows)
    assert kept.redrawn == dict.fromkeys(lacking, "unknown")
    shown = [int(a[0, 0]) for a in kept.found.answers]  # what `answers` numbers within each call
    assert shown == [lacking.index(i) if i in lacking else i for i in range(8)]
    for train_rows, test_rows in zip(kept.drawn.train, kept.drawn.test, strict=True):
        assert not set(train_rows) & set(test_rows)


def test_what_still_fails_is_left_out_with_its_partner():
    def train(rows, seeds, may_fail):
        return answers(1, {0: "again"})

    kept = repair(answers(20, {5: "first"}), draw(20), list(range(20)), train, DATA, POOL, Seeds(0))
    assert kept.left_out == {5: "again"}
    assert kept.seeds == [i for i in range(20) if i not in (4, 5)]
    assert len(kept.found.answers) == len(kept.drawn.train) == 18


def test_more_than_a_tenth_is_an_error_that_names_a_shadow_model():
    def train(rows, seeds, may_fail):
        return answers(len(rows), dict.fromkeys(range(len(rows)), "no such column"))

    with pytest.raises(ModelError, match=r"2 of 8 shadow models .* trained on 20 other rows.*no such column"):
        repair(answers(8, {1: "a", 2: "b"}), draw(8), list(range(8)), train, DATA, POOL, Seeds(0))


def test_where_all_fail_one_is_tried_first():
    calls = []

    def train(rows, seeds, may_fail):
        calls.append(len(rows))
        return answers(len(rows), dict.fromkeys(range(len(rows)), "never"))

    with pytest.raises(ModelError, match="8 of 8 shadow models"):
        repair(answers(8, dict.fromkeys(range(8), "never")), draw(8), list(range(8)), train, DATA, POOL, Seeds(0))
    assert calls == [1, 1]


def test_classes_and_categories_are_those_of_text_and_of_few_whole_numbers():
    data = make_dataset(np.column_stack([np.arange(6) % 3, np.linspace(0.1, 0.9, 6)]), [0, 0, 0, 0, 1, 1])
    found = classes_and_categories(data, np.arange(6))
    assert sorted(len(rows) for rows in found) == [2, 2, 2, 2, 4]
    assert [rows.tolist() for rows in classes_and_categories(DATA, POOL) if len(rows) == 1] == [[0]]


def table(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=60), "k": rng.choice(["x", "y"], 60)})
    return frame, (frame["a"] + rng.normal(size=60) > 0).to_numpy().astype(int)


def test_a_category_that_only_the_target_saw_and_folds_that_a_rare_class_can_not_fill_end_no_audit():
    (x, y), out = table(0), table(1)
    x.loc[0, "k"] = "rare"
    encoder = make_column_transformer((OneHotEncoder(), ["k"]), remainder="passthrough")
    model = make_pipeline(encoder, GaussianNB()).fit(x, y)
    record = gnomon.audit(model, (x, y), out, shadows=4, attacks=("lira", "loss"), workers=1).record
    assert record.shadows is not None
    assert record.shadows.redrawn > 0
    assert record.shadows.left_out == 0
    [finding] = [f for f in record.findings if f.code == "shadow-models-failed"]
    assert "unknown categories ['rare']" in finding.explanation
    z, v = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1, 2], [28, 28, 4])
    cautious = CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2), cv=4).fit(z, v)
    inside = gnomon.audit(cautious, (z, v), (z + 0.1, v), shadows=4, attacks=("lira",), workers=1).record
    assert inside.shadows is not None
    assert inside.shadows.redrawn > 0
