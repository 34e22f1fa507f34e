import functools
import json

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import Trainer
from gnomon.models import FunctionTrainer
from gnomon.models.recipe_hash import describe

X = np.arange(20.0)[:, None]
Y = (np.arange(20) // 7).astype(np.int64)


def tree(x, y, n_classes, seed, depth=2):
    return DecisionTreeClassifier(max_depth=depth, random_state=seed).fit(x, y)


def share(x, y, n_classes, seed):
    p = np.bincount(y, minlength=n_classes) / len(y)
    return lambda rows: np.tile(p, (len(rows), 1))


class Fixed:
    n_classes = 3

    def log_probs(self, x):
        return np.full((len(x), 3), -np.log(3), np.float32)


@pytest.mark.parametrize("function", [tree, share, lambda *_: Fixed()], ids=["estimator", "callable", "model"])
def test_whatever_answers_may_come_back(function):
    trainer = FunctionTrainer(function)
    assert isinstance(trainer, Trainer)
    a, b = trainer.train(X, Y, 3, [np.arange(20), np.arange(5, 20)], [1, 2**63 - 1])
    assert a.log_probs(X).shape == b.log_probs(X).shape == (20, 3)
    assert trainer.batch_size(X, 3, 20) == 1


def test_params_reach_the_function_and_missing_classes_their_column():
    [model] = FunctionTrainer(tree, {"depth": 1}).train(X, Y, 3, [np.arange(8, 20)], [1])
    assert model.estimator.max_depth == 1
    assert (model.log_probs(X)[:, 0] == -np.inf).all()


def test_failures_are_named():
    def broken(x, y, n_classes, seed):
        raise ValueError("no luck")

    with pytest.raises(ModelError, match="broken failed on 20 rows: ValueError: no luck"):
        FunctionTrainer(broken).train(X, Y, 3, [np.arange(20)], [1])
    with pytest.raises(ModelError, match="expected a model"):
        FunctionTrainer(lambda *_: 3).train(X, Y, 3, [np.arange(20)], [1])
    with pytest.raises(UsageError, match="expected a function"):
        FunctionTrainer(3)


def closing_over(value):
    def train(x, y, n_classes, seed):
        return lambda rows: np.full((len(rows), n_classes), value)

    return train


class Plain:
    def __init__(self, value):
        self.value = value


def test_recipes_differ_with_source_params_defaults_and_closures():
    trainers = [
        FunctionTrainer(tree),
        FunctionTrainer(tree, {"depth": 3}),
        FunctionTrainer(share),
        FunctionTrainer(share, outputs="logits"),
        FunctionTrainer(lambda *_: 1),
        FunctionTrainer(lambda *_: 2),
        FunctionTrainer(closing_over(1.0)),
        FunctionTrainer(closing_over(2.0)),
        FunctionTrainer(closing_over(np.arange(3))),
        FunctionTrainer(closing_over(np.arange(4))),
        FunctionTrainer(functools.partial(tree, depth=5)),
        FunctionTrainer(functools.partial(tree, depth=6)),
        FunctionTrainer(closing_over(Plain(1))),
        FunctionTrainer(closing_over(Plain(2))),
    ]
    texts = [json.dumps(trainer.recipe(), sort_keys=True) for trainer in trainers]
    assert len(set(texts)) == len(texts)
    assert FunctionTrainer(closing_over(Plain(1))).recipe() == trainers[12].recipe()


def test_a_changed_source_file_changes_the_recipe(tmp_path, monkeypatch):
    import importlib
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    texts = []
    for rate in (1, 2, 1):
        code = f"RATE = {rate}\ndef train(x, y, n_classes, seed):\n    return RATE\n"
        (tmp_path / "recipe_of_test_function.py").write_text(code)
        sys.modules.pop("recipe_of_test_function", None)
        importlib.invalidate_caches()
        texts.append(json.dumps(FunctionTrainer(importlib.import_module("recipe_of_test_function").train).recipe()))
    assert texts[0] == texts[2] != texts[1]


def test_what_cannot_be_told_apart_is_refused():
    with pytest.raises(ModelError, match="cannot be told apart"):
        describe({"stream": iter_of_nothing()})
    deep: list = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ModelError, match="nested too deeply"):
        describe(deep)


def iter_of_nothing():
    yield


def test_descriptions_hold_the_content_of_objects():
    pairs = [
        (np.random.RandomState(1), np.random.RandomState(2)),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (slice(1), slice(2)),
        ({1, 2}, {1, 3}),
        (b"a", b"b"),
        (np.float32(1), np.float32(2)),
        (int, float),
        (complex(1, 2), complex(1, 3)),
        (np, json),
        (np.float64("nan"), float("inf")),
    ]
    for a, b in pairs:
        assert json.dumps(describe(a), allow_nan=False) != json.dumps(describe(b), allow_nan=False)
        assert describe(a) == describe(a)
