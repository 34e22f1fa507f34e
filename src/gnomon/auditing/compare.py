"""Two audits against each other: does the second model leak more than the first, or is it noise?

Rows that both runs audited in the same role are compared in pairs, which is surer than two figures apart. Where runs
share too few such rows, each figure's own interval is set against the other's.

That covers the choice of records, not the chance of training: two seeds of one recipe, audited on the same rows, differ
beyond such an interval in some 26 % of pairs (66 pairs of twelve networks on shopping baskets, for an asked 5 %). So a
change counts only if it is also larger than what shadow models that played the target differ by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.changes import (
    figure_change,
    from_records,
    other_trainings,
    refused,
    tpr_name,
    unpaired,
    with_retraining,
)
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.pairing import Pairs, pair_rows
from gnomon.core.arrays import Bools, Floats
from gnomon.core.comparison import AttackChange, Change, Comparison, FigureChange, RunFacts
from gnomon.core.errors import DataError
from gnomon.core.record import AttackResult, Estimate, Record
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc


def compare(first: Outcome, second: Outcome, *, confidence: float = 0.95, same_model: bool = False) -> Comparison:
    """Compares the second audit with the first.

    Args:
        first: the older run, or the one to measure against.
        second: the run in question.
        confidence: of each attack's verdict, in (0, 1); it is shared out evenly among the attack's figures
            (Bonferroni), so that many figures do not make a change out of noise.
        same_model: one model's answers, before and after something was done to them: no chance of training stands
            between the two, so a difference need not be larger than what trainings differ by.

    Returns:
        "worse" where the second leaks surely more, "better" where surely less, "mixed" where one figure rises and
        another falls, otherwise "within noise".

    Raises:
        DataError: scores and ids of a run that do not belong together.
    """
    for outcome in (first, second):
        _check_lengths(outcome)
    pairs = pair_rows(first, second)
    judge = _Judge(first, second, pairs, confidence, same_model)
    overall = judge.overall()
    names = [a.name for a in first.record.attacks]
    names += [a.name for a in second.record.attacks if a.name not in names]
    member = np.asarray(first.member, dtype=bool)[pairs.first] if pairs.kind != "none" else np.zeros(0, bool)
    differences = _other_differences(first.record, second.record)
    counted_by: Literal["record", "group"] = (
        "group" if "group" in (first.record.counted_by, second.record.counted_by) else "record"
    )
    return Comparison(
        change=overall.change,
        headline=_headline(overall.change),
        sentences=_sentences(overall, pairs, confidence, same_model, counted_by),
        first=_facts(first.record),
        second=_facts(second.record),
        pairing=pairs.kind,
        paired_members=int(member.sum()),
        paired_nonmembers=int((~member).sum()),
        counted_by=counted_by,
        confidence=confidence,
        overall=overall,
        attacks=[judge.attack(name) for name in names],
        differences=differences,
    )


def _check_lengths(outcome: Outcome) -> None:
    for name, scores in outcome.scores.items():
        if len(scores) != len(outcome.ids) or len(scores) != len(outcome.member):
            raise DataError(
                f"{outcome.record.name}: {len(scores)} scores of {name}, {len(outcome.ids)} ids and "
                f"{len(outcome.member)} memberships do not belong together; run the audit again"
            )


@dataclass(frozen=True)
class _Judge:
    """Two runs and the rows to compare them on."""

    first: Outcome
    second: Outcome
    pairs: Pairs
    confidence: float
    same_model: bool

    def overall(self) -> AttackChange:
        """The strongest attack of each run, as that run chose it (on shadows, where there were any)."""
        title = "The strongest attack of each run"
        for outcome, which in ((self.first, "first"), (self.second, "second")):
            if outcome.record.verdict.level == "invalid":
                why = f"the {which} run's own verdict does not count"
                return AttackChange(name="strongest", title=title, change="not comparable", figures=[], reason=why)
        results = [_result(o.record, o.record.verdict.attack) for o in (self.first, self.second)]
        return self._change("strongest", title, results[0], results[1])

    def attack(self, name: str) -> AttackChange:
        """One attack in both runs."""
        results = [_result(o.record, name) for o in (self.first, self.second)]
        title = next((r.title for r in results if r is not None), name)
        return self._change(name, title, results[0], results[1])

    def _change(self, name: str, title: str, one: AttackResult | None, other: AttackResult | None) -> AttackChange:
        for result, which in ((one, "first"), (other, "second")):
            if result is None or result.auc is None:
                why = "was not run" if result is None else f"{result.status}: {result.reason or 'no figures'}"
                return AttackChange(
                    name=name, title=title, change="not comparable", figures=[], reason=f"in the {which} run: {why}"
                )
        assert one is not None
        assert other is not None
        figures = self._figures(one, other)
        return AttackChange(name=name, title=title, change=_sum_up([f.change for f in figures]), figures=figures)

    def _figures(self, one: AttackResult, other: AttackResult) -> list[FigureChange]:
        known = [{p.fpr for p in result.tpr_at_fpr} for result in (one, other)]
        fprs = sorted(known[0] & known[1], reverse=True)
        resolved = [f for f in fprs if all(p.tpr is not None for r in (one, other) for p in r.tpr_at_fpr if p.fpr == f)]
        level = 1 - (1 - self.confidence) / (1 + len(resolved))
        scores = [o.scores.get(r.name) for o, r in ((self.first, one), (self.second, other))]
        if scores[0] is None or scores[1] is None:
            recorded = min(_confidence(o.record) for o in (self.first, self.second))
            figures = from_records(one, other, fprs, level, recorded)
        elif self.pairs.kind == "none":
            figures = self._apart(scores[0], scores[1], fprs, level)
        else:
            figures = self._paired(scores[0][self.pairs.first], scores[1][self.pairs.second], fprs, level)
        if self.same_model:
            return figures
        return [
            with_retraining(figure, other_trainings(one, fpr), other_trainings(other, fpr), level)
            for figure, fpr in zip(figures, (None, *fprs), strict=True)
        ]

    def _paired(self, first: Floats, second: Floats, fprs: Sequence[float], level: float) -> list[FigureChange]:
        member: Bools = np.asarray(self.first.member, dtype=bool)[self.pairs.first]
        persons = self._persons()
        # Second minus first: above 0, the second leaks more.
        area = auc_difference(second, first, member, confidence=level, groups=persons)
        figures = [figure_change("AUC", area.second, area.first, area.difference)]
        for fpr in fprs:
            rng = Seeds(0).child("compare", str(fpr)).generator()
            found = tpr_difference(second, first, member, fpr, rng=rng, confidence=level, groups=persons)
            if found.result is None:
                figures.append(refused(tpr_name(fpr), found.reason))
            else:
                rates = found.result
                figures.append(figure_change(tpr_name(fpr), rates.second, rates.first, rates.difference))
        return figures

    def _persons(self) -> NDArray[Any] | None:
        """Persons of the paired rows, from whichever run knows them."""
        for outcome, rows in ((self.first, self.pairs.first), (self.second, self.pairs.second)):
            if outcome.groups is not None:
                return np.asarray(outcome.groups)[rows]
        return None

    def _apart(self, first: Floats, second: Floats, fprs: Sequence[float], level: float) -> list[FigureChange]:
        samples = [
            (scores[np.asarray(o.member, dtype=bool)], scores[~np.asarray(o.member, dtype=bool)])
            for scores, o in ((first, self.first), (second, self.second))
        ]
        groups = [split_groups(o.groups, np.asarray(o.member, dtype=bool)) for o in (self.first, self.second)]
        areas = [auc(*sides, confidence=level, groups=g) for sides, g in zip(samples, groups, strict=True)]
        figures = [unpaired("AUC", areas[0], areas[1], self.pairs.opposed)]
        for fpr in fprs:
            rates = [
                tpr_at_fpr(*sides, fpr, confidence=level, groups=g) for sides, g in zip(samples, groups, strict=True)
            ]
            if rates[0].tpr is None or rates[1].tpr is None:
                figures.append(refused(tpr_name(fpr), rates[0].reason if rates[0].tpr is None else rates[1].reason))
            else:
                figures.append(unpaired(tpr_name(fpr), rates[0].tpr, rates[1].tpr, self.pairs.opposed))
        return figures


def _confidence(record: Record) -> float:
    """The level of a record's own intervals."""
    statistics = record.plan.get("statistics")
    level = statistics.get("confidence") if isinstance(statistics, dict) else None
    return level if isinstance(level, float) else 0.95


def _result(record: Record, name: str | None) -> AttackResult | None:
    return next((a for a in record.attacks if a.name == name), None)


def _sum_up(changes: Sequence[Change]) -> Change:
    moved = {c for c in changes if c in ("better", "worse")}
    if len(moved) == 2:
        return "mixed"
    return next(iter(moved), "within noise")


def _headline(change: Change) -> str:
    return {
        "worse": "The second model gives away more about its training records than the first.",
        "better": "The second model gives away less about its training records than the first, to these attacks.",
        "within noise": "No difference beyond noise between what the two models give away.",
        "mixed": "The second model gives away more by one figure and less by another.",
        "not comparable": "The two runs cannot be compared.",
    }[change]


def _sentences(overall: AttackChange, pairs: Pairs, confidence: float, same_model: bool, counted_by: str) -> list[str]:
    words = {
        "same rows": "Both runs audited the same records in the same roles, so they are compared record by record.",
        "common rows": "The records that both runs audited in the same role are compared one by one.",
        "none": "The runs share too few records in the same role, so each figure's own interval is set against the "
        "other's, which finds large differences only.",
    }
    sentences = [
        f"{f.figure} of the strongest attack: {f.first:.3f}, then {f.second:.3f}; "
        f"difference {f.difference.value:+.3f} ({_spread(f).low:+.3f} to {_spread(f).high:+.3f})."
        for f in overall.figures[:1]
        if f.difference is not None and f.first is not None and f.second is not None
    ]
    if overall.reason:
        sentences.append(f"The strongest attack cannot be compared: {overall.reason}.")
    return [
        *sentences,
        words[pairs.kind],
        *(["Records of one person or household count together in all intervals."] if counted_by == "group" else []),
        f"Each attack's verdict holds with {confidence:.0%} confidence for its figures together; of many attacks, "
        "a few will differ by chance.",
        "Both runs are of one model: no chance of training stands between them."
        if same_model
        else _on_retraining(overall),
    ]


def _spread(figure: FigureChange) -> Estimate:
    """The interval that the change was judged by."""
    found = figure.retrained or figure.difference
    assert found is not None
    return found


def _on_retraining(overall: AttackChange) -> str:
    if any(f.retrained is not None for f in overall.figures):
        return (
            "A change counts only if it is larger than what models of one recipe differ by, as far as repeated "
            "targets, or shadow models that played the target, tell."
        )
    return (
        "The intervals cover the choice of records. They do not cover that training the same recipe again gives "
        "another model, which may leak somewhat more or less: with fewer than two rehearsals nothing is known of that."
    )


def _other_differences(first: Record, second: Record) -> list[str]:
    """What makes the comparison unfair, or explains it."""
    shadows = [r.shadows.count if r.shadows else 0 for r in (first, second)]
    pairs = [
        ("data", first.data.name, second.data.name),
        ("content of the data", first.data.fingerprint[:12], second.data.fingerprint[:12]),
        ("point of view", first.threat_model.view, second.threat_model.view),
        ("what the model reveals", first.threat_model.reveals, second.threat_model.reveals),
        ("shadow models", shadows[0], shadows[1]),
        ("training rows", first.target.train_size, second.target.train_size),
        ("root seed", first.provenance.seed, second.provenance.seed),
        ("gnomon", first.provenance.gnomon, second.provenance.gnomon),
    ]
    keys = sorted(set(first.recipe) | set(second.recipe))
    pairs += [(f"recipe: {key}", first.recipe.get(key), second.recipe.get(key)) for key in keys]
    return [f"{name}: {one}, then {other}" for name, one, other in pairs if one != other]


def _facts(record: Record) -> RunFacts:
    attack = _result(record, record.verdict.attack)
    return RunFacts(
        name=record.name,
        created=record.provenance.created,
        level=record.verdict.level,
        headline=record.verdict.headline,
        attack=None if attack is None else attack.title,
        members=record.data.members,
        nonmembers=record.data.nonmembers,
        train_size=record.target.train_size,
        train_accuracy=record.target.train_accuracy,
        test_accuracy=record.target.test_accuracy,
        shadows=record.shadows.count if record.shadows else 0,
    )
