"""Tables with and without a planted difference between members (the first half) and non-members."""

from __future__ import annotations

import numpy as np
import pandas as pd

WORDS = ["pain", "fever", "cough", "none", "rash", "ache", "chill", "sore", "dizzy", "faint"]
OTHER = ["Pt.", "c/o", "dolor;", "febre", "-", "tosse!", "r/o", "x2", "hrs"]


def plain_table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Columns of every kind that say nothing of the sides."""
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "weight": np.round(rng.normal(70, 12, n), 1),
            "lab": rng.exponential(size=n),
            "clinic": rng.choice(list("ABCDEFGH"), n),
            "smoker": rng.random(n) < 0.3,
            "visit": _dates(rng, n).strftime("%d.%m.%Y"),
            "case": [
                f"MRN-{i:06d}/{c}" for i, c in zip(rng.permutation(10 * n)[:n], rng.choice(list("AB"), n), strict=True)
            ],
            "note": ["Complaint: " + " ".join(rng.choice(WORDS, 6)) for _ in range(n)],
            "code": [f"Z{i}" for i in rng.integers(0, 300, n)],
            "referred": np.where(rng.random(n) < 0.2, None, rng.choice(["yes", "no"], n)),
        }
    )


def _dates(rng: np.random.Generator, n: int, shift: int = 0) -> pd.DatetimeIndex:
    start = pd.Timestamp("2023-01-01") + pd.Timedelta(days=shift)
    return start + pd.to_timedelta(rng.integers(0, 365 * 24, n), unit="h")


def planted(kind: str, rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, str]:
    """A table whose second half differs in one column, and that column's name."""
    table, half = plain_table(rng, n), n // 2
    late = _dates(rng, half, 183)
    dates = {"dates": "%d.%m.%Y", "american dates": "%-m/%-d/%Y", "iso dates with times": "%Y-%m-%dT%H:%M:%SZ"}
    if kind in dates:
        early = _dates(rng, n - half)
        table["visit"] = [*early.strftime(dates[kind]), *late.strftime(dates[kind])]
        return table, "visit"
    if kind == "weekdays":
        days = pd.DatetimeIndex(_dates(rng, 4 * n))
        both = days[:half], days[half:][days[half:].day_of_week < 5][: n - half]
        table["visit"] = [*both[0].strftime("%d.%m.%Y"), *both[1].strftime("%d.%m.%Y")]
        return table, "visit"
    if kind == "counters":
        table["case"] = [
            f"MRN-{i:06d}/{rng.choice(list('AB'))}" for i in rng.permutation(n) + np.repeat([0, n // 2], half)
        ]
        return table, "case"
    if kind in ("odd and even", "odd and even numbers"):
        codes = 2 * rng.integers(0, 150, n) + np.repeat([0, 1], half)
        table["code"] = codes if "numbers" in kind else [f"Z{i}" for i in codes]
        return table, "code"
    if kind == "style":
        table.loc[half:, "note"] = ["Complaint: " + " ".join(rng.choice(OTHER, 6)) for _ in range(n - half)]
        return table, "note"
    if kind == "missing":
        table.loc[half:, "referred"] = np.where(rng.random(n - half) < 0.5, None, rng.choice(["yes", "no"], n - half))
        return table, "referred"
    if kind == "decimals":
        table.loc[half:, "weight"] = rng.normal(70, 12, n - half)
        return table, "weight"
    if kind == "single precision":
        table["lab"] = table["lab"].where(np.arange(n) < half, table["lab"].astype(np.float32).astype(float))
        return table, "lab"
    if kind == "types":
        table["code"] = table["code"].astype(object)
        table["code"] = [str(i) if row < half else int(i) for row, i in enumerate(rng.integers(0, 300, n))]
        return table, "code"
    if kind == "spaces":
        table.loc[half:, "clinic"] = table["clinic"][half:].where(rng.random(n - half) < 0.7, table["clinic"] + " ")
        return table, "clinic"
    assert kind == "two together", kind
    sign = rng.choice([-1.0, 1.0], n)
    size = np.abs(rng.normal(size=n)) + 0.3
    table["weight"], table["lab"] = sign * size, sign * np.where(np.arange(n) < half, 1, -1) * rng.exponential(size=n)
    return table, "lab"


KINDS = (
    *("dates", "american dates", "iso dates with times", "weekdays", "counters", "odd and even"),
    *("odd and even numbers", "style", "missing", "decimals", "single precision", "types", "spaces", "two together"),
)
