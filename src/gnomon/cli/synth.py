"""`gnomon synth`: the attacker's rows as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.settings import NOTHING, TerminalProgress
from gnomon.auditing.synth import MadeRows, make_attackers_rows, source_to_make
from gnomon.cli.shared import Trusting, own_modules_first, show_json
from gnomon.core.arrays import is_frame, is_sparse
from gnomon.core.errors import MissingExtraError, UsageError, did_you_mean, import_extra, one_line
from gnomon.core.plan import read_plan
from gnomon.core.system import replacing
from gnomon.datasets.own_files.files import rows_in_npz
from gnomon.runs.folder import first_changed
from gnomon.synthesis import save_marginals

SUFFIXES = (".npz", ".csv", ".parquet")


def synth(
    plan: Path,
    /,
    *,
    to: Path,
    source: str | None = None,
    marginals_to: Path | None = None,
    trusted: Trusting = NOTHING,
    json: bool = False,
) -> int:
    """Generates the rows that a plan's attacker would train shadow models on, and writes them to a file.

    Args:
        plan: plan file (TOML); the target is loaded, or trained as the audit would train it.
        to: file to write: .npz (x, y, classes), .csv or .parquet (features and a column of class names).
        source: noisy, noisy:0.2, marginals, climbing or climbing:guided; default the plan's first that generates
            rows.
        marginals_to: file for each feature's frequencies (JSON), which another plan's shadow.marginals can name.
        trusted: what to trust.
        json: print what was made, and what it cost, as JSON.
    """
    if to.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f'{to}: expected a file ending in {", ".join(SUFFIXES)}, got "{to.suffix}"'
            f"{did_you_mean(to.suffix, SUFFIXES) if to.suffix else ''}"
        )
    own_modules_first(trusted)
    checked = read_plan(plan)
    state = to.parent / f"{to.name}.state"  # of a climb: kept only until the rows are written
    chosen = source_to_make(checked.shadow, source)
    with TerminalProgress() as progress:
        made = make_attackers_rows(checked, chosen, state, trusted, progress=progress)
    write_rows(made, to, checked.data.label or "y")
    if marginals_to is not None:
        save_marginals(made.marginals, marginals_to)
    _drop(state)
    if json:
        return show_json({"file": to, "marginals": marginals_to, **made.facts.model_dump(mode="json")})
    for line in _said(made, to, marginals_to):
        print(one_line(line))
    return 0


def write_rows(made: MadeRows, to: Path, label: str) -> None:
    """Writes the rows in the format that the file's ending asks for, atomically.

    Raises:
        UsageError: rows that the format can't hold.
        MissingExtraError: the format needs pandas or pyarrow.
        StoreError: the file can't be written.
    """
    arrays: dict[str, Any] = {}
    frame: Any = None
    if to.suffix.lower() == ".npz":
        if is_frame(made.x):
            raise UsageError(f"{to}: rows with named columns do not fit an npz file; name a .csv or .parquet file")
        arrays = {**rows_in_npz(made.x), "y": made.y, "classes": np.asarray(made.classes)}
    else:
        frame = _frame(made, to, label)
        if to.suffix.lower() == ".csv":
            _check_cells(frame, to)
    try:
        with replacing(to) as temporary:
            _write(temporary, to.suffix.lower(), arrays, frame)
    except ImportError:
        raise MissingExtraError("pyarrow", "data", f"writing {to.name}") from None


def _drop(state: Path) -> None:
    if state.is_dir():
        for file in state.glob("climb-*.npz"):
            file.unlink()
        if not any(state.iterdir()):
            state.rmdir()


def _write(place: Path, suffix: str, arrays: dict[str, Any], frame: Any) -> None:
    if suffix == ".npz":
        with place.open("wb") as file:
            np.savez_compressed(file, **arrays)
    elif suffix == ".csv":
        frame.to_csv(place, index=False)
    else:
        frame.to_parquet(place, index=False)


def _frame(made: MadeRows, to: Path, label: str) -> Any:
    pd = import_extra("pandas", "data", f"writing {to.name}")
    if is_frame(made.x):
        frame = made.x.reset_index(drop=True)
    else:
        x = made.x.toarray() if is_sparse(made.x) else np.asarray(made.x)
        if x.ndim != 2:
            raise UsageError(f"{to}: rows of shape {x.shape[1:]} do not fit a table; name an .npz file")
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    if label in frame.columns:
        raise UsageError(f'{to}: a feature is called "{label}" already; name the label column in [data] label')
    return frame.assign(**{label: np.asarray(made.classes)[made.y]})


def _check_cells(frame: Any, to: Path) -> None:
    """Refuses text that a csv file can't hold as it is: rows that are read back must be the same rows."""
    texts = [frame.columns, *(frame[name].unique() for name in frame.columns if frame[name].dtype.kind not in "biuf")]
    changed = next((found for found in map(first_changed, texts) if found is not None), None)
    if changed is not None:
        raise UsageError(
            f"{to}: {changed[:40]!r} could be run by a spreadsheet, or holds control characters; name a .parquet file"
        )


def _said(made: MadeRows, to: Path, marginals_to: Path | None) -> list[str]:
    facts = made.facts
    lines = [f"{facts.source}: {facts.rows:,} rows in {to}"]
    if facts.queries_per_record is not None:
        lines.append(f"queries to the target: {facts.queries:,} ({facts.queries_per_record:,.1f} a record)")
    else:
        lines.append("queries to the target: none")
    lines.append(f"classes not reached: {', '.join(facts.unreached) or 'none'}")
    lines += facts.notes
    if marginals_to is not None:
        lines.append(f"marginals in {marginals_to}")
    return lines
