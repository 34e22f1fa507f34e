"""Nasr, Shokri and Houmansadr 2019: white-box attacks, on the gradient of each record's own loss.

Training drives the gradients of members to zero, so a small gradient is a sign of membership. On its own the norm says
little more than the loss, and helps little at low false-positive rates (Carlini et al. 2022, appendix A-B, found a
higher AUC and no higher TPR). Taken together, and with the activations, by an attack model that learned from shadow
models or was told some members, they say more than the answer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.boosting import LogOdds, check_learning, grow_trees, known_rows, learn_trees
from gnomon.core.answers import FOLDS, KnownHalf
from gnomon.core.arrays import Bools, Float64s, Floats, Ints
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, variant
from gnomon.stats.signals import LOG_TINY, modified_entropy, scaled_logit

PAPER = "Nasr, Shokri, Houmansadr 2019"
SMALLEST = 1e-300  # a norm of 0 has a logarithm too
FEWEST = 50  # known members, and as many non-members, from which trees are tried at all
N_LARGEST = 3


@dataclass(frozen=True)
class GradientNorm(Attack):
    """One threshold on the norm of the loss's gradient in the parameters: members have smaller gradients.

    Score: minus the L2 norm.

    Attributes:
        part: "parameters" (all), "last_layer", or one layer as "layer.NAME" with the network's own name for it.

    >>> from gnomon.testing import overfitted_world
    >>> from gnomon.stats.roc import auc
    >>> world = overfitted_world(np.random.default_rng(0))
    >>> scores = GradientNorm().score(world.evidence, np.random.default_rng(0))
    >>> auc(scores[world.member], scores[~world.member]).value > 0.9
    True
    """

    name: ClassVar[str] = "gradient_norm"
    title: ClassVar[str] = "White box: gradient norm in the parameters"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"gradients"})

    part: str = "parameters"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) of at most 0: minus the norm."""
        return -_norm(evidence.require("gradients"), self.part)


@dataclass(frozen=True)
class InputGradientNorm(Attack):
    """One threshold on the norm of the loss's gradient in the record: around members the loss is flat.

    Score: minus the L2 norm, in the units that the network sees.

    >>> from gnomon.testing import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> bool((InputGradientNorm().score(world.evidence, np.random.default_rng(0)) <= 0).all())
    True
    """

    name: ClassVar[str] = "input_gradient_norm"
    title: ClassVar[str] = "White box: gradient norm in the record"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"gradients"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) of at most 0: minus the norm."""
        return -_norm(evidence.require("gradients"), "input")


@dataclass(frozen=True)
class Nasr(Attack):
    """The supervised white-box attack on last-layer gradients, activations and loss, trained on shadow models.

    Score: log-odds of "member" for members and non-members in equal number. In place of the paper's convolutional
    network over gradient matrices, boosted trees read 21 numbers that mean the same in every network of a recipe:
    norms, sorted values and angles (`gnomon.models.torch.gradients` says which). A unit's own gradient or activation is
    not among them, since the units of a shadow model do not correspond to those of the target; the paper's attacker,
    who knows members of the target itself, can read them; `nasr_insider` is closer to that attacker.

    Attributes:
        trees: number of boosted trees.
        max_rows: most pairs of shadow and row to learn from, shared out among the shadows.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400, m=4)
    >>> says_member = Nasr().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "nasr"
    title: ClassVar[str] = "White box: last layer, learned on shadow models"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"inside", "pool"})
    threshold: ClassVar[float | None] = 0.0

    trees: int = 100
    max_rows: int = 40_000

    def __post_init__(self) -> None:
        check_learning(self.name, self.trees, self.max_rows)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): log-odds of "member"; 0 = undecided."""
        own = evidence.require("inside")
        pool = evidence.require("pool")
        features, member = known_rows(pool, "inside", self.max_rows, rng)
        return learn_trees(features, member, self.trees, rng)(own)


@dataclass(frozen=True)
class InsiderAttack(Attack):
    """The supervised attack of an owner who knows half of the members: learns from it, and scores the other half.

    Score: log-odds of "member". As in the paper the attacker knows a part of the members (half of them here,
    cross-fitted), so no shadow model is trained: it costs seconds, and it suits a model that can't be trained again.
    It is no stranger's attack. Boosted trees read the shape of the answer (scaled logit, modified entropy, largest
    probabilities), where they prove better than the scaled logit alone. Records and labels themselves are not used.

    Attributes:
        white_box: whether they also read, in place of the paper's convolutional network over whole gradient matrices,
            the norms of the gradients of every layer, of the whole and in the record, and of the last layer's input
            (`nasr_insider`); else answers alone (`insider`).

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> says_member = InsiderAttack().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    white_box: bool = variant(False)

    paper: ClassVar[str] = PAPER
    threshold: ClassVar[float | None] = 0.0

    @property
    def name(self) -> str:
        """Registry key."""
        return "nasr_insider" if self.white_box else "insider"

    @property
    def title(self) -> str:
        """What a report calls it."""
        inside, outside = (
            "White-box insider: gradients, activations and answers",
            "Insider who knows half of the members",
        )
        return inside if self.white_box else outside

    @property
    def needs(self) -> frozenset[Need]:
        """Answers and half of the membership, and gradients."""
        known: frozenset[Need] = frozenset({"answers", "membership_half"})
        return known | {"gradients"} if self.white_box else known

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): log-odds of "member" (or the scaled logit, standardised); 0 = undecided."""
        insider = evidence.require("insider")
        features = answer_features(evidence.require("answers"), evidence.labels)
        if self.white_box:
            gradients = evidence.require("gradients")
            norms = [np.log(np.maximum(gradients[name], SMALLEST)) for name in sorted(gradients)]
            features = np.column_stack([features, *norms])
        return cross_fit(insider, features, rng)

    def notes(self, evidence: Evidence) -> list[str]:
        """Who is told what."""
        return note_insider(evidence)


def _norm(gradients: Mapping[str, Floats], part: str) -> Floats:
    if part not in gradients:
        raise UsageError(f'gradient_norm: the network has no part "{part}"{did_you_mean(part, gradients)}')
    return np.asarray(gradients[part], dtype=np.float64)


def answer_features(answers: Floats, labels: Ints) -> Float64s:
    """What an answer tells of membership, (n, f): the scaled logit first, then the rest of its shape.

    Neither the record nor its label is among them: members and non-members may differ by what they are, and an attack
    that learned that would say nothing about the model.
    """
    largest = -np.sort(-np.maximum(answers, np.float32(LOG_TINY)), axis=1)[:, : min(N_LARGEST, answers.shape[1])]
    return np.column_stack([scaled_logit(answers, labels), modified_entropy(answers, labels), largest])


def cross_fit(insider: KnownHalf, features: Floats, rng: np.random.Generator) -> Float64s:
    """Scores (n,) whose 0 is undecided for members and non-members in equal number, and where nothing is known.

    Where trees judge, they are log-odds of "member".

    Args:
        insider: who is told what.
        features: (n, f) finite numbers; the first column is one that is higher for likely members.
        rng: where chance comes from.
    """
    seed = int(rng.integers(2**31))
    scores = np.zeros(len(features))
    for fold in range(FOLDS):
        judged, (known, member) = insider.judged(fold), insider.told(fold)
        if len(judged) and member.any() and not member.all():
            scores[judged] = _learn(features[known], member, seed)(features[judged])
    return scores


def note_insider(evidence: Evidence) -> list[str]:
    """What the reader must know of an insider's attack."""
    n = len(evidence)
    return [f"each half of the {n:,} records is judged by an attacker who knows the membership of the other half"]


def _learn(features: Floats, member: Bools, seed: int) -> LogOdds:
    order = np.lexsort((member, *features.T))  # an order of their own: rows in another order must teach the same
    features, member = features[order], member[order]
    if min(member.sum(), (~member).sum()) >= FEWEST and _trees_are_better(features, member, seed):
        trees, odds = _by_trees(features, member, seed), float(np.log(member.sum() / (~member).sum()))
        return lambda rows: trees(rows) - odds
    return _first_alone(features[:, 0], member)


def _first_alone(first: Floats, member: Bools) -> LogOdds:
    """The first feature, in units of its spread, from halfway between the means of members and non-members.

    Its slope is not learned: a half that chance taught a steep slope would spread the other half wide, and pairs of
    rows from both halves would count against it whenever chance went the other way there (mean AUC on noise 0.492).
    """
    middle, width = (first[member].mean() + first[~member].mean()) / 2, float(first.std()) or 1.0
    return lambda rows: (rows[:, 0] - middle) / width


def _trees_are_better(features: Floats, member: Bools, seed: int) -> bool:
    half = np.zeros(len(member), dtype=np.bool_)
    for side in (True, False):
        half[np.flatnonzero(member == side)[::2]] = True
    trees, first = 0.0, 0.0
    for train in (half, ~half):
        rows, truth = features[~train], member[~train]
        trees += _log_loss(_by_trees(features[train], member[train], seed)(rows), truth)
        first += _log_loss(_logistic(features[train], member[train])(rows), truth)
    return trees < first


def _log_loss(log_odds: Floats, member: Bools) -> float:
    return float(np.logaddexp(0.0, np.where(member, -log_odds, log_odds)).sum())


def _logistic(features: Floats, member: Bools) -> LogOdds:
    """Logistic regression on the first feature alone."""
    from sklearn.linear_model import LogisticRegression

    centre, width = float(features[:, 0].mean()), float(features[:, 0].std()) or 1.0
    fitted = LogisticRegression().fit((features[:, :1] - centre) / width, member)
    return lambda rows: np.asarray(fitted.decision_function((rows[:, :1] - centre) / width), dtype=np.float64)


def _by_trees(features: Floats, member: Bools, seed: int) -> LogOdds:
    return grow_trees(features, member, 50, seed, leaf=10)
