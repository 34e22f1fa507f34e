"""A run's folder: the record, and beside it the scores of every attack with ids and truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.outcome import CanaryTable, Outcome, RiskTable
from gnomon.core.arrays import Floats
from gnomon.core.documents.read_write import read_record, write_record
from gnomon.core.errors import DataError
from gnomon.core.files import write_text

RESERVED = ("ids", "member", "exposure", "groups")  # files in scores/ that are no attack's


def save_outcome(outcome: Outcome, folder: Path) -> None:
    """Writes scores, ids, truth and record; the record comes after what it points to."""
    scores = folder / "scores"
    scores.mkdir(parents=True, exist_ok=True)
    for name, values in outcome.scores.items():
        np.save(scores / f"{name}.npy", values, allow_pickle=False)
    np.save(scores / "ids.npy", np.asarray(outcome.ids), allow_pickle=False)
    np.save(scores / "member.npy", np.asarray(outcome.member), allow_pickle=False)
    if outcome.groups is not None:
        np.save(scores / "groups.npy", np.asarray(outcome.groups), allow_pickle=False)
    if outcome.exposure is not None:
        np.save(scores / "exposure.npy", outcome.exposure, allow_pickle=False)
    if outcome.risk is not None:
        write_risk(outcome.risk, folder)
    if outcome.canaries is not None:
        write_canaries(outcome.canaries, folder)
    write_record(outcome.record, folder / "record.json")


def write_risk(table: RiskTable, folder: Path) -> None:
    """Writes risk.csv, and risk.parquet where pandas and pyarrow are installed; the most probable members first."""
    order = np.lexsort((-table.score, -table.probability))
    columns: dict[str, list[Any]] = {
        "id": [table.ids[i] for i in order],
        "class": [table.labels[i] for i in order],
        **({} if table.groups is None else {"group": [table.groups[i] for i in order]}),
        "member": table.member[order].tolist(),
        "score": table.score[order].tolist(),
        "probability": table.probability[order].tolist(),
        "low": table.low[order].tolist(),
        "high": table.high[order].tolist(),
        "probability_when_trained": [None if np.isnan(v) else float(v) for v in table.when_trained[order]],
        "trainings": table.trainings[order].tolist(),
    }
    write_columns(columns, folder, "risk")


def write_columns(columns: Mapping[str, Sequence[Any]], folder: Path, name: str) -> list[Path]:
    """Writes NAME.csv, and NAME.parquet where pandas and pyarrow are installed; returns what was written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    written = [folder / f"{name}.csv"]
    write_text(written[0], text.getvalue())
    if find_spec("pandas") is not None and find_spec("pyarrow") is not None:
        import pandas as pd

        written.append(folder / f"{name}.parquet")
        pd.DataFrame(dict(columns)).to_parquet(written[1], index=False)
    return written


def write_canaries(table: CanaryTable, folder: Path) -> None:
    """Writes canaries.csv (and canaries.parquet): every canary, its coin and its score, the highest score first."""
    order = np.argsort(-table.score, kind="stable")
    columns = {
        "id": [table.ids[i] for i in order],
        "class": [table.labels[i] for i in order],
        "included": table.included[order].tolist(),
        "score": table.score[order].tolist(),
    }
    write_columns(columns, folder, "canaries")


def read_outcome(path: Path) -> Outcome:
    """Reads a run back: its folder, or its record.json with or without scores beside it.

    Only scores that the record points to are read, so that a file left by an older run is not taken for this one's.

    Raises:
        DataError: no record, or a scores file that can't be read.
    """
    record = read_record(path)
    folder = path if path.is_dir() else path.parent
    files = {a.name: folder / a.scores_file for a in record.attacks if a.scores_file is not None}
    there = {name: file for name, file in files.items() if file.is_file()}
    ids, member, exposure, groups = (folder / "scores" / f"{name}.npy" for name in RESERVED)
    if not there or not ids.is_file() or not member.is_file():
        return Outcome(record, {}, [], [])
    return Outcome(
        record,
        {name: _load(file) for name, file in there.items()},
        [str(i) for i in _load(ids)],
        [bool(m) for m in _load(member)],
        groups=[str(g) for g in _load(groups)] if record.counted_by == "group" and groups.is_file() else None,
        exposure=_load(exposure) if exposure.is_file() else None,
    )


def _load(file: Path) -> Floats:
    try:
        array: Floats = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as an array ({error}); run the audit again") from None
    return array
