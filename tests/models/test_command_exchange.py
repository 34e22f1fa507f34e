"""Rows and answers through files: what is written comes back, and what is none is one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.core.errors import ModelError
from gnomon.models.command import read_answers, write_rows

pd = pytest.importorskip("pandas")
ROWS = np.array([[1.5, 2.0], [3.25, -4.0]])


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_rows_and_labels_come_back_as_they_were(kind: str, frame: bool, tmp_path: Path) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    x: Any = pd.DataFrame(ROWS, columns=["a", "b"]).assign(job=["cook", "nurse"]) if frame else ROWS
    file = tmp_path / f"rows.{kind}"
    write_rows(file, x, ["ill", "well"])
    names = ["a", "b", "job"] if frame else ["x0", "x1"]
    if kind == "npz":
        with np.load(file) as arrays:
            assert arrays["y"].tolist() == ["ill", "well"]
            found = [arrays[name].tolist() for name in names] if frame else arrays["x"].T.tolist()
    else:
        table = pd.read_csv(file) if kind == "csv" else pd.read_parquet(file)
        assert table["label"].tolist() == ["ill", "well"]
        assert list(table.columns) == [*names, "label"]
        found = [table[name].tolist() for name in names]
    assert found[:2] == ROWS.T.tolist()
    if frame:
        assert found[2] == ["cook", "nurse"]


def test_a_feature_called_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='a feature is called "label"'):
        write_rows(tmp_path / "rows.csv", pd.DataFrame({"label": [1.0]}), [0])


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("0.75,0.25\n0.5,0.5\n", [0.25, 0.5]),
        ("no,yes\n0.75,0.25\n0.5,0.5\n", [0.25, 0.5]),
        ("yes,no\n0.25,0.75\n0.5,0.5\n", [0.25, 0.5]),
        ("p\n0.25\n0.5\n", [0.25, 0.5]),
        ("a,b\n0.75,0.25\n0.5,0.5\n", [0.25, 0.5]),
    ],
)
def test_answers_are_read_by_name_or_in_the_order_of_the_classes(
    text: str, second: list[float], tmp_path: Path
) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(text)
    assert np.exp(read_answers(file, 2, ["no", "yes"]))[:, 1].tolist() == pytest.approx(second)
    frame = pd.read_csv(file, header=None if text[0] == "0" else 0)
    if frame.shape[1] == 2:
        pytest.importorskip("pyarrow")
        frame.columns = [str(name) for name in frame.columns]
        frame.to_parquet(tmp_path / "answers.parquet")
        found = read_answers(tmp_path / "answers.parquet", 2, ["no", "yes"])
        assert np.exp(found)[:, 1].tolist() == pytest.approx(second)


def test_classes_that_are_numbers_may_stand_in_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,0\n0.25,0.75\n0.5,0.5\n")
    assert np.exp(read_answers(tmp_path / "a.csv", 2, ["0", "1"]))[:, 1].tolist() == pytest.approx([0.25, 0.5])


def test_three_classes_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("c,a,b\n0.5,0.2,0.3\n")
    found = np.exp(read_answers(tmp_path / "a.csv", 1, ["a", "b", "c"]))
    np.testing.assert_allclose(found, [[0.2, 0.3, 0.5]], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"wrote no \{answers\} file"),
        ("", "expected probabilities|got"),
        ("0.75,0.25\n", r"got \(1, 2\)"),
        ("0.75,0.25\n0.5\n", "can't be read"),
        ("0.75,0.25\nx,y\n", "can't be read"),
        ("0.75,0.75\n0.5,0.5\n", "sum to 1"),
        ("nan,0.25\n0.5,0.5\n", "NaN"),
    ],
)
def test_answers_that_are_none(text: str | None, words: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ModelError, match=words):
        read_answers(tmp_path / "a.csv", 2, ["no", "yes"])


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.parquet"])
@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"PAR1PAR1", b'"' + b"1" * 200_000, b"\xff\0\xfe", b"1,2\n\0,3\n"]
)
def test_answers_that_are_anything(name: str, content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError):
        read_answers(tmp_path / name, 2, ["no", "yes"])


def test_an_npz_of_answers_holds_no_pickles(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", answers=np.array([[0.5, 0.5]], dtype=object))
    with pytest.raises(ModelError, match="can't be read as npz"):
        read_answers(tmp_path / "a.npz", 1, ["no", "yes"])
    np.savez(tmp_path / "b.npz", other=np.zeros(3), answers=np.array([[0.25, 0.75]]))
    assert np.exp(read_answers(tmp_path / "b.npz", 1, ["no", "yes"])).tolist() == [[0.25, 0.75]]
