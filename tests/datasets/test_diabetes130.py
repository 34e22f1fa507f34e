import csv
import io
import zipfile

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror, pin_of

from gnomon.core.errors import DataError
from gnomon.datasets import RemoteFile, load_dataset
from gnomon.datasets.diabetes130 import DIABETES130, NUMBERS, TABLE, load_diabetes130

COLUMNS = ("encounter_id", "patient_nbr", "sex", "same", *NUMBERS, "diag_1", "diag_2", "diag_3")


def stay(number, patient, diagnosis, second="?", third="?", sex="f", days="1"):
    numbers = dict.fromkeys(NUMBERS, "1") | {"time_in_hospital": days}
    ids = {"encounter_id": str(number), "patient_nbr": patient, "sex": sex, "same": "No"}
    return ids | numbers | {"diag_1": diagnosis, "diag_2": second, "diag_3": third}


STAYS = [
    stay(30, "ann", "414", "250.01", "401"),
    stay(4, "bob", "428", "250.01", days="3"),
    stay(12, "bob", "414", "V27"),  # a second stay
    stay(9, "ann", "428", sex="m"),  # the first one of ann, though later in the file
    stay(5, "cid", "414", "401", "401", days="14"),
    stay(6, "dan", "786"),  # not among the two most common
    stay(7, "eve", "?", "V27"),  # no main diagnosis
    stay(8, "fay", "414"),
]


def table_of(stays, columns=COLUMNS):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(stays)
    return text.getvalue().encode()


def put(mirror, stays=STAYS, columns=COLUMNS):
    return mirror("diabetes130/diabetic_data.csv", table_of(stays, columns))


def test_first_stays_with_common_diagnoses_become_bits(mirror):
    data = load_diabetes130(2, put(mirror))
    assert data.ids.tolist() == ["4", "5", "8", "9"]
    assert data.groups.tolist() == ["bob", "cid", "fay", "ann"]
    assert data.classes == ("414", "428")
    assert data.y.tolist() == [1, 0, 0, 1]
    assert data.x.dtype == np.uint8
    names = {feature.name: feature for feature in data.features.features}
    assert set(names) == {"sex", "time_in_hospital", "diagnosis 250.01", "diagnosis 401"}
    assert data.x[:, names["sex"].columns].tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]
    assert data.x[:, names["diagnosis 401"].columns[0]].tolist() == [0, 1, 0, 0]
    assert data.x[:, names["diagnosis 250.01"].columns[0]].tolist() == [1, 0, 0, 0]
    days = data.x[:, names["time_in_hospital"].columns]
    assert (days.sum(axis=1) == 1).all()
    assert days[2].tolist() == days[3].tolist() != days[0].tolist()
    data.features.encode(data.x)  # every record is legal
    assert "not Texas-100" in data.note


def test_ties_between_diagnoses_go_by_the_code(mirror):
    stays = [stay(k, str(k), code) for k, code in enumerate(("9", "8", "7", "7"))]
    stays[1]["diag_2"] = "1"
    assert load_diabetes130(2, put(mirror, stays)).classes == ("7", "8")


@pytest.mark.parametrize(
    ("stays", "columns", "message"),
    [
        (STAYS, COLUMNS[1:], "expected UCI's table"),
        (STAYS, COLUMNS[:-1], "with a column diag_3"),
        (STAYS, [c for c in COLUMNS if c != "num_procedures"], "a column num_procedures of whole numbers"),
        ([stay(1, "a", "1", days="two"), stay(2, "b", "2")], COLUMNS, "a column time_in_hospital of whole numbers"),
        ([stay("x", "a", "1")], COLUMNS, "expected UCI's table"),
        (STAYS[:1], COLUMNS, "at least 2 main diagnoses, got 1"),
        ([], COLUMNS, "at least 2 main diagnoses, got 0"),
        ([stay(1, "a", "1"), stay(2, "b", "2")], COLUMNS, "codes in diag_2 and diag_3, got none"),
    ],
)
def test_another_table_is_refused_in_one_line(mirror, stays, columns, message):
    with pytest.raises(DataError, match=message) as caught:
        load_diabetes130(2, put(mirror, stays, columns))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a,b\n1\n", b'encounter_id,patient_nbr,diag_1\n1,"2'])
def test_what_is_no_table_is_refused(mirror, content):
    with pytest.raises(DataError, match=r"expected UCI's table|at least 2"):
        load_diabetes130(2, mirror("diabetes130/diabetic_data.csv", content))


def test_the_zip_file_of_its_home_is_read_too(mirror, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dataset_diabetes/IDs_mapping.csv", "?")
        archive.writestr("dataset_diabetes/diabetic_data.csv", table_of(STAYS))
    mirror("diabetes130/diabetic_data.csv.zip", packed.getvalue())
    file = RemoteFile(TABLE.path, TABLE.url, pin_of("sha256", table_of(STAYS)), TABLE.packing)
    assert len(load_diabetes130(2, file)) == 4


@needs_mirror("diabetes130")
def test_the_real_table_loads_from_a_mirror():
    data = load_dataset("diabetes130")
    assert data.x.shape == (DIABETES130.rows, DIABETES130.features)
    assert np.bincount(data.y).min() == 124
    assert data.classes[int(np.bincount(data.y).argmax())] == "414"  # coronary atherosclerosis
    assert len(set(data.groups.tolist())) == len(data)
    assert data.ids[0] == "15738"
    assert data.x.max() == 1
    age = next(feature for feature in data.features.features if feature.name == "age")
    assert (data.x[:, age.columns].sum(axis=1) == 1).all()
