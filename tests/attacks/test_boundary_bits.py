from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gnomon.attacks import Boundary, BoundaryBits
from gnomon.core.answers import Reveal
from gnomon.core.data.features import infer_features
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.models.target import Allowance, Target

N, D = 200, 40


def rng(seed=0):
    return np.random.default_rng(seed)


class Linear:
    """Two classes of bits with a plane between them; counts the rows that it is asked."""

    n_classes = 2

    def __init__(self, normal, read=np.asarray):
        self.normal, self.read, self.rows = normal, read, 0

    def log_probs(self, x):
        self.rows += len(x)
        bits = self.read(x)
        assert set(np.unique(bits)) <= {0, 1}, "an illegal record was asked"
        z = (2.0 * bits - 1.0) @ self.normal
        return np.stack([-np.logaddexp(0, z), -np.logaddexp(0, -z)], axis=1).astype(np.float32)


def world(budget=None, frame=False):
    """Evidence, the true distances in flips, and the model behind the handle."""
    bits, normal, reveal = rng(1).integers(0, 2, (N, D)), rng(2).normal(size=D), Reveal("labels")
    x = pd.DataFrame({f"c{j}": np.array(["no", "yes"])[bits[:, j]] for j in range(D)}) if frame else bits
    model = Linear(normal, (lambda rows: (rows == "yes").to_numpy().astype(int)) if frame else np.asarray)
    answers = reveal.apply(model.log_probs(x))
    labels = answers.argmax(axis=1)
    terms = (2.0 * bits - 1.0) * normal * (2 * labels - 1)[:, None]  # each flip takes twice its term away
    left = terms.sum(axis=1, keepdims=True) - 2 * np.cumsum(-np.sort(-terms, axis=1), axis=1)
    true = 1 + (left < 0).argmax(axis=1)
    model.rows = 0
    query = Allowance(Target(model, reveal, budget), None)
    return Evidence(labels, 2, answers, query=query, x=x, features=infer_features(x), reveal=reveal), true, model


@pytest.mark.parametrize("frame", [False, True])
def test_the_fewest_flips_to_a_plane_are_found_from_labels_alone(frame):
    evidence, true, model = world(frame=frame)
    found = BoundaryBits(searches=1).score(evidence, rng())
    assert (found >= true).all()  # an upper bound
    assert (found == np.round(found)).all()
    assert np.median(found / true) < 1.8
    assert np.corrcoef(found, true)[0, 1] > 0.75
    assert model.rows == evidence.query.asked < N * 60, "records whose search has ended are not asked any more"


def test_what_is_left_is_needed():
    """No single change can be taken back: checked on the outermost row that a search returned."""
    evidence, _, model = world()
    best = np.full(N, D + 1)

    class Watching(Target):
        def ask(self, rows):
            answers = super().ask(rows)
            apart = (rows[:, None] != evidence.x[None]).sum(axis=2)
            nearest = apart.argmin(axis=1)
            otherwise = answers.argmax(axis=1) != evidence.labels[nearest]
            np.minimum.at(best, nearest[otherwise], apart.min(axis=1)[otherwise])
            return answers

    found = BoundaryBits(searches=1).score(replace(evidence, query=Watching(model, evidence.reveal)), rng())
    near = best <= D
    assert near.mean() > 0.9
    assert (found[near] <= best[near]).mean() > 0.95


@pytest.mark.parametrize("budget", [0, 1, N - 1, N, 3 * N, 1234, 1_000_000])
def test_the_budget_is_never_passed(budget):
    evidence, true, model = world(budget=budget)
    attack = BoundaryBits(searches=3)
    found = attack.score(evidence, rng())
    assert model.rows <= budget
    assert (found >= true).all()
    assert ("budget ended" in attack.notes(evidence)[0]) == (budget < 5000)


def test_queries_bring_the_bound_down():
    means = [BoundaryBits(queries=q, searches=1).score(world()[0], rng()).mean() for q in (1, 5, 20, 60)]
    assert means == sorted(means, reverse=True)
    assert means[0] > 1.5 * means[-1]


def test_wrongly_labelled_records_score_zero_and_cost_nothing():
    evidence, _, model = world()
    wrong = rng(5).random(N) < 0.5
    scores = BoundaryBits().score(
        replace(evidence, labels=np.where(wrong, 1 - evidence.labels, evidence.labels)), rng()
    )
    spent, model.rows = model.rows, 0
    assert (scores[wrong] == 0).all()
    assert (scores[~wrong] > 0).all()
    BoundaryBits().score(evidence, rng())
    assert spent < 0.7 * model.rows


def test_a_target_with_one_answer_has_no_boundary():
    evidence, _, model = world()
    answers = np.tile(np.float32([0.0, -np.inf]), (N, 1))
    scores = BoundaryBits().score(replace(evidence, answers=answers, labels=np.zeros(N, np.int64)), rng())
    assert np.isposinf(scores).all()
    assert model.rows == 0


def test_each_kind_of_rows_suits_one_of_the_two_searches():
    for x in (rng().normal(size=(N, D)), rng().integers(0, 2, (N, D)), world(frame=True)[0].x):
        evidence = replace(world()[0], x=x, features=infer_features(x))
        assert (Boundary().unfit(evidence) is None) != (BoundaryBits().unfit(evidence) is None)


@pytest.mark.parametrize("options", [{"queries": 0}, {"searches": 1.5}, {"searches": True}])
def test_impossible_options_are_refused(options):
    with pytest.raises(UsageError, match="boundary_bits: expected"):
        BoundaryBits(**options)
