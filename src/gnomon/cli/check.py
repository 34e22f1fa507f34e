"""`gnomon check`: a plan, checked without training anything."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gnomon.auditing.check_plan import PlanCheck, check_plan
from gnomon.auditing.settings import NOTHING
from gnomon.cli.shared import Trusting, own_modules_first, show_part
from gnomon.core.errors import one_line
from gnomon.core.plan import make_plan, name_of, read_plan

STOPS = 1


def check(
    plan: Path,
    /,
    *,
    json: bool = False,
    trusted: Trusting = NOTHING,
) -> int:
    """Checks a plan in seconds: everything that it names is loaded, nothing is trained or queried.

    Exit code 1: the audit would stop at an error that the plan does not override; 2: the plan or a file is wrong.

    Args:
        plan: plan file (TOML); see docs/plan.md.
        trusted: what to trust.
        json: print JSON.
    """
    own_modules_first(trusted)
    values = read_plan(plan).model_dump(mode="json", exclude_unset=True)
    found = check_plan(make_plan({"name": name_of(plan), **values}, str(plan)), trusted)
    if json:
        show_part(found)
    else:
        told(found)
    return STOPS if found.stops else 0


def told(found: PlanCheck) -> None:
    """Prints what a plan comes to."""
    console = Console(highlight=False, emoji=False)

    def say(line: str, style: str = "") -> None:
        console.print(one_line(line), style=style, markup=False, soft_wrap=True)

    data = found.data
    say(
        f"{found.name}: {data.members:,} members and {data.nonmembers:,} non-members of {data.name}, {data.features:,} "
        f"features, {data.classes} classes; the target is {found.target}"
    )
    if found.shadows:
        say(f"{found.shadows} shadow models of {found.training_rows:,} rows would be trained")
    else:
        say("no shadow models would be trained: attacks that need them are skipped")
    tried = [a.name for a in found.attacks if a.refused is None]
    say(f"{len(tried)} attacks would be tried: {', '.join(tried)}")
    for reason in dict.fromkeys(a.refused for a in found.attacks if a.refused is not None):
        say(f"skipped: {', '.join(a.name for a in found.attacks if a.refused == reason)} ({reason})")
    styles = {"error": "red", "warning": "yellow", "note": ""}
    for finding in found.findings:
        overridden = ", overridden" if finding.overridden else ""
        say(
            f"{finding.severity}{overridden}: {finding.title} ({finding.code}). {finding.remedy}",
            styles[finding.severity],
        )
    checked = "nothing that was checked stops the audit; nothing was trained or queried"
    say("the audit would stop at the first error" if found.stops else checked)
