"""What the GitHub action in action.yml runs: the gate with its files, the job's summary, outputs and annotations.

Its inputs are environment variables (GATE_RUN, ...), so that nothing in them is read as part of a command line.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from gnomon.cli.app import run


def main(given: Mapping[str, str]) -> int:
    """Runs the gate and returns its exit code.

    Args:
        given: the environment: inputs of the action, and the files that GitHub names.
    """
    output = Path(given.get("GATE_OUTPUT") or "gnomon-gate")
    files = {name: output / f"gate.{name}" for name in ("xml", "sarif", "json")}
    output.mkdir(parents=True, exist_ok=True)
    for file in files.values():
        file.unlink(missing_ok=True)  # of an earlier step: a gate that fails must not leave another's answer
    if given.get("GATE_RUN"):
        code, summary, complaint = _quietly(_words(given, files))
    else:
        code, summary, complaint = 2, "", "run: expected the folder of a run, got nothing\n"
    answered = files["json"].exists()
    if answered:
        print(_annotations(json.loads(files["json"].read_text(encoding="utf-8"))), end="")
        summary += _comparison(given)
    else:
        print(f"::error title=gnomon gate::{_escaped(complaint.strip())}")
    _append(given.get("GITHUB_STEP_SUMMARY"), summary)
    known = f"junit={files['xml']}\nsarif={files['sarif']}\n" if answered else ""
    _append(given.get("GITHUB_OUTPUT"), f"code={code}\n{known}")
    return code


def _words(given: Mapping[str, str], files: Mapping[str, Path]) -> list[str]:
    """The command line of `gnomon gate`; what follows the two dashes can't be an option."""
    words = ["gate", "--format", "github"]
    for option, name in (("--limits", "GATE_LIMITS_FILE"), ("--from", "GATE_FROM"), ("--slack", "GATE_SLACK")):
        words += [f"{option}={given[name]}"] if given.get(name) else []
    words += [f"--allow-missing={given['GATE_ALLOW_MISSING']}"] if given.get("GATE_ALLOW_MISSING") else []
    words += [f"--to={file}" for file in files.values()]
    limits = [line.strip() for line in given.get("GATE_LIMITS", "").splitlines() if line.strip()]
    return [*words, "--", given["GATE_RUN"], *limits]


def _comparison(given: Mapping[str, str]) -> str:
    base = given.get("GATE_COMPARE_WITH")
    if not base:
        return ""
    code, text, complaint = _quietly(["diff", "--format", "github", "--", base, given["GATE_RUN"]])
    if code == 0:
        return f"\n{text}"
    print(complaint, end="")
    return f"\nThe runs were not compared: see the log of this step ({base}).\n"


def _quietly(words: list[str]) -> tuple[int, str, str]:
    """The exit code of a command, what it printed, and what it complained of."""
    printed, complaint = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complaint):
        code = run(words)
    return code, printed.getvalue(), complaint.getvalue()


def _annotations(result: dict[str, object]) -> str:
    """A line that GitHub shows on the job for each limit that is not met and each attack that did not run."""
    lines = []
    for held in result["held"]:  # type: ignore[attr-defined]
        severity = held["limit"]["severity"]
        if held["state"] != "met":
            kind = severity if severity != "note" else "notice"
            lines.append(f"::{kind} title=gnomon gate::{_escaped(held['line'])}\n")
    for missing in result["missing"]:  # type: ignore[attr-defined]
        if not missing["allowed"]:
            line = f"{missing['attack']} did not run: {missing['reason']}"
            lines.append(f"::error title=gnomon gate::{_escaped(line)}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    """Text that can't end its own line or begin another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _append(file: str | None, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8") as place:
            place.write(text)


if __name__ == "__main__":
    sys.exit(main(os.environ))
