"""What fits a budget is a function of costs alone."""

import math

import pytest
from gnomon.reproducing.budget import PRIOR_SECONDS, BudgetItem, TimeLedger, parse_duration

from gnomon.core.errors import UsageError


def ledger(budget: float | None, scale: float = 1.0) -> TimeLedger:
    return TimeLedger(budget, scale, {})


def test_what_costs_more_than_is_left_does_not_fit() -> None:
    cells = [BudgetItem("a", 30.0), BudgetItem("b", 30.0)]
    assert ledger(60.0).decide(cells).fits
    assert not ledger(59.0).decide(cells).fits
    assert not ledger(60.0, scale=1.1).decide(cells).fits  # a slower machine
    assert ledger(None).decide([BudgetItem("a", 1e9)]).fits


def test_cells_that_have_run_cost_what_they_took_and_no_estimate() -> None:
    decision = ledger(60.0).decide([BudgetItem("a", 500.0, took=40.0), BudgetItem("b", 20.0)])
    assert decision.fits
    assert decision.estimate == 20.0
    assert not ledger(60.0).decide([BudgetItem("a", 5.0, took=61.0)]).fits


def test_a_shared_cell_is_paid_once() -> None:
    after = ledger(100.0).after(BudgetItem("a", 10.0), took=80.0)
    assert after.spent == 80.0
    decision = after.decide([BudgetItem("a", 10.0, took=80.0)])
    assert decision.fits
    assert decision.left == 20.0


def test_cells_that_ran_teach_how_slow_the_machine_is() -> None:
    after = ledger(None)
    for i in range(100):
        after = after.after(BudgetItem(str(i), PRIOR_SECONDS), took=3 * PRIOR_SECONDS)
    assert after.slowness == pytest.approx(3.0, abs=0.05)
    assert after.decide([BudgetItem("new", 10.0)]).estimate == pytest.approx(30.0, rel=0.02)
    assert ledger(None, scale=2.0).slowness == 2.0


def test_a_second_run_decides_as_the_first_did() -> None:
    works = [BudgetItem(str(i), 10.0) for i in range(6)]
    first = ledger(100.0)
    ran: dict[str, float] = {}
    for work in works:
        if first.decide([work]).fits:
            first = first.after(work, took=25.0)
            ran[work.key] = 25.0
    again = ledger(100.0)
    kept = []
    for work in works:
        known = BudgetItem(work.key, work.seconds, ran.get(work.key))
        if again.decide([known]).fits:
            kept.append(work.key)
            again = again.after(known, took=ran[work.key])  # a KeyError: it would run what the first run left out
    assert kept == list(ran)
    assert 0 < len(ran) < len(works)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60m", 3600), ("1h30m", 5400), ("90s", 90), ("45", 45), ("1.5h", 5400), ("1h 5m", 3900)]
)
def test_durations(text: str, seconds: float) -> None:
    assert math.isclose(parse_duration(text), seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "-5m", "0", "1m2", "1..5m"])
def test_what_is_no_duration_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        parse_duration(text)
