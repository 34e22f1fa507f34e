from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.core.errors import DataError, UsageError
from gnomon.datasets import read_tables

FRAME = pd.DataFrame(
    {"age": [30, 41, 52], "town": ["Ulm", "Bonn", "?"], "pay": [1.5, 2.0, 3.25], "ill": ["no", "yes", "no"]}
)


def write(frame, path):
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    return path


@pytest.fixture
def files(tmp_path):
    def make(members=FRAME, nonmembers=FRAME, suffix=".csv", **kwargs):
        places = [write(f, tmp_path / f"{n}{suffix}") for n, f in (("in", members), ("out", nonmembers))]
        if "pool" in kwargs:
            kwargs["pool"] = write(kwargs["pool"], tmp_path / f"pool{suffix}")
        return read_tables(*places, **({"label": "ill"} | kwargs))

    return make


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_parts_become_one_data_set(files, suffix):
    tables = files(pool=FRAME.iloc[:2], suffix=suffix)
    data = tables.dataset
    assert tables.members.tolist() == [0, 1, 2]
    assert tables.nonmembers.tolist() == [3, 4, 5]
    assert tables.pool.tolist() == [6, 7]
    assert data.classes == ("no", "yes")
    assert data.y.tolist() == [0, 1, 0, 0, 1, 0, 0, 1]
    assert list(data.x.columns) == ["age", "town", "pay"]
    assert data.x["age"].dtype == np.int64
    assert data.ids[[2, 3, 7]].tolist() == ["members:2", "nonmembers:0", "pool:1"]
    assert "in" in data.note


def test_columns_of_the_others_are_put_into_the_members_order(files):
    data = files(nonmembers=FRAME[["pay", "ill", "age", "town"]]).dataset
    assert list(data.x.columns) == ["age", "town", "pay"]
    assert data.x.iloc[:3].equals(data.x.iloc[3:].reset_index(drop=True))


def test_ids_and_groups_leave_the_features(files):
    frame = FRAME.assign(case=["a7", "b8", "c9"], home=[5, 5, 6])
    data = files(members=frame, nonmembers=frame, id="case", group="home").dataset
    assert data.ids.tolist() == ["a7", "b8", "c9"] * 2
    assert data.groups.tolist() == [5, 5, 6] * 2
    assert list(data.x.columns) == ["age", "town", "pay"]


def test_a_class_of_members_only_is_read(files):
    tables = files(members=FRAME.assign(ill=["no", "yes", "maybe"]))
    assert tables.dataset.classes == ("maybe", "no", "yes")
    assert tables.dataset.y[tables.members].tolist() == [1, 2, 0]


def test_classes_are_one_whether_written_1_or_1_0(files):
    data = files(members=FRAME.assign(ill=[1, 2, 10]), nonmembers=FRAME.assign(ill=[1.0, 2.0, 10.0])).dataset
    assert data.classes == ("1", "2", "10")
    assert data.y.tolist() == [0, 1, 2] * 2


def test_types_are_united(files):
    data = files(
        members=FRAME.assign(age=FRAME["age"].astype("Int64"), flag=pd.array([True, False, True], "boolean")),
        nonmembers=FRAME.assign(age=[1.5, 2.0, 3.0], flag=[0, 1, 1]),
        suffix=".parquet",
    ).dataset
    assert data.x["age"].dtype == np.float64
    assert data.x["flag"].tolist() == [1, 0, 1, 0, 1, 1]


def test_categories_are_united(files):
    data = files(
        members=FRAME.assign(town=pd.Categorical(["a", "b", "a"])),
        nonmembers=FRAME.assign(town=pd.Categorical(["c", "b", "b"])),
        suffix=".parquet",
    ).dataset
    assert set(data.x["town"].cat.categories) == {"a", "b", "c"}
    assert data.x["town"].tolist() == ["a", "b", "a", "c", "b", "b"]


def test_decimals_of_a_database_are_numbers(files):
    frame = FRAME.assign(pay=[Decimal("1.5"), None, Decimal("-2")])
    assert files(members=frame, suffix=".parquet").dataset.x["pay"].dtype == np.float64


def test_missing_text_is_legal(files):
    data = files(nonmembers=FRAME.assign(town=[None, None, None])).dataset
    assert data.x["town"].isna().sum() == 3


BAD = {
    "label": ({"label": "il"}, r'no column "il" \(did you mean "ill"\?\)'),
    "id": ({"id": "case"}, 'no column "case"'),
    "same column twice": ({"id": "ill"}, "different columns"),
    "missing column": ({"nonmembers": FRAME.rename(columns={"age": "aged"})}, 'out.csv: no column "age".*"aged"'),
    "extra column": ({"nonmembers": FRAME.assign(x=1)}, 'column "x" does not stand in in.csv'),
    "infinity": ({"nonmembers": FRAME.assign(pay=[1, 2, -np.inf])}, 'out.csv: column "pay" holds infinity .*row 2'),
    "text for numbers": ({"nonmembers": FRAME.assign(age=["30", "x", "1"])}, "numbers in in.csv but text in out.csv"),
    "zero rows": ({"nonmembers": FRAME.iloc[:0]}, "out.csv: expected at least one row, got none"),
    "no label": ({"members": FRAME.assign(ill=["no", None, "no"])}, "in.csv: the label is missing in row 1"),
    "fractions": ({"members": FRAME.assign(ill=[1.0, 0.5, 1.0])}, "labels must be classes, got 0.5 in row 1"),
    "numbers as header": ({"members": FRAME.set_axis(["30", "1.5", "x", "no"], axis=1)}, "first line is numbers"),
    "a name twice": ({"members": FRAME.set_axis(["age", "age", "town", "ill"], axis=1)}, '"age" stands there twice'),
    "one class": ({"members": FRAME.assign(ill="no"), "nonmembers": FRAME.assign(ill="no")}, "at least 2 classes"),
    "no features": ({"members": FRAME[["ill"]], "nonmembers": FRAME[["ill"]]}, "no feature columns"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_bad_tables_are_refused_in_one_line(files, changes, message):
    with pytest.raises((DataError, UsageError), match=message) as caught:
        files(**changes)
    assert "\n" not in str(caught.value)


def test_a_label_column_must_be_named(files):
    with pytest.raises(UsageError, match="age, town, pay, ill"):
        files(label=None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", None, "no such file"),
        ("a.txt", b"a,b\n1,2\n", r"expected a file ending in \.csv"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xfe\x00\xd8,b\n1,2\n", "cannot be read as csv"),
        ("a.csv", b'a,b\n1,"2\n', "cannot be read as csv"),
        ("a.csv", b"a,b\n1,2,3\n4,5,6\n", "more fields than its header"),
        ("a.parquet", b"PAR1 nonsense", "cannot be read as parquet"),
        ("a.npz", b"PK\x03\x04 nonsense", "cannot be read as npz"),
        ("a.npz", b"", "cannot be read as npz"),
    ],
)
def test_unreadable_files_are_refused_in_one_line(tmp_path, name, content, message):
    place = tmp_path / name
    if content is not None:
        place.write_bytes(content)
    with pytest.raises((DataError, UsageError), match=message) as caught:
        read_tables(place, place, label="b")
    assert "\n" not in str(caught.value)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_npz_parts_become_one_data_set(tmp_path):
    a = save(tmp_path / "a.npz", x=np.arange(12).reshape(3, 2, 2), y=["u", "v", "u"], ids=[7, 8, 9], groups=[1, 1, 2])
    b = save(tmp_path / "b.npz", x=np.ones((1, 2, 2)), y=["w"], ids=[1], groups=[3])
    tables = read_tables(a, b, pool=b)
    data = tables.dataset
    assert data.x.shape == (5, 2, 2)
    assert data.classes == ("u", "v", "w")
    assert data.ids.tolist() == ["7", "8", "9", "1", "1"]
    assert data.groups.tolist() == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((2, 2))}, 'no array "y"'),
        ({"y": [0, 1]}, 'no array "x"'),
        ({"x": np.ones((2, 2)), "y": [0, 1, 1]}, "expected 2 labels, one a row"),
        ({"x": np.ones((2, 2)), "y": np.eye(2)}, r"one-hot: give y.argmax\(axis=1\)"),
        ({"x": np.ones((2, 2)), "y": [0.0, np.nan]}, "bad.npz: the label is missing in row 1"),
        ({"x": np.ones(2), "y": [0, 1]}, r"expected x of shape \(n, d\)"),
        ({"x": np.ones((0, 2)), "y": np.empty(0, int)}, "at least one row"),
        ({"x": np.array([[1, 2], [3, np.inf]]), "y": [0, 1]}, "column 1 .*row 1"),
        ({"x": np.array([["a"], ["b"]]), "y": [0, 1]}, "expected an array of numbers"),
        ({"x": np.array([[1], [None]], dtype=object), "y": [0, 1]}, "holds Python objects"),
        ({"x": np.ones((2, 2)), "y": [0, 1], "ids": [1]}, "expected ids of shape"),
        ({"x": np.ones((2, 3)), "y": [0, 1]}, "expected rows of shape"),
        ({"x": np.ones((2, 2)), "y": [0, 1], "groups": [1, 2]}, "expected groups as in the other files"),
    ],
)
def test_bad_npz_are_refused(tmp_path, arrays, message):
    good = save(tmp_path / "good.npz", x=np.ones((2, 2)), y=[0, 1])
    with pytest.raises(DataError, match=message):
        read_tables(save(tmp_path / "bad.npz", **arrays), good)


def test_tables_and_arrays_do_not_mix(tmp_path, files):
    files()
    good = save(tmp_path / "good.npz", x=np.ones((2, 2)), y=[0, 1], ill=[0, 1])
    with pytest.raises(DataError, match="a table with named columns and an array; columns are never matched"):
        read_tables(tmp_path / "in.csv", good, label="ill")


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), n=st.tuples(st.integers(1, 7), st.integers(1, 7)), suffix=st.sampled_from([".csv", ".parquet"]))
def test_whatever_stands_in_the_files_comes_out(tmp_path, data, n, suffix):
    columns = data.draw(st.lists(names.filter(lambda s: s.strip() == s and s), min_size=1, max_size=4, unique=True))
    frames = [pd.DataFrame({c: data.draw(st.lists(numbers, min_size=k, max_size=k)) for c in columns}) for k in n]
    label = "label of mine"
    for frame, k in zip(frames, n, strict=True):
        frame[label] = data.draw(st.lists(st.integers(-3, 3), min_size=k, max_size=k))
    places = [write(f, tmp_path / f"{i}{suffix}") for i, f in enumerate(frames)]
    y = np.concatenate([f[label] for f in frames])
    if len(set(y.tolist())) < 2:
        with pytest.raises(DataError, match="2 classes"):
            read_tables(*places, label=label)
        return
    tables = read_tables(*places, label=label)
    assert (len(tables.members), len(tables.nonmembers)) == n
    assert [int(tables.dataset.classes[k]) for k in tables.dataset.y] == y.tolist()
    x = np.concatenate([f[columns].to_numpy() for f in frames])
    assert np.allclose(tables.dataset.x.to_numpy(dtype=float), x, rtol=1e-12)
