from dataclasses import replace

import numpy as np
import pytest

from gnomon.attacks import Boundary
from gnomon.core.answers import Reveal
from gnomon.core.data.features import infer_features
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.models.target import Allowance, Target

N, D = 200, 10


def rng(seed=0):
    return np.random.default_rng(seed)


class Linear:
    """Two classes with a plane between them; counts the rows that it is asked."""

    n_classes = 2

    def __init__(self, normal):
        self.normal, self.rows = normal, 0

    def log_probs(self, x):
        self.rows += len(x)
        z = np.clip(x.reshape(len(x), -1) @ self.normal, -50, 50)
        return np.stack([-np.logaddexp(0, z), -np.logaddexp(0, -z)], axis=1).astype(np.float32)


def world(budget=None):
    """Evidence, the true distances in units of the columns' spread, and the model behind the handle."""
    x, normal, reveal = rng(1).normal(size=(N, D)), rng(2).normal(size=D), Reveal("labels")
    model = Linear(normal)
    answers = reveal.apply(model.log_probs(x))
    labels = answers.argmax(axis=1)
    spread = x.std(axis=0)
    true = np.abs(x @ normal) / np.linalg.norm(normal * spread)
    model.rows = 0
    query = Allowance(Target(model, reveal, budget), None)
    return Evidence(labels, 2, answers, query=query, x=x, features=infer_features(x), reveal=reveal), true, model


def test_the_distance_to_a_plane_is_found_from_labels_alone():
    evidence, true, model = world()
    attack = Boundary(rounds=12, directions=30, halvings=8)
    found = attack.score(evidence, rng())
    assert (found >= true * (1 - 1e-6)).all()  # an upper bound
    assert np.median(found / true) < 1.1
    assert np.corrcoef(np.argsort(np.argsort(found)), np.argsort(np.argsort(true)))[0, 1] > 0.95
    assert model.rows == evidence.query.asked == N * attack.wanted


@pytest.mark.parametrize("budget", [0, 1, N - 1, N, 3 * N, 2000, 12_345, 31_000, 1_000_000])
def test_the_budget_is_never_passed(budget):
    evidence, true, model = world(budget=budget)
    found = Boundary().score(evidence, rng())
    assert model.rows == min(budget // N, Boundary().wanted) * N <= budget
    assert (found >= true * (1 - 1e-6)).all()


def test_queries_bring_the_bound_down():
    medians = []
    for each in (0, 7, 40, 120):
        evidence, true, _ = world(budget=each * N)
        medians.append(np.median(Boundary().score(evidence, rng()) / true))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > 1.5 * medians[-1]


def test_whole_numbers_stay_whole_and_in_range():
    x = rng(3).integers(0, 256, (N, D)).astype(np.uint8)
    seen = []

    class Watching(Target):
        def ask(self, rows):
            seen.append(rows)
            return super().ask(rows)

    model = Linear(np.linspace(-1, 1, D))
    answers = model.log_probs(x.astype(float))
    features, labels = infer_features(x), answers.argmax(axis=1)
    evidence = Evidence(labels, 2, answers, query=Watching(model), x=x, features=features)
    scores = Boundary(rounds=1).score(evidence, rng())
    assert (scores > 0).all()
    assert {rows.dtype for rows in seen} == {np.dtype(np.uint8)}


def test_wrongly_labelled_records_score_zero_and_cost_nothing():
    evidence, _, model = world()
    wrong = rng(5).random(N) < 0.3
    evidence = replace(evidence, labels=np.where(wrong, 1 - evidence.labels, evidence.labels))
    scores = Boundary().score(evidence, rng())
    assert (scores[wrong] == 0).all()
    assert (scores[~wrong] > 0).all()
    assert model.rows == int((~wrong).sum()) * Boundary().wanted
    assert Boundary().notes(evidence) == [f"{Boundary().wanted} queries a record ({model.rows:,} in all)"]


def test_a_target_with_one_answer_has_no_boundary():
    evidence, _, model = world()
    answers = np.tile(np.float32([0.0, -np.inf]), (N, 1))
    scores = Boundary().score(replace(evidence, answers=answers, labels=np.zeros(N, np.int64)), rng())
    assert np.isposinf(scores).all()
    assert model.rows == 0


def test_bits_do_not_suit():
    x = rng().integers(0, 2, (N, D))
    evidence = replace(world()[0], x=x, features=infer_features(x))
    assert "no bits" in Boundary().unfit(evidence)
    with pytest.raises(UsageError, match="no bits"):
        Boundary().score(evidence, rng())


@pytest.mark.parametrize("options", [{"rounds": 0}, {"directions": 1.5}, {"halvings": True}])
def test_impossible_options_are_refused(options):
    with pytest.raises(UsageError, match="boundary: expected"):
        Boundary(**options)
