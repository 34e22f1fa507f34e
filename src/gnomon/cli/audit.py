"""`gnomon audit`: from a plan file, from flags, or from both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings, TerminalProgress, host_of
from gnomon.cli.shared import Running, own_modules_first, show
from gnomon.core.documents.endpoint import PROTOCOL_WORDS
from gnomon.core.documents.read_write import read_record
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.generations import Claim, claim
from gnomon.core.model_formats import MODEL_FILES
from gnomon.core.plan import make_plan, name_of, read_plan, split_names
from gnomon.report import write_report
from gnomon.runs.folder import with_bench, write_audit


def audit(
    plan: Path | None = None,
    /,
    *,
    to: Path | None = None,
    model: Annotated[str | None, Parameter(help=MODEL_FILES)] = None,
    endpoint: str | None = None,
    protocol: Annotated[str | None, Parameter(help=f"how the endpoint is spoken to; {PROTOCOL_WORDS}")] = None,
    header: Annotated[tuple[str, ...], Parameter(name="--header")] = (),
    members: str | None = None,
    nonmembers: str | None = None,
    pool: str | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    drop_overlap: bool = False,
    member_answers: str | None = None,
    nonmember_answers: str | None = None,
    outputs: Literal["probabilities", "logits", "log_probabilities"] | None = None,
    source: str | None = None,
    view: Literal["adversary", "auditor"] | None = None,
    reveals: str | None = None,
    shadows: int | None = None,
    attacks: Annotated[str | None, Parameter(name="--attacks")] = None,
    appetite: str | None = None,
    name: str | None = None,
    seed: int | None = None,
    override: Annotated[tuple[str, ...], Parameter(name="--override")] = (),
    running: Running = Running(),  # noqa: B008 - frozen
    json: bool = False,
) -> int:
    """Audits a model: from a plan file, from flags, or from a plan with flags that override it.

    Args:
        plan: plan file (TOML); see docs/plan.md.
        to: folder of the run; default runs/NAME.
        model: a model file.
        endpoint: address of a service that answers for the model; see docs/endpoints.md.
        protocol: how the endpoint is spoken to.
        header: NAME=env:VARIABLE, a header of each request whose value is in an environment variable; repeatable.
        members: file of rows that the model was trained on (csv, parquet, npz).
        nonmembers: file of rows that it was not trained on.
        pool: file of further rows that the attacker holds.
        label: name of the label column.
        id: name of the column with row ids.
        group: name of the column with the person or household of a row.
        drop_overlap: leave out of the audit, on both sides, rows that stand among members and non-members.
        member_answers: file of the model's probabilities for the members, if the model itself is not available.
        nonmember_answers: the same for the non-members.
        outputs: what the answers, the ONNX model or the network of given weights gives; one number a row is that of the
            second of two classes.
        source: a data set by name instead of files.
        view: adversary (shadows never see audited rows) or auditor (they do: the worst case).
        reveals: what the model reveals: full, labels, top:K, rounded:D.
        shadows: number of shadow models.
        attacks: attacks by name, separated by commas; default all that apply.
        appetite: TOML file of what a model may hold of its training rows; see docs/structure.md.
        name: run name shown in reports; default that of the plan, the model or the answers.
        seed: root of all random streams.
        override: preflight error to ignore, by code; repeatable.
        running: where to run, and what to trust.
        json: print the record as JSON.
    """
    flags: dict[str, dict[str, Any]] = {
        "": {"name": name, "seed": seed, "view": view},
        "data": {"source": source, "members": members, "nonmembers": nonmembers, "pool": pool}
        | {"label": label, "id": id, "group": group, "drop_overlap": drop_overlap or None},
        "target": {"model": model, "member_answers": member_answers, "nonmember_answers": nonmember_answers}
        | {"reveals": reveals, "outputs": outputs, "endpoint": endpoint, "protocol": protocol}
        | {"headers": read_headers(header)},
        "shadow": {"count": shadows},
        "attacks": {"names": split_names(attacks)},
        "structure": {"appetite": appetite},
        "preflight": {"override": list(override) or None},
    }
    own_modules_first(running)
    values = read_plan(plan).model_dump(mode="json", exclude_unset=True) if plan is not None else {}
    for section, entries in flags.items():
        given = {key: value for key, value in entries.items() if value is not None}
        if given:
            (values if not section else values.setdefault(section, {})).update(given)
    if plan is None and "data" not in values and not member_answers:
        raise PlanError("nothing to audit: give a plan file, or --members and --nonmembers with --model, or --source")
    values.setdefault("name", _name(plan or model or member_answers or source or "audit"))
    folder = to or Path("runs") / make_plan(values, str(plan or "command line")).name
    if endpoint is not None:
        running = replace(running, send_to=(*running.send_to, host_of(endpoint)))  # whoever gives it means it
    outcome = carry_out(values, plan, folder, running.settings)
    return print_outcome(outcome, folder, json=json)


def _name(given: Path | str) -> str:
    """The name of a run that has none: that of the file it is about.

    >>> _name("models:/churn/3"), _name("trained/m.skops"), _name("audit")
    ('churn-3', 'm', 'audit')
    """
    scheme, registered, inside = str(given).partition(":/")
    return name_of(Path(inside.replace("/", "-") if registered and scheme in ("models", "runs") else given))


def read_headers(given: tuple[str, ...]) -> dict[str, str] | None:
    """Headers of flags ``NAME=env:VARIABLE``; a value that stands there itself is refused and not repeated."""
    if not all("=" in text for text in given):
        raise UsageError("--header: expected NAME=env:VARIABLE, such as Authorization=env:TOKEN")
    return {name: value for name, _, value in (text.partition("=") for text in given)} or None


def carry_out(values: dict[str, Any], path: Path | None, folder: Path, settings: Settings) -> Outcome:
    """Checks a plan, audits by it with progress shown, and writes the run's folder."""
    plan = make_plan(values, str(path) if path is not None else "command line")
    with claim(folder, "audit") as claimed:
        with TerminalProgress() as progress:
            outcome = audit_plan(plan, folder, settings, progress=progress, given=values)
        publish(outcome, claimed)
    return outcome


def publish(outcome: Outcome, claimed: Claim) -> None:
    """Makes scores, ids, truth, record and report the results of a folder."""
    with claimed.publish() as place:
        write_report(with_bench(write_audit(outcome, place), claimed.folder), place / "report.html")


def print_outcome(outcome: Outcome, folder: Path, *, json: bool) -> int:
    """Prints what was found, and in which files it is."""
    files = {"report": folder / "report.html", "record": folder / "record.json"}
    record = read_record(files["record"]) if json else outcome.record  # as it was written, with its scores' names
    return show(record, json=json, files=files)
