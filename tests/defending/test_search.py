"""The search finds the most useful strength that meets a limit, on leakage and accuracy of a known shape."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.runs.test_compare import outcome

from gnomon.auditing.outcome import Outcome
from gnomon.core.documents.record import Estimate
from gnomon.core.errors import UsageError
from gnomon.defending.combinations import Combination, StrengthRange
from gnomon.defending.search import check_limit, read_until, search


@dataclass
class World:
    """The AUC falls and the accuracy falls with the logarithm of a strength from 1 to 100."""

    audits: int = 0

    def audit(self, combination: Combination) -> Outcome | str:
        self.audits += 1
        t = getattr(combination.mitigations[0], "t", None) or getattr(combination.mitigations[0], "k", 1)
        part = math.log(t) / math.log(100)
        made = outcome(0.5, 0)
        auc = 0.9 - 0.4 * part
        attack = made.record.attacks[0].model_copy(update={"auc": Estimate(value=auc - 0.1, low=auc - 0.2, high=auc)})
        record = made.record.model_copy(update={"attacks": [attack], "name": str(0.8 - 0.5 * part)})
        return Outcome(record, made.scores, made.ids, made.member)


def accuracy(made: Outcome) -> float:
    return float(made.record.name)


optuna = pytest.importorskip("optuna")


def run(limit: str, *, trials: int = 12, strengths: StrengthRange | None = None, audit: Any = None) -> Any:
    world = World()
    found = search(
        strengths or StrengthRange("temperature", 1.0, 100.0, False),
        audit or world.audit,
        accuracy,
        read_until(limit),
        trials,
        0,
    )
    return found, world


def test_it_comes_close_to_the_weakest_strength_that_meets_the_limit() -> None:
    found, _ = run("auc<=0.7", trials=16)
    assert found.combination is not None
    best = next(t for t in found.facts.trials if t.label == found.facts.chosen)
    assert best.meets
    assert 0.64 < best.value <= 0.7  # the truth is 0.7 at a strength of 10


def test_both_ends_and_the_middle_come_first() -> None:
    found, _ = run("auc<=0.7", trials=3)
    assert [t.label for t in found.facts.trials] == ["temperature1", "temperature100", "temperature10"]


def test_a_limit_out_of_reach_gives_the_closest_and_says_so() -> None:
    found, _ = run("auc<=0.55", trials=4)
    assert found.facts.chosen is None
    closest = min(found.facts.trials, key=lambda t: t.value)
    assert found.combination.label == closest.label
    assert closest.value < 0.9


def test_what_cannot_be_told_from_the_limit_does_not_meet_it() -> None:
    # At the upper end of the range the interval is 0.3 to 0.5: mirrored, 0.5 to 0.7; the value alone would be 0.6.
    found, _ = run("auc<=0.65", trials=3)
    assert [(round(t.value, 3), t.meets) for t in found.facts.trials] == [(0.9, False), (0.7, False), (0.7, False)]


def test_a_limit_that_no_audit_has_a_value_for_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="measured at this false-positive rate"):
        check_limit(outcome(0.5, 0).record, read_until("tpr@0.3<=0.6"))
    few = outcome(0.5, 0, member=np.arange(60) < 30)
    with pytest.raises(UsageError, match="100 audited non-members"):
        check_limit(few.record, read_until("tpr@0.01<=0.6"))


def test_a_strength_is_not_audited_twice() -> None:
    found, world = run("auc<=0.7", trials=12, strengths=StrengthRange("top", 1, 3, True))
    assert world.audits == len(found.facts.trials) == 3


def test_strengths_that_break_are_told_and_passed_over() -> None:
    world = World()

    def fragile(combination: Combination) -> Outcome | str:
        return "training diverged" if combination.mitigations[0].t > 50 else world.audit(combination)  # type: ignore[attr-defined]

    found, _ = run("auc<=0.75", audit=fragile)
    assert found.facts.chosen is not None
    assert any(t.reason == "training diverged" for t in found.facts.trials)


def test_the_same_seed_proposes_the_same_strengths() -> None:
    assert run("auc<=0.7")[0].facts == run("auc<=0.7")[0].facts
