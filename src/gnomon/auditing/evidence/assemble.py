"""From rows, roles and models to evidence: everything that the attacker saw, put together once.

Audited rows are shuffled, so that their order gives no membership away; the membership itself stays outside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.evidence.access import AskedAugmentation, with_augmentations
from gnomon.core.answers import Reveal, ShadowAnswers, halve
from gnomon.core.arrays import Bools, Floats, Ints, Rows, row_digests, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Estimate, ModelFacts, ShadowFacts
from gnomon.core.evidence import Evidence, Population, QueryHandle
from gnomon.core.protocols import Observation
from gnomon.core.seeds import Seeds
from gnomon.models.observations import RandomRecords
from gnomon.shadow.masks import ShadowRows, membership
from gnomon.shadow.pool import PoolAnswers
from gnomon.stats.calibration import expected_calibration_error
from gnomon.stats.clusters import Groups, split_groups
from gnomon.stats.signals import loss


@dataclass(frozen=True)
class Judging:
    """Audited rows that judge each other make pairs that agree: what one does to another's score, that one does to its.

    Neither permutations nor intervals know these pairs.

    - Audited non-members that stand in the attacker's pool judge each other by OUT models; members have no such pairs.
      Of the variance of a difference between n1 members and n0 non-members, of which k stand in a pool of p rows,
      shadow models cause all at most, and pairs that agree wholly add ``k^2 / p / n0 * n1 / (n1 + n0)`` of that: one
      half where the pool is the non-members (measured with five kinds of models: 0 to 0.35). Twice as much is allowed
      for, because the fewer dimensions the models' agreement has, the more skewed is what it adds: five still hold.
    - The two halves of `KnownHalf` judge each other by the truth itself, which doubles the variance at most.

    Attributes:
        by_pool: what is allowed for non-members in the pool, as a share of the variance: 1 where they are the pool.
    """

    by_pool: float = 0.0

    def wider(self, needs: Collection[str]) -> float:
        """How many times wider than rows on their own show the results of an attack with these needs vary by chance.

        >>> Judging(by_pool=0.21).wider(["answers", "shadows_out"]), Judging(by_pool=0.21).wider(["answers"])
        (1.1, 1.0)
        """
        if "membership_half" in needs:
            return float(np.sqrt(2.0))
        return float(np.sqrt(1.0 + self.by_pool)) if "shadows_out" in needs else 1.0


def copies_of(x: Rows, member: Bools) -> Ints | None:
    """Equal numbers (n,) for the copies of a row on one side; None where there are none.

    A row that stands there three times is one observation, not three. Copies on both sides stand for themselves: chance
    put each of them where it is, and as one unit they would never change sides, so that a model that learned how
    frequent its members' rows are would seem to give nothing away.
    """
    same = np.unique(row_digests(x).astype(bytes), return_inverse=True)[1]
    inside = np.bincount(same, member)
    both = ((inside > 0) & (inside < np.bincount(same)))[same]
    found = np.where(both, len(same) + np.arange(len(same)), same)
    return None if len(np.unique(found)) == len(found) else found


@dataclass(frozen=True)
class AuditCase:
    """The evidence, and next to it what the attacker does not see.

    Attributes:
        evidence: of the n audited rows.
        audited: (n,) positions in the data set, shuffled.
        data: the data set, with the attacker's own rows if there are any.
        roles: who is who in it.
    """

    evidence: Evidence
    audited: Ints
    data: Dataset
    roles: Roles

    @cached_property
    def member(self) -> Bools:
        """The truth (n,)."""
        found: Bools = np.isin(self.audited, self.roles.members)
        return found

    @cached_property
    def groups(self) -> NDArray[Any] | None:
        """The person or household of each row (n,); None without groups."""
        return None if self.data.groups is None else self.data.groups[self.audited]

    def least_fpr(self, fprs: Sequence[float]) -> float:
        """The lowest of these false-positive rates that the audited non-members can resolve."""
        nonmembers = int((~self.member).sum())
        return min([f for f in fprs if nonmembers * f >= 1], default=max(fprs))

    @cached_property
    def units(self) -> NDArray[Any] | None:
        """What chance puts on one side as a whole (n,): persons, or without groups the copies of a row on one side.

        None: every row stands for itself.
        """
        if self.groups is not None or self.data.bare:
            return self.groups
        return copies_of(take_rows(self.data.x, self.audited), self.member)

    @cached_property
    def judging(self) -> Judging:
        """Which audited rows judge each other."""
        return self.judging_in(None)

    def judging_in(self, part: Bools | None) -> Judging:
        """The same among the audited rows of a part (N,) of the data set; None: of all.

        Rows of a part may judge each other more than they judge others, as those of a class do where a model learns
        each class by itself; so only the pool's rows in it count as those that share in the judging.
        """
        if self.roles.view != "adversary":
            return Judging()
        known = self.roles.members, self.roles.nonmembers, self.roles.pool
        members, nonmembers, pool = (rows if part is None else rows[part[rows]] for rows in known)
        n1, n0, shared = len(members), len(nonmembers), len(np.intersect1d(nonmembers, pool))
        return Judging(2 * shared**2 / len(pool) / n0 * n1 / (n1 + n0) if shared else 0.0)

    @property
    def trained(self) -> NDArray[Any] | None:
        """The persons of all rows that the target was trained on; None without groups."""
        return None if self.data.groups is None else self.data.groups[self.roles.train]

    @cached_property
    def sides(self) -> Groups | None:
        """The units of members and of others, for intervals; None where every row stands for itself."""
        return split_groups(self.units, self.member)

    @cached_property
    def distinct(self) -> Ints:
        """Positions of audited rows without further copies on one side; all rows where persons are given."""
        if self.groups is not None or self.units is None:
            return np.arange(len(self.audited))
        return np.sort(np.unique(self.units, return_index=True)[1])


@dataclass(frozen=True)
class QueryPlan:
    """What all models are asked, and what is kept of them.

    Attributes:
        asked: (a,) positions of rows, sorted.
        versions: of each of these rows.
        random: records that nobody holds, for mitigations; None where they are not needed.
        others: what attackers see next to answers.
    """

    asked: Ints
    versions: tuple[AskedAugmentation, ...] = ()
    random: RandomRecords | None = None
    others: tuple[Observation, ...] = ()

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Everything that is kept of a model next to its answers on the rows."""
        return (*self.versions, *(() if self.random is None else (self.random,)), *self.others)

    def places(self, rows: Ints) -> Ints:
        """Where rows of the data set stand among the asked."""
        return np.searchsorted(self.asked, rows).astype(np.int64)


@dataclass(frozen=True)
class TargetAnswers:
    """What is seen of a target on the a asked rows: full answers (a, c), and what is observed, name -> (a, k).

    The answers, and those to versions of the rows, are behind the target's mitigations.
    """

    answers: Floats
    observed: Mapping[str, Floats] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)  # what a target that was trained here says of itself


def found_by_pool(found: PoolAnswers, i: int) -> TargetAnswers:
    """What is seen of model i of a pool, as of a target."""
    observed = {name: np.asarray(each[i]) for name, each in found.observed.items()}
    return TargetAnswers(np.asarray(found.answers[i]), observed, found.facts[i] if found.facts else {})


def asked_rows(roles: Roles) -> Ints:
    """Positions of all rows that models are asked: sorted, each once."""
    return np.unique(np.concatenate([roles.audited, roles.train, roles.pool, roles.population, roles.reference]))


def assemble(
    data: Dataset,
    roles: Roles,
    queries: QueryPlan,
    target: TargetAnswers,
    shadows: tuple[ShadowRows, PoolAnswers] | None,
    *,
    reveal: Reveal,
    query: QueryHandle | None,
    seeds: Seeds,
) -> AuditCase:
    """Puts the evidence together.

    Args:
        data: the rows.
        roles: who is who.
        queries: what all models were asked.
        target: the target's full answers, and what else is observed.
        shadows: which rows the shadows were trained and tested on, and their answers on the asked rows.
        reveal: what the target reveals of an answer.
        query: for further queries.
        seeds: the audit's root.
    """
    asked, versions = queries.asked, [v.name for v in queries.versions]
    audited = seeds.child("evidence", "order").generator().permutation(roles.audited)
    member = np.isin(audited, roles.members)
    places = np.searchsorted(asked, audited), np.searchsorted(asked, roles.population)
    shown = reveal.apply(target.answers)
    view = _Shadows(data, asked, shadows, reveal, versions) if shadows is not None else None
    hide = roles.view == "adversary"
    population = None
    if len(roles.population):
        population = Population(
            labels=data.y[roles.population],
            answers=shown[places[1]],
            shadows=None if view is None else view.at(roles.population, hide=False),
            x=None if data.bare else take_rows(data.x, roles.population),
        )
    evidence = Evidence(
        labels=data.y[audited],
        n_classes=data.n_classes,
        answers=shown[places[0]],
        shadows=None
        if view is None
        else _without_giveaway(view.at(audited, hide=hide), member, seeds.child("evidence", "hidden").generator()),
        pool=None if view is None else view.at(roles.pool, hide=False),
        population=population,
        query=query,
        x=None if data.bare else take_rows(data.x, audited),
        features=None if data.bare else data.features,
        observed={n: values[places[0]] for n, values in target.observed.items() if n not in versions},
        insider=None if hide else halve(member, seeds.child("evidence", "insider").generator()),
        reveal=reveal,
    )
    if versions:
        own = {name: target.observed[name] for name in versions}
        evidence = with_augmentations(evidence, places, own, None if shadows is None else shadows[1], reveal)
    return AuditCase(evidence, audited, data, roles)


def _without_giveaway(shadows: ShadowAnswers | None, member: Bools, rng: np.random.Generator) -> ShadowAnswers | None:
    """Adversary's view: members get hidden answers where non-members have them.

    Where audited non-members also stand in the attacker's pool, some shadows were trained on them and these answers
    are hidden, while no shadow was trained on a member. Counting the answers that are left would then find all members
    without any model (a reference attack ranks by that count where all agree). So each member is hidden
    from the shadows that a non-member, drawn at random, is hidden from.
    """
    if shadows is None or not shadows.hide_members or not shadows.member.any():
        return shadows
    hidden = shadows.member.copy()
    hidden[:, member] = shadows.member[:, rng.choice(np.flatnonzero(~member), size=int(member.sum()))]
    return replace(shadows, member=hidden)


@dataclass(frozen=True)
class _Shadows:
    data: Dataset
    asked: Ints
    shadows: tuple[ShadowRows, PoolAnswers]
    reveal: Reveal
    versions: Sequence[str]

    def at(self, rows: Ints, *, hide: bool) -> ShadowAnswers:
        drawn, pool = self.shadows
        member = membership(drawn.train, rows)
        return ShadowAnswers(
            answers=pool.answers,
            rows=np.searchsorted(self.asked, rows).astype(np.int64),
            labels=self.data.y[rows],
            member=member,
            usable=member | membership(drawn.test, rows),
            hide_members=hide,
            reveal=self.reveal,
            paired=True,
            observed={name: each for name, each in pool.observed.items() if name not in self.versions},
        )


def model_facts(
    answers: Floats, labels: Ints, member: Bools, train_size: int, revealed: Floats | None = None
) -> ModelFacts:
    """Accuracy of the target on audited members and non-members, from its full answers, and mean loss of what it shows.

    Args:
        answers: (n, c) full answers.
        labels: (n,) class ids.
        member: (n,) the truth.
        train_size: rows that the target was trained on.
        revealed: (n, c) what the target reveals of them, which is what a user gets to work with.
    """
    told = None if revealed is None else revealed[~member]
    right = answers.argmax(axis=1) == labels
    losses = finite_loss(answers if revealed is None else revealed, labels)
    return ModelFacts(
        train_size=train_size,
        train_accuracy=float(right[member].mean()),
        test_accuracy=float(right[~member].mean()),
        train_loss=float(losses[member].mean()),
        test_loss=float(losses[~member].mean()),
        calibration_error=None if told is None else expected_calibration_error(told, labels[~member]),
        answer_size=None if told is None else float((told > -np.inf).sum(axis=1).mean()),
    )


def finite_loss(answers: Floats, labels: Ints) -> Floats:
    """Cross-entropy (n,), with a probability of 0 counted as 1e-12 so that means stay finite."""
    finite: Floats = np.minimum(loss(answers, labels), -np.log(1e-12))
    return finite


def shadow_facts(
    data: Dataset,
    queries: QueryPlan,
    shadows: tuple[ShadowRows, PoolAnswers],
    source: str,
    note: str | None,
    reveal: Reveal,
) -> tuple[ShadowFacts, tuple[Estimate, Estimate]]:
    """The shadows' size and quality, and their loss on rows that they were trained and tested on (mean and range).

    The loss is that of what the target would reveal of such answers: of one that shows labels only, nothing else is
    known to compare with.
    """
    drawn, pool = shadows
    accuracy: list[tuple[float, float]] = []
    losses: list[tuple[float, float]] = []
    for answers, train, test in zip(pool.answers, drawn.train, drawn.test, strict=True):
        parts = [(np.asarray(answers[queries.places(rows)]), data.y[rows]) for rows in (train, test)]
        accuracy.append(_pair([float((a.argmax(axis=1) == y).mean()) for a, y in parts]))
        losses.append(_pair([float(finite_loss(reveal.apply(a), y).mean()) for a, y in parts]))
    facts = ShadowFacts(
        count=len(pool.answers),
        size=len(drawn.train[0]),
        source=source,
        train_accuracy=_spread([a for a, _ in accuracy]),
        test_accuracy=_spread([b for _, b in accuracy]),
        stacked=pool.batch,
        trained=pool.trained,
        reused=pool.reused,
        remade=pool.remade,
        note=note,
        seconds=round(pool.seconds, 3),
        seconds_each=None if pool.seconds_each is None else round(pool.seconds_each, 4),
    )
    return facts, (_spread([a for a, _ in losses]), _spread([b for _, b in losses]))


def _pair(values: Sequence[float]) -> tuple[float, float]:
    return values[0], values[1]


def _spread(values: Sequence[float]) -> Estimate:
    return Estimate(value=float(np.mean(values)), low=min(values), high=max(values))
