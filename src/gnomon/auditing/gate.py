"""The gate: a record becomes an exit code for a build pipeline.

0 clean, 1 a leak above a limit, 3 an attack failed (2 is a usage or plan error, raised as such).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gnomon.core.errors import UsageError
from gnomon.core.record import AttackResult, Estimate, Record

LIMIT = re.compile(r"^(?:(?P<attack>[a-z_0-9]+)\.)?(?P<figure>auc|advantage|accuracy|epsilon|tpr@(?P<fpr>[0-9.eE-]+))"
                   r"(?:\.(?P<bound>low|value|high))?\s*<=\s*(?P<limit>[0-9.eE-]+)$")  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """A figure of one attack (None: of every attack) that must not be above a number."""

    text: str
    attack: str | None
    figure: Literal["auc", "advantage", "accuracy", "tpr", "epsilon"]
    fpr: float | None
    bound: Literal["low", "value", "high"]
    most: float


@dataclass(frozen=True)
class GateResult:
    """The exit code, and a line for each reason."""

    code: Literal[0, 1, 3]
    lines: list[str]


def parse_limit(text: str) -> Limit:
    """A limit from words like ``auc<=0.6``, ``tpr@0.001.high<=0.01`` or ``lira.advantage.low<=0.1``.

    Without a bound the interval's lower end counts for "surely above the limit": the gate closes on what is shown, not
    on noise. Ask for ``.high`` to close it on what cannot be excluded. ``epsilon<=3`` holds the lower bound of the
    one-run audit against a number; it has no upper end.

    >>> parse_limit("tpr@0.01<=0.05").fpr
    0.01
    """
    match = LIMIT.match(text.replace(" ", ""))
    if match is None:
        raise UsageError(
            f'limit "{text}": expected [ATTACK.]FIGURE[.low|.value|.high]<=NUMBER with FIGURE auc, advantage, '
            "accuracy or tpr@FPR, e.g. tpr@0.001<=0.01"
        )
    figure = match["figure"].split("@")[0]
    try:
        fpr = float(match["fpr"]) if match["fpr"] else None
        most = float(match["limit"])
    except ValueError:
        raise UsageError(f'limit "{text}": "{match["limit"]}" or "{match["fpr"]}" is no number') from None
    if figure == "epsilon" and (match["attack"] or match["bound"] not in (None, "low")):
        raise UsageError(
            f'limit "{text}": the canaries give one lower bound, for no single attack; write epsilon<=NUMBER'
        )
    return Limit(text, match["attack"], figure, fpr, match["bound"] or "low", most)  # type: ignore[arg-type]


def gate(record: Record, limits: Sequence[Limit], *, allow_failed: bool = False) -> GateResult:
    """Holds a record against limits.

    Args:
        record: an audit's record.
        limits: what must not be exceeded.
        allow_failed: an attack that broke does not close the gate.

    Returns:
        Code 1 if a limit is exceeded or the verdict is invalid, else 3 if an attack failed, else 0.

    Raises:
        UsageError: a limit speaks of an attack or a false-positive rate that the record does not have; a gate that
            checks nothing must not look open.
    """
    lines: list[str] = []
    exceeded = record.verdict.level == "invalid"
    if exceeded:
        lines.append(f"CLOSED: the verdict is invalid: {record.verdict.headline}")
    for limit in limits:
        if limit.figure == "epsilon":
            above, line = _hold_epsilon(record, limit)
            exceeded = exceeded or above
            lines.append(line)
            continue
        for attack, estimate in limited(record, limit):
            value = float(getattr(estimate, limit.bound))
            verdict = "CLOSED" if value > limit.most else "ok"
            exceeded = exceeded or value > limit.most
            lines.append(
                f"{verdict}: {attack.name} {limit.figure}{'' if limit.fpr is None else f'@{limit.fpr:g}'} "
                f"{limit.bound} = {value:.4g}, limit {limit.most:g}"
            )
    failed = [a.name for a in record.attacks if a.status == "failed"]
    if failed:
        lines.append(f"{'noted' if allow_failed else 'CLOSED'}: attacks failed: {', '.join(failed)}")
    code: Literal[0, 1, 3] = 1 if exceeded else 3 if failed and not allow_failed else 0
    return GateResult(code, lines)


def _hold_epsilon(record: Record, limit: Limit) -> tuple[bool, str]:
    found = record.canaries
    if found is None:
        raise UsageError(f'limit "{limit.text}": the audit had no canaries; put [canaries] into its plan')
    if found.ceiling <= limit.most:
        raise UsageError(
            f'limit "{limit.text}": these canaries show {found.ceiling:.4g} at most, so the gate could never close: '
            "take more canaries or a smaller delta"
        )
    above = found.epsilon > limit.most
    return above, f"{'CLOSED' if above else 'ok'}: epsilon low = {found.epsilon:.4g}, limit {limit.most:g}"


def limited(record: Record, limit: Limit) -> list[tuple[AttackResult, Estimate]]:
    """The attacks that a limit speaks of, each with the figure in question.

    Raises:
        UsageError: the record has no such attack, or none with that figure.
    """
    found = [(a, e) for a in _attacks(record, limit) if (e := _figure(a, limit)) is not None]
    if not found:
        raise UsageError(f'limit "{limit.text}": no attack in this record has that figure')
    return found


def _attacks(record: Record, limit: Limit) -> list[AttackResult]:
    if limit.attack is None:
        return [a for a in record.attacks if a.status == "ok"]
    named = [a for a in record.attacks if a.name == limit.attack]
    if not named:
        raise UsageError(f'limit "{limit.text}": the record has no attack "{limit.attack}"')
    return named


def _figure(attack: AttackResult, limit: Limit) -> Estimate | None:
    if limit.figure == "auc":
        return attack.auc
    if limit.figure == "advantage":
        return attack.advantage
    if limit.figure == "accuracy":
        return attack.at_threshold.accuracy if attack.at_threshold else None
    return next((p.tpr for p in attack.tpr_at_fpr if limit.fpr is not None and abs(p.fpr - limit.fpr) < 1e-12), None)
