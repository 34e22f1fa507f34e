from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import DataError
from gnomon.datasets import read_tables
from gnomon.datasets.own_files.csv_files import CsvFormat, open_csv

FRAME = pd.DataFrame(
    {
        "age": [30, 41, 52, 63],
        "town": ["Köln, Ehrenfeld", "Bonn", 'the "Ulm"', "?"],
        "pay": [1.5, -2.25, 1234.5, 0.0],
        "ill": ["no", "yes", "no", "yes"],
    }
)
WRITTEN: dict[str, tuple[dict[str, Any], str]] = {
    "commas": ({}, ""),
    "semicolons": ({"sep": ";"}, "semicolons between fields"),
    "semicolons and decimal commas": ({"sep": ";", "decimal": ","}, "semicolons between fields, decimal commas"),
    "tabs": ({"sep": "\t"}, "tabs between fields"),
    "tabs and decimal commas": ({"sep": "\t", "decimal": ","}, "tabs between fields, decimal commas"),
    "bars": ({"sep": "|"}, "bars between fields"),
    "a mark at the start": ({"encoding": "utf-8-sig"}, ""),
    "utf-16, as spreadsheets write": (
        {"sep": "\t", "encoding": "utf-16"},
        "tabs between fields, encoding utf-16",
    ),
    "what Windows writes": ({"sep": ";", "encoding": "cp1252"}, "semicolons between fields, encoding cp1252"),
    "an index column": ({"index": True}, "without the counting column Unnamed: 0"),
}


@pytest.mark.parametrize(("options", "said"), WRITTEN.values(), ids=WRITTEN)
def test_the_same_rows_in_other_forms(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    FRAME.to_csv(tmp_path / "a.csv", **({"index": False} | options))
    FRAME.to_parquet(tmp_path / "a.parquet")
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill").dataset
    plain = read_tables(tmp_path / "a.parquet", tmp_path / "a.parquet", label="ill").dataset
    pd.testing.assert_frame_equal(data.x, plain.x)
    assert data.classes == ("no", "yes")
    assert data.note.partition(". Read as: a.csv: ")[2].partition(";")[0] == said


def test_one_column_with_decimal_commas_is_one_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("score\n0,25\n0,75\n1\n")
    found = open_csv(tmp_path / "a.csv", CsvFormat())
    assert found.format.separator == ";"


@pytest.mark.parametrize(
    ("frame", "left_out"),
    [
        (FRAME, False),
        (FRAME.rename(columns={"age": "Unnamed: 0"}), True),
        (FRAME.rename(columns={"age": "Unnamed: 0"}).assign(**{"Unnamed: 0": [1, 1, 2, 3]}), False),
        (FRAME.rename(columns={"pay": "Unnamed: 0"}), False),  # not the first, and no count
    ],
    ids=["named", "counts", "repeats", "elsewhere"],
)
def test_only_an_unnamed_column_that_counts_is_left_out(tmp_path: Path, frame: pd.DataFrame, left_out: bool) -> None:
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill").dataset
    assert data.x.shape[1] == 3 - left_out
    known = read_tables(
        tmp_path / "a.csv", tmp_path / "a.csv", label="ill", columns=[c for c in frame.columns if c != "ill"]
    ).dataset
    assert known.x.shape[1] == 3  # a model that was trained on it gets it


def test_codes_are_text_in_all_files_and_labels_keep_their_zeros(tmp_path: Path) -> None:
    codes = FRAME.assign(town=["007", "12", "012", "7"], ill=["01", "02", "01", "02"])
    codes.to_csv(tmp_path / "a.csv", index=False)
    codes.assign(town=["700", "12", "120", "7"]).to_csv(tmp_path / "b.csv", index=False)
    data = read_tables(tmp_path / "a.csv", tmp_path / "b.csv", label="ill").dataset
    assert data.x["town"].tolist() == ["007", "12", "012", "7", "700", "12", "120", "7"]
    assert data.classes == ("01", "02")
    assert read_tables(tmp_path / "a.csv", tmp_path / "b.csv", label="ill", known=[1, 2]).dataset.labels == (1, 2)
    as_numbers = read_tables(
        tmp_path / "a.csv", tmp_path / "b.csv", label="ill", csv=CsvFormat(numbers=("town",))
    ).dataset
    assert as_numbers.x["town"].dtype == np.int64


def test_what_is_said_of_a_file_is_believed(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "a.csv", index=False, sep="~", decimal=",", encoding="latin-1")
    given = CsvFormat(separator="~", decimal=",", encoding="latin-1")
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill", csv=given).dataset
    assert data.x["pay"].tolist() == FRAME["pay"].tolist() * 2
    assert data.x["town"][0] == "Köln, Ehrenfeld"
    with pytest.raises(DataError, match=r'no encoding "klingon" is known'):
        open_csv(tmp_path / "a.csv", CsvFormat(encoding="klingon"))


def test_small_files_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("town,label\nK\u00f6ln,1\nUlm,2\n".encode("cp1252"))
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="label").dataset
    assert data.x["town"][0] == "K\u00f6ln"
