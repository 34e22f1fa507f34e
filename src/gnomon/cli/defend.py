"""`gnomon defend`: mitigations held against each other, and the chosen one applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from gnomon.auditing.api import Settings
from gnomon.cli.progress import TerminalProgress
from gnomon.core.bench import FILE, Bench, write_bench
from gnomon.core.errors import UsageError
from gnomon.core.plan import read_plan
from gnomon.report import print_bench, write_bench_report
from gnomon.studies.defend import defend as hold_against
from gnomon.studies.defend_search import FEWEST_TRIALS, read_until
from gnomon.studies.defend_tries import read_tries


def defend(
    plan: Path,
    /,
    *,
    tries: Annotated[str | None, Parameter(name="--try")] = None,
    until: str | None = None,
    trials: int = 8,
    naive: bool = True,
    to: Path | None = None,
    workers: int | None = None,
    trust: bool = False,
) -> int:
    """Audits a plan without and with each mitigation, by attackers who know it, and says what each buys and costs.

    Args:
        plan: plan file (TOML); see docs/mitigations.md.
        tries: mitigations, separated by commas, such as top3,temperature5,l2:1e-3; two at once as l2:1e-3+top3; with
            --until also ranges, such as l2:1e-5..1e-1.
        until: wanted leakage, such as "tpr@0.01<=0.05" or "auc.high<=0.6"; strengths are searched for the best accuracy
            that meets it.
        trials: strengths that are tried of each range.
        naive: also audit by an attacker who does not know the mitigation.
        to: folder of the bench; default runs/NAME-defend. What is finished there is not done again.
        workers: processes; default one a core.
        trust: load pickle and joblib files and import code that the plan names.
    """
    if tries is None:
        raise UsageError("nothing to do: name mitigations with --try, such as --try top3,temperature5,l2:1e-3")
    if trials < FEWEST_TRIALS:
        raise UsageError(f"--trials: expected {FEWEST_TRIALS} or more, got {trials}")
    limit = None if until is None else read_until(until)
    settings = read_tries(tries, sweeping=limit is not None)
    if trust:
        sys.path.insert(0, str(Path.cwd()))  # module:function means the user's own modules first
    checked = read_plan(plan)
    if "name" not in checked.model_fields_set:
        checked = checked.model_copy(update={"name": plan.stem})
    folder = to or Path("runs") / f"{checked.name}-defend"
    with TerminalProgress(reuse=True) as progress:
        bench = hold_against(
            checked,
            settings,
            folder,
            Settings(workers=workers, trust=trust),
            naive=naive,
            limit=limit,
            trials=trials,
            progress=progress,
        )
    for ending in ("html", "md"):
        write_bench_report(bench, folder / f"bench.{ending}")
    write_bench(bench, folder / FILE)
    show_bench(bench, None)
    print(f"\nreport: {folder / 'bench.html'}\nbench: {folder / FILE}")
    return 0


def show_bench(bench: Bench, to: Path | None) -> int:
    """Shows a bench on the terminal, or writes it in the format that a file's ending asks for."""
    if to is None:
        print_bench(bench, Console())
    else:
        write_bench_report(bench, to)
    return 0
