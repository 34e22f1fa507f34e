"""An outcome in the hand of somebody who works in Python."""

import numpy as np
import pytest
from tests.runs.test_compare import outcome

from gnomon.auditing.outcome import Outcome, RiskTable
from gnomon.core.errors import UsageError

RISK = RiskTable(
    ids=["a", "b", "c"],
    labels=["yes", "no", "yes"],
    groups=None,
    member=np.array([True, False, True]),
    score=np.array([0.1, 0.2, 0.3]),
    probability=np.array([0.5, 0.9, 0.5]),
    low=np.zeros(3),
    high=np.ones(3),
    when_trained=np.array([0.5, np.nan, 0.5]),
    trainings=np.array([1, 0, 1]),
)


def test_a_repr_is_short_and_names_the_verdict() -> None:
    made = outcome(0.3, 0)
    assert len(repr(made)) < 300
    assert made.verdict.headline in repr(made)
    assert len(repr(made.record)) < 4_000
    assert f"<{len(made.record.attacks)} entries>" in repr(made.record) or "<1 entry>" in repr(made.record)


def test_what_is_used_most_is_the_record_s() -> None:
    made = outcome(0.3, 0)
    assert (made.verdict, made.attacks, made.findings) == (
        made.record.verdict,
        made.record.attacks,
        made.record.findings,
    )
    assert made._repr_html_() == made.record._repr_html_()


def test_scores_stand_next_to_ids_and_truth() -> None:
    pytest.importorskip("pandas")
    made = outcome(0.3, 0)
    frame = made.score_frame()
    assert list(frame.columns) == ["id", "member", *made.scores]
    np.testing.assert_array_equal(frame["loss"], made.scores["loss"])
    grouped = Outcome(made.record, made.scores, made.ids, made.member, groups=[f"p{i}" for i in range(len(made.ids))])
    assert list(grouped.score_frame()["group"])[:2] == ["p0", "p1"]
    assert made.to_frame().equals(made.record.to_frame())


def test_risk_is_a_table_the_most_probable_first() -> None:
    pytest.importorskip("pandas")
    made = outcome(0.3, 0)
    frame = Outcome(made.record, {}, [], [], risk=RISK).risk_frame()
    assert list(frame["id"]) == ["b", "c", "a"]
    assert frame["probability_when_trained"].isna().tolist() == [True, False, False]
    assert made.record.risk is None
    with pytest.raises(UsageError, match="states no probabilities of membership: shadow models teach them"):
        made.risk_frame()
