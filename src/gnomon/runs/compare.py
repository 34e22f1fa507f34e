"""Two audits against each other: does the second model leak more than the first, or is it noise?

Every attack that both runs carried out is compared with itself; which attack a run took for its strongest is another
question, and two runs of one recipe often answer it differently. The number of attacks is paid for (Holm, 1979), so
that noise in one of many makes no change.

Rows that both runs audited in the same role are compared in pairs, which is surer than two figures apart. Where runs
share too few such rows, each figure's own interval is set against the other's.

That covers the choice of records, not the chance of training: two seeds of one recipe, audited on the same rows, differ
beyond such an interval in some 26 % of pairs (66 pairs of twelve networks on shopping baskets, for an asked 5 %). So a
change counts only if it is also larger than what shadow models that played the target differ by. It remains a statement
on two models; only repeated targets speak of their recipes.

Runs with a finding of severity error, and runs whose strongest scores rank members below others, are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gnomon.auditing.outcome import Outcome
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.comparison import AttackChange, Change, Comparison, FigureChange, RunFacts
from gnomon.core.documents.record import AttackResult, Estimate, Record
from gnomon.core.errors import DataError
from gnomon.core.seeds import Seeds
from gnomon.runs.changes import (
    Pairs,
    figure_change,
    from_records,
    other_trainings,
    pair_rows,
    refused,
    tpr_name,
    unpaired,
    with_retraining,
)
from gnomon.runs.gate import did_not_run
from gnomon.stats.clusters import Groups, split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.low_fpr import tpr_at_fprs
from gnomon.stats.roc import auc

WHOSE = ("model file (SHA-256)", "target_answers")  # fingerprints that two audits share if their model is the same
SpeaksOf = Literal["one model", "one model twice", "two models", "recipes"]


def compare(
    first: Outcome, second: Outcome, *, confidence: float = 0.95, same_model: bool = False, adaptive: bool = False
) -> Comparison:
    """Compares the second audit with the first.

    Args:
        first: the older run, or the one to measure against.
        second: the run in question.
        confidence: of the whole comparison, in (0, 1): no figure of no attack makes a change out of noise.
        same_model: one model's answers, before and after something was done to them: no chance of training stands
            between the two, so a difference need not be larger than what trainings differ by.
        adaptive: what counts is the strongest attack of each run, as its record names it, one against the other: for
            a mitigation, whose attacker takes what works best against it.

    Returns:
        "worse" where the second leaks significantly more, "better" where significantly less, "mixed" where one figure
        rises and another falls, otherwise "within noise".

    Raises:
        DataError: scores and ids of a run that do not belong together.
    """
    for outcome in (first, second):
        _check_lengths(outcome)
    pairs = pair_rows(first, second)
    judge = _Judge(first, second, pairs, confidence, same_model)
    attacks = judge.attacks()
    overall = judge.headlines() if adaptive else judge.most_telling(attacks)
    member = np.asarray(first.member, dtype=bool)[pairs.first] if pairs.kind != "none" else np.zeros(0, bool)
    differences = _other_differences(first.record, second.record)
    ran = {a.name for a in first.record.attacks if a.status == "ok"}
    lost = [a.name for a in did_not_run(second.record) if a.name in ran]
    counted_by: Literal["record", "group"] = (
        "group" if "group" in (first.record.counted_by, second.record.counted_by) else "record"
    )
    return Comparison(
        change=overall.change,
        headline=_headline(overall.change),
        sentences=_sentences(overall, attacks, pairs, confidence, judge.speaks_of, counted_by, lost),
        first=_facts(first.record),
        second=_facts(second.record),
        pairing=pairs.kind,
        paired_members=int(member.sum()),
        paired_nonmembers=int((~member).sum()),
        counted_by=counted_by,
        confidence=confidence,
        overall=overall,
        attacks=attacks,
        lost=lost,
        differences=differences,
    )


def _check_lengths(outcome: Outcome) -> None:
    for name, scores in outcome.scores.items():
        if len(scores) != len(outcome.ids) or len(scores) != len(outcome.member):
            raise DataError(
                f"{outcome.record.name}: {len(scores)} scores of {name}, {len(outcome.ids)} ids and "
                f"{len(outcome.member)} memberships do not belong together; run the audit again"
            )
    for what, units in (("persons", outcome.groups), ("copies", outcome.copies)):
        if units is not None and len(units) != len(outcome.ids):
            raise DataError(
                f"{outcome.record.name}: the {what} of {len(units)} rows and {len(outcome.ids)} ids do not belong "
                "together; run the audit again"
            )


@dataclass(frozen=True)
class _Judge:
    """Two runs and the rows to compare them on."""

    first: Outcome
    second: Outcome
    pairs: Pairs
    confidence: float
    same_model: bool

    @property
    def speaks_of(self) -> SpeaksOf:
        """What a difference is a difference of."""
        if self.same_model:
            return "one model"
        repeated = [any(a.repeats is not None for a in o.record.attacks) for o in (self.first, self.second)]
        if all(repeated):
            return "recipes"
        shown = [o.record.provenance.fingerprints for o in (self.first, self.second)]
        alike = [name in shown[0] and shown[0][name] == shown[1].get(name) for name in WHOSE]
        return "one model twice" if any(alike) else "two models"

    def attacks(self) -> list[AttackChange]:
        """Every attack of either run, against itself; the step-down correction of Holm (1979) over those in both."""
        names = [a.name for a in self.first.record.attacks]
        names += [a.name for a in self.second.record.attacks if a.name not in names]
        found = {name: self._refusal(name) for name in names}
        left = [name for name in names if found[name] is None]
        while left:
            level = 1 - (1 - self.confidence) / len(left)
            judged = {name: self._change(name, self._pair(name), level) for name in left}
            found.update(judged)
            still = [name for name in left if judged[name].change == "within noise"]
            left = [] if len(still) == len(left) else still
        return [change for change in found.values() if change is not None]

    def most_telling(self, attacks: Sequence[AttackChange]) -> AttackChange:
        """All attacks summed up, in the words of the one whose change is the clearest, or else of a headline attack."""
        for outcome, which in ((self.first, "first"), (self.second, "second")):
            why = _unfit(outcome.record)
            if why is not None:
                return _not_compared("none", "No attack", f"the {which} run {why}")
        compared = [a for a in attacks if a.change != "not comparable"]
        if not compared:
            return _not_compared("none", "No attack", "no attack has values in both runs")
        heads = [o.record.verdict.attack for o in (self.second, self.first)]
        shown = max(compared, key=lambda a: (_clarity(a), a.name == heads[0], a.name == heads[1]))
        return shown.model_copy(update={"change": _sum_up([a.change for a in compared])})

    def headlines(self) -> AttackChange:
        """The strongest attack of each run, as that run chose it (on shadows, where there were any)."""
        title = "The strongest attack of each run"
        results = [o.record.headline for o in (self.first, self.second)]
        for outcome, result, which in zip((self.first, self.second), results, ("first", "second"), strict=True):
            if outcome.record.verdict.level == "invalid":
                return _not_compared("strongest", title, f"the {which} run's own verdict does not count")
            if result is None or result.auc is None:
                return _not_compared("strongest", title, f"in the {which} run: {_why_no_figures(result)}")
        assert results[0] is not None
        assert results[1] is not None
        return self._change("strongest", (results[0], results[1]), self.confidence).model_copy(update={"title": title})

    def _pair(self, name: str) -> tuple[AttackResult, AttackResult]:
        one, other = (o.record.attack(name) for o in (self.first, self.second))
        assert one is not None
        assert other is not None
        return one, other

    def _refusal(self, name: str) -> AttackChange | None:
        results = [o.record.attack(name) for o in (self.first, self.second)]
        title = next((r.title for r in results if r is not None), name)
        for result, which in zip(results, ("first", "second"), strict=True):
            if result is None or result.auc is None:
                return _not_compared(name, title, f"in the {which} run: {_why_no_figures(result)}")
        return None

    def _change(self, name: str, pair: tuple[AttackResult, AttackResult], confidence: float) -> AttackChange:
        figures = self._figures(*pair, confidence)
        return AttackChange(
            name=name, title=pair[0].title, change=_sum_up([f.change for f in figures]), figures=figures
        )

    def _figures(self, one: AttackResult, other: AttackResult, confidence: float) -> list[FigureChange]:
        known = [{p.fpr for p in result.tpr_at_fpr} for result in (one, other)]
        fprs = sorted(known[0] & known[1], reverse=True)
        resolved = [f for f in fprs if all(p.tpr is not None for r in (one, other) for p in r.tpr_at_fpr if p.fpr == f)]
        level = 1 - (1 - confidence) / (1 + len(resolved))
        scores = [o.scores.get(r.name) for o, r in ((self.first, one), (self.second, other))]
        if scores[0] is None or scores[1] is None:
            recorded = min(_confidence(o.record) for o in (self.first, self.second))
            figures = from_records(one, other, fprs, level, recorded)
        elif self.pairs.kind == "none":
            figures = self._apart((scores[0], scores[1]), (one.wider, other.wider), fprs, level)
        else:
            pair = scores[0][self.pairs.first], scores[1][self.pairs.second]
            figures = self._paired(pair, max(one.wider, other.wider), fprs, level)
        if self.same_model or (self.speaks_of == "one model twice" and _nothing_moved(figures)):
            return figures
        return [
            with_retraining(figure, other_trainings(one, fpr), other_trainings(other, fpr), level)
            for figure, fpr in zip(figures, (None, *fprs), strict=True)
        ]

    def _paired(
        self, pair: tuple[Floats, Floats], wider: float, fprs: Sequence[float], level: float
    ) -> list[FigureChange]:
        member: Bools = np.asarray(self.first.member, dtype=bool)[self.pairs.first]
        units = self._units()
        first, second = pair
        # Second minus first: above 0, the second leaks more.
        area = auc_difference(second, first, member, confidence=level, groups=units, wider=wider)
        figures = [figure_change("AUC", area.second, area.first, area.difference)]
        for fpr in fprs:
            rng = Seeds(0).child("compare", str(fpr)).generator()
            found = tpr_difference(second, first, member, fpr, rng=rng, confidence=level, groups=units, wider=wider)
            if found.result is None:
                figures.append(refused(tpr_name(fpr), found.reason))
            else:
                rates = found.result
                figures.append(figure_change(tpr_name(fpr), rates.second, rates.first, rates.difference))
        return figures

    def _units(self) -> NDArray[Any] | None:
        """Persons of the paired rows, or copies of a row, from whichever run knows them."""
        both = (self.first, self.pairs.first), (self.second, self.pairs.second)
        known = [(o.groups, rows) for o, rows in both] + [(o.copies, rows) for o, rows in both]
        return next((np.asarray(units)[rows] for units, rows in known if units is not None), None)

    @cached_property
    def _groups_of_each(self) -> list[Groups | None]:
        return [
            split_groups(o.copies if o.groups is None else o.groups, np.asarray(o.member, dtype=bool))
            for o in (self.first, self.second)
        ]

    def _apart(
        self, pair: tuple[Floats, Floats], wider: tuple[float, float], fprs: Sequence[float], level: float
    ) -> list[FigureChange]:
        samples = [
            (scores[np.asarray(o.member, dtype=bool)], scores[~np.asarray(o.member, dtype=bool)])
            for scores, o in zip(pair, (self.first, self.second), strict=True)
        ]
        known = list(zip(samples, self._groups_of_each, wider, strict=True))
        areas = [auc(*sides, confidence=level, groups=g, wider=w) for sides, g, w in known]
        figures = [unpaired("AUC", areas[0], areas[1], self.pairs.opposed)]
        rates = [tpr_at_fprs(*sides, fprs, confidence=level, groups=g, wider=w) for sides, g, w in known]
        for one, other in zip(*rates, strict=True):
            if one.tpr is None or other.tpr is None:
                figures.append(refused(tpr_name(one.fpr), one.reason if one.tpr is None else other.reason))
            else:
                figures.append(unpaired(tpr_name(one.fpr), one.tpr, other.tpr, self.pairs.opposed))
        return figures


def _nothing_moved(figures: Sequence[FigureChange]) -> bool:
    """Whether every difference is exactly 0: the attack's scores are the same."""
    differences = [f.difference for f in figures if f.difference is not None]
    return all(d.low == d.high == 0 for d in differences)


def _not_compared(name: str, title: str, why: str) -> AttackChange:
    return AttackChange(name=name, title=title, change="not comparable", figures=[], reason=why)


def _why_no_figures(result: AttackResult | None) -> str:
    return "was not run" if result is None else f"{result.status}: {result.reason or 'no figures'}"


def _unfit(record: Record) -> str | None:
    """Why nothing follows from a run, in words that go on after "the first run"; None if something does."""
    errors = [f.code for f in record.findings if f.severity == "error"]
    if errors:
        return f"has errors that make its values doubtful ({', '.join(errors)}): mend them and audit again"
    if record.verdict.level == "invalid":
        return "has a verdict that does not count"
    measured = [(a, a.auc) for a in record.attacks if a.auc is not None]
    if not measured:
        return None
    attack, area = max(measured, key=lambda pair: abs(pair[1].value - 0.5))
    # The strongest of many is below guessing by chance in some runs: its interval is widened to the number of attacks.
    wider = float(ndtri(1 - (1 - _confidence(record)) / 2 / len(measured)) / ndtri((1 + _confidence(record)) / 2))
    if area.value + wider * (area.high - area.value) < 0.5:
        return (
            f"ranks members below others (AUC {area.value:.3f} of {attack.name}): are members and non-members swapped? "
            "Such scores, turned around, find members"
        )
    return None


def _clarity(attack: AttackChange) -> float:
    """By how many times its own error a figure has changed; 0 where none has."""
    moved = [f for f in attack.figures if f.change in ("better", "worse")]
    spreads = [(abs(_spread(f).value), max(_spread(f).high - _spread(f).low, 1e-9)) for f in moved]
    return max((value / width for value, width in spreads), default=0.0)


def _confidence(record: Record) -> float:
    """The level of a record's own intervals."""
    statistics = record.plan.get("statistics")
    level = statistics.get("confidence") if isinstance(statistics, dict) else None
    return level if isinstance(level, float) else 0.95


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
        "mixed": "The second model reveals more by one value and less by another.",
        "not comparable": "The two runs cannot be compared.",
    }[change]


def _sentences(
    overall: AttackChange,
    attacks: Sequence[AttackChange],
    pairs: Pairs,
    confidence: float,
    speaks_of: SpeaksOf,
    counted_by: Literal["record", "group"],
    lost: Sequence[str],
) -> list[str]:
    if overall.reason:
        return [f"Not compared: {overall.reason}."]
    words = {
        "same rows": "Both runs audited the same records in the same roles, so they are compared record by record.",
        "common rows": "The records that both runs audited in the same role are compared one by one.",
        "none": "The runs share too few records that are known to be the same, in the same role, so intervals are "
        "compared with each other, which finds large differences only.",
    }
    sentences = [
        f"{f.figure} of {overall.title}: {f.first:.3f}, then {f.second:.3f}; "
        f"difference {f.difference.value:+.3f} ({_spread(f).low:+.3f} to {_spread(f).high:+.3f})."
        for f in overall.figures[:1]
        if f.difference is not None and f.first is not None and f.second is not None
    ]
    compared = [a.change for a in attacks if a.change != "not comparable"]
    sentences.append(
        f"Each attack is compared with itself: of {len(compared)} that ran in both runs, {compared.count('worse')} "
        f"find more in the second model, {compared.count('better')} find less, {compared.count('mixed')} more by "
        "one value and less by another."
    )
    if lost:
        sentences.append(f"Not known is what {', '.join(lost)} would find in the second model: there it did not run.")
    sentences.append(words[pairs.kind])
    if counted_by == "group":
        sentences.append("Records of one group (a person, a household) resemble each other; intervals count by group.")
    if set(compared) - {"within noise"}:
        sentences.append(
            f"With {confidence:.0%} confidence none of the changes is noise: the number of attacks and values is "
            "corrected for."
        )
    return [*sentences, _on_retraining(overall, speaks_of)]


def _spread(figure: FigureChange) -> Estimate:
    """The interval that the change was judged by."""
    found = figure.retrained or figure.difference
    assert found is not None
    return found


def _on_retraining(overall: AttackChange, speaks_of: SpeaksOf) -> str:
    if speaks_of == "one model":
        return "Both runs are of one model: no chance of training stands between them."
    if speaks_of == "recipes":
        return "Both runs audited repeated targets: a change is larger than what models of one recipe differ by."
    if speaks_of == "one model twice":
        return "Both runs audited the same model: what differs is the audit (its seed, its shadow models)."
    sentence = (
        "Each run audited one model, so this compares two models, not two recipes: training "
        "the same recipe again gives another model (audit repeats of both, [target] repeats)."
    )
    if any(f.retrained is not None for f in overall.figures):
        sentence += " A change counts only if it is larger than what shadow models that played the target differ by."
    return sentence


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
    attack = record.headline
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
