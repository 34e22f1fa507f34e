"""`noise_robustness` on numbers: with noise of fixed strength, and with the strength that it finds by itself.

Models that show labels only, 20 queries a record, mean AUC (standard error) over seeds; in brackets behind a model its
AUC by right or wrong labels alone. Below, the same models trained on rows that nobody audits: there is nothing to find.

    python benchmarks/label_noise.py --seeds 5
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, make_blobs, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from gnomon.attacks.label_only import NoiseRobustness
from gnomon.core.answers import Reveal
from gnomon.core.data.features import infer_features
from gnomon.core.evidence import Evidence
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Target
from gnomon.stats.roc import auc

Data = tuple[np.ndarray, np.ndarray]
ATTACKS = (NoiseRobustness(noise=0.1), NoiseRobustness(noise=0.3), NoiseRobustness(noise=1.0), NoiseRobustness())


@dataclass(frozen=True)
class World:
    """A model and rows, half of them members."""

    name: str
    model: Callable[[], ClassifierMixin]
    rows: Callable[[int], Data]


def made(seed: int) -> Data:
    return make_classification(1000, 12, n_informative=6, flip_y=0.1, random_state=seed)  # type: ignore[no-any-return]


def blobs(seed: int) -> Data:
    return make_blobs(1000, 10, centers=4, random_state=seed)  # type: ignore[no-any-return]


def nearest() -> KNeighborsClassifier:
    return KNeighborsClassifier(1)


WORLDS = (
    World("1-NN, digits", nearest, lambda _: load_digits(return_X_y=True)),
    World("1-NN, blobs apart", nearest, blobs),
    World("1-NN, breast cancer", nearest, lambda _: load_breast_cancer(return_X_y=True)),
    World("tree, made rows", lambda: DecisionTreeClassifier(random_state=0), made),
    World("forest, made rows", lambda: RandomForestClassifier(30, random_state=0), made),
    World("logistic regression, made rows", LogisticRegression, made),
)


def areas(world: World, seed: int, leaks: bool) -> list[float]:
    """AUC by right or wrong alone, then of each attack, on one model."""
    x, y = world.rows(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    third = len(y) // 3
    part, own = (order, order[: len(y) // 2]) if leaks else (order[: 2 * third], order[2 * third :])
    model = SklearnModel(world.model().fit(x[own], y[own]), tuple(str(c) for c in np.unique(y)))
    member = np.isin(part, own) if leaks else np.arange(2 * third) < third
    reveal = Reveal("labels")
    answers = reveal.apply(model.log_probs(x[part]))
    found = [answers.argmax(axis=1) == y[part]]
    for attack in ATTACKS:
        query = Target(model, reveal, None)
        evidence = Evidence(
            y[part], model.n_classes, answers, query=query, x=x[part], features=infer_features(x[part]), reveal=reveal
        )
        found.append(attack.score(evidence, np.random.default_rng(seed)))
    return [auc(np.asarray(one)[member].astype(float), np.asarray(one)[~member].astype(float)).value for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    for title, leaks in (("model", True), ("model trained on other rows", False)):
        names = ["found by itself" if attack.noise is None else f"noise {attack.noise:g}" for attack in ATTACKS]
        print(f"\n| {title} | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for world in WORLDS:
            values = np.array([areas(world, seed, leaks) for seed in range(asked.seeds)])
            mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
            cells = [f"{m:.3f} ({e:.3f})" for m, e in zip(mean[1:], error[1:], strict=True)]
            print(f"| {world.name} ({mean[0]:.3f}) | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
