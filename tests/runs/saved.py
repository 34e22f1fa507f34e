"""A run's folder, as the command writes it, without an audit."""

from pathlib import Path

from gnomon.auditing.outcome import Outcome
from gnomon.core.generations import claim
from gnomon.runs.folder import write_outcome


def save_outcome(outcome: Outcome, folder: Path) -> None:
    """Makes an outcome the results of a folder."""
    with claim(folder, "audit") as claimed, claimed.publish() as place:
        write_outcome(outcome, place)
