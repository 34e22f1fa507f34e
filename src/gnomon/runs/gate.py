"""The gate: a record becomes an exit code for a build pipeline.

A limit is held against an interval, never against a value alone. It is **met** where the whole interval lies at or
below it, **not met** where the whole interval lies above it, and **unresolved** otherwise: too few records, a value
that is refused, or a record that cannot be trusted. Exit codes, the first that applies: 1 a limit is not met, 3 an
attack did not run, 4 a limit is unresolved, 0 all are met (2 is a usage or plan error, raised as such).

An AUC, an accuracy and an advantage below guessing are a leak too: whoever turns the scores around gets the mirrored
value. So the distance from guessing is compared, and ``auc<=0.6`` means 0.4 to 0.6.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal

from scipy.special import ndtri

from gnomon.core.documents.gate import GRADES, LEVELS, GateResult, Held, Limit, Missing, State
from gnomon.core.documents.record import AttackResult, Audited, Estimate, Finding, Record, record_of
from gnomon.core.documents.schema import point_at, rate_at
from gnomon.core.errors import UsageError, expect
from gnomon.runs.limits import GUESSING, mirrored, parse_limit
from gnomon.stats.low_fpr import required_nonmembers, rounded_up

POWER = 0.8  # share of audits of the stated size that would resolve a limit, were the value the truth
RATES = 1.5  # times as many records for a rate, whose threshold depends on few false positives (simulated by test)
MOST = 1000.0  # times as many records; beyond, no number is named


def gate(record: Record | Audited, limits: Sequence[Limit | str], *, allow_missing: Collection[str] = ()) -> GateResult:
    """Holds a record against limits.

    Args:
        record: an audit's record, or its outcome.
        limits: what must not be exceeded, parsed or in words such as ``auc<=0.6``.
        allow_missing: names of attacks that need not have run.

    Returns:
        Code 1 if a limit is not met, else 3 if an attack did not run that should have (`did_not_run`), else 4 if a
        limit is unresolved, else 0.

    Raises:
        UsageError: a limit, or ``allow_missing``, names an attack that the record does not have, or a limit speaks of a
            false-positive rate that was not measured, or arguments of other types; a gate that checks nothing must not
            look open.
    """
    record = record_of(record)
    expect("limits", limits, (list, tuple), "a list of limits such as auc<=0.6")
    expect("allow_missing", allow_missing, (list, tuple, set, frozenset), "a list of attacks' names")
    parsed = [one if isinstance(one, Limit) else parse_limit(one) for one in limits]
    if all(limit.severity != "error" for limit in parsed):
        raise UsageError(
            "limits: expected at least one of severity error, such as auc<=0.6; a gate that checks nothing must not "
            "look open"
        )
    known = {a.name for a in record.attacks}
    for name in allow_missing:
        if name not in known:
            raise UsageError(f'allow-missing: the record has no attack "{name}"')
    held = [one for limit in parsed for one in hold(record, limit)]
    missing = [
        Missing(attack=a.name, reason=a.reason or a.status, allowed=a.name in allow_missing)
        for a in did_not_run(record)
    ]
    states = {one.state for one in held if one.limit.severity == "error"}
    closed = any(not one.allowed for one in missing)
    code: Literal[0, 1, 3, 4] = 1 if "not met" in states else 3 if closed else 4 if "unresolved" in states else 0
    return GateResult(run=record.name, created=record.provenance.created, code=code, held=held, missing=missing)


def did_not_run(record: Record) -> list[AttackResult]:
    """Attacks whose silence says nothing: they failed, or were skipped for want of evidence.

    No evidence is wanting where the plan keeps an attack out (it was not named, costs queries, looks inside models,
    belongs to the other point of view) or where the attack does not apply to such records at all.
    """
    return [
        a for a in record.attacks if a.status == "failed" or (a.status == "skipped" and a.skipped in (None, "evidence"))
    ]


def hold(record: Record, limit: Limit) -> list[Held]:
    """One limit against every attack that it speaks of; at least one entry.

    Raises:
        UsageError: see `gate`.
    """
    holders = {"epsilon": _hold_epsilon, "structure": _hold_structure, "verdict": _hold_verdict}
    found = holders.get(limit.figure, _hold_attacks)(record, limit)
    errors = [f.code for f in record.findings if f.severity == "error"]
    if errors or record.verdict.level == "invalid":
        why = f"the record has errors ({', '.join(errors)})" if errors else "the record's verdict is invalid"
        found = [_withdrawn(one, why) if one.state == "met" else one for one in found]
    return found


def summed_up(held: Sequence[Held]) -> State:
    """Not met if one is not met, else unresolved if one is, else met."""
    states = {one.state for one in held}
    return "not met" if "not met" in states else "unresolved" if "unresolved" in states or not states else "met"


def _withdrawn(one: Held, why: str) -> Held:
    line = f"{one.line.replace('met:', 'unresolved:', 1)}, but {why}"
    return one.model_copy(update={"state": "unresolved", "line": line})


def _held(limit: Limit, state: State, attack: str | None, estimate: Estimate | None, line: str) -> Held:
    return Held(limit=limit, state=state, attack=attack, estimate=estimate, line=line)


def _hold_attacks(record: Record, limit: Limit) -> list[Held]:
    attacks = [a for a in record.attacks if limit.attack in (None, a.name)]
    if limit.attack is not None and not attacks:
        raise UsageError(f'limit "{limit.text}": the record has no attack "{limit.attack}"')
    ran = [a for a in attacks if a.status == "ok"]
    if limit.fpr is not None and ran and all(point_at(a.tpr_at_fpr, limit.fpr) is None for a in ran):
        raise UsageError(
            f'limit "{limit.text}": no attack of this record was measured at this false-positive rate; put it into '
            "statistics.fprs and audit again"
        )
    if not ran:
        which = "no attack ran" if limit.attack is None else f"{limit.attack} did not run"
        return [_held(limit, "unresolved", limit.attack, None, f"unresolved: {limit.words}: {which}")]
    return [_hold(record, attack, limit) for attack in ran]


def _hold(record: Record, attack: AttackResult, limit: Limit) -> Held:
    what, estimate = f"{attack.name} {limit.words}", _figure(attack, limit)
    if estimate is None:
        return _held(limit, "unresolved", attack.name, None, f"unresolved: {what}: {_why_none(attack, limit)}")
    numbers = estimate.low, estimate.value, estimate.high
    if not all(map(math.isfinite, numbers)) or not estimate.low <= estimate.high:
        return _held(limit, "unresolved", attack.name, None, f"unresolved: {what}: no interval of finite numbers")
    around = GUESSING.get(limit.figure)
    seen = estimate if around is None else mirrored(estimate, around)
    shown = f"{what} = {seen.value:.4g} ({seen.low:.4g} to {seen.high:.4g}), limit {limit.most:g}"
    if around is not None and estimate.value < around:
        shown += f"; below guessing ({estimate.value:.4g}), so mirrored"
    if seen.low > limit.most:
        return _held(limit, "not met", attack.name, seen, f"not met: {shown}")
    if seen.high > limit.most:
        return _held(
            limit, "unresolved", attack.name, seen, f"unresolved: {shown}; {_would_resolve(record, seen, limit)}"
        )
    if limit.figure == "tpr" and attack.auc is not None and attack.auc.high < 0.5:
        why = "members stand below others, so the scores turned around may find more: hold auc<=NUMBER"
        return _held(limit, "unresolved", attack.name, seen, f"unresolved: {shown}; {why}")
    return _held(limit, "met", attack.name, seen, f"met: {shown}")


def _figure(attack: AttackResult, limit: Limit) -> Estimate | None:
    if limit.figure == "auc":
        return attack.auc
    if limit.figure == "advantage":
        return attack.advantage
    if limit.figure == "accuracy":
        return attack.at_threshold.accuracy if attack.at_threshold else None
    return rate_at(attack.tpr_at_fpr, limit.fpr)


def _why_none(attack: AttackResult, limit: Limit) -> str:
    point = point_at(attack.tpr_at_fpr, limit.fpr)
    if point is None or limit.fpr is None:
        return "the attack has no such value"
    return f"{point.refused or 'refused'}; {required_nonmembers(limit.fpr):,} audited non-members give a first value"


def _would_resolve(record: Record, seen: Estimate, limit: Limit) -> str:
    """How many records would resolve a limit: intervals shrink with the square root of their number, or slower."""
    confidence = record.plan.get("statistics", {}).get("confidence", 0.95)
    quantile = float(ndtri((1 + confidence) / 2))
    reach = seen.high - seen.value if seen.value <= limit.most else seen.value - seen.low
    gap = abs(limit.most - seen.value)
    times = math.inf if gap == 0 else (reach / gap * (1 + float(ndtri(POWER)) / quantile)) ** 2
    times *= 1.0 if limit.fpr is None else RATES
    if not times <= MOST:
        return "no number of records resolves a value so close to its limit"
    sizes = [rounded_up(times * n) for n in (record.data.members, record.data.nonmembers)]
    return (
        f"some {sizes[0]:,} audited members and {sizes[1]:,} non-members would resolve it in four of five audits, if "
        f"this value is the truth (now {record.data.members:,} and {record.data.nonmembers:,})"
    )


def _hold_structure(record: Record, limit: Limit) -> list[Held]:
    """Findings on what the model itself holds; one that is worse than the limit allows does not meet it."""
    found = record.structure
    if found is None:
        why = "nobody looked into the model; give the model itself, or set check = true in [structure]"
        return [_held(limit, "unresolved", None, None, f"unresolved: structure: {why}")]
    worse = [f for f in found.findings if GRADES.index(f.severity) > limit.most]
    if worse:
        return [_hold_finding(limit, finding) for finding in worse]
    if found.not_read:
        parts = ", ".join(found.not_read)
        return [_held(limit, "unresolved", None, None, f"unresolved: structure: parts can't be looked into: {parts}")]
    return [_held(limit, "met", None, None, f"met: structure: no finding is worse than {limit.bound}")]


def _hold_verdict(record: Record, limit: Limit) -> list[Held]:
    """The level of the verdict, which hears of leaks that no single value shows: of a few records, or of persons."""
    level = record.verdict.level
    if level not in LEVELS:
        why = f"the audit is {level}{''.join(f', {code}' for code in record.verdict.missing)}"
        return [_held(limit, "unresolved", None, None, f"unresolved: verdict: {why}")]
    state: State = "not met" if LEVELS.index(level) > limit.most else "met"
    return [_held(limit, state, None, None, f"{state}: verdict: {level}, limit {limit.bound}")]


def _hold_finding(limit: Limit, finding: Finding) -> Held:
    """A finding that is worse than the limit; several may have one code, each about a parameter."""
    line = f"not met: structure: {finding.title} ({finding.code}, {finding.severity}), limit {limit.bound}"
    parameter, equals, _ = finding.title.partition("=")
    about = {"finding": finding.code, "parameter": parameter if equals else None}
    return _held(limit, "not met", None, None, line).model_copy(update=about)


def _hold_epsilon(record: Record, limit: Limit) -> list[Held]:
    """A bound from below can refute a limit; only the accountant of private training can show that one is met."""
    found = record.canaries
    if found is None:
        raise UsageError(f'limit "{limit.text}": the audit had no canaries; put [canaries] into its plan')
    shown = f"epsilon is at least {found.epsilon:.4g}, limit {limit.most:g}"
    if not math.isfinite(found.epsilon):
        return [_held(limit, "unresolved", None, None, "unresolved: epsilon: no finite bound")]
    estimate = Estimate(value=found.epsilon, low=found.epsilon, high=found.epsilon)
    if found.epsilon > limit.most:
        return [_held(limit, "not met", None, estimate, f"not met: {shown}")]
    if found.promised is not None and found.promised <= limit.most:
        return [_held(limit, "met", None, estimate, f"met: {shown}; the accountant promises {found.promised:.4g}")]
    if found.ceiling <= limit.most:
        why = f"these canaries show {found.ceiling:.4g} at most: take more canaries or a smaller delta"
    else:
        why = "a bound from below refutes a limit and never shows that it is met; train with differential privacy"
    return [_held(limit, "unresolved", None, estimate, f"unresolved: {shown}; {why}")]
