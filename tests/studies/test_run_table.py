"""A study as one tidy table."""

from tests.report.sample_documents import EPOCHS, SOURCE, sample_study

from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import CellAttack, StudyCell
from gnomon.studies.run import study_columns

AUC = Estimate(value=0.7, low=0.6, high=0.8)


def test_a_cell_has_a_row_an_attack_and_one_that_failed_has_one() -> None:
    [first, failed] = sample_study().cells
    attacks = [
        CellAttack(name="gap", title="Gap", status="ok", auc=AUC, calibrated="shadow"),
        CellAttack(name="lira", title="LiRA", status="failed", reason="no memory"),
    ]
    table = study_columns(sample_study(cells=[first.model_copy(update={"attacks": attacks, "gap": 0.2}), failed]))
    assert table["attack"] == ["gap", "lira", None]
    assert table["status"] == ["ok", "failed", "failed"]
    assert table["auc"] == [0.7, None, None]
    assert (table["auc_low"][0], table["auc_high"][0], table["threshold_by"][0]) == (0.6, 0.8, "shadow")
    assert table["gap"] == [0.2, 0.2, None]
    assert table["reason"][1] == "no memory"
    assert {len(column) for column in table.values()} == {3}


def test_a_key_of_numbers_is_a_column_of_numbers() -> None:
    table = study_columns(
        sample_study(cells=[StudyCell(labels={EPOCHS: "5", SOURCE: "real | a"}, seed=0, status="ok")])
    )
    assert table[EPOCHS] == [5]
    assert isinstance(table[EPOCHS][0], int)
    assert table[SOURCE] == ["real | a"]


def test_no_cells_no_columns() -> None:
    assert study_columns(sample_study(cells=[])) == {}
