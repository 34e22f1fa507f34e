"""A study as one tidy table: a row a cell, seed and attack; csv, and parquet where pandas and pyarrow are installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gnomon.core.parts import Estimate
from gnomon.core.record import write_text
from gnomon.core.study import Cell, CellAttack, Study

ATTACK_FIGURES = ("precision", "recall", "accuracy", "auc", "tpr_1", "tpr_01")
TARGET_FIGURES = ("train_size", "train_accuracy", "test_accuracy", "gap")


def study_columns(study: Study) -> dict[str, list[Any]]:
    """The table of a study, column by column; a cell that failed has one row, with the reason and no attack."""
    numbers = {a.key: dict(zip(a.labels, a.numbers, strict=True)) for a in study.axes if a.numbers is not None}
    rows = [
        _row(study, cell, attack, numbers)
        for cell in study.cells
        for attack in (cell.attacks or [None])  # type: ignore[list-item]
    ]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _row(
    study: Study, cell: Cell, attack: CellAttack | None, numbers: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for axis in study.axes:
        label = cell.labels.get(axis.key)
        row[axis.key] = numbers.get(axis.key, {}).get(label or "", label)
    row |= {"seed": cell.seed, "attack": None if attack is None else attack.name}
    row |= {"status": cell.status if attack is None else attack.status}
    row |= {"reason": cell.reason if attack is None else attack.reason}
    row |= {name: getattr(cell, name) for name in TARGET_FIGURES}
    for name in ATTACK_FIGURES:
        estimate: Estimate | None = None if attack is None else getattr(attack, name)
        row[name] = None if estimate is None else estimate.value
        row[f"{name}_low"] = None if estimate is None else estimate.low
        row[f"{name}_high"] = None if estimate is None else estimate.high
    row |= {"threshold_by": None if attack is None else attack.calibrated}
    return row | {"seconds": cell.seconds, "run": cell.run}


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
        pd.DataFrame(columns).to_parquet(written[1], index=False)
    return written
