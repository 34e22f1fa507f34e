"""A run's folder: the record, with the scores of every attack, ids and truth; published and read as one thing.

What a csv file holds may be opened in a spreadsheet, which would run text that begins like a formula. What a bench next
to the run has measured of the same plan is put into the record's advice.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.outcome import CanaryTable, Outcome, RiskTable
from gnomon.core.arrays import Floats
from gnomon.core.documents.defence import DefenceReport, MitigationResult
from gnomon.core.documents.read_write import belonging, parse_document, read_document, read_record, write_record
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Measured, ToDo
from gnomon.core.errors import DataError, GnomonError, expect
from gnomon.core.generations import Published, read_published
from gnomon.core.plan import make_plan, name_of
from gnomon.core.system import write_text
from gnomon.report.formatting import clean

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")  # the last four are the wide forms of the others
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def cell(value: object) -> object:
    r"""A value as a csv file holds it: numbers as they are, text on one line, without control characters.

    Text that begins with ``=``, ``+``, ``-`` or ``@``, spaces and tabs before it not counted, and is not just a number,
    gets an apostrophe in front.

    >>> cell("=1+1"), cell("\tx\r\ny"), cell("-5"), cell(-0.5), cell("a\x1b[2J")
    ("'=1+1", ' x  y', '-5', -0.5, 'a�[2J')
    """
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if reads_as_formula(text) else text


def plain(text: str) -> str:
    """A csv file's text without the apostrophe that `cell` puts in front.

    >>> plain("'=1+1"), plain("'twas")
    ('=1+1', "'twas")
    """
    return text[1:] if text.startswith("'") and reads_as_formula(text[1:]) else text


def reads_as_formula(text: str) -> bool:
    """Whether a spreadsheet may run a text instead of showing it."""
    return len(text) > 1 and _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


def first_changed(values: Iterable[object]) -> str | None:
    """The first text that a csv file would not hold as it is; None if there is none.

    >>> first_changed(["a", 1.5, "@SUM(A1)"])
    '@SUM(A1)'
    """
    return next((value for value in values if isinstance(value, str) and cell(value) != value), None)


RISK_TEXTS = "risk-texts.json"
TEXTS = ("id", "class", "group")  # columns of risk.csv that hold text
RESERVED = ("ids", "member", "exposure", "groups", "copies")  # files in scores/ that are no attack's


def write_outcome(outcome: Outcome, folder: Path) -> Record:
    """Writes scores, ids, truth, tables and record into an empty folder; returns the record that names these files."""
    scores = folder / "scores"
    scores.mkdir(parents=True)
    ids, member, exposure, groups, copies = RESERVED
    arrays = {**outcome.scores, ids: outcome.ids, member: outcome.member}
    arrays |= {exposure: outcome.exposure, groups: outcome.groups, copies: outcome.copies}
    for name, values in arrays.items():
        if values is not None:
            np.save(scores / f"{name}.npy", np.asarray(values), allow_pickle=False)
    if outcome.risk is not None:
        write_risk(outcome.risk, folder)
    if outcome.canaries is not None:
        write_canaries(outcome.canaries, folder)
    record = _naming_files(outcome)
    write_record(record, folder / "record.json")
    return record


def write_audit(outcome: Outcome, folder: Path) -> Record:
    """Writes an outcome, and its audit as a plan with whole paths, to repeat it or to hold mitigations against it."""
    record = write_outcome(outcome, folder)
    values = {**record.plan_given, "name": name_of(Path(f"{record.name}.toml"))}  # a bench calls its audits otherwise
    plan = make_plan(values, "the audit's plan").with_files_in(Path.cwd())
    write_text(folder / "plan.toml", toml_text(plan.model_dump(mode="json", exclude_unset=True)))
    return record


def _naming_files(outcome: Outcome) -> Record:
    """The record as it stands next to the outcome's files; a record that lies nowhere names none."""
    record, changes = outcome.record, dict[str, Any]()
    changes["attacks"] = [
        a.model_copy(update={"scores_file": f"scores/{a.name}.npy" if a.name in outcome.scores else None})
        for a in record.attacks
    ]
    if record.risk is not None:
        changes["risk"] = record.risk.model_copy(update={"file": None if outcome.risk is None else "risk.csv"})
    if record.canaries is not None:
        named = None if outcome.canaries is None else "canaries.csv"
        changes["canaries"] = record.canaries.model_copy(update={"file": named})
    return record.model_copy(update=changes)


def write_risk(table: RiskTable, folder: Path) -> None:
    """Writes risk.csv, and risk.parquet where pandas and pyarrow are installed; the most probable members first.

    Texts that a csv file can't hold as they are (see `gnomon.runs.folder`) stand in a JSON file next to it.
    """
    columns = table.columns()
    write_columns(columns, folder, "risk")
    texts = {name: columns[name] for name in TEXTS if name in columns}
    if any(plain(str(cell(value))) != value for values in texts.values() for value in values):
        write_text(folder / RISK_TEXTS, json.dumps(texts) + "\n")


def read_risk(content: bytes, texts: bytes | None = None) -> RiskTable:
    """The table in risk.csv, in the order of the file.

    Args:
        content: of risk.csv.
        texts: of the file with texts as they are, where there is one.

    Raises:
        ValueError, KeyError, TypeError, csv.Error: other columns, or something else than numbers in them.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8")), restval=""))

    def numbers(name: str) -> Floats:
        return np.array([float(row[name] or "nan") for row in rows])

    held = {name: [plain(row[name]) for row in rows] for name in TEXTS if rows and name in rows[0]}
    if texts is not None:
        held = {name: [str(text) for text in json.loads(texts)[name]] for name in held}
    if any(len(values) != len(rows) for values in held.values()):
        raise ValueError(f"{RISK_TEXTS} is of other rows")
    return RiskTable(
        ids=held.get("id", []),
        labels=held.get("class", []),
        groups=held.get("group"),
        member=np.array([row["member"] == "True" for row in rows], dtype=bool),
        score=numbers("score"),
        probability=numbers("probability"),
        low=numbers("low"),
        high=numbers("high"),
        when_trained=numbers("probability_when_trained"),
        trainings=np.array([int(row["trainings"]) for row in rows], dtype=np.int64),
    )


def write_columns(columns: Mapping[str, Sequence[Any]], folder: Path, name: str) -> list[Path]:
    """Writes NAME.csv, and NAME.parquet where pandas and pyarrow are installed; returns what was written.

    The csv file holds no text that a spreadsheet would run; see `gnomon.runs.folder`. The parquet file holds all
    as it is.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(cell, columns))
    writer.writerows(map(cell, row) for row in zip(*columns.values(), strict=True))
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


def read_outcome(path: str | Path, *, risk: bool = True) -> Outcome:
    """Reads a run back: its folder or its record.json; a record that lies alone has no scores.

    Args:
        path: of the folder or the record.
        risk: read the table of persons too, which is long.

    Raises:
        UsageError: ``path`` is no path.
        DataError: no record; results that are damaged or of several runs; scores without a manifest.
    """
    expect("path", path, (str, Path), "the folder of a run")
    path = Path(path)
    folder, name = (path, "record.json") if path.is_dir() else (path.parent, path.name)
    published = read_published(folder)
    if published is None or name not in published.files:
        return Outcome(read_record(path), {}, [], [])
    record = belonging(parse_document(published.files[name], Record, folder / name), published.files, folder / name)
    arrays = {file: content for file, content in published.files.items() if file.endswith(".npy")}
    files = {a.name: a.scores_file for a in record.attacks if a.scores_file is not None}
    if not files:
        return Outcome(record, {}, [], [])
    ids, member, exposure, groups, copies = (f"scores/{name}.npy" for name in RESERVED)
    loaded = {file: _load(content, folder / file) for file, content in arrays.items()}
    return Outcome(
        record,
        {name: loaded[file] for name, file in files.items()},
        [str(i) for i in loaded[ids]],
        [bool(m) for m in loaded[member]],
        risk=_risk(published, folder) if risk else None,
        groups=[str(g) for g in loaded[groups]] if record.counted_by == "group" and groups in loaded else None,
        copies=loaded[copies].astype(np.int64) if copies in loaded else None,
        exposure=loaded.get(exposure),
    )


def _risk(published: Published, folder: Path) -> RiskTable | None:
    content = published.files.get("risk.csv")
    if content is None:
        return None
    try:
        return read_risk(content, published.files.get(RISK_TEXTS))
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(f"{folder / 'risk.csv'}: is not as gnomon writes it ({error}); run the audit again") from None


def _load(content: bytes, file: Path) -> Floats:
    try:
        array: Floats = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as an array ({error}); run the audit again") from None
    return array


SAME = ("data", "trainer", "shadow", "seed", "view", "mitigations")  # tables of a plan that make it the same audit


def with_bench(record: Record, run: Path) -> Record:
    """The record with the numbers of the bench that ``gnomon defend`` left next to the run (``RUN-defend``), if any.

    A bench of another plan, or of other rows, is no evidence for this one and is left out.
    """
    folder = (run if run.is_dir() else run.parent).resolve()  # "." and ".." have no name to look next to
    place = folder.parent / f"{folder.name}-defend"
    if record.decision is None or not (place / "defence.json").is_file():
        return record
    try:
        bench = read_document(place, DefenceReport)
    except GnomonError:
        return record  # damaged, or being written: the bench says so itself
    return add_bench(record, bench)


def add_bench(record: Record, bench: DefenceReport) -> Record:
    """The record with what a bench measured of each mitigation that its advice names; unchanged for another plan."""
    if record.decision is None or not bench.results or not _same(record, bench):
        return record
    to_do = [_filled(one, bench) for one in record.decision.to_do]
    return record.model_copy(update={"decision": record.decision.model_copy(update={"to_do": to_do})})


def _same(record: Record, bench: DefenceReport) -> bool:
    theirs, ours = bench.provenance.fingerprints, record.provenance.fingerprints
    prints = all(theirs.get(name) == ours.get(name) for name in ("data", "members", "nonmembers"))
    return prints and all(bench.plan.get(name) == record.plan.get(name) for name in SAME)


def _filled(one: ToDo, bench: DefenceReport) -> ToDo:
    names = {_name(label) for label in one.tries}
    plain = bench.results[0]
    found = [_measured(row, plain, bench.fpr) for row in bench.results[1:] if _name(row.label) in names]
    return one.model_copy(update={"measured": found})


def _name(label: str) -> str:
    """A mitigation without its strength: a bench may have tried another."""
    return label.partition(":")[0].rstrip("0123456789") or label


def _measured(row: MitigationResult, plain: MitigationResult, fpr: float | None) -> Measured:
    before, after = (None if r.strongest is None else r.strongest.leak.at(fpr) for r in (plain, row))
    return Measured(
        label=row.label,
        effect=row.effect,
        before=before,
        after=after,
        fpr=fpr,
        accuracy=row.utility.change if row.utility else None,
    )


def toml_text(values: Mapping[str, Any]) -> str:
    """Tables of plain values as TOML; what is None is left out.

    >>> print(toml_text({"seed": 1, "data": {"label": "ill", "csv": {"decimal": ","}, "id": None}}), end="")
    seed = 1
    <BLANKLINE>
    [data]
    label = "ill"
    csv = { "decimal" = "," }
    """
    tables = {name: table for name, table in values.items() if isinstance(table, Mapping)}
    lines = _lines({name: value for name, value in values.items() if name not in tables})
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_lines(table)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None]


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = [f"{_value(str(name))} = {_value(part)}" for name, part in value.items() if part is not None]
        return f"{{ {', '.join(parts)} }}" if parts else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # that JSON leaves and TOML refuses
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(written, written)
