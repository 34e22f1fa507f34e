from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import DataError
from gnomon.datasets import read_tables
from gnomon.datasets.own_files.csv_files import CsvFormat

PAY = [1234567, -1200, 15, 900]
RATE = [0.132, -1.265, 1204.5, 2.0]
WRITTEN = {
    "commas in quotes": ('"{:,}"', "{}", ","),
    "points, decimal commas": ("{:,}", "{}", ";"),
    "spaces": ("{:,}", "{}", "\t"),
    "narrow spaces": ("{:,}", "{}", ","),
    "apostrophes": ("{:,}", "{}", ","),
}
MARKS = {"points, decimal commas": ".", "spaces": " ", "narrow spaces": "\u202f", "apostrophes": "'"}


@pytest.mark.parametrize("name", WRITTEN)
def test_digits_in_groups_are_the_numbers_that_they_write(tmp_path: Path, name: str) -> None:
    whole, part, separator = WRITTEN[name]
    lines = [separator.join(("pay", "rate", "ill"))]
    for pay, rate, ill in zip(PAY, RATE, "abab", strict=True):
        decimal = "," if name == "points, decimal commas" else "."
        written = whole.format(pay).replace(",", MARKS.get(name, ","))
        lines.append(separator.join((written, part.format(rate).replace(".", decimal), ill)))
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill").dataset
    assert data.x["pay"].tolist() == PAY * 2
    assert data.x["rate"].tolist() == RATE * 2
    assert "digits in groups in pay" in data.note


def test_what_may_be_thousands_or_decimals_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pay;ill\n1,234;a\n-15,600;b\n")

    def pay(csv: CsvFormat) -> list[float]:
        data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill", csv=csv).dataset
        return list(data.x["pay"])[:2]

    with pytest.raises(DataError, match=r'"pay" holds 1,234, which may be thousands or decimals; say which'):
        pay(CsvFormat())
    assert pay(CsvFormat(thousands=",")) == [1234, -15600]
    assert pay(CsvFormat(decimal=",")) == [1.234, -15.6]


@pytest.mark.parametrize("values", [["12 345", "1 2"], ["0 123", "1"], ["1.234", "x"], ["1,2,3", "4"]])
def test_what_only_looks_like_it_stays_text(tmp_path: Path, values: list[str]) -> None:
    pd.DataFrame({"code": values, "ill": ["a", "b"]}).to_csv(tmp_path / "a.csv", index=False)
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill").dataset
    assert data.x["code"].tolist() == values * 2


def test_labels_keep_their_words_and_what_is_taken_for_missing_elsewhere_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("roof,who,ill\nNone,NA,None\nmetal,n,some\n,m,None\n")

    def read(csv: CsvFormat) -> tuple[list[object], str, tuple[str, ...], list[str]]:
        data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill", group="who", csv=csv).dataset
        assert data.groups is not None
        return data.x["roof"].tolist()[:3], data.note, data.classes, data.groups.tolist()[:3]

    found, note, classes, groups = read(CsvFormat())
    assert (found[1], classes, len(set(groups))) == ("metal", ("None", "some"), 3)
    assert [v for v in found if v == v] == ["metal"]
    assert "'None' in roof taken for missing (data.csv = {missing = []} keeps words)" in note
    kept, note, _, _ = read(CsvFormat(missing=()))
    assert kept[:2] == ["None", "metal"]
    assert kept[2] != kept[2]  # an empty field
    assert "taken for missing" not in note


def test_numbers_next_to_words_for_missing_ones_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pay,ill\n?,1\n2,0\n,1\n")
    data = read_tables(tmp_path / "a.csv", tmp_path / "a.csv", label="ill", csv=CsvFormat(missing=("?",))).dataset
    np.testing.assert_array_equal(data.x["pay"][:3], [np.nan, 2, np.nan])
