"""Limits of a gate: in words, from a file, or from a run that is taken as the base."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from pydantic import Field, ValidationError

from gnomon.core.documents.gate import WORDS, Figure, Limit, LimitSeverity
from gnomon.core.documents.record import Estimate
from gnomon.core.documents.schema import PlanTable
from gnomon.core.errors import UsageError, did_you_mean, expect, one_line
from gnomon.core.plan import read_toml

WORDED = re.compile(r"^(?P<figure>structure|verdict)<=(?P<word>\w+)$")
LIMIT = re.compile(r"^(?:(?P<attack>[a-z_0-9]+)\.)?(?P<figure>auc|advantage|accuracy|epsilon|tpr@(?P<fpr>[0-9.eE-]+))"
                   r"<=(?P<limit>[0-9.eE-]+)$")  # fmt: skip
GUESSING: Mapping[Figure, float] = MappingProxyType({"auc": 0.5, "accuracy": 0.5, "advantage": 0.0})  # mirrored there


def parse_limit(text: str, *, severity: LimitSeverity = "error", reason: str = "") -> Limit:
    """A limit from words like ``auc<=0.6``, ``tpr@0.001<=0.01`` or ``lira.advantage<=0.1``.

    A limit of severity "warning" or "note" is reported and passes. ``epsilon<=3`` holds the bound of the one-run audit,
    and the accountant's promise, against a number. ``structure<=warning`` judges what the model itself keeps of its
    training rows: no finding may be an error (``note``: nor a warning; ``none``: there is none).
    ``verdict<=leaks_some`` accepts what is no clear leak, ``verdict<=none_found`` nothing that was found.

    Raises:
        UsageError: other words, or a number outside the figure's range.

    >>> parse_limit("tpr@0.01<=0.05").fpr
    0.01
    """
    expect("limit", text, str, "words such as auc<=0.6")
    if severity not in get_args(LimitSeverity):
        raise UsageError(f'limit "{text}": expected severity error, warning or note, got "{severity}"')
    worded = WORDED.match(text.replace(" ", ""))
    if worded is not None:
        figure: Figure = worded["figure"]  # type: ignore[assignment]
        *known, _ = WORDS[figure]
        if worded["word"] not in known:
            *first, last = known
            accepted = f"{', '.join(first)} or {last}"
            raise UsageError(f'limit "{text}": expected {figure}<={accepted}, got "{worded["word"]}"')
        most = float(known.index(worded["word"]))
        return Limit(text=text, attack=None, figure=figure, fpr=None, most=most, severity=severity, reason=reason)
    match = LIMIT.match(text.replace(" ", ""))
    if match is None:
        raise UsageError(
            f'limit "{text}": expected [ATTACK.]VALUE<=NUMBER with VALUE auc, advantage, accuracy, epsilon or '
            "tpr@FPR, e.g. tpr@0.001<=0.01 (the whole interval is compared with it), structure<=warning or "
            "verdict<=leaks_some"
        )
    figure = match["figure"].split("@")[0]  # type: ignore[assignment]
    try:
        fpr = float(match["fpr"]) if match["fpr"] else None
        most = float(match["limit"])
    except ValueError:
        raise UsageError(f'limit "{text}": "{match["limit"]}" or "{match["fpr"]}" is no number') from None
    low, high = GUESSING.get(figure, 0.0), math.inf if figure == "epsilon" else 1.0
    if not (low <= most <= high and math.isfinite(most)):
        reach = f"from {low:g} up" if math.isinf(high) else f"from {low:g} to {high:g}"
        raise UsageError(f'limit "{text}": expected a number {reach} for {figure}, got {most:g}')
    if fpr is not None and not 0.0 < fpr < 1.0:
        raise UsageError(f'limit "{text}": expected a false-positive rate between 0 and 1, got {fpr:g}')
    if figure == "epsilon" and match["attack"]:
        raise UsageError(f'limit "{text}": the canaries give one bound, for no single attack; write epsilon<=NUMBER')
    return Limit(text=text, attack=match["attack"], figure=figure, fpr=fpr, most=most, severity=severity, reason=reason)


def mirrored(estimate: Estimate, around: float) -> Estimate:
    """The same figure as a distance above guessing."""
    ends = sorted(abs(end - around) for end in (estimate.low, estimate.high))
    nearest = 0.0 if estimate.low <= around <= estimate.high else ends[0]
    return Estimate(
        value=around + abs(estimate.value - around),
        low=around + nearest,
        high=around + ends[1],
    )


class LimitEntry(PlanTable):
    """[[limits]] of a file of limits."""

    limit: str = Field(description="in words: auc<=0.6, tpr@0.01<=0.05, lira.advantage<=0.1")
    severity: LimitSeverity = Field("error", description="error decides the exit code; warning and note are reported")
    reason: str = Field("", description="why there is this limit; shown where it is not met")


class LimitsFile(PlanTable):
    """A file of limits."""

    allow_missing: tuple[str, ...] = Field((), description="attacks that may be missing")
    limits: tuple[LimitEntry, ...] = Field(description="what must not be exceeded")


@dataclass(frozen=True)
class Limits:
    """What a run is held against."""

    limits: tuple[Limit, ...]
    allow_missing: tuple[str, ...] = ()


def read_limits(path: str | Path) -> Limits:
    """Reads a file of limits (TOML).

    Raises:
        UsageError: no such file, broken TOML, an unknown key, or a limit that means nothing.
    """
    expect("path", path, (str, Path), "the name of a file of limits")
    place = Path(path)
    try:
        found = LimitsFile.model_validate(read_toml(place, "file of limits"))
    except ValidationError as error:
        raise UsageError(f"{place}: {_problem(error)}") from None
    try:
        limits = tuple(parse_limit(e.limit, severity=e.severity, reason=e.reason) for e in found.limits)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
    return Limits(limits, found.allow_missing)


def _problem(error: ValidationError) -> str:
    problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a misspelt key is missing too
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = LimitEntry if problem["loc"][0] == "limits" else LimitsFile
        return f'unknown key "{place}"{did_you_mean(str(problem["loc"][-1]), known.model_fields)}'
    if problem["type"] == "missing":
        return f'"{place}" is missing: a file of limits has [[limits]] with limit = "auc<=0.6", severity and reason'
    return f"{place}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, got {problem['input']!r}"


def written(limits: Limits, remarks: Sequence[str] = ()) -> str:
    """A file of limits, as TOML.

    Args:
        limits: what it holds.
        remarks: comments at its head.
    """
    lines = [f"# {one_line(remark)}" for remark in remarks]
    if limits.allow_missing:
        lines += ["", f"allow_missing = {json.dumps(list(limits.allow_missing))}"]
    for limit in limits.limits:
        lines += ["", "[[limits]]", f"limit = {json.dumps(limit.text)}", f'severity = "{limit.severity}"']
        lines += [f"reason = {json.dumps(one_line(limit.reason), ensure_ascii=False)}"] if limit.reason else []
    return "\n".join(lines).lstrip("\n") + "\n"
