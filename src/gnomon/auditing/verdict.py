"""The verdict: what the figures say, in words that claim no more than they show.

"The attacks failed" is never turned into a promise: every figure is a lower bound on what a better attacker may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gnomon.core.record import AttackResult, Finding, Level, ModelFacts, TprAtFpr, Verdict

CLEAR_RATIO = 5.0  # a true-positive rate that is surely this many times the false-positive rate is a clear leak
CLEAR_AUC = 0.6  # ... and so is an AUC that is surely above this


def speak(
    results: Sequence[AttackResult],
    headline: str | None,
    chosen_on: Literal["shadows", "audited rows"] | None,
    findings: Sequence[Finding],
    target: ModelFacts,
    view: str,
) -> Verdict:
    """The verdict of an audit.

    Args:
        results: all attacks.
        headline: name of the attack to speak of, or None if none could be scored.
        chosen_on: what it was chosen on.
        findings: of preflight.
        target: the target's accuracies.
        view: adversary or auditor.
    """
    invalid = [f for f in findings if f.severity == "error"]
    best = next((r for r in results if r.name == headline), None)
    if best is None or best.auc is None:
        return Verdict(
            level="invalid",
            headline="No attack could be carried out, so nothing can be said about this model.",
            sentences=["See the attacks below for the reasons."],
            attack=None,
        )
    level, sentence = _judge(best, view)
    sentences = _context(best, target, chosen_on, results)
    if invalid:
        level = "invalid"
        codes = ", ".join(f.code for f in invalid)
        sentences = [f"This verdict does not count: the audit went on in spite of {codes}.", *sentences]
    return Verdict(level=level, headline=sentence, sentences=sentences, attack=best.name, chosen_on=chosen_on)


def _judge(best: AttackResult, view: str) -> tuple[Level, str]:
    assert best.auc is not None
    who = "An attacker with black-box access and data like yours"
    if view == "auditor":
        who = "In the worst case that was tested, an attacker"
    point = headline_point(best)
    if point is not None and point.tpr is not None and point.tpr.low > CLEAR_RATIO * point.fpr:
        return (
            "leaks",
            f"{who} finds {_of_hundred(point.tpr.value)} training records "
            f"while wrongly accusing {_one_in(point.fpr)} others.",
        )
    if best.auc.low > CLEAR_AUC:
        accuracy = (
            ""
            if best.at_threshold is None
            else f", right on {best.at_threshold.accuracy.value:.0%} where guessing is right on 50%"
        )
        return "leaks", f"{who} tells training records from others far better than by guessing{accuracy}."
    if best.auc.low > 0.5:
        return (
            "leaks_some",
            f"{who} does slightly better than guessing (AUC {best.auc.value:.3f}, where guessing is 0.5).",
        )
    return (
        "none_found",
        "The attacks that were tried did no better than guessing, as far as this many records can show.",
    )


def headline_point(result: AttackResult) -> TprAtFpr | None:
    """The lowest false-positive rate at which the attack surely does much better than guessing.

    If there is none, the lowest at which the sample gives a true-positive rate at all.
    """
    points = sorted((p for p in result.tpr_at_fpr if p.tpr is not None), key=lambda p: p.fpr)
    sure = [p for p in points if p.tpr is not None and p.tpr.low > CLEAR_RATIO * p.fpr]
    return next(iter([*sure, *points]), None)


def _context(
    best: AttackResult,
    target: ModelFacts,
    chosen_on: str | None,
    results: Sequence[AttackResult],
) -> list[str]:
    assert best.auc is not None
    sentences = [
        f"Attack: {best.title} ({best.paper}). AUC {_with_interval(best.auc.value, best.auc.low, best.auc.high)}."
    ]
    point = headline_point(best)
    if point is not None and point.tpr is not None:
        sentences.append(
            f"At a false-positive rate of {point.fpr:.2%} it finds "
            f"{_with_interval(point.tpr.value, point.tpr.low, point.tpr.high, percent=True)} of the training records."
        )
    if target.train_accuracy is not None and target.test_accuracy is not None:
        gap = target.train_accuracy - target.test_accuracy
        sentences.append(
            f"The model is right on {target.train_accuracy:.1%} of its training records and on "
            f"{target.test_accuracy:.1%} of others: a gap of {100 * gap:.1f} points."
        )
    if chosen_on == "audited rows":
        sentences.append(
            "The attack was chosen on the audited records themselves (no shadow models to choose it on), "
            "which flatters it a little."
        )
    failed = [r.name for r in results if r.status == "failed"]
    if failed:
        sentences.append(f"Attacks that broke and say nothing: {', '.join(failed)}.")
    sentences.append(
        "These figures are what the attacks listed here achieved on one trained model: a lower bound. "
        "A better attack, more shadow models or another training run may find more."
    )
    return sentences


def _of_hundred(rate: float) -> str:
    return (
        f"{100 * rate:.0f} of 100"
        if rate >= 0.095
        else f"{1000 * rate:.0f} of 1,000"
        if rate >= 0.0095
        else f"{10000 * rate:.0f} of 10,000"
    )


def _one_in(rate: float) -> str:
    return f"1 in {1 / rate:,.0f}"


def _with_interval(value: float, low: float, high: float, *, percent: bool = False) -> str:
    return f"{value:.1%} ({low:.1%} to {high:.1%})" if percent else f"{value:.3f} ({low:.3f} to {high:.3f})"
