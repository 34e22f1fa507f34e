"""`gnomon verify`: do the files of a run still fit each other?"""

from __future__ import annotations

from json import dumps
from pathlib import Path

from gnomon.core.documents.read_write import FILES, read_any
from gnomon.core.errors import DataError
from gnomon.core.generations import Checked, check_published
from gnomon.report.formatting import clean


def verify(run: Path, /, *, json: bool = False) -> int:
    """Checks record, scores, tables and reports of a folder against the SHA-256 that its manifest names.

    Also: whether the document says what its scores, or its audits, say. Exit code 0: all fit; 1: a file was changed, is
    missing, or is not of this run, or the document contradicts what lies next to it.

    Args:
        run: the folder of an audit, a comparison of mitigations, a study or a reproduction, or its record.json.
        json: print what was found as JSON.
    """
    folder = run.parent if run.is_file() else run
    checked = check_published(folder)
    wrong = {name: state for name, state in checked.states.items() if state != "fits"}
    against = None if wrong else _contradiction(folder, checked)
    code = 1 if wrong or against else 0
    if json:
        found = {
            "kind": checked.kind,
            "sha256": checked.digest,
            "files": dict(checked.states),
            "contradiction": against,
        }
        print(dumps(found, indent=2))
        return code
    for name, state in wrong.items():
        print(f"{state}: {clean(name)}")
    fit = len(checked.states) - len(wrong)
    print(f"{fit} of {len(checked.states)} files fit manifest.json ({checked.kind})")
    print(f"SHA-256 of manifest.json: {checked.digest}")
    if against is not None:
        print(clean(against))
    return code


def _contradiction(folder: Path, checked: Checked) -> str | None:
    if not any(name in checked.states for name in FILES):
        return None
    try:
        read_any(folder)
    except DataError as error:
        return str(error)
    return None
