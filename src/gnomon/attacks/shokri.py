"""Shokri, Stronati, Song and Shmatikov 2017: learn from shadow models how answers on members look.

Shadow models are trained on rows that the attacker knows, so for each of their answers it is known whether the row was
in. One attack model a class learns to tell the two apart, and then judges the target's answers. All attack models are
trained at once as one stack of networks (with torch), or one after the other (any scikit-learn classifier).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from gnomon.attacks.parts.attack_networks import AttackNetwork, kind_of_network, train_one_by_one
from gnomon.attacks.parts.boosting import LogOdds, check_both_kinds
from gnomon.attacks.parts.queries import check_counts
from gnomon.attacks.parts.shadow_rows import judged_classes
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Float64s, Floats, Ints
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, Judge
from gnomon.models.plugins import estimator_from_path
from gnomon.stats.signals import LOG_TINY, scaled_logit

Features: TypeAlias = Literal["largest", "sorted", "vector"]

N_LARGEST = 5
FEWEST_STEPS = 10  # an epoch of a small class goes through its rows again until it has had so many batches


@dataclass(frozen=True)
class Shokri(Attack):
    """One attack model a class, trained on all shadow models' answers: the attack that founded the field.

    Score: log-odds of "in" for members and non-members in equal number, so 0 is the attack model's own decision and
    certainty does not end in ties.

    The paper feeds the prediction vector as it is. By default an attack model here gets the 5 largest log-probabilities
    in order and the scaled logit of the true label: that is what the vector tells of membership, whichever classes the
    probabilities belong to, and a network learns it from far fewer rows (AUC on Locations 0.96 against 0.93).

    Attributes:
        features: "largest" (as said), "sorted" (all log-probabilities in order, and the scaled logit), or "vector" (the
            probabilities as in the paper).
        hidden: ReLU units of the hidden layer.
        epochs: passes over a class's rows.
        batch: rows a step.
        learning_rate: of Adam.
        classifier: a scikit-learn classifier with ``predict_proba``, or its name within scikit-learn, such as
            "ensemble:RandomForestClassifier". None: a network by torch, or by scikit-learn where torch is missing.
        params: keyword arguments of a classifier that is given by name.
        min_rows: shadow rows of each kind, in and out, that a class needs for a model of its own; with fewer it is
            judged by one model of all classes.
        max_rows: most rows that a class is learned from; more are drawn at random, shared out among the shadows.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400, m=4)
    >>> says_member = Shokri(epochs=10).score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "shokri"
    title: ClassVar[str] = "Shadow models, an attack model a class"
    paper: ClassVar[str] = "Shokri, Stronati, Song, Shmatikov 2017"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "pool"})
    threshold: ClassVar[float | None] = 0.0
    exempt: ClassVar[frozenset[str]] = frozenset({"order_of_shadows"})  # batches of learning follow the order of rows

    features: Features = "largest"
    hidden: int = 64
    epochs: int = 20
    batch: int = 200
    learning_rate: float = 3e-3
    classifier: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    min_rows: int = 100
    max_rows: int = 10_000

    def __post_init__(self) -> None:
        if self.features not in get_args(Features):
            raise UsageError(f"shokri: expected features {', '.join(get_args(Features))}, got {self.features!r}")
        check_counts(self, "hidden", "epochs", "batch", "min_rows", "max_rows")
        if not self.learning_rate > 0:
            raise UsageError(f"shokri: expected a positive learning_rate, got {self.learning_rate!r}")
        if self.params and not isinstance(self.classifier, str):
            raise UsageError("shokri: params belong to a classifier that is given by name")
        if self.classifier is not None:
            _estimator(self.classifier, self.params)

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:
        """The attack models of all classes that the shadow models know enough of."""
        evidence.require("answers")
        pool = evidence.require("pool")
        common, *seeds = rng.integers(2**31, size=evidence.n_classes + 1).tolist()
        known = _known_rows(pool, self, rng)
        own = judged_classes(pool, evidence.n_classes, self.min_rows)
        rows = {c: np.flatnonzero(known.labels == c) for c in own}
        if len(own) < evidence.n_classes:
            rows[-1] = rng.permutation(len(known.labels))[: self.max_rows]
        models = self._train(known, list(rows.values()), [common if c < 0 else seeds[c] for c in rows])

        def judge(audited: Evidence) -> Floats:
            x = known.scale(features_of(self.features, audited.require("answers"), audited.labels))
            scores: Float64s = np.empty(len(audited))
            for (c, at), model in zip(rows.items(), models, strict=True):
                judged = ~np.isin(audited.labels, own) if c < 0 else audited.labels == c
                n_in = known.member[at].sum()
                scores[judged] = model(x[judged]) - np.log(n_in / (len(at) - n_in))
            return scores

        return judge

    def notes(self, evidence: Evidence) -> list[str]:
        """Which attack models were used, and the classes with too few shadow rows."""
        pool = evidence.require("pool")
        own = set(judged_classes(pool, evidence.n_classes, self.min_rows))
        small = [c for c in range(evidence.n_classes) if c not in own]
        kind = type(_estimator(self.classifier, self.params)).__name__ if self.classifier is not None else None
        notes = [f"attack models: {len(own)} x {kind or kind_of_network()} on {self.features} features, one a class"]
        if small:
            notes.append(
                f"classes with fewer than {self.min_rows} shadow rows in or out, judged by one model of all classes: "
                f"{', '.join(map(str, small))}"
            )
        return notes

    def _train(self, known: _KnownRows, rows: Sequence[Ints], seeds: Sequence[int]) -> list[LogOdds]:
        if self.classifier is not None:
            return train_one_by_one(_estimator(self.classifier, self.params), known.x, known.member, rows, seeds)
        full = FEWEST_STEPS * self.batch
        rows = [np.tile(at, -(-full // len(at)))[: max(full, len(at))] for at in rows]
        network = AttackNetwork(self.hidden, self.epochs, self.batch, self.learning_rate)
        return network.train(known.x, known.member, rows, seeds)


class _KnownRows(NamedTuple):
    """Answers of shadow models as features, scaled, with their truth."""

    x: Floats  # (rows, f) float32
    labels: Ints
    member: Bools
    scale: Callable[[Floats], Floats]


def features_of(kind: Features, log_probs: Floats, labels: Ints) -> Floats:
    """What an attack model gets to see of answers (n, c): features (n, f), float32."""
    if kind == "vector":
        return np.exp(log_probs)
    count = log_probs.shape[1] if kind == "sorted" else min(N_LARGEST, log_probs.shape[1])
    largest = -np.sort(-np.maximum(log_probs, np.float32(LOG_TINY)), axis=1)[:, :count]
    return np.column_stack([largest, scaled_logit(log_probs, labels)]).astype(np.float32)


def _known_rows(pool: ShadowAnswers, attack: Shokri, rng: np.random.Generator) -> _KnownRows:
    quota = -(-attack.max_rows // (2 * pool.n_shadows))
    features, labels, member = [], [], []
    for i, usable in enumerate(pool.usable):
        at = rng.permutation(np.flatnonzero(usable))
        at = np.sort(at[_rank_within(2 * pool.labels[at] + pool.member[i][at]) < quota])
        features.append(features_of(attack.features, pool.of_shadow(i)[at], pool.labels[at]))
        labels.append(pool.labels[at])
        member.append(pool.member[i][at])
    x, inside = np.concatenate(features), np.concatenate(member)
    check_both_kinds(inside)
    scale = _scaling(x, attack.features)
    return _KnownRows(scale(x), np.concatenate(labels), inside, scale)


def _rank_within(groups: Ints) -> Ints:
    """Position of each entry among the entries of its group."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered, side="left")
    return rank


def _scaling(x: Floats, kind: Features) -> Callable[[Floats], Floats]:
    """Brings features to the size of 1; logarithms by their quartiles, and with their long tails drawn in."""
    spread = x.std(axis=0)
    if kind == "vector":
        centre, width = x.mean(axis=0), spread
    else:
        low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
        width = np.where(high > low, high - low, spread)
    width = np.where(width > 0, width, 1.0)

    def scale(values: Floats) -> Floats:
        scaled = (values - centre) / width
        return np.asarray(scaled if kind == "vector" else np.arcsinh(scaled), dtype=np.float32)

    return scale


def _estimator(classifier: Any, params: Mapping[str, Any]) -> Any:
    """The scikit-learn classifier itself, or the public one of this name: a plan's text never becomes an import."""
    if isinstance(classifier, str):
        try:
            classifier = estimator_from_path(f"sklearn.{classifier.removeprefix('sklearn.')}", params)
        except UsageError as error:
            raise UsageError(f"shokri: classifier: {error}") from error
    if isinstance(classifier, type) or not hasattr(classifier, "fit") or not hasattr(classifier, "predict_proba"):
        raise UsageError(f"shokri: expected a classifier with fit and predict_proba, got {classifier!r}")
    return classifier
