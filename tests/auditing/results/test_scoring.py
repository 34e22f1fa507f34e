from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from gnomon.attacks import make_attack
from gnomon.auditing.results import scoring
from gnomon.auditing.results.scoring import (
    Rehearsed,
    attempt,
    attempt_all,
    choose,
    most_rehearsals,
    rehearse,
    score_attack,
)
from gnomon.auditing.settings import Silent
from gnomon.core.protocols import Attack
from gnomon.core.seeds import Seeds
from gnomon.engines.local import LocalEngine
from gnomon.models.target import Target
from gnomon.stats.roc import auc
from gnomon.testing import gaussian_world, noise_world

SEEDS = Seeds(0)


@dataclass(frozen=True)
class Odd(Attack):
    """An attack that misbehaves in a chosen way."""

    returns: Any = None
    name: ClassVar[str] = "odd"
    title: ClassVar[str] = "Odd"
    paper: ClassVar[str] = "nobody 2026"
    needs: ClassVar[frozenset[str]] = frozenset({"answers"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Any, rng: np.random.Generator) -> Any:
        if isinstance(self.returns, str) and self.returns == "raise":
            raise ZeroDivisionError("by hand")
        if isinstance(self.returns, str):
            return evidence.shadows.signal(None)
        return self.returns


def world(**options: Any) -> Any:
    return gaussian_world(np.random.default_rng(0), n=600, m=6, **options)


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        ("raise", "ZeroDivisionError: by hand"),
        ("peek", "AttributeError"),
        (np.zeros(3), "expected 600 scores"),
        (np.full(600, np.nan), "600 of 600 scores are NaN"),
        (None, "scores"),
    ],
)
def test_an_attack_that_breaks_is_data(returns: Any, words: str) -> None:
    scored = score_attack(Odd(returns), world().evidence, SEEDS)
    assert scored.status == "failed"
    assert words in str(scored.reason)
    assert "Traceback" in str(scored.traceback)


def test_the_others_go_on_when_one_breaks() -> None:
    w = world()
    attacks = [make_attack("loss"), Odd("raise"), make_attack("gap")]
    found = attempt_all(attacks, w.evidence, 2, (0.1,), SEEDS, LocalEngine(1), Silent())
    assert [a.scored.status for a in found] == ["ok", "failed", "ok"]


def test_what_is_missing_skips_an_attack_with_the_reason() -> None:
    scored = score_attack(make_attack("lira"), world(view="adversary").evidence, SEEDS)
    assert scored.status == "skipped"
    assert "auditor's view" in str(scored.reason)


def test_processes_give_the_same_scores_as_one() -> None:
    w = noise_world(np.random.default_rng(1), n=200, m=4, c=3)
    attacks = [make_attack(name) for name in ("loss", "lira", "salem_statistic")]
    alone = attempt_all(attacks, w.evidence, 1, (0.1,), SEEDS, LocalEngine(1), Silent())
    beside = attempt_all(attacks, w.evidence, 1, (0.1,), SEEDS, LocalEngine(2), Silent())
    for a, b in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(a.scored.scores, b.scored.scores)
        assert (a.rehearsed.threshold, a.rehearsed.auc) == (b.rehearsed.threshold, b.rehearsed.auc)


def test_a_rehearsed_threshold_is_nearly_as_good_as_the_oracles() -> None:
    w = world()
    found = attempt(make_attack("loss"), w.evidence, 4, (0.1,), SEEDS)
    assert found.scored.calibrated == "shadow"
    accused = found.scored.scores >= found.scored.threshold
    accuracy = (accused[w.member].mean() + (~accused[~w.member]).mean()) / 2
    best = max(
        ((found.scored.scores >= t)[w.member].mean() + (found.scored.scores < t)[~w.member].mean()) / 2
        for t in found.scored.scores
    )
    assert accuracy > best - 0.05


def test_how_often_an_attack_rehearses_hangs_on_the_data_and_not_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = world().evidence.pool
    assert pool is not None
    answers = pool.n_shadows * len(pool.labels)
    monkeypatch.setattr(scoring, "LESSONS", 2 * answers)
    times = iter(np.arange(0.0, 1e9, 1e3))
    monkeypatch.setattr(scoring.time, "perf_counter", lambda: next(times))  # a machine that takes an hour
    quick, learns = make_attack("loss"), make_attack("salem")
    assert [len(rehearse(a, world().evidence, 3, (0.1,), SEEDS).played) for a in (quick, learns)] == [3, 2]
    assert most_rehearsals(learns, pool, queries=9) == 1


@dataclass(frozen=True)
class Learner(Odd):
    """Learns the mean of the pool's largest answers, and writes down each time which shadow models it learned from."""

    needs: ClassVar[frozenset[str]] = frozenset({"answers", "pool"})

    def learn(self, evidence: Any, rng: np.random.Generator) -> Any:
        self.returns.append([float(a[0, 0]) for a in evidence.pool.answers])
        mean = np.mean([evidence.pool.of_shadow(i).max(axis=1).mean() for i in range(evidence.pool.n_shadows)])
        return lambda audited: audited.answers.max(axis=1) - mean

    def score(self, evidence: Any, rng: np.random.Generator) -> Any:
        return self.learn(evidence, rng)(evidence)


@pytest.mark.parametrize("paired", [True, False])
def test_rehearsals_without_the_same_shadow_models_learn_once(paired: bool) -> None:
    evidence = world().evidence
    evidence = replace(evidence, pool=replace(evidence.pool, paired=paired))
    left = [[float(a[0, 0]) for a in evidence.rehearse(i)[0].pool.answers] for i in range(4)]
    learner = Learner([])
    shared = rehearse(learner, evidence, 4, (0.1,), SEEDS)
    assert learner.returns == (left[::2] if paired else left)
    for i, played in enumerate(shared.played):
        rehearsal, member = evidence.rehearse(i)
        assert np.array_equal(played.scores, learner.score(rehearsal, np.random.default_rng(0)))
        assert np.array_equal(played.member, member)


def test_rehearsals_foretell_what_happens() -> None:
    w = world()
    found = rehearse(make_attack("loss"), w.evidence, 6, (0.1,), SEEDS)
    scores = np.asarray(make_attack("loss").score(w.evidence.view(make_attack("loss").needs), np.random.default_rng(0)))
    assert found.auc == pytest.approx(auc(scores[w.member], scores[~w.member]).value, abs=0.05)


def test_the_choice_follows_the_rate_and_then_the_area() -> None:
    rehearsed = {
        "a": Rehearsed(auc=0.9, tpr={0.01: 0.1}),
        "b": Rehearsed(auc=0.7, tpr={0.01: 0.3}),
        "c": Rehearsed(auc=0.8, tpr={0.01: 0.3}),
        "never rehearsed": Rehearsed(),
    }
    assert choose(rehearsed, 0.01) == "c"
    assert choose({"never rehearsed": Rehearsed()}, 0.01) is None


@dataclass(frozen=True)
class Asks(Odd):
    """Asks for as much as it is allowed, and says whether it is fit."""

    says: str | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"answers", "query"})

    def unfit(self, evidence: Any) -> str | None:
        if self.says == "raise":
            raise ZeroDivisionError("unfit by hand")
        return self.says

    def score(self, evidence: Any, rng: np.random.Generator) -> Any:
        evidence.query.ask(np.zeros((evidence.query.remaining, 12)))
        if self.returns == "raise":
            raise ZeroDivisionError("after asking")
        return np.zeros(len(evidence))


class Anything:
    n_classes = 4

    def log_probs(self, x: Any) -> Any:
        return np.full((len(x), 4), np.log(np.float32(0.25)))


def test_a_budget_is_shared_among_those_that_will_ask() -> None:
    target = Target(Anything(), budget=100)
    evidence = replace(world().evidence, query=target)
    attacks = [Asks(), Asks(says="rows do not suit"), Asks("raise"), Asks(says="raise"), Asks(), make_attack("gap")]
    found = [a.scored for a in attempt_all(attacks, evidence, 0, (0.1,), SEEDS, LocalEngine(1), Silent())]
    assert [a.status for a in found] == ["ok", "skipped", "failed", "failed", "ok", "ok"]
    assert [a.queries for a in found] == [33, 0, 33, 0, 34, 0]
    assert target.asked == 100
    assert found[1].reason == "rows do not suit"
    assert "unfit by hand" in str(found[3].reason)
