"""The decision of a record: what is asked, who is exposed, how strong the evidence is, what to do now.

A single record's membership is never measured: one audit holds it once, inside or outside. What can be measured is how
many of the few that an attack ranks highest are members. Several numbers of them are tried and share the error
(Bonferroni), so the interval holds although the most telling number was chosen by looking.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from gnomon.auditing.decision.rules import AdviceRule, applying, leaks, opened, weaknesses
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.figures import combine
from gnomon.auditing.results.scoring import Attempt
from gnomon.auditing.verdict.leak import CLEAR_AUC, CLEAR_RATIO, rounded_up
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Decision, MostExposed, SliceResult, Slicing, ToDo, Unit
from gnomon.core.documents.schema import Estimate, rate_at
from gnomon.core.plan import IN_MEMORY
from gnomon.mitigations import kind_and_strength
from gnomon.stats.intervals import clopper_pearson

STRONG_P = 0.001
CONTEXTS = {
    "public-weights": "a release of its file",
    "api-scores": "a service that answers with probabilities",
    "api-labels": "a service that answers with labels",
    "internal": "use within the house",
}


def with_decision(record: Record, worst: MostExposed | None, able: Collection[str] | None) -> Record:
    """A record with what follows from it for whoever decides.

    Args:
        record: complete but for this.
        worst: who is exposed most.
        able: of the mitigations in training that rules name, those that change what the model's trainer makes; None:
            there is no trainer.
    """
    strength, evidence = _evidence(record)
    decision = Decision(
        asked=_asked(record),
        exposed=_exposed(record, worst),
        strength=strength,
        evidence=evidence,
        flags=weaknesses(record),
        most_exposed=worst,
    )
    known = record.model_copy(update={"decision": decision})
    to_do = [_to_do(rule, meaning, known, able) for rule, meaning in applying(known)]
    return record.model_copy(update={"decision": decision.model_copy(update={"to_do": to_do})})


UNDECLARED = "The plan declares no release ([release]), so nothing here was held against one."


def _asked(record: Record) -> str:
    """The question, and that it speaks of no certain release where none is declared."""
    declared = (record.plan.get("release") or {}).get("context") is not None or record.verdict.level == "invalid"
    return _question(record) if declared else f"{_question(record)} {UNDECLARED}"


def _question(record: Record) -> str:
    context = (record.plan.get("release") or {}).get("context")
    use = CONTEXTS.get(str(context), "the release that is planned")
    match record.verdict.level:
        case "leaks" | "leaks_some":
            return (
                f"Is it acceptable for {use} that training records can be recognised as far as shown here? If not, "
                "the model has to be changed and audited again."
            )
        case "none_found":
            return f"Is this evidence enough for {use}, given what was not tested?"
        case "undecided":
            return (
                f"None yet: this audit is no basis for a decision on {use}. It has to be repeated with more evidence."
            )
    return "None: the audit has to be repaired first."


def _exposed(record: Record, worst: MostExposed | None) -> list[str]:
    """Share, the most exposed, and the most exposed group; each with its bound."""
    if record.verdict.level == "invalid":
        return []
    return [_share(record), _worst(record, worst), _group(record)]


def _share(record: Record) -> str:
    attack, fpr, unit = record.headline, record.verdict.fpr, record.verdict.unit
    nobody = "Share: none; these records do not show that more are recognised than by guessing."
    if leaks(record):
        nobody = "Share: none is given; the leak was found by another value (above)."
    if attack is None or fpr is None:
        return nobody
    points = attack.tpr_at_fpr if unit == "record" or attack.groups is None else attack.groups.tpr_at_fpr
    tpr = rate_at(points, fpr)
    if tpr is None or tpr.low <= fpr:  # no more than guessing may find
        return nobody
    return (
        f"Share: {tpr.value:.1%} ({tpr.low:.1%} to {tpr.high:.1%}) of the {unit}s are recognised while "
        f"{100 * fpr:.6g}% of the others are wrongly accused."
    )


def _worst(record: Record, worst: MostExposed | None) -> str:
    if worst is None:
        return "Most exposed: not measured (too few were ranked)."
    kind = (
        f"Most exposed {worst.unit}s: of the {worst.ranked} that an attacker names first {worst.members} are in the "
        f"training data; between {worst.right.low:.0%} and {worst.right.high:.0%} of such accusations are right where "
        "half of the candidates are members"
    )
    if worst.right.low <= 0.5 <= worst.right.high:
        return f"{kind}, which chance (50%) explains."
    return f"{kind}." if leaks(record) else f"{kind}, which chance (50%) does not explain on its own."


def _group(record: Record) -> str:
    found = exposed_slice(record)
    if found is None:
        return "Most exposed group: not measured; name groups in statistics.slices."
    slicing, part, area = found
    end = "upper end (members stand below others)" if record.verdict.members_below else "lower end"
    chance = ", which chance (0.5) explains" if area.low <= 0.5 <= area.high else ""
    return (
        f"Most exposed group, by the {end}: {part.name} (of {len(slicing.slices)} by {slicing.name}), AUC "
        f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f}){chance}; all {slicing.intervals} intervals of all "
        "groups hold together."
    )


def exposed_slice(record: Record) -> tuple[Slicing, SliceResult, Estimate] | None:
    """The slice that is surely exposed most, in the direction that the verdict speaks of, with its division and AUC."""
    measured = [(s, one, one.auc) for s in record.slices for one in s.slices if one.auc is not None]
    if record.verdict.members_below:
        return min(measured, key=lambda found: found[2].high, default=None)
    return max(measured, key=lambda found: found[2].low, default=None)


def _evidence(record: Record) -> tuple[Literal["none", "weak", "limited", "strong"], str]:
    verdict, data = record.verdict, record.data
    ran = sum(a.status == "ok" for a in record.attacks)
    models = f"{record.shadows.count} shadow models" if record.shadows else "no shadow models"
    basis = (
        f"{ran} of {len(record.attacks)} attacks of one family (membership inference), {models}, {data.members:,} "
        f"members and {data.nonmembers:,} non-members, one trained model"
    )
    repeats = (record.plan.get("target") or {}).get("repeats", 1)
    if repeats > 1:
        basis = basis.replace("one trained model", f"{repeats} trained models")
    if verdict.level == "invalid":
        return "none", f"No evidence: the verdict does not count. {basis[0].upper()}{basis[1:]}."
    if verdict.level == "undecided":
        return "weak", f"Weak, and no sign that nothing leaks: {basis}."
    if verdict.level == "none_found":
        seen = (
            "" if verdict.detectable_auc is None else f" Such audits find an AUC of "
            f"{rounded_up(verdict.detectable_auc)} in four of five cases, and a smaller one less often."
        )  # fmt: skip
        return "limited", f"Limited: it speaks of these attacks only; {basis}.{seen}"
    tested = next((one for one in verdict.tested if one.name == verdict.attack), None)
    if tested is not None and tested.p <= STRONG_P:
        return (
            "strong",
            f"Strong for a leak (by chance alone: p {_p(tested.p)}); its size is a floor. {basis}.",
        )
    chance = "" if tested is None else f" (p {_p(tested.p)})"
    return "limited", f"Limited for a leak{chance}; its size is a floor. {basis}."


def _to_do(rule: AdviceRule, meaning: str, record: Record, able: Collection[str] | None) -> ToDo:
    tries = [one for one in rule.tries if _can(one, able) and not (opened(record) and _of_answers(one))]
    rate, area = limits(record)
    return ToDo(
        code=rule.code,
        title=rule.title,
        meaning=meaning,
        remedy=rule.remedy if rule.advise is None else rule.advise(record),
        evidence=_measures(tries, record),
        tries=tries,
        limit=rule.limit.format(rate=rate, auc=area),
        source=rule.source,
    )


def _measures(tries: list[str], record: Record) -> str:
    """The command that measures mitigations."""
    if not tries:
        return "A new audit shows it."
    plan = "PLAN" if IN_MEMORY in (record.plan_given.get("data") or {}).values() else "RUN/plan.toml"
    target = record.plan.get("target") or {}
    given = any(target.get(name) for name in ("model", "member_answers", "endpoint", "callable"))
    trained = given and not all(map(_of_answers, tries))
    again = " (in training on what the model's recipe makes of the members)" if trained else ""
    return (
        f"gnomon defend {plan} --try {','.join(tries)} --to RUN-defend measures it{again}; gnomon report RUN then has "
        "the values."
    )


def _can(label: str, able: Collection[str] | None) -> bool:
    """Whether a mitigation of answers, or one in training that the trainer can do."""
    return _of_answers(label) or (able is not None and label in able)


def _of_answers(label: str) -> bool:
    """Whether a mitigation changes answers; whoever holds the model goes round it."""
    return bool(kind_and_strength(label)[0].acts_on == "answers")


def limits(record: Record) -> tuple[str, str]:
    """Limits of a gate: one that this record does not meet where a value of its headline attack allows one, and an AUC.

    The first is the clear leak that the verdict speaks of (a true-positive rate, and the AUC where it is clear too: of
    few records a rate alone may be unresolved next time), for a small leak the two digits below the AUC's interval, and
    for one that the AUC does not show the verdict's level.
    """
    area, attack = f"auc<={CLEAR_AUC:g}", record.headline
    if attack is None or attack.auc is None or not leaks(record):
        return area, area
    sure = [p for p in attack.tpr_at_fpr if p.tpr is not None and p.tpr.low > CLEAR_RATIO * p.fpr]
    low = max(attack.auc.low, 1 - attack.auc.high)
    if sure and attack.auc.value >= 0.5:
        fpr = min(p.fpr for p in sure)
        rate = f"tpr@{fpr:g}<={CLEAR_RATIO * fpr:g}"
        return f"{rate} and {area}" if low > CLEAR_AUC else rate, area
    if low > CLEAR_AUC:
        return area, area
    if low <= 0.505:  # the leak is of a few: no interval lies below such a limit
        return f"verdict<={'leaks_some' if record.verdict.level == 'leaks' else 'none_found'}", area
    return f"auc<={max(0.5, math.floor(100 * low - 1e-9) / 100):g}", area


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


SIZES = (8, 16, 32, 64, 128, 256)
SHARE = 0.25  # of all that are ranked; more are not "the most exposed"


def most_exposed_units(
    headline: str | None,
    attempts: Sequence[Attempt],
    case: AuditCase,
    confidence: float,
    *,
    reverse: bool = False,
    among: int = 1,
) -> MostExposed | None:
    """Who an attack exposes most: persons where groups are given, else records; None where too few are ranked.

    Args:
        headline: name of the attack.
        attempts: all attacks with their rehearsals.
        case: the audited rows and the truth.
        confidence: of the interval, for all numbers that are tried together.
        reverse: members stand below others.
        among: of how many attacks the audited rows chose this one; their intervals hold together too.
    """
    found = next((a for a in attempts if a.scored.name == headline), None)
    if found is None or found.scored.scores is None:
        return None
    scores, member, names = _units(found, case)
    known = ~np.isnan(scores)
    unit: Unit = "record" if case.groups is None else "person"
    return rank(-scores[known] if reverse else scores[known], member[known], names[known], unit, confidence, among)


def _units(found: Attempt, case: AuditCase) -> tuple[Floats, Bools, np.ndarray]:
    if case.groups is None or case.trained is None:
        kept = case.distinct
        return found.scores[kept], case.member[kept], case.data.ids[case.audited][kept]
    persons, first = np.unique(case.groups, return_index=True)
    whole = combine(found.scores, found.rehearsed, case.groups, case.member, case.trained)
    return whole, case.member[first], persons


def rank(
    scores: Floats, member: Bools, names: np.ndarray, unit: Unit, confidence: float, among: int = 1
) -> MostExposed | None:
    """The numbers from the top, and the one whose accusations are most surely right.

    Args:
        scores: (n,) higher = more like a member; ties in their order.
        member: (n,) the truth.
        names: (n,) ids.
        unit: what is ranked.
        confidence: of the interval.
        among: as in `most_exposed_units`.

    >>> scores, member = np.arange(100.0), np.arange(100) >= 84
    >>> found = rank(scores, member, np.arange(100), "record", 0.95)
    >>> found.ranked, found.members, found.right.low > 0.9, found.first
    (16, 16, True, '99')
    """
    sizes = [size for size in SIZES if size <= SHARE * len(scores)]
    inside, outside = int(member.sum()), int((~member).sum())
    if not sizes or not inside or not outside:
        return None
    order = np.argsort(-scores, kind="stable")
    level = 1 - (1 - confidence) / len(sizes) / among
    hits = np.cumsum(member[order])[np.array(sizes) - 1]
    low, high = clopper_pearson(hits, np.array(sizes), confidence=level)
    ends = [_even(share, outside / inside) for share in (hits / np.array(sizes), low, high)]
    best = int(np.argmax(ends[1]))
    firsts = names[order][member[order]]
    return MostExposed(
        unit=unit,
        first=str(firsts[0]),
        ranked=sizes[best],
        members=int(hits[best]),
        right=Estimate(value=float(ends[0][best]), low=float(ends[1][best]), high=float(ends[2][best])),
        level=confidence,
        tried=sizes,
    )


def _even(share: Floats, ratio: float) -> Floats:
    """A share of members as it were with as many members as others; ``ratio``: others to a member."""
    weighted: Floats = share * ratio / (share * ratio + 1 - share)
    return weighted
