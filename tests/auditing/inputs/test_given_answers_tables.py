"""The answers to members and to non-members: what both show, and that they are not the same."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gnomon.auditing.inputs.given_answers import revealed_by, united_answers
from gnomon.core.answers import Reveal
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import DataError, PlanError
from gnomon.datasets import read_answers
from gnomon.datasets.own_files.answer_files import AnswerTable

CLASSES = ("a", "b", "c", "d")
WHOLE = np.random.default_rng(0).dirichlet(np.full(4, 0.7), 60)
SURE = np.eye(4)[np.arange(60) % 4] * 0.94 + 0.015  # of a model that knows its members: 0.955 and three times 0.015
CERTAIN = np.eye(4)[np.arange(60) % 4]


def read(folder: Path, name: str, shown: NDArray[np.float64]) -> AnswerTable:
    pd.DataFrame(shown, columns=list(CLASSES)).to_csv(folder / name, index=False)
    return read_answers(folder / name, classes=CLASSES)


def largest(k: int) -> NDArray[np.float64]:
    return np.asarray(np.exp(Reveal("top", k).apply(np.log(WHOLE))))


def test_two_files_show_the_same_kind(tmp_path: Path) -> None:
    two, three = (read(tmp_path, f"{k}.csv", largest(k)) for k in (2, 3))
    assert revealed_by([two, three]) == "top:3"
    with pytest.raises(PlanError, match=r"show different things \(rounded:2 and top:2\)"):
        revealed_by([two, read(tmp_path, "r.csv", np.round(WHOLE, 2))])


@pytest.mark.parametrize(
    ("members", "others", "shown"),
    [
        (np.round(SURE, 1), np.round(WHOLE, 1), "rounded:1"),
        (np.round(100 * SURE), np.round(100 * WHOLE), "rounded:2"),
        (CERTAIN, largest(1), "top:1"),
        (CERTAIN, WHOLE, "full"),
    ],
)
def test_answers_to_members_that_look_whole_show_what_the_others_do(
    tmp_path: Path, members: NDArray[np.float64], others: NDArray[np.float64], shown: str
) -> None:
    """Exported alike, a model that is sure of its members was refused for showing different things."""
    tables = [read(tmp_path, "in.csv", members), read(tmp_path, "out.csv", others)]
    assert revealed_by(tables) == revealed_by(tables[::-1]) == shown


def test_whole_answers_are_not_taken_for_rounded_ones(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"show different things \(full and rounded:2\)"):
        revealed_by([read(tmp_path, "in.csv", WHOLE), read(tmp_path, "out.csv", np.round(WHOLE[::-1], 2))])


def test_one_file_for_both_sides_is_refused_and_equal_labels_are_not(tmp_path: Path) -> None:
    data = make_dataset(np.zeros((120, 1)), np.arange(120) % 4)
    spans = np.arange(60), np.arange(60, 120)
    table = read(tmp_path, "in.csv", WHOLE)
    with pytest.raises(DataError, match="are the same in every row"):
        united_answers([table, table], data, spans)
    alike = read(tmp_path, "labels.csv", CERTAIN)
    assert np.isfinite(united_answers([alike, alike], data, spans).max(axis=1)).all()
