"""What stands at the start of a csv file, and what is none."""

from pathlib import Path

import pandas as pd
import pytest

from gnomon.core.errors import DataError
from gnomon.datasets import read_tables
from gnomon.datasets.own_files.csv_files import CsvFormat
from gnomon.datasets.own_files.csv_start import look_at

FRAME = pd.DataFrame({"age": [30, 41], "town": ["Köln", "Bonn"], "code": ["007", "012"], "ill": ["no", "yes"]})
PLAIN = FRAME.to_csv(index=False)
STARTS = {
    "comments": ("# exported\n# by somebody, today\n" + PLAIN, "without 2 lines before the header"),
    "a separator, as spreadsheets name it": (
        "sep=;\n" + FRAME.to_csv(index=False, sep=";"),
        "semicolons between fields, without 1 line before the header",
    ),
    "a rare separator": ("sep=~\n" + FRAME.to_csv(index=False, sep="~"), "'~' between fields, without 1 line"),
    "spaces": (PLAIN.replace(",", " , "), "without spaces around names and texts"),
    "a separator at each line's end": (PLAIN.replace("\n", ",\n"), "without the empty column Unnamed: 4"),
    "empty lines": ("\n" + PLAIN.replace("\n", "\n\n"), ""),
}


@pytest.mark.parametrize(("text", "said"), STARTS.values(), ids=STARTS)
def test_the_same_rows_after_other_starts(tmp_path: Path, text: str, said: str) -> None:
    for name, written in (("plain", PLAIN), ("other", text)):
        (tmp_path / f"{name}.csv").write_text(written, encoding="utf-8")
    plain, other = (read_tables(tmp_path / f"{n}.csv", tmp_path / f"{n}.csv", label="ill") for n in ("plain", "other"))
    pd.testing.assert_frame_equal(other.dataset.x, plain.dataset.x)
    assert other.dataset.classes == ("no", "yes")
    assert other.dataset.x["code"][0] == "007"
    assert said in other.dataset.note


def test_a_header_may_begin_with_a_hash_and_spaces_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("#age,ill\n1,no\n2,yes\n")
    assert look_at(tmp_path / "a.csv").header == ("#age", "ill")
    (tmp_path / "b.csv").write_text("age, town, ill\n1, Bonn, no\n2, Ulm, yes\n")
    data = read_tables(tmp_path / "b.csv", tmp_path / "b.csv", label=" ill").dataset
    assert data.x.columns.tolist() == ["age", " town"]
    assert data.classes == (" no", " yes")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04 and so on", "is a zip archive or a spreadsheet and no csv file"),
        (b"PAR1 and so on", "is a parquet file and no csv file"),
        (b'{"age": 1}\n{"age": 2}\n', "is JSON and no csv file"),
        (b"<!DOCTYPE html><html>Not found", "is HTML and no csv file"),
        (b" \n\n", "is empty"),
        ("age,ill\n1,no\n".encode("utf-16-le"), r'holds NUL bytes.*encoding = "utf-16-le"'),
    ],
)
def test_what_is_no_csv_file_is_said_to_be_what_it_is(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.csv: {what}"):
        read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill")


def test_an_encoding_that_is_said_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("age,ill\n1,no\n2,yes\n".encode("utf-16-le"))
    given = CsvFormat(encoding="utf-16-le")
    assert read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill", csv=given).dataset.x["age"][1] == 2
