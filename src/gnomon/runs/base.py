"""Limits from a run that is taken as the base: what a later run must not exceed by more than some slack."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.documents.gate import GRADES, Limit
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError
from gnomon.runs.gate import hold, summed_up
from gnomon.runs.limits import GUESSING, Limits, parse_limit

DIGITS = 3


@dataclass(frozen=True)
class LimitsFromRun:
    """Limits that a run meets, and why there are no others.

    Attributes:
        limits: one for each value that the run resolves.
        left_out: a line for each value that gives no limit.
    """

    limits: Limits
    left_out: tuple[str, ...]


def parse_slack(text: str) -> float:
    """A share from "10%" or "0.1".

    Raises:
        UsageError: no share from 0 up.

    >>> parse_slack("10%"), parse_slack("0.25")
    (0.1, 0.25)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
    if found is None:
        raise UsageError(f'slack: expected a share such as 10% or 0.1, got "{text}"')
    return float(found[1]) / (100 if found[2] else 1)


def limits_from(record: Record, slack: float) -> LimitsFromRun:
    """One limit for AUC, advantage, each true-positive rate and the structure: the highest upper end, and some slack.

    The slack is a share of the distance from guessing, so that the base itself meets every limit, and an attack that is
    new in a later run is held too.

    Args:
        record: the base.
        slack: share of the distance from guessing, from 0 up.

    Raises:
        UsageError: a record with errors, or one that gives no limit at all.
    """
    names = ["auc", "advantage", *(f"tpr@{fpr:g}" for fpr in _rates(record))]
    limits: list[Limit] = []
    left_out: list[str] = []
    for name in names:
        # the loosest limit finds the attack whose interval reaches highest
        loosest = hold(record, parse_limit(f"{name}<=1"))
        if summed_up(loosest) != "met":
            left_out.append(next(one.line for one in loosest if one.state != "met"))
            continue
        highest = max((one for one in loosest if one.estimate is not None), key=lambda one: one.estimate.high)  # type: ignore[union-attr]
        assert highest.estimate is not None
        reach, figure = highest.estimate.high, highest.limit.figure
        most = _rounded_up(reach + slack * (reach - GUESSING.get(figure, 0.0)))
        if most >= 1:
            left_out.append(f"{name}: its limit would be 1, which every model meets")
            continue
        reason = (
            f"{record.name}, {record.provenance.created[:10]}: {highest.attack} {highest.estimate.value:.3g} (to "
            f"{reach:.3g}), and {100 * slack:g}% slack"
        )
        limits.append(parse_limit(f"{name}<={most:g}", reason=reason))
    limits += _of_structure(record)
    if not limits:
        raise UsageError(f"{record.name} can't be a base: {'; '.join(left_out) or 'no attack ran'}")
    return LimitsFromRun(Limits(tuple(limits)), tuple(left_out))


def _of_structure(record: Record) -> list[Limit]:
    """No finding of the structure may be worse than the base's worst; nothing where nobody looked or could look."""
    found = record.structure
    if found is None or found.not_read:
        return []
    worst = max((GRADES.index(f.severity) for f in found.findings), default=0)
    if worst == len(GRADES) - 1:
        return []
    reason = f"{record.name}, {record.provenance.created[:10]}: the worst finding of its structure"
    return [parse_limit(f"structure<={GRADES[worst]}", reason=reason)]


def _rates(record: Record) -> Sequence[float]:
    return sorted({p.fpr for a in record.attacks if a.status == "ok" for p in a.tpr_at_fpr}, reverse=True)


def _rounded_up(number: float) -> float:
    """To three digits.

    >>> _rounded_up(0.61234), _rounded_up(0.03), _rounded_up(0.0)
    (0.613, 0.03, 0.0)
    """
    if number <= 0:
        return 0.0
    digits = DIGITS - 1 - math.floor(math.log10(number))
    step = 10.0**-digits
    return round(math.ceil(round(number / step, 6)) * step, max(digits, 0))
