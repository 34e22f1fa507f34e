"""Files that would fill the memory or take minutes are refused in one line, before they are read."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from pyarrow import parquet
from sklearn.naive_bayes import GaussianNB

from gnomon.cli.app import run
from gnomon.core.errors import DataError, ModelError
from gnomon.core.plan import PLAN_BYTES
from gnomon.datasets.own_files import limits
from gnomon.datasets.own_files.files import read_frame, read_npz, read_rows
from gnomon.models.files import read_model


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnomon.core.system.free_memory", lambda: 100_000)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("first", ["a,label\n", ""])
def test_a_long_line_of_a_csv_file(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINE_BYTES", 2**20)
    monkeypatch.setattr(limits, "CHUNK_BYTES", 1000)
    Path("x.csv").write_text(first + "1" * (2**20 + 1))
    with pytest.raises(DataError, match=rf"x\.csv: line {1 + bool(first)} is longer than 1 MB"):
        read_rows("x.csv", "label")
    Path("x.csv").write_text("a,label\n" + f'"{"1" * 999}",0\n' * 3000)  # many lines are no long line
    assert len(read_rows("x.csv", "label").y) == 3000


@pytest.mark.parametrize("chunk", [7, 2**20])
def test_more_columns_than_a_table_may_have(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHUNK_BYTES", chunk)
    monkeypatch.setattr(limits, "MOST_COLUMNS", 50)
    frame = pd.DataFrame(np.zeros((3, 51)), columns=[f"c{i}" for i in range(51)])
    frame.to_csv("x.csv", index=False)
    frame.to_parquet("x.parquet")
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(DataError, match=rf"{name}: has more than 50 columns; give that many numbers as one array"):
            read_frame(Path(name))
    frame.iloc[:, :50].to_csv("x.csv", index=False)
    assert read_frame(Path("x.csv"))[0].shape == (3, 50)


def test_200_001_columns_are_refused_at_once() -> None:
    Path("x.csv").write_text(",".join(f"c{i}" for i in range(200_001)) + "\n" + ",".join("0" * 200_001) + "\n")
    start = time.process_time()
    assert run(["audit", "--members", "x.csv", "--nonmembers", "x.csv", "--label", "c0", "--model", "m.onnx"]) == 2
    with pytest.raises(DataError, match="more than 20,000 columns"):
        read_rows("x.csv", "c0")
    assert time.process_time() - start < 10


def test_a_csv_file_larger_than_memory(little_memory: None) -> None:
    Path("x.csv").write_text("a,label\n" + "1,0\n" * 30_000)
    with pytest.raises(DataError, match=r"x\.csv: needs 0\.0 GB of memory, and 0\.0 GB are free"):
        read_rows("x.csv", "label")


def test_a_row_group_larger_than_memory(little_memory: None) -> None:
    pd.DataFrame({"a": np.zeros(20_000), "label": 0}).to_parquet("x.parquet")
    assert Path("x.parquet").stat().st_size < 20_000, "packed, it would fit"
    with pytest.raises(DataError, match=r"x\.parquet: needs"):
        read_rows("x.parquet", "label")


def test_a_row_group_larger_than_the_limit_of_the_process() -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are Unix's")
    x = np.zeros(1_000_000)
    pd.DataFrame({**{f"f{i}": x for i in range(8)}, "label": 0}).to_parquet("x.parquet")
    assert Path("x.parquet").stat().st_size < 1_000_000, "packed, it would fit"
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 50_000_000, before[1]))
    try:
        with pytest.raises(DataError, match=r"x\.parquet: needs"):
            read_rows("x.parquet", "label")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("way", [{"use_dictionary": True}, {"column_encoding": {"t": "DELTA_BYTE_ARRAY"}}])
def test_a_text_that_stands_there_once_and_is_repeated(way: dict[str, Any], little_memory: None) -> None:
    texts = pa.array(["a" * 1000] * 4000)
    parquet.write_table(pa.table({"t": texts, "label": [0] * 4000}), "x.parquet", **{"use_dictionary": False, **way})
    assert parquet.read_metadata("x.parquet").row_group(0).total_byte_size < 100_000, "its footer says that it fits"
    with pytest.raises(DataError, match=r"x\.parquet: needs 0\.0 GB"):
        read_rows("x.parquet", "label")
    few = pa.table({"t": texts[:40], "label": [0] * 40})
    parquet.write_table(few, "x.parquet", **{"use_dictionary": False, **way})
    assert read_rows("x.parquet", "label").x["t"].tolist() == ["a" * 1000] * 40


@pytest.mark.parametrize("values", [[[0] * 9], [{"a": 1}], [b"a"]])
def test_what_is_no_table_is_refused_before_it_is_read(values: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(pa.table({"t": values, "label": [0]}), "x.parquet")
    monkeypatch.setattr(pd, "read_parquet", None)
    with pytest.raises(DataError, match=r'x\.parquet: column "t" holds .*; turn it into numbers or text'):
        read_rows("x.parquet", "label")


def test_zeros_that_unpack_to_more_than_memory(little_memory: None) -> None:
    np.savez_compressed("x.npz", x=np.zeros((1000, 100)), y=np.zeros(1000, int))
    assert Path("x.npz").stat().st_size < 5000
    with pytest.raises(DataError, match=r"x\.npz: needs"):
        read_rows("x.npz", None)


def test_a_model_that_unpacks_to_more_than_memory(little_memory: None) -> None:
    skops.io.dump(GaussianNB().fit(np.random.default_rng(0).normal(size=(40, 9_000)), np.arange(40) % 2), "m.skops")
    with pytest.raises(ModelError, match=r"m\.skops: needs"):
        read_model("m.skops")


@pytest.mark.parametrize("content", [b"", b"\0" * 10_000])
@pytest.mark.parametrize("where", ["file", "member"])
def test_zero_bytes(content: bytes, where: str) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("x.npy", content)
    Path("x.npz").write_bytes(content if where == "file" else held.getvalue())
    with pytest.raises(DataError, match=r"x\.npz: (cannot be read as npz|expected|no array)"):
        read_rows("x.npz", None)


def test_an_archive_that_lies_about_its_size_is_damaged() -> None:
    held = io.BytesIO()
    np.savez_compressed(held, x=np.zeros((1000, 100)), y=np.zeros(1000, int))
    content = bytearray(held.getvalue())
    size = (800_128).to_bytes(4, "little")
    assert content.count(size) >= 1
    Path("x.npz").write_bytes(content.replace(size, (500).to_bytes(4, "little")))
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as npz"):
        read_npz(Path("x.npz"))


@pytest.mark.parametrize(("place", "value"), [(8, 99), (6, 1)], ids=["an unknown compression", "encrypted"])
def test_an_archive_that_can_t_be_unpacked_is_one_line(place: int, value: int) -> None:
    np.savez("x.npz", x=np.zeros((3, 2)), y=np.zeros(3, int))
    content = bytearray(Path("x.npz").read_bytes())
    for mark, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        start = content.find(mark)
        while start >= 0:
            content[start + place + further] = value
            start = content.find(mark, start + 4)
    Path("x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as npz"):
        read_npz(Path("x.npz"))


def test_what_never_ends_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.toml").write_bytes(b"#" * (PLAN_BYTES + 1))
    for command in (["audit", "/dev/zero"], ["audit", "plan.toml"], ["report", "/dev/zero"], ["gate", "/dev/zero"]):
        if Path(command[1]).exists():
            assert run(command) == 2
            assert len(capsys.readouterr().err.splitlines()) == 1
