"""Salem, Zhang, Humbert, Berrang, Fritz and Backes 2019 (ML-Leaks): how little an attacker needs.

- Adversary 1 has shadow models of the target's own kind and one attack model for all classes, fed with the three
  largest probabilities of an answer, largest first, and no label.
- Adversary 2 is the same attack with shadow models of *other* data: sorted probabilities carry over from one data set
  to another, even to one with other classes. Give it evidence whose pool comes from the other data: `Salem`.
- Adversary 3 has nothing: they put a threshold on a statistic of the answer itself: `SalemStatistic`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from gnomon.attacks.parts.attack_networks import AttackNetwork
from gnomon.attacks.parts.boosting import check_both_kinds
from gnomon.attacks.parts.shadow_rows import in_own_order
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, Judge
from gnomon.stats.signals import LOG_TINY, entropy, scaled_logit

PAPER = "Salem, Zhang, Humbert, Berrang, Fritz, Backes 2019"

BATCH, LEARNING_RATE = 200, 1e-3  # of the network's training by Adam

Statistic: TypeAlias = Literal["max", "entropy", "deviation"]


@dataclass(frozen=True)
class Salem(Attack):
    """One attack model on the largest probabilities of an answer (adversaries 1 and 2).

    The probabilities enter as log-odds, so that 0.999 and 0.99999 are told apart; the network is the paper's, one
    hidden layer of 64. The paper has one shadow model; here all that there are lend their rows.

    Score: the attack model's log-odds for member; 0 is its decision.

    Attributes:
        top: how many of the largest probabilities it sees (all, where there are fewer classes).
        hidden: units of the hidden layer.
        rows: most shadow rows to train on, drawn at random, members and non-members alike.
        epochs: passes over them.

    >>> from gnomon.testing.toy import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=200, m=4)
    >>> scores = Salem(epochs=10).score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    top: int = 3
    hidden: int = 64
    rows: int = 20_000
    epochs: int = 30

    name: ClassVar[str] = "salem"
    title: ClassVar[str] = "ML-Leaks (top-3 probabilities)"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "pool"})
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        if min(self.top, self.hidden, self.rows, self.epochs) < 1:
            raise UsageError(f"salem: expected top, hidden, rows and epochs of at least 1, got {self}")

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:
        """The attack model."""
        answers = evidence.require("answers")
        pool = in_own_order(evidence.require("pool"))
        top = min(self.top, answers.shape[1], pool.n_classes)
        features, member = _shadow_rows(pool, top, self.rows, rng)
        check_both_kinds(member)
        centre, width = features.mean(axis=0), features.std(axis=0)
        width[width == 0] = 1.0

        def scaled(values: Float64s) -> Floats:
            return np.asarray((values - centre) / width, dtype=np.float32)

        network = AttackNetwork(self.hidden, self.epochs, BATCH, LEARNING_RATE)
        rows, seed = np.arange(len(features)), int(rng.integers(2**31))
        [log_odds] = network.train(scaled(features), member, [rows], [seed])
        return lambda audited: log_odds(scaled(sorted_log_odds(audited.require("answers"), top)))


@dataclass(frozen=True)
class SalemStatistic(Attack):
    """A threshold on a statistic of the answer: no shadow model, no label, no training (adversary 3).

    Score: the statistic, oriented so that higher = member. The paper puts the threshold at a top percentile of the
    statistic on random records; here it is calibrated on shadow models, if there are any.

    Attributes:
        statistic: "max", the largest probability, as log-odds; "entropy" of the answer, negated; "deviation" of its
            probabilities.

    >>> from gnomon.testing.toy import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> SalemStatistic().score(world.evidence, np.random.default_rng(0)).shape
    (10,)
    """

    statistic: Statistic = "max"

    name: ClassVar[str] = "salem_statistic"
    title: ClassVar[str] = "ML-Leaks (a statistic of the answer)"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): the statistic."""
        answers = evidence.require("answers")
        if self.statistic == "max":
            return scaled_logit(answers, np.argmax(answers, axis=1))
        if self.statistic == "entropy":
            return -entropy(answers, evidence.labels)
        return np.asarray(np.exp(answers.astype(np.float64)).std(axis=1))


def sorted_log_odds(answers: Floats, top: int) -> Float64s:
    """The ``top`` largest probabilities of each answer as log-odds, largest first, (n, top)."""
    places = np.argsort(-answers, axis=1, kind="stable")[:, :top]
    return np.stack([np.maximum(scaled_logit(answers, places[:, k]), LOG_TINY) for k in range(top)], axis=1)


def _shadow_rows(pool: ShadowAnswers, top: int, rows: int, rng: np.random.Generator) -> tuple[Float64s, Bools]:
    """Features and membership of at most this many shadow rows, as many of each shadow."""
    features, member = [], []
    for i in range(pool.n_shadows):
        usable = np.flatnonzero(pool.usable[i])
        chosen = usable[np.sort(rng.permutation(len(usable))[: max(2, rows // pool.n_shadows)])]
        features.append(sorted_log_odds(pool.of_shadow(i)[chosen], top))
        member.append(pool.member[i, chosen])
    return np.concatenate(features), np.concatenate(member)
