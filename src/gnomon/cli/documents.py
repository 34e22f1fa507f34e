"""Documents of many audits: which one lies in a folder, and how it is shown again."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gnomon.core.reproduction import read_reproduction
from gnomon.core.study import read_study
from gnomon.report import print_reproduction, print_study, write_reproduction, write_study

STUDY, REPRODUCTION = "study.json", "reproduction.json"


def show_again(run: Path, to: Path | None) -> bool:
    """Renders a study or a reproduction again; False if the path is neither's folder nor document."""
    if _is(run, STUDY):
        study = read_study(run)
        if to is None:
            print_study(study, Console())
        else:
            write_study(study, to)
        return True
    if _is(run, REPRODUCTION):
        made = read_reproduction(run)
        if to is None:
            print_reproduction(made, Console())
        else:
            write_reproduction(made, to)
        return True
    return False


def _is(run: Path, name: str) -> bool:
    return run.name == name if run.is_file() else (run / name).is_file()
