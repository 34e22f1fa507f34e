"""Files of answers are matched to rows by ids; where they hold none, the record says that the order was assumed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.core.documents.record import Record
from gnomon.core.errors import DataError
from gnomon.core.plan import make_plan

ROWS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for side, sure in (("in", 0.99), ("out", 0.6)):
        labels, ids = rng.integers(0, 2, ROWS), [f"{side}-{i}" for i in range(ROWS)]
        rows = pd.DataFrame(rng.normal(size=(ROWS, 2)), columns=["a", "b"]).assign(y=labels, who=ids)
        rows.to_csv(tmp_path / f"{side}.csv", index=False)
        own = np.clip(sure + 0.005 * rng.normal(size=ROWS), 0.01, 0.995)
        answers = pd.DataFrame({"0": np.where(labels == 0, own, 1 - own), "1": np.where(labels == 1, own, 1 - own)})
        answers = answers.assign(who=ids).sample(frac=1, random_state=1)
        answers.to_csv(tmp_path / f"{side}-answers.csv", index=False)
        answers.sort_index().drop(columns="who").to_csv(tmp_path / f"{side}-in-order.csv", index=False)
    return tmp_path


def audited(folder: Path, answers: tuple[str, str], **data: Any) -> Record:
    files = {"members": "in.csv", "nonmembers": "out.csv"}
    target = dict(zip(("member_answers", "nonmember_answers"), answers, strict=True))
    plan = make_plan({"data": {**files, "label": "y", "id": "who", **data}, "target": target,
                      "attacks": {"names": ["confidence"]}, "shadow": {"count": 0}})  # fmt: skip
    return audit_plan(plan.with_files_in(folder), folder / "run", Settings(workers=1)).record


def test_shuffled_answers_with_ids_are_those_of_their_rows(folder: Path) -> None:
    by_ids = audited(folder, ("in-answers.csv", "out-answers.csv"))
    in_order = audited(folder, ("in-in-order.csv", "out-in-order.csv"))
    assert by_ids.attacks[0].auc == in_order.attacks[0].auc
    assert by_ids.attacks[0].auc is not None
    assert by_ids.attacks[0].auc.value > 0.9
    assert by_ids.answers_map is not None
    assert in_order.answers_map is not None
    assert (by_ids.answers_map.rows, in_order.answers_map.rows) == ("ids", "assumed")
    assert "matched by their ids" in by_ids.answers_map.sentence
    assert "their order was assumed" in in_order.answers_map.sentence
    assert "answers-in-order" not in [finding.code for finding in by_ids.findings]
    assert "answers-in-order" in [finding.code for finding in in_order.findings]


def test_swapped_files_of_answers_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r'out-answers\.csv: .*none for "in-0" \(60 of 60 rows\); .*swapped'):
        audited(folder, ("out-answers.csv", "in-answers.csv"))
