"""Small tables with numbers and categories, and boosters of the real libraries trained on them."""

from __future__ import annotations

import numpy as np
import pandas as pd

PARAMS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.17, "lambda": 2.5, "subsample": 0.8, "nthread": 1}


def table(rows: int, seed: int) -> pd.DataFrame:
    """Two numbers, a category as text, a label yes or no."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"age of": rng.normal(size=rows), "sum": rng.normal(size=rows)})
    frame["colour"] = rng.choice(["red", "green", "blue"], rows)
    odds = frame["age of"] + frame["sum"] * (frame["colour"] == "red")
    frame["label"] = np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return frame


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with categories, and labels 0 and 1."""
    x = frame.drop(columns="label")
    x["colour"] = x["colour"].astype("category")
    return x, (frame["label"] == "yes").to_numpy().astype(int)
