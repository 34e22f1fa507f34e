"""The command line: parses, calls the command, chooses the exit code. A command's module is imported when it runs."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError
from rich.console import Console

from gnomon.core import VERSION
from gnomon.core.errors import GnomonError

COMMANDS = ("demo", "audit", "report", "gate", "synth", "defend", "study", "reproduce", "diff")
USAGE_ERROR = 2
READER_GONE = 141  # what a shell reports of a command that a closed pipe ended

app = App(
    name="gnomon",
    version=VERSION,
    help="Measures what a trained model reveals about the records it was trained on.",
    help_format="plaintext",
    result_action="return_value",
)


def _docstring(command: str) -> str | None:
    """A command's help without importing it: what it imports would make `--help` slow."""
    tree = ast.parse((Path(__file__).parent / f"{command}.py").read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == command]
    return ast.get_docstring(found)


for _name in COMMANDS:
    app.command(f"gnomon.cli.{_name}:{_name}", name=_name, help=_docstring(_name))
app.command("gnomon.cli.list:listing", name="list", help="Lists what there is: attacks, datasets.")


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
