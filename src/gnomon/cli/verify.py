"""`gnomon verify`: do the files of a run still fit each other?"""

from __future__ import annotations

from json import dumps
from pathlib import Path

from gnomon.core.generations import check_published
from gnomon.report.formatting import clean


def verify(run: Path, /, *, json: bool = False) -> int:
    """Checks record, scores, tables and reports of a folder against the SHA-256 that its manifest names.

    Exit code 0: all fit; 1: a file was changed, is missing, or is not of this run.

    Args:
        run: the folder of an audit, a comparison of mitigations, a study or a reproduction, or its record.json.
        json: print what was found as JSON.
    """
    checked = check_published(run.parent if run.is_file() else run)
    wrong = {name: state for name, state in checked.states.items() if state != "fits"}
    if json:
        found = {"kind": checked.kind, "sha256": checked.digest, "files": dict(checked.states)}
        print(dumps(found, indent=2))
        return 1 if wrong else 0
    for name, state in wrong.items():
        print(f"{state}: {clean(name)}")
    fit = len(checked.states) - len(wrong)
    print(f"{fit} of {len(checked.states)} files fit manifest.json ({checked.kind})")
    print(f"SHA-256 of manifest.json: {checked.digest}")
    return 1 if wrong else 0
