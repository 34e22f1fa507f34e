"""`gnomon defend`: mitigations compared with each other, and the chosen one applied."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gnomon.auditing.settings import Settings, TerminalProgress
from gnomon.cli.shared import Running, own_modules_first, show, show_json
from gnomon.core.documents.read_write import write_document
from gnomon.core.errors import UsageError
from gnomon.core.generations import claim
from gnomon.core.plan import Plan, name_of, read_plan
from gnomon.defending.apply import apply_mitigation
from gnomon.defending.combinations import Combination, read_tries
from gnomon.defending.mlflow_model import AUDIT, CARD, write_mlflow_model
from gnomon.defending.run import defend as hold_against
from gnomon.defending.search import FEWEST_TRIALS, read_until
from gnomon.report import write_report

NOTHING_AUDITED = 3  # as the gate's code for attacks that did not run: the report shows nothing of what was to be tried


def defend(
    plan: Path,
    /,
    *,
    tries: Annotated[str | None, Parameter(name="--try")] = None,
    apply: str | None = None,
    as_: Annotated[Literal["folder", "mlflow"], Parameter(name="--as")] = "folder",
    bench: Path | None = None,
    until: str | None = None,
    trials: int = 8,
    naive: Annotated[bool, Parameter(negative="--no-naive")] = True,
    to: Path | None = None,
    running: Running = Running(),  # noqa: B008 - frozen
    json: bool = False,
) -> int:
    """Audits a plan with and without each mitigation, and reports what each gains and costs.

    Args:
        plan: plan file (TOML); see docs/mitigations.md.
        tries: mitigations, separated by commas, such as top3,temperature5,l2:1e-3; combine two as l2:1e-3+top3; with
            --until also ranges, such as l2:1e-5..1e-1.
        apply: apply this mitigation to the plan's model and write a folder that a service can load.
        as_: what --apply writes: folder (read by gnomon.defending.load_service), or mlflow (a python_function model
            with its audit next to it, which MLflow, MLServer, KServe and SageMaker serve).
        bench: with --as mlflow, folder of the report that has the mitigation's audit; default runs/NAME-defend. An
            audit that is not there is carried out.
        until: wanted leakage, such as "tpr@0.01<=0.05" or "auc.high<=0.6"; searches the strengths for the best accuracy
            that meets it.
        trials: number of strengths to try for each range.
        naive: also audit against an attacker who does not know the mitigation.
        to: folder of the report; default runs/NAME-defend. Finished audits in it are reused. With --apply the
            folder of the service, which must not exist yet; default runs/NAME-service.
        running: where to run, and what to trust.
        json: print the document as JSON.
    """
    if (tries is None) == (apply is None):
        raise UsageError("expected --try (such as --try top3,temperature5,l2:1e-3) or --apply (one of them), not both")
    if apply is not None:
        return _apply(plan, apply, to, running.settings, bench, mlflow=as_ == "mlflow", json=json)
    if as_ != "folder" or bench is not None:
        raise UsageError("--as and --bench belong to --apply")
    assert tries is not None
    if trials < FEWEST_TRIALS:
        raise UsageError(f"--trials: expected {FEWEST_TRIALS} or more, got {trials}")
    limit = None if until is None else read_until(until)
    own_modules_first(running)
    wanted = read_tries(tries, sweeping=limit is not None, trust=running.trust)
    checked = _named(plan)
    folder = to or Path("runs") / f"{checked.name}-defend"
    with claim(folder, "defence") as claimed:
        with TerminalProgress(reuse=True) as progress:
            made = hold_against(
                checked,
                wanted,
                folder,
                running.settings,
                naive=naive,
                limit=limit,
                trials=trials,
                progress=progress,
            )
        with claimed.publish() as place:
            for ending in ("html", "md"):
                write_report(made, place / f"report.{ending}")
            write_document(made, place / "defence.json")
    code = show(made, json=json, files={"report": folder / "report.html", "document": folder / "defence.json"})
    return code if any(row.effect is not None for row in made.results[1:]) else NOTHING_AUDITED


def _named(plan: Path) -> Plan:
    checked = read_plan(plan)
    return checked if "name" in checked.model_fields_set else checked.model_copy(update={"name": name_of(plan)})


def _apply(
    plan: Path, text: str, to: Path | None, settings: Settings, bench: Path | None, *, mlflow: bool, json: bool
) -> int:
    chosen = read_tries(text, sweeping=False, trust=settings.trust)
    if len(chosen) != 1 or not isinstance(chosen[0], Combination):
        raise UsageError(f'--apply "{text}": expected one mitigation, or several for one model as l2:1e-3+top3')
    if bench is not None and not mlflow:
        raise UsageError("--bench belongs to --as mlflow")
    own_modules_first(settings)
    checked = _named(plan)
    folder = to or Path("runs") / f"{checked.name}-service"
    with TerminalProgress(reuse=True) as progress:
        if mlflow:
            audits = bench or Path("runs") / f"{checked.name}-defend"
            made = write_mlflow_model(checked, chosen[0], audits, folder, settings, progress=progress)
        else:
            made = apply_mitigation(checked, chosen[0], folder, settings, progress=progress)
    labels = [m.label for m in made.mitigations]
    if json:
        return show_json({"folder": folder, "mitigations": labels})
    print(f"{', '.join(labels)} in {folder}")
    if mlflow:
        print(f"serve it: mlflow models serve -m {folder} (its audit: {folder / AUDIT}, for a model card: {CARD})")
    else:
        print(f'in a service: gnomon.defending.load_service(Path("{folder}")).log_probs(rows)')
    return 0
