import pytest

from gnomon.auditing.verdict import headline_point, speak
from gnomon.core.record import AttackResult, Estimate, Finding, ModelFacts, TprAtFpr

TARGET = ModelFacts(train_size=100, train_accuracy=1.0, test_accuracy=0.6, train_loss=0.1, test_loss=1.0)


def result(auc: tuple[float, float, float], *points: tuple[float, float, float, float]) -> AttackResult:
    return AttackResult(
        name="lira",
        title="LiRA",
        paper="Carlini et al. 2022",
        status="ok",
        auc=Estimate(value=auc[0], low=auc[1], high=auc[2]),
        tpr_at_fpr=[TprAtFpr(fpr=f, tpr=Estimate(value=v, low=a, high=b), false_positives=1) for f, v, a, b in points]
        + [TprAtFpr(fpr=0.0001, tpr=None, refused="too few non-members (have 100, need 10,000)")],
    )


@pytest.mark.parametrize(
    ("found", "level", "words"),
    [
        (result((0.9, 0.88, 0.92), (0.001, 0.45, 0.4, 0.5)), "leaks", "finds 45 of 100 training records"),
        (result((0.9, 0.88, 0.92), (0.001, 0.02, 0.015, 0.03)), "leaks", "20 of 1,000"),
        (result((0.9, 0.88, 0.92), (0.01, 0.02, 0.0, 0.1)), "leaks", "far better than by guessing"),
        (result((0.53, 0.51, 0.55), (0.01, 0.012, 0.0, 0.02)), "leaks_some", "slightly better than guessing"),
        (result((0.51, 0.49, 0.53), (0.01, 0.012, 0.0, 0.02)), "none_found", "no better than guessing"),
    ],
)
def test_the_verdict_claims_what_the_interval_shows(found: AttackResult, level: str, words: str) -> None:
    verdict = speak([found], "lira", "shadows", [], TARGET, "adversary")
    assert verdict.level == level
    assert words in verdict.headline


def test_no_verdict_says_private_or_safe() -> None:
    verdict = speak([result((0.5, 0.48, 0.52))], "lira", "shadows", [], TARGET, "adversary")
    text = " ".join([verdict.headline, *verdict.sentences]).lower()
    assert "private" not in text
    assert "safe" not in text
    assert "lower bound" in text


def test_the_lowest_rate_that_is_sure_is_spoken_of() -> None:
    found = result((0.9, 0.88, 0.92), (0.001, 0.4, 0.0, 0.6), (0.01, 0.7, 0.6, 0.8), (0.1, 0.9, 0.8, 0.95))
    point = headline_point(found)
    assert point is not None
    assert point.fpr == 0.01


def test_an_overridden_error_makes_the_verdict_invalid() -> None:
    finding = Finding(
        code="distribution-shift", title="t", severity="error", explanation="", remedy="", overridden=True
    )
    verdict = speak([result((0.9, 0.88, 0.92))], "lira", "shadows", [finding], TARGET, "auditor")
    assert verdict.level == "invalid"
    assert "distribution-shift" in verdict.sentences[0]


def test_no_attack_no_verdict() -> None:
    assert speak([], None, None, [], TARGET, "auditor").level == "invalid"
