"""`gnomon gate`: a finished run compared with limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gnomon.cli.shared import show_json
from gnomon.core.documents.read_write import read_record
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError, one_line
from gnomon.core.system import write_text
from gnomon.report.pipelines import GateFormat, gate_format_of, render_gate
from gnomon.runs.base import LimitsFromRun, limits_from, parse_slack
from gnomon.runs.gate import gate as hold
from gnomon.runs.limits import Limits, parse_limit, read_limits, written

DEFAULT = ("advantage<=0.1", "verdict<=leaks_some", "structure<=warning")


def gate(
    run: Path | None = None,
    /,
    *limits: str,
    limits_file: Annotated[tuple[Path, ...], Parameter(name="--limits")] = (),
    base: Annotated[Path | None, Parameter(name="--from")] = None,
    slack: str = "10%",
    allow_missing: str = "",
    format: GateFormat | None = None,
    json: bool = False,
    to: tuple[Path, ...] = (),
) -> int:
    """Compares a run with limits, for a build pipeline: exit code 0 only if all are met.

    A limit is met if the whole interval is at or below it (0), not met if the whole interval is above it (1), otherwise
    unresolved (4). 3: an attack did not run; 2: wrong usage. If several apply: 1 before 3 before 4.

    Args:
        run: folder of a run, or its record.json; without it, --from and --to write limits and compare nothing.
        limits: such as "tpr@0.001<=0.01", "auc<=0.6" (that is, 0.4 to 0.6) or "shokri.accuracy<=0.55"; default
            "advantage<=0.1", "verdict<=leaks_some" and, where the audit looked into the model, "structure<=warning".
        limits_file: file of limits (TOML), each with severity and reason; repeatable.
        base: another run: its values, with some slack, are limits too.
        slack: share of the base's distance from guessing, such as 10%.
        allow_missing: attacks, separated by commas, that may be missing because they failed or lacked evidence.
        format: what is printed: text, json, junit, sarif, github (Markdown for a job's summary).
        json: print JSON.
        to: file to write as well; its suffix chooses the format: .xml (JUnit), .sarif, .json, .md, .txt, or .toml for
            the limits themselves; repeatable.
    """
    found = None if base is None else limits_from(read_record(base), parse_slack(slack))
    record = None if run is None else read_record(run)
    chosen, shown = _chosen(limits, limits_file, found, record), _shown(format, json=json)
    kinds = {place: None if place.suffix.lower() == ".toml" else gate_format_of(place) for place in to}
    remarks = _remarks(base, slack, found)
    if run is None or record is None:
        if found is None or not to or any(kinds.values()):
            raise UsageError("nothing to compare: name the folder of a run, or write limits: --from RUN --to FILE.toml")
        for place in to:
            write_text(place, written(chosen, remarks))
        if json:
            return show_json([one.model_dump(mode="json") for one in chosen.limits])
        told = (f"{one.text}: {one.reason}" for one in chosen.limits)
        print(*map(one_line, (*told, *remarks[2:])), sep="\n")
        return 0
    allowed = [name.strip() for name in allow_missing.split(",") if name.strip()]
    result = hold(record, chosen.limits, allow_missing=[*chosen.allow_missing, *allowed])
    for place, kind in kinds.items():
        write_text(place, written(chosen, remarks) if kind is None else render_gate(result, kind, run))
    print(render_gate(result, shown, run), end="")
    return result.code


def _chosen(
    words: tuple[str, ...], files: tuple[Path, ...], base: LimitsFromRun | None, record: Record | None
) -> Limits:
    """All limits together; the default where there are none."""
    read = [read_limits(place) for place in files]
    limits = [parse_limit(text) for text in words]
    limits += [limit for one in read for limit in one.limits]
    limits += [] if base is None else base.limits.limits
    if not limits and not files:
        looked = record is not None and record.structure is not None
        limits = [parse_limit(text) for text in DEFAULT[: 2 + looked]]
    return Limits(tuple(limits), tuple(name for one in read for name in one.allow_missing))


def _shown(format: GateFormat | None, *, json: bool) -> GateFormat:
    if json and format not in (None, "json"):
        raise UsageError(f"--json and --format {format}: give one of them")
    return "json" if json else format or "text"


def _remarks(base: Path | None, slack: str, found: LimitsFromRun | None) -> list[str]:
    if found is None:
        return ["Limits of a gate: gnomon gate RUN --limits THIS-FILE"]
    made = f"Made by: gnomon gate --from {base} --slack {slack}"
    return [made, "Use: gnomon gate RUN --limits THIS-FILE", *(f"no limit: {line}" for line in found.left_out)]
