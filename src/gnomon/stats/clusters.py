"""Records that come in groups (persons, households): how many independent records they are worth.

Records of one group resemble each other, so a share or an area that is counted over records varies more than it would
over as many independent ones. The design effect is the ratio of the two variances: between groups, against that of
independent records. The number of records divided by it is the *effective size* (Kish, 1965). An interval for
independent records that is given effective sizes holds for grouped ones (Korn & Graubard, 1998, for shares; Obuchowski,
1997, for areas under ROC curves).

No interval can know of a kind of group that the sample holds none of: where one household in fifty is remembered, a
third of all samples of fifty households show nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from gnomon.core.arrays import Bools
from gnomon.core.errors import DataError
from gnomon.stats.samples import Counts, Doubles

USUAL = 0.975  # the quantile at which Student's t is held against the normal one
PSEUDO = (
    0.02  # of a typical group, all of whose records are accused: few accusations don't show that groups don't matter
)


@dataclass(frozen=True)
class Groups:
    """The group of each member and of each non-member; a group may hold both."""

    members: Counts  # (n1,) codes 0 .. count - 1
    nonmembers: Counts  # (n0,)
    count: int

    @cached_property
    def mixed(self) -> bool:
        """Whether a group has records on both sides."""
        return bool(np.isin(self.members, self.nonmembers).any())

    @cached_property
    def sides(self) -> tuple[Clusters, Clusters]:
        """The clusters of the members and of the non-members."""
        return Clusters.of(self.members), Clusters.of(self.nonmembers)


def split_groups(groups: ArrayLike | None, member: ArrayLike) -> Groups | None:
    """Groups of members and of non-members; None where there are none, or where every record is a group of its own.

    Args:
        groups: any ids ``(n,)``, equal within a group.
        member: mask of true members ``(n,)``.

    Raises:
        DataError: shapes differ.

    >>> split_groups(["a", "b", "a"], [True, False, False])
    Groups(members=array([0]), nonmembers=array([1, 0]), count=2)
    >>> split_groups([1, 2, 3], [True, False, False]) is None
    True
    """
    if groups is None:
        return None
    ids, mask = np.asarray(groups), np.asarray(member, dtype=np.bool_)
    if ids.shape != mask.shape:
        raise DataError(f"groups: expected one for each of {mask.shape} records, got shape {ids.shape}")
    known, codes = np.unique(ids, return_inverse=True)
    if len(known) == len(ids):
        return None
    return Groups(codes[mask], codes[~mask], len(known))


@dataclass(frozen=True)
class Clusters:
    """One sample in groups: how much means and shares over its records vary."""

    codes: Counts  # (n,) which of the k groups each record belongs to
    sizes: Doubles  # (k,) records of each group
    weight: Doubles  # (k,) makes up for a group's own pull on the mean (Bell & McCaffrey, 2002)

    @classmethod
    def of(cls, codes: Counts) -> Clusters:
        """The clusters of a sample, from the group of each record ``(n,)``.

        >>> Clusters.of(np.array([7, 7, 3])).sizes
        array([1., 2.])
        """
        _, own = np.unique(codes, return_inverse=True)
        sizes = np.bincount(own).astype(np.float64)
        return cls(own, sizes, 1.0 / np.maximum(1.0 - sizes / sizes.sum(), 1e-9))

    @property
    def least(self) -> float:
        """Effective size if a group's records were all alike: the number of groups where these are equally large."""
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    @property
    def typical(self) -> float:
        """Records of the group that a record belongs to, on average."""
        return float((self.sizes**2).sum() / self.sizes.sum())

    def size(self, values: Doubles) -> float:
        """Effective size for the mean of values ``(n,)``: from 1 to n, and `least` where they do not vary.

        >>> pairs = Clusters.of(np.repeat(np.arange(50), 2))
        >>> pairs.size(np.repeat(np.arange(50.0), 2))
        49.4...
        """
        n = values.size
        alone = float(values.var(ddof=1)) * n if n > 1 else 0.0
        if alone <= 0.0:
            return self.least
        between = float((self.weight * np.bincount(self.codes, values - values.mean()) ** 2).sum())
        return float(n) if between <= alone else max(1.0, n * alone / between)

    def freedom(self, sizes: ArrayLike) -> Doubles:
        """Degrees of freedom of the variance at each effective size ``(q,)``: how many groups bear it, less one."""
        n, effective = float(self.sizes.sum()), np.asarray(sizes, dtype=np.float64)
        alike = np.clip((n / effective - 1.0) / max(self.typical - 1.0, 1e-9), 0.0, 1.0)
        # Each group bears s (1 + (s - 1) alike); the sums of that and of its square are polynomials in `alike`.
        apart, together = self.sizes, self.sizes * (self.sizes - 1.0)
        squares = apart @ apart + 2.0 * alike * (apart @ together) + alike**2 * (together @ together)
        found: Doubles = np.maximum((apart.sum() + alike * together.sum()) ** 2 / squares - 1.0, 1.0)
        return found

    def top_sizes(self, order: Counts) -> Doubles:
        """Effective size for the share of the first j records in an order, for every j from 0 to n: ``(n + 1,)``.

        Less what is lost because the design effect is known from few groups (Korn & Graubard, 1998), and with a part
        of a pseudo-group that was accused as a whole, so that a handful of accusations in as many groups is no proof.

        Args:
            order: of the records ``(n,)``, the highest score first.
        """
        n, codes = self.codes.size, self.codes[order]
        if n < 2:
            return np.ones(n + 1)
        within = np.argsort(codes, kind="stable")
        earlier = np.empty(n)  # accused records of the same group, up to this one
        earlier[within] = np.arange(n) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes.astype(np.int64))
        squares, products = (
            np.concatenate([[0.0], np.cumsum(self.weight[codes] * part)])
            for part in (2 * earlier + 1, self.sizes[codes])
        )
        share = np.arange(n + 1) / n
        between = squares - 2 * share * products + share**2 * float((self.weight * self.sizes**2).sum())
        alone = n * share * (1 - share) * n / (n - 1)
        effect = (between + PSEUDO * self.typical**2) / (alone + PSEUDO * self.typical)
        return self.honest(n / np.maximum(effect, 1.0))

    def honest(self, sizes: Doubles) -> Doubles:
        """Effective sizes ``(q,)``, less what is lost because few groups tell them (Korn & Graubard, 1998)."""
        less: Doubles = np.maximum(1.0, sizes * np.interp(sizes, *self._known_share) ** 2)
        return less

    @cached_property
    def _known_share(self) -> tuple[Doubles, Doubles]:
        """Effective sizes, and what of each is left."""
        n = float(self.sizes.sum())
        known = np.linspace(self.least, n, 25)
        left: Doubles = np.asarray(stdtrit(n - 1.0, USUAL) / stdtrit(self.freedom(known), USUAL))
        return known, left

    def share_size(self, accused: Bools) -> float:
        """Effective size for the share of accused records, given as a mask ``(n,)``; see `top_sizes`.

        >>> pairs = Clusters.of(np.repeat(np.arange(50), 2))
        >>> pairs.share_size(np.arange(100) < 50), pairs.share_size(np.arange(100) % 2 < 1)
        (48.2..., 97.4...)
        """
        return float(self.top_sizes(np.argsort(~accused, kind="stable"))[np.count_nonzero(accused)])


@dataclass(frozen=True)
class Worth:
    """What the records behind two shares are worth: effective sizes, and how the two shares move together."""

    members: float
    nonmembers: float
    correlation: float = 0.0  # of the two shares' errors, in [-1, 1]; 0 where no group stands on both sides


def worth_of_shares(members: Bools, nonmembers: Bools, groups: Groups) -> Worth:
    """Effective sizes of the share of accused members ``(n1,)`` and of accused non-members ``(n0,)``."""
    sizes = [side.share_size(accused) for side, accused in zip(groups.sides, (members, nonmembers), strict=True)]
    totals = group_totals(members.astype(np.float64), nonmembers.astype(np.float64), groups)
    spread = float(np.sqrt((totals[0] ** 2).sum() * (totals[1] ** 2).sum()))
    return Worth(sizes[0], sizes[1], float(totals[0] @ totals[1]) / spread if groups.mixed and spread > 0 else 0.0)


def group_totals(members: Doubles, nonmembers: Doubles, groups: Groups) -> tuple[Doubles, Doubles]:
    """What each group adds to the error of the members' mean, and of the non-members': ``(count,)`` each."""
    found = [
        np.bincount(codes, values - values.mean(), minlength=groups.count) / values.size
        for values, codes in ((members, groups.members), (nonmembers, groups.nonmembers))
    ]
    return found[0], found[1]


@dataclass(frozen=True)
class CurveWorth:
    """Effective sizes of the shares at every corner of a ROC curve, by how many records of the side are accused."""

    members: Doubles  # (n1 + 1,)
    nonmembers: Doubles  # (n0 + 1,)


def worth_of_curve(members: Doubles, nonmembers: Doubles, groups: Groups | None) -> CurveWorth:
    """What the records of two samples of scores ``(n1,)`` and ``(n0,)`` are worth at every threshold."""
    if groups is None:
        return CurveWorth(*(np.full(side.size + 1, float(side.size)) for side in (members, nonmembers)))
    return CurveWorth(
        *(
            side.top_sizes(np.argsort(-scores, kind="stable"))
            for side, scores in zip(groups.sides, (members, nonmembers), strict=True)
        )
    )
