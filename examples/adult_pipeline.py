"""Adult (UCI census) as its owner has it: two csv files and a fitted scikit-learn pipeline in a skops file.

    python examples/adult_pipeline.py FOLDER
    gnomon audit --view adversary --model FOLDER/adult.skops --members FOLDER/train.csv \
        --nonmembers FOLDER/test.csv --pool FOLDER/pool.csv --label income

`make` is also the recipe of examples/shadow-data-adult.toml.
"""

from __future__ import annotations

import sys
from pathlib import Path

import skops.io
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

import gnomon


def make(trees: int = 100) -> Pipeline:
    """One-hot for text columns, then gradient boosting."""
    text = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((text, make_column_selector(dtype_exclude="number")), remainder="passthrough")
    return make_pipeline(columns, GradientBoostingClassifier(n_estimators=trees))


def main(folder: Path) -> None:
    """Writes train.csv, test.csv, pool.csv (what an attacker may hold) and the pipeline fitted on the first."""
    folder.mkdir(parents=True, exist_ok=True)
    adult = gnomon.load_dataset("adult")
    frame = adult.x.assign(income=[adult.classes[c] for c in adult.y])
    train, rest = train_test_split(frame, train_size=10_000, random_state=0)
    test, pool = train_test_split(rest, train_size=10_000, random_state=0)
    pool.to_csv(folder / "pool.csv", index=False)
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv", index=False)
    skops.io.dump(make().fit(train.drop(columns="income"), train["income"]), folder / "adult.skops")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
