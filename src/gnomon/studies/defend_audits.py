"""Audits that are kept: carried out once, read back as long as nothing that decides them has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gnomon.auditing.api import Settings, audit_plan
from gnomon.auditing.folder import read_outcome, save_outcome
from gnomon.auditing.progress import Progress
from gnomon.auditing.run import Outcome
from gnomon.core import VERSION
from gnomon.core.arrays import fingerprint
from gnomon.core.errors import DataError
from gnomon.core.plan import Plan
from gnomon.core.record import write_text
from gnomon.report import write_report
from gnomon.shadow.pool import DECIDING_PACKAGES, package_versions

MARK = "finished.json"  # written last: without it, an audit did not finish


@dataclass(frozen=True)
class Keeper:
    """Runs audits into one folder, over one store.

    Attributes:
        folder: of the study; each audit has a folder in it.
        settings: how to run; its store is shared by all audits.
        inputs: digest of what stands behind the paths in a plan (rows, model, answers).
        progress: who is told.
    """

    folder: Path
    settings: Settings
    inputs: str
    progress: Progress

    def outcome(self, plan: Plan, name: str) -> Outcome:
        """The outcome of a plan: read back from ``folder/name`` if that very audit finished there, else made.

        Raises:
            GnomonError: whatever stops an audit.
        """
        place, key = self.folder / name, self._key(plan)
        found = _finished(place, key)
        if found is not None:
            return found
        (place / MARK).unlink(missing_ok=True)
        made = audit_plan(plan, place, self.settings, progress=self.progress)
        save_outcome(made, place)
        write_report(made.record, place / "report.html")
        write_text(place / MARK, json.dumps({"key": key}) + "\n")
        return made

    def _key(self, plan: Plan) -> str:
        return fingerprint(plan.model_dump(mode="json"), self.inputs, VERSION, package_versions(DECIDING_PACKAGES))


def inputs_of(plan: Plan, data: str) -> str:
    """Digest of what a plan's paths lead to.

    Args:
        plan: the plan, with absolute paths.
        data: fingerprint of the rows.
    """
    target, shadow = plan.target, plan.shadow
    files = (target.model, target.member_answers, target.nonmember_answers, shadow.marginals)
    return fingerprint(data, [_digest(file) for file in files])


def _digest(file: str | None) -> str:
    return "" if file is None or not Path(file).is_file() else fingerprint(Path(file).read_bytes().hex())


def _finished(place: Path, key: str) -> Outcome | None:
    """The audit that finished there; None if it is another one, or if something of it is gone."""
    try:
        if json.loads((place / MARK).read_text(encoding="utf-8"))["key"] != key:
            return None
        outcome = read_outcome(place)
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None
    return outcome if outcome.ids else None
