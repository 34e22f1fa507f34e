"""FLAML's AutoML as two commands, for [trainer] kind = "command": it chooses the algorithm, and nobody here knows it.

python automl_command.py train ROWS MODEL SEED
python automl_command.py predict ROWS MODEL ANSWERS
"""

from __future__ import annotations

import sys

import joblib
import pandas as pd
from flaml import AutoML

TRIALS = 12  # by number, not by time: the same seed then gives the same model


def train(rows: str, model: str, seed: str) -> None:
    """Searches algorithm and settings on the rows of a file, and writes what was found."""
    table = pd.read_csv(rows)
    search = AutoML()
    search.fit(
        table.drop(columns="label"),
        table["label"],
        task="classification",
        metric="log_loss",
        estimator_list=["lgbm", "rf", "extra_tree"],
        max_iter=TRIALS,
        time_budget=None,
        seed=int(seed),
        n_jobs=1,
        verbose=0,
        log_file_name="",
    )
    joblib.dump(search, model)
    print(f"{search.best_estimator}: {search.best_config}")


def predict(rows: str, model: str, answers: str) -> None:
    """Writes the probabilities of the rows of a file, a column a class."""
    search = joblib.load(model)
    found = search.predict_proba(pd.read_csv(rows))
    pd.DataFrame(found, columns=search.classes_).to_csv(answers, index=False)


if __name__ == "__main__":
    step, *files = sys.argv[1:]
    {"train": train, "predict": predict}[step](*files)
