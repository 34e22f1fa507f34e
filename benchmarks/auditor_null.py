"""Whether LiRA with few shadow models is at chance in the auditor's view where the target gives nothing away.

Persons of Adult (six columns of numbers), as many members as non-members, 8 shadow models. Each row of the table is
one kind of target, audited from end to end, always on new rows:

- trained on rows that are not audited: membership has nothing to do with its answers, so the truth is 0.5;
- the class shares of its training rows and nothing else (a "prior" classifier);
- naive Bayes, which keeps means and variances of its training rows.

The last two are repeated with sides that hold equally many rows of each class. A target that gives away only its class
shares then gives nothing away, because both sides have the same; otherwise the class that is commoner among members is
ranked higher, and the AUC is 1/2 + |difference of the shares| / 2.

    python benchmarks/auditor_null.py --runs 100 --rows 300
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

import gnomon
from gnomon.datasets import load_dataset

ATTACKS = ("lira", "lira_offline", "loss")
OVERRIDE = ["constant-answers", "shadows-unlike-target", "distribution-shift", "unseen-models-tell"]
SHADOWS = 8


@dataclass(frozen=True)
class Split:
    """Positions of members, non-members, and rows that nobody audits."""

    members: np.ndarray
    nonmembers: np.ndarray
    others: np.ndarray


@dataclass(frozen=True)
class Kind:
    """One row of the table."""

    title: str
    make: Callable[[], ClassifierMixin]
    balanced: bool = False  # sides of equal class shares
    elsewhere: bool = False  # the target is trained on rows that are not audited


KINDS = (
    Kind("naive Bayes, trained on other rows", GaussianNB, elsewhere=True),
    Kind("class shares only", lambda: DummyClassifier(strategy="prior")),
    Kind("class shares only, sides of equal shares", lambda: DummyClassifier(strategy="prior"), balanced=True),
    Kind("naive Bayes", GaussianNB),
    Kind("naive Bayes, sides of equal shares", GaussianNB, balanced=True),
)


def split(y: np.ndarray, rows: int, rng: np.random.Generator, balanced: bool) -> Split:
    """Random sides; balanced: the rows of each class are parted into equal halves."""
    order = rng.permutation(len(y))
    audited, others = order[: 2 * rows], order[2 * rows : 3 * rows]
    if not balanced:
        return Split(audited[:rows], audited[rows:], others)
    by_class = [audited[y[audited] == c] for c in np.unique(y)]
    halves = [(part[: len(part) // 2], part[len(part) // 2 : len(part) // 2 * 2]) for part in by_class]
    return Split(np.concatenate([a for a, _ in halves]), np.concatenate([b for _, b in halves]), others)


def areas(kind: Kind, x: np.ndarray, y: np.ndarray, rows: int, seed: int) -> tuple[dict[str, float], float]:
    """AUC of each attack in one audit, and 1/2 + half of the difference of the class shares."""
    part = split(y, rows, np.random.default_rng([seed, kind.balanced]), kind.balanced)
    trained = part.others if kind.elsewhere else part.members
    record = gnomon.audit(
        kind.make().fit(x[trained], y[trained]),
        (x[part.members], y[part.members]),
        (x[part.nonmembers], y[part.nonmembers]),
        shadows=SHADOWS,
        attacks=ATTACKS,
        seed=seed,
        workers=1,
        plan={"preflight": {"override": OVERRIDE}, "statistics": {"fprs": [0.1]}},
    ).record
    found = {a.name: a.auc.value for a in record.attacks if a.auc is not None}
    return found, 0.5 + 0.5 * abs(float(y[part.members].mean() - y[part.nonmembers].mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="audits of each kind of target")
    parser.add_argument("--rows", type=int, default=300, help="members, and non-members")
    asked = parser.parse_args()
    data = load_dataset("adult")
    numbers = [name for name in data.x.columns if data.x[name].dtype.kind in "if"]
    x = StandardScaler().fit_transform(data.x[numbers].to_numpy(float))
    size = f"{asked.runs} audits of {asked.rows} + {asked.rows} rows, {SHADOWS} shadows"
    print(f"Mean AUC (standard error) over {size}\n")
    print("| target | " + " | ".join(ATTACKS) + " | from class shares alone |")
    print("|---|" + "---|" * (len(ATTACKS) + 1))
    for kind in KINDS:
        runs = [areas(kind, x, data.y, asked.rows, seed) for seed in range(asked.runs)]
        cells = [_mean([found[name] for found, _ in runs]) for name in ATTACKS]
        shares = "" if kind.elsewhere else _mean([share for _, share in runs])
        print(f"| {kind.title} | " + " | ".join([*cells, shares]) + " |", flush=True)


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ({np.std(values, ddof=1) / np.sqrt(len(values)):.4f})"


if __name__ == "__main__":
    main()
