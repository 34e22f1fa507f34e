"""`gnomon report`: a document of a folder, rendered again."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gnomon.core.bench import FILE, read_bench
from gnomon.core.record import read_record
from gnomon.core.reproduction import read_reproduction
from gnomon.core.study import read_study
from gnomon.report import (
    print_bench,
    print_reproduction,
    print_study,
    print_terminal,
    write_bench_report,
    write_report,
    write_reproduction,
    write_study,
)

STUDY, REPRODUCTION = "study.json", "reproduction.json"


def report(run: Path, /, *, to: Path | None = None) -> int:
    """Renders the record of a run, a bench of mitigations, a study or a reproduction again.

    Args:
        run: folder of it, or its record.json, bench.json, study.json or reproduction.json.
        to: file to write; its ending chooses the format (.html, .md, .json, .txt). Default: the terminal.
    """
    if (run / FILE).is_file() or run.name == FILE:
        bench = read_bench(run)
        if to is None:
            print_bench(bench, Console())
        else:
            write_bench_report(bench, to)
        return 0
    if _shown(run, to):
        return 0
    record = read_record(run)
    if to is None:
        print_terminal(record, Console())
    else:
        write_report(record, to)
    return 0


def _shown(run: Path, to: Path | None) -> bool:
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
