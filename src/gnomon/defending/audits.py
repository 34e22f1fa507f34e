"""Audits that are kept: carried out once, read back with their scores as long as nothing that decides them changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gnomon.auditing.api import audit_plan
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.progress import Progress
from gnomon.auditing.settings import Settings
from gnomon.core.errors import DataError
from gnomon.core.files import write_text
from gnomon.core.generations import claim, read_published
from gnomon.core.plan import Plan
from gnomon.report import write_report
from gnomon.runs.folder import read_outcome, write_audit
from gnomon.studies.cells import cell_key, fits

MARK = "finished.json"  # one of the results: which audit this is


@dataclass(frozen=True)
class Keeper:
    """Runs audits into one folder, over one store.

    Attributes:
        folder: of all audits; each has a folder in it.
        settings: how to run; the store is shared.
        progress: who is told.
    """

    folder: Path
    settings: Settings
    progress: Progress

    def outcome(self, plan: Plan, name: str) -> Outcome:
        """The outcome of a plan: read back from ``folder/name`` if that very audit finished there, else made.

        Raises:
            GnomonError: whatever stops an audit.
        """
        place, key = self.folder / name, cell_key(plan)
        found = _finished(place, key)
        if found is not None:
            return found
        with claim(place, "audit") as claimed:
            made = audit_plan(plan, place, self.settings, progress=self.progress)
            with claimed.publish() as fresh:
                write_report(write_audit(made, fresh), fresh / "report.html")
                write_text(fresh / MARK, json.dumps({"key": key}) + "\n")
        return made


def _finished(place: Path, key: str) -> Outcome | None:
    """The audit that finished there; None if it is another one, or if something of it is gone."""
    try:
        published = read_published(place)
        if published is None or json.loads(published.files[MARK])["key"] != key:
            return None
        outcome = read_outcome(place)
    except (ValueError, KeyError, TypeError, DataError):
        return None
    return outcome if outcome.ids and fits(outcome.record, key) else None
