"""A classifier that was trained on pandas' categories is audited on a csv file, in which they are text."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import gnomon
from gnomon.cli.app import run
from gnomon.models.as_model import as_trained

pd = pytest.importorskip("pandas")


def table(n: int = 240) -> Any:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"town": rng.choice(["Ulm", "Aix", "Bonn"], n), "age": rng.normal(size=n)})
    frame["ill"] = ((frame["town"] == "Ulm") ^ (rng.random(n) < 0.3)).astype(int)
    return frame


def fitted(kind: str) -> Any:
    made: Any
    if kind == "histogram":
        made = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=20, min_samples_leaf=2)
    elif kind == "lightgbm":
        made = pytest.importorskip("lightgbm").LGBMClassifier(n_estimators=15, verbose=-1, n_jobs=1)
    elif kind == "xgboost":
        made = pytest.importorskip("xgboost").XGBClassifier(n_estimators=15, enable_categorical=True, n_jobs=1)
    else:
        made = pytest.importorskip("catboost").CatBoostClassifier(
            n_estimators=15, cat_features=["town"], verbose=0, allow_writing_files=False, thread_count=1
        )
    known = table()[:120].astype({"town": "category"})
    return made.fit(known[["town", "age"]], known["ill"])


@pytest.mark.parametrize("kind", ["histogram", "lightgbm", "xgboost", "catboost"])
def test_a_csv_file_of_text_gives_what_the_frame_of_categories_gives(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model, rows = fitted(kind), table()
    joblib.dump(model, "m.joblib")
    rows[:120].to_csv("in.csv", index=False)
    rows[120:].to_csv("out.csv", index=False)
    command = ["audit", "--model", "m.joblib", "--trust", "--members", "in.csv", "--nonmembers", "out.csv"]
    asked = ["--label", "ill", "--shadows", "4", "--attacks", "loss,lira", "--workers", "1", "--to", "run"]
    assert run([*command, *asked]) == 0
    typed = rows.astype({"town": "category"})
    parts = [(part[["town", "age"]], part["ill"]) for part in (typed[:120], typed[120:])]
    direct = gnomon.audit(model, *parts, shadows=4, attacks=("loss", "lira"), workers=1)
    there = gnomon.read_outcome("run")
    for name, scores in direct.scores.items():
        np.testing.assert_allclose(np.sort(there.scores[name]), np.sort(scores), atol=1e-6)


def test_rows_without_text_and_models_without_categories_stay_as_they_are() -> None:
    rows = table()[["town", "age"]]
    assert as_trained(object(), rows) is rows
    numbers = rows[["age"]]
    assert as_trained(fitted("histogram"), numbers) is numbers
