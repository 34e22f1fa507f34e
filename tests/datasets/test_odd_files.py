"""Files that nobody meant to write: each is refused in one line, and nothing in it is executed."""

import io
import os
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import GnomonError
from gnomon.datasets import read_answers, read_tables
from gnomon.datasets.own_files.files import read_rows

GOOD = pd.DataFrame({"a": [0.5, 1.5, 2.5, 3.5], "c": ["x", "y", "x", "y"], "label": ["no", "yes", "no", "yes"]})


class Evil:
    def __reduce__(self):
        return os.system, ("touch MARK",)


EVIL = np.array([Evil()] * 3, dtype=object)


def a_terabyte():
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (1 << 46, 2)})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.npy", head.getvalue())
    return packed.getvalue()


def npz(**arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def parquet(**columns):
    packed = io.BytesIO()
    GOOD.assign(**columns).to_parquet(packed)
    return packed.getvalue()


def csv(**columns):
    return GOOD.assign(**columns).to_csv(index=False).encode()


ODD = {
    "text.csv": (b"hello world\n", 'no column "label"'),
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"a,c,label\n", "at least one row"),
    "bytes.csv": (bytes(range(256)), "holds NUL bytes"),
    "utf16.csv": (GOOD.to_csv(index=False).encode("utf-16")[:-3], "cannot be read as csv"),
    "tildes.csv": (GOOD.to_csv(index=False, sep="~").encode(), 'did you mean "a~c~label"'),
    "quote.csv": (b'a,c,label\n1,"x,yes\n', "cannot be read as csv"),
    "long.csv": (b"a,c,label\n1,x,yes\n1,x,yes,9\n", "Expected 3 fields in line 3, saw 4"),
    "short.csv": (b"a,c,label\n1,x,yes\n1\n", "the label is missing in row 1"),
    "infinity.csv": (csv(a=[1, 2, np.inf, 3]), 'column "a" holds infinity .*row 2'),
    "labels.csv": (csv(label=[0.1, 0.2, 0.3, 0.4]), "labels must be classes"),
    "unlabelled.csv": (csv(label=["no", None, "yes", "no"]), "the label is missing in row 1"),
    "csv.parquet": (csv(), "cannot be read as parquet"),
    "cut.parquet": (parquet()[:-40], "cannot be read as parquet"),
    "empty.parquet": (b"", "cannot be read as parquet"),
    "lists.parquet": (parquet(l=[[1], [2], [3], [4]]), 'column "l" holds list<element: int64>; turn it into'),
    "structs.parquet": (parquet(l=[{"k": 1}] * 4), 'column "l" holds struct<k: int64>; turn it into'),
    "bytes.parquet": (parquet(l=[b"\xff"] * 4), 'column "l" holds binary; turn it into'),
    "labels.parquet": (parquet(label=[[1], [2], [3], [4]]), 'column "label" holds list<element: int64>'),
    "byte_labels.parquet": (parquet(label=[b"\xff", b"a"] * 2), 'column "label" holds binary'),
    "csv.npz": (csv(), "not as numpy.savez writes it"),
    "empty.npz": (b"", "not as numpy.savez writes it, or cut off"),
    "pickle.npz": (pickle.dumps(Evil()), "not as numpy.savez writes it, or cut off"),
    "objects.npz": (npz(x=EVIL, label=[0, 1, 0]), "Python objects"),
    "object_labels.npz": (npz(x=np.eye(3), label=EVIL), "Python objects"),
    "object_extra.npz": (npz(x=np.eye(3), label=[0, 1, 0], z=EVIL), "Python objects"),
    "terabyte.npz": (a_terabyte(), "more than fits in memory|damaged"),
    "text.npz": (npz(x=[["a"]], label=[0]), "expected an array of numbers"),
    "complex.npz": (npz(x=np.eye(2), label=[1j, 2]), "expected label to hold numbers or text, got complex128"),
    "records.npz": (npz(x=np.eye(2), label=np.zeros(2, [("a", "f4")])), "expected label to hold numbers or text"),
    "cut.npz": (npz(x=np.eye(3), label=[0, 1, 0])[:-30], "not as numpy.savez writes it, or cut off"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_give_one_line_and_run_nothing(name, tmp_path, monkeypatch):
    content, message = ODD[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GnomonError, match=message) as caught:
        read_rows(name, "label")
    assert "\n" not in str(caught.value)
    assert [place.name for place in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["pickle.npz", "objects.npz", "csv.npz", "csv.parquet", "empty.csv"])
def test_odd_files_of_answers_too(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(ODD[name][0])
    with pytest.raises(GnomonError) as caught:
        read_answers(name)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "MARK").exists()


def test_a_folder_is_called_one(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(GnomonError, match=r"rows.csv: a folder, not a file"):
        read_rows(tmp_path / "rows.csv", "label")


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_an_id_names_one_row(tmp_path, suffix):
    place = tmp_path / f"rows.{suffix}"
    place.write_bytes(
        csv(who=["p", "q", "p", "p"]) if suffix == "csv" else npz(x=np.eye(3), label=[0, 1, 0], who=list("ppp"))
    )
    with pytest.raises(GnomonError, match=r'the id "p" stands in 3 rows; an id names one row'):
        read_rows(place, "label", id="who")
    assert read_rows(place, "label", group="who").groups is not None


def test_labels_and_names_in_any_script(tmp_path):
    names = ["\u65e5\u672c", "\u05e9\u05dc\u05d5\u05dd \u202e", "[red]<b>", "\U0001f600"]
    GOOD.assign(label=names).rename(columns={"a": "\u00e4"}).to_csv(tmp_path / "rows.csv", index=False)
    tables = read_tables(tmp_path / "rows.csv", tmp_path / "rows.csv", label="label")
    assert set(tables.dataset.classes) == set(names)
    assert tables.dataset.features.features[0].name == "\u00e4"


def test_a_named_index_holds_ids_if_it_is_asked_for(tmp_path):
    GOOD.assign(stay=["s1", "s2", "s3", "s4"]).set_index("stay").to_parquet(tmp_path / "rows.parquet")
    assert read_rows(tmp_path / "rows.parquet", "label", id="stay").ids.tolist() == ["s1", "s2", "s3", "s4"]
    assert list(read_rows(tmp_path / "rows.parquet", "label").x.columns) == ["a", "c"]


def test_categories_that_differ_between_files_are_united(tmp_path):
    for name, kinds in (("m", ["x", "y"]), ("n", ["y", "x", "z"])):
        frame = GOOD.assign(c=pd.Categorical(GOOD["c"], categories=kinds), label=GOOD["label"].astype("category"))
        frame.to_parquet(tmp_path / f"{name}.parquet")
    data = read_tables(tmp_path / "m.parquet", tmp_path / "n.parquet", label="label").dataset
    assert data.x["c"].tolist() == ["x", "y"] * 4
    assert set(data.features.features[1].values) == {"x", "y", "z"}
    assert data.classes == ("no", "yes")
