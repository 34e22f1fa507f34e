"""Limits from a run: the run itself meets them, a run that leaks more does not, and nothing is promised by silence."""

import pytest
from tests.runs.test_compare import outcome
from tests.runs.test_gate import attack, idle, record

from gnomon.core.documents.record import Estimate, Finding, Record
from gnomon.core.errors import UsageError
from gnomon.runs.base import limits_from, parse_slack
from gnomon.runs.gate import gate


@pytest.mark.parametrize("slack", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("made", [record(), outcome(0.3, 0, base=9).record], ids=["by hand", "measured"])
def test_the_base_meets_its_own_limits(made: Record, slack: float) -> None:
    base = limits_from(made, slack)
    assert gate(made, base.limits.limits).code == 0


def test_a_run_that_leaks_more_does_not() -> None:
    early, over = (outcome(gap, seed, base=9).record for gap, seed in ((0.3, 0), (1.5, 1)))
    assert gate(over, limits_from(early, 0.1).limits.limits).code == 1
    assert gate(early, limits_from(over, 0.1).limits.limits).code == 0


def test_slack_is_a_share_of_the_distance_from_guessing() -> None:
    made = record(attack(auc=Estimate(value=0.65, low=0.6, high=0.7)))
    limits = {one.words: one for one in limits_from(made, 0.1).limits.limits}
    assert limits["auc"].most == 0.72  # 0.7 and a tenth of 0.2
    assert limits["advantage"].most == 0.44  # 0.4 and a tenth of it
    assert limits["tpr@0.01"].most == 0.275
    assert "10% slack" in limits["auc"].reason
    assert "lira 0.65 (to 0.7)" in limits["auc"].reason


def test_the_attack_that_reaches_highest_sets_the_limit_whatever_side_it_is_on() -> None:
    below = attack("gap", auc=Estimate(value=0.2, low=0.15, high=0.25))
    [area] = [one for one in limits_from(record(attack(), below), 0.0).limits.limits if one.figure == "auc"]
    assert area.most == 0.85
    assert "gap" in area.reason


def test_what_gives_no_limit_is_named() -> None:
    left = limits_from(record(), 0.1).left_out
    assert any("tpr@0.001" in line and "too few non-members" in line for line in left)
    near_one = attack(auc=Estimate(value=0.98, low=0.96, high=0.99))
    assert any("auc: its limit would be 1" in line for line in limits_from(record(near_one), 0.5).left_out)


def test_a_record_that_shows_nothing_is_no_base() -> None:
    error = Finding(code="members-overlap", title="", severity="error", explanation="", remedy="")
    for made in (record(findings=[error]), record(idle("lira", "failed", None))):
        with pytest.raises(UsageError, match="can't be a base"):
            limits_from(made, 0.1)


@pytest.mark.parametrize("text", ["ten", "-10%", "10%%", ""])
def test_a_slack_is_a_share(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected a share such as 10% or 0\.1"):
        parse_slack(text)
