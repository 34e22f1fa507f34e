"""The commands. Each does its work through the library; this module parses, prints and chooses the exit code."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.table import Table

from gnomon.attacks import ATTACKS
from gnomon.auditing.api import Settings, audit_plan
from gnomon.auditing.compare import compare
from gnomon.auditing.folder import read_outcome
from gnomon.auditing.gate import gate as hold
from gnomon.auditing.gate import parse_limit
from gnomon.auditing.run import Outcome
from gnomon.cli.defend import defend, show_bench
from gnomon.cli.documents import show_again
from gnomon.cli.progress import TerminalProgress
from gnomon.cli.reproduce import reproduce
from gnomon.cli.runs import write_outcome
from gnomon.cli.study import study
from gnomon.cli.synth import synth
from gnomon.core import VERSION
from gnomon.core.bench import FILE, read_bench
from gnomon.core.errors import GnomonError, PlanError
from gnomon.core.plan import make_plan, read_plan
from gnomon.core.record import read_record
from gnomon.datasets import SOURCES
from gnomon.report import print_comparison, print_terminal, write_comparison, write_report

USAGE_ERROR = 2
READER_GONE = 141  # what a shell reports of a command that a closed pipe ended

app = App(
    name="gnomon",
    version=VERSION,
    help="Measures what a trained model gives away about the records that it was trained on.",
    help_format="plaintext",
    result_action="return_value",
)


def main() -> None:
    """Entry point: a `GnomonError` becomes one line and exit code 2; a reader that goes away is no error of ours."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as end:  # as in `gnomon list attacks | head -3`
        if isinstance(end, SystemExit) and not isinstance(end.__context__, BrokenPipeError):  # rich's way to say it
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed has nowhere to go
        code = READER_GONE
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code."""
    console = Console(stderr=True, highlight=False)
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False)
    except (GnomonError, CycloptsError) as error:
        line = " ".join(str(error).split())
        console.print(f"gnomon: {line}", style="red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    except KeyboardInterrupt:
        console.print("gnomon: stopped; what was finished is kept, run the same command again to go on")
        return 130
    return int(code or 0)


@app.command
def demo(
    *,
    to: Path = Path("runs/demo"),
    workers: int | None = None,
) -> int:
    """Trains a model on embedded shopping baskets, attacks it, and writes a report; under a minute on two cores.

    Args:
        to: folder of the run.
        workers: processes; default one a core.
    """
    text = resources.files("gnomon.cli").joinpath("demo.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    outcome = _audited(values, None, to, Settings(workers=workers))
    return _show(outcome, to)


@app.command
def audit(
    plan: Path | None = None,
    /,
    *,
    to: Path | None = None,
    model: str | None = None,
    members: str | None = None,
    nonmembers: str | None = None,
    pool: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    member_answers: str | None = None,
    nonmember_answers: str | None = None,
    source: str | None = None,
    view: Literal["adversary", "auditor"] | None = None,
    reveals: str | None = None,
    shadows: int | None = None,
    attacks: Annotated[str | None, Parameter(name="--attacks")] = None,
    name: str | None = None,
    seed: int | None = None,
    override: Annotated[tuple[str, ...], Parameter(name="--override")] = (),
    workers: int | None = None,
    trust: bool = False,
) -> int:
    """Audits a model: from a plan file, from flags, or from a plan with flags that override it.

    Args:
        plan: plan file (TOML); see docs/plan.md.
        to: folder of the run; default runs/NAME.
        model: model file (.skops, .safetensors or .pt of weights, .onnx; .pkl and .joblib only with --trust).
        members: rows that the model was trained on (csv, parquet, npz).
        nonmembers: rows that it was not trained on.
        pool: further rows that the attacker holds.
        label: name of the label column.
        id: name of the column with row ids.
        group: name of the column with the person or household of a row.
        member_answers: the model's probability rows for the members, if the model itself may not leave.
        nonmember_answers: the same for the non-members.
        source: a data set by name instead of files.
        view: adversary (shadows never see audited rows) or auditor (they do: the worst case).
        reveals: what the model reveals: full, labels, top:K, rounded:D.
        shadows: number of shadow models.
        attacks: names, separated by commas; default all that apply.
        name: what reports call the run.
        seed: root of all random streams.
        override: code of a preflight error to go on in spite of; may be given several times.
        workers: processes; default one a core.
        trust: load pickle and joblib files and import code that the plan names.
    """
    flags: dict[str, dict[str, Any]] = {
        "": {"name": name, "seed": seed, "view": view},
        "data": {"source": source, "members": members, "nonmembers": nonmembers, "pool": pool}
        | {"label": label, "id": id, "group": group},
        "target": {"model": model, "member_answers": member_answers, "nonmember_answers": nonmember_answers}
        | {"reveals": reveals},
        "shadow": {"count": shadows},
        "attacks": {"names": None if attacks is None else [a.strip() for a in attacks.split(",") if a.strip()]},
        "preflight": {"override": list(override) or None},
    }
    if trust:
        sys.path.insert(0, str(Path.cwd()))  # module:function means the user's own modules first
    values = read_plan(plan).model_dump(mode="json", exclude_unset=True) if plan is not None else {}
    for section, entries in flags.items():
        given = {key: value for key, value in entries.items() if value is not None}
        if given:
            (values if not section else values.setdefault(section, {})).update(given)
    if plan is None and "data" not in values:
        raise PlanError("nothing to audit: give a plan file, or --members and --nonmembers with --model, or --source")
    values.setdefault("name", plan.stem if plan is not None else "audit")
    folder = to or Path("runs") / str(values["name"])
    outcome = _audited(values, plan, folder, Settings(workers=workers, trust=trust))
    return _show(outcome, folder)


@app.command
def report(run: Path, /, *, to: Path | None = None) -> int:
    """Renders the record of a run, a bench of mitigations, a study or a reproduction again.

    Args:
        run: folder of it, or its record.json, bench.json, study.json or reproduction.json.
        to: file to write; its ending chooses the format (.html, .md, .json, .txt). Default: the terminal.
    """
    if (run / FILE).is_file() or run.name == FILE:
        return show_bench(read_bench(run), to)
    if show_again(run, to):
        return 0
    record = read_record(run)
    if to is None:
        print_terminal(record, Console())
    else:
        write_report(record, to)
    return 0


@app.command
def gate(run: Path, /, *limits: str, allow_failed: bool = False) -> int:
    """Holds a run against limits, for a build pipeline: exit 0 clean, 1 a leak above a limit, 3 an attack failed.

    Args:
        run: folder of a run, or its record.json.
        limits: such as "tpr@0.001<=0.01", "auc.high<=0.6" or "shokri.accuracy<=0.55"; default "advantage<=0.1".
        allow_failed: an attack that broke does not close the gate.
    """
    result = hold(
        read_record(run), [parse_limit(text) for text in limits or ("advantage<=0.1",)], allow_failed=allow_failed
    )
    for line in result.lines:
        print(line)
    return result.code


app.command(synth)
app.command(defend)
app.command(study)
app.command(reproduce)


@app.command
def diff(first: Path, second: Path, /, *, to: Path | None = None, fail_if_worse: bool = False) -> int:
    """Compares two runs: does the second leak more (worse), less (better), or is the difference within noise?

    Args:
        first: folder of a run, or its record.json.
        second: the run that is held against it.
        to: file to write; its ending chooses the format (.html, .md, .json, .txt). Default: the terminal.
        fail_if_worse: exit with 1 if the strongest attack gains by any figure, or if the runs cannot be compared.
    """
    comparison = compare(read_outcome(first), read_outcome(second))
    if to is None:
        print_comparison(comparison, Console())
    else:
        write_comparison(comparison, to)
    return 1 if fail_if_worse and comparison.change in ("worse", "mixed", "not comparable") else 0


listing = App(name="list", help="Lists what there is: attacks, datasets.", result_action="return_value")
app.command(listing)


@listing.command(name="attacks")
def list_attacks() -> int:
    """Attacks by name, with what each needs to see."""
    table = Table("name", "attack", "paper", "needs", box=None, pad_edge=False)
    for attack in ATTACKS:
        table.add_row(attack.name, attack.title, attack.paper, ", ".join(sorted(attack.needs)))
    Console().print(table)
    return 0


@listing.command(name="datasets")
def list_datasets() -> int:
    """Data sets by name, with their terms."""
    table = Table("name", "data set", "rows", "features", "classes", "terms", box=None, pad_edge=False)
    for source in SOURCES:
        classes = ", ".join(map(str, source.classes))
        table.add_row(source.name, source.title, f"{source.rows:,}", f"{source.features:,}", classes, source.terms)
    Console().print(table)
    return 0


def _audited(values: dict[str, Any], path: Path | None, folder: Path, settings: Settings) -> Outcome:
    plan = make_plan(values, str(path) if path is not None else "command line")
    with TerminalProgress() as progress:
        outcome = audit_plan(plan, folder, settings, progress=progress, given=values)
    write_outcome(outcome, folder)
    return outcome


def _show(outcome: Outcome, folder: Path) -> int:
    print_terminal(outcome.record, Console())
    print(f"\nreport: {folder / 'report.html'}\nrecord: {folder / 'record.json'}")
    return 0
