"""What a mitigation costs and buys, read from audits of a known outcome."""

from dataclasses import replace

import numpy as np
import pytest
from tests.runs.test_compare import N, outcome

from gnomon.auditing.outcome import Outcome
from gnomon.core.errors import DataError
from gnomon.defending.measure import accuracy, cost, exposed_tenth, guarantee, leaks, telling_fpr, utility


def rightly(wrong: int, seed: int = 0) -> Outcome:
    """An audit whose model is right but for the first so many non-members."""
    made = outcome(0.5, seed)
    right = np.ones(N)
    right[np.flatnonzero(~np.asarray(made.member))[:wrong]] = 0.0
    return replace(made, scores={**made.scores, "gap": right})


def test_accuracy_is_that_of_non_members_and_the_change_is_theirs() -> None:
    plain, worse = rightly(N // 20), rightly(N // 10)
    assert accuracy(plain) == pytest.approx(0.9)
    found = utility(worse, plain, 0.95)
    assert found.accuracy.value == pytest.approx(0.8)
    assert found.train_accuracy == 1.0
    assert found.change is not None
    assert found.change.value == pytest.approx(-0.1)
    assert found.change.low < -0.1 < found.change.high < 0
    assert utility(plain, None, 0.95).change is None


def test_audits_of_other_rows_or_without_the_gap_are_no_comparison() -> None:
    plain = rightly(10)
    with pytest.raises(DataError, match="must be of the same records"):
        utility(replace(plain, ids=[f"x{i}" for i in range(N)]), plain, 0.95)
    with pytest.raises(DataError, match="needs the gap attack"):
        accuracy(outcome(0.5, 0))


def test_the_exposed_tenth_is_a_tenth_by_exposure() -> None:
    plain = rightly(10)
    tenth = exposed_tenth(replace(plain, exposure=np.arange(N, dtype=float)))
    assert tenth is None or tenth.facts.members > 0
    rising = replace(plain, exposure=np.where(plain.member, 1.0, 0.0) + np.arange(N) / N)
    tenth = exposed_tenth(rising)
    assert tenth is not None
    assert (tenth.facts.rows, tenth.facts.members, tenth.mask(rising).sum()) == (N // 10, N // 10, N // 10)
    assert exposed_tenth(plain) is None
    assert exposed_tenth(replace(plain, exposure=np.full(N, np.nan))) is None


def test_a_mitigation_of_answers_costs_no_training() -> None:
    record = outcome(0.5, 0).record
    assert record.shadows is not None
    slower = record.model_copy(
        update={"shadows": record.shadows.model_copy(update={"seconds_each": 3 * (record.shadows.seconds_each or 1.0)})}
    )
    base = record.model_copy(
        update={"shadows": record.shadows.model_copy(update={"seconds_each": record.shadows.seconds_each or 1.0})}
    )
    assert cost(slower, base, retrains=True).times == pytest.approx(3.0)
    assert cost(slower, base, retrains=False).times == 1.0


def test_what_an_accountant_proved_is_read_or_absent() -> None:
    found = guarantee({"epsilon": 8, "delta": 1e-5})
    assert found is not None
    assert (found.epsilon, found.delta) == (8.0, 1e-5)
    assert guarantee({"epsilon": "unknown"}) is None
    assert guarantee({}) is None


def test_the_rate_that_is_spoken_of_leaves_enough_accused() -> None:
    record = outcome(0.5, 0).record

    def with_rates(*fprs: float):
        statistics = {**record.plan["statistics"], "fprs": list(fprs)}
        return record.model_copy(update={"plan": {**record.plan, "statistics": statistics}})

    assert telling_fpr(with_rates(1e-9, 0.5)) == 0.5
    assert telling_fpr(with_rates(1e-9)) is None
    assert [leak.attack for leak in leaks(record)] == ["loss"]
