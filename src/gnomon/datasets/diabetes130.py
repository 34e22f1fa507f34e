"""Diabetes 130-US hospitals: the main diagnosis of a stay, in the manner of Texas-100 (it is not Texas-100)."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Ints
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.core.data.layouts import layout_of
from gnomon.core.errors import DataError
from gnomon.datasets.fetch import RemoteFile, Source, fetch

TABLE = RemoteFile(
    path="diabetes130/diabetic_data.csv",
    url="https://archive.ics.uci.edu/static/public/296/diabetes+130-us+hospitals+for+years+1999-2008.zip",
    pin="sha256:0689e7ec031237dc63031b938805c48377748761a3b26acab621567afa24df97",
    packing=".zip",
)
STAY, PATIENT, DIAGNOSIS = "encounter_id", "patient_nbr", "diag_1"
OTHER_DIAGNOSES = ("diag_2", "diag_3")
NUMBERS = (
    *("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications"),
    *("number_outpatient", "number_emergency", "number_inpatient", "number_diagnoses"),
)
MISSING = "?"
N_CLASSES = 100
TENTHS = np.arange(1, 10) / 10
NOTE = (
    "UCI Diabetes 130-US hospitals 1999-2008 (Clore, Cios, DeShazo & Strack 2014), CC BY 4.0, as a data set of "
    "hospital stays: the first stay of each patient, the 100 most common main diagnoses (diag_1) as classes, "
    "everything else that was recorded of the stay as bits. This is not Texas-100: do not compare it with results for "
    "Texas-100."
)

Table = dict[str, tuple[str, ...]]  # column -> its n values


def load_diabetes130(classes: int = N_CLASSES, table: RemoteFile = TABLE) -> Dataset:
    """First stays of patients as bits, the 100 most common main diagnoses as classes; the patient is the group.

    Columns of categories, and numbers cut into at most ten ranges, are one-hot groups; the other diagnoses (diag_2,
    diag_3) are a bit for each code. Columns that never vary are left out.

    Args:
        classes: 100.
        table: where UCI's table comes from.

    Returns:
        ``x`` uint8 (n, d) of bits; the ids are UCI's numbers of stays.

    Raises:
        DataError: it can't be had, or is not in UCI's form.
    """
    stays, codes = _first_stays(fetch(table), classes, table.path)
    blocks, features = zip(*_columns(stays, table.path), strict=True)
    x = np.concatenate(blocks, axis=1)
    return make_dataset(
        x,
        _positions(stays[DIAGNOSIS], codes),
        classes=codes,
        ids=stays[STAY],
        groups=stays[PATIENT],
        features=FeatureSpace(_placed([feature for group in features for feature in group]), layout_of(x)),
        name="diabetes130",
        note=NOTE,
    )


def _first_stays(content: bytes, classes: int, source: str) -> tuple[Table, tuple[str, ...]]:
    """First stays with one of the most common main diagnoses, in the order of stays, and these diagnoses, sorted."""
    try:
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8")), strict=True)
        stay, patient, diagnosis = (head.index(name) for name in (STAY, PATIENT, DIAGNOSIS))
        first: dict[str, list[str]] = {}
        for row in sorted(rows, key=lambda row: int(row[stay])):
            first.setdefault(row[patient], row)
        counts = Counter(row[diagnosis] for row in first.values())
        del counts[MISSING]
        common = sorted(counts, key=lambda code: (-counts[code], code))[:classes]
        wanted = set(common)
        kept = [row for row in first.values() if row[diagnosis] in wanted]
        table = dict(zip(head, zip(*kept, strict=True), strict=True)) if kept else {}
    except (ValueError, IndexError, csv.Error) as error:
        raise DataError(f"{source}: expected UCI's table ({error})") from error
    if len(common) < classes:
        raise DataError(f"{source}: expected at least {classes} main diagnoses, got {len(common)}")
    for name in (*NUMBERS, *OTHER_DIAGNOSES):
        if name not in table or (name in NUMBERS and not all(map(str.isdecimal, table[name]))):
            kind = " of whole numbers" if name in NUMBERS else ""
            raise DataError(f"{source}: expected UCI's table, with a column {name}{kind}")
    return table, tuple(sorted(common))


def _columns(table: Table, source: str) -> Iterator[tuple[NDArray[np.uint8], list[Feature]]]:
    """Bits (n, k) and their features, whose columns count from 0."""
    for name, values in table.items():
        if name in (STAY, PATIENT, DIAGNOSIS, *OTHER_DIAGNOSES):
            continue
        told = _ranges(np.array(values, dtype=np.int64)) if name in NUMBERS else values
        kinds = sorted(set(told), key=lambda value: (len(value), value))
        if len(kinds) > 1:
            yield _bits([told], kinds), [Feature(name, "categorical", tuple(range(len(kinds))))]
    others = [table[name] for name in OTHER_DIAGNOSES]
    known = sorted({code for codes in others for code in codes} - {MISSING})
    if not known:
        raise DataError(f"{source}: expected codes in {' and '.join(OTHER_DIAGNOSES)}, got none")
    # What is missing is a last column, which is not kept.
    yield (
        _bits(others, [*known, MISSING])[:, :-1],
        [Feature(f"diagnosis {code}", "binary", (j,)) for j, code in enumerate(known)],
    )


def _ranges(numbers: NDArray[np.int64]) -> Sequence[str]:
    """The range of each number: at most ten ranges, of about as many rows each."""
    edges = np.unique(np.quantile(numbers, TENTHS, method="lower"))
    return [str(k) for k in np.searchsorted(edges, numbers, side="left")]


def _bits(columns: Sequence[Sequence[str]], known: Sequence[str]) -> NDArray[np.uint8]:
    """Which of the known values (n, k) stand in any of these columns."""
    bits = np.zeros((len(columns[0]), len(known)), dtype=np.uint8)
    for column in columns:
        bits[np.arange(len(column)), _positions(column, known)] = 1
    return bits


def _positions(values: Sequence[str], known: Sequence[str]) -> Ints:
    position = {value: k for k, value in enumerate(known)}
    return np.array([position[value] for value in values], dtype=np.int64)


def _placed(features: list[Feature]) -> tuple[Feature, ...]:
    """The features one after the other, each with the next free columns."""
    placed, start = [], 0
    for feature in features:
        width = len(feature.columns)
        placed.append(Feature(feature.name, feature.kind, tuple(range(start, start + width))))
        start += width
    return tuple(placed)


DIABETES130 = Source(
    name="diabetes130",
    title="Diabetes 130-US hospitals: main diagnosis of a first stay, bits; a patient is a group",
    rows=60097,
    features=1037,
    classes=(N_CLASSES,),
    terms="CC BY 4.0 (UCI); not Texas-100",
    load=load_diabetes130,
)
