"""Preflight on likeness: non-members that are nearly members, and non-members that the model treats like members."""

from __future__ import annotations

import numpy as np

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.core.arrays import Floats, Rows, column_values, is_frame, is_sparse, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding, ModelFacts, ShadowFacts
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.intervals import Interval
from gnomon.stats.permutation.joint import chance_p
from gnomon.stats.roc import auc
from gnomon.stats.signals import loss

QUERIES = 2000  # non-members that are looked at
REFERENCES = 20000  # members that they are compared with
MOST_COLUMNS = 800
MOST_VALUES = 100  # of a column of text; beyond, its values stand as codes
PROJECTED = 256  # columns of sparse rows after random projection
WIDTH = 64  # columns after random projection; neighbours that it proposes are compared in full
CANDIDATES = 12  # neighbours that the projection proposes
NEIGHBOURS = 5  # the nearest member is compared with the fifth nearest, the second with the sixth
CLOSE = 1 / 3  # of the fifth nearest's distance: closer than this is a near duplicate
LEAST_SHARE = 0.005  # of the non-members, from which on near duplicates are worth a word
MIDDLE = (4 - (1 + 1 / 2 + 1 / 3 + 1 / 4)) / 3  # mean of the lower three of four exponential values
CHANCE = 1e-3  # of so many near duplicates in data of this dimension
EXCESS = 2.0  # times what neighbours do by chance; members never lie quite evenly around
EVEN = 0.02  # by chance, up to which a dimension describes rows well
FEW_VALUES = 20  # of a column; rows that share such values lie in cells, close together and far from other cells
SELDOM = 0.01  # of the rows with another value than the commonest: too few to make cells
NEAR_ONE = 0.98  # accuracy
EQUAL_LOSS = 1.5  # factor
EASIER = 0.03  # shadows' accuracy on unseen rows below the target's by this: the task is not that easy
SWAPPED_P = 1e-3  # two-sided: half of that for a model that is worse on its members by chance
UNSEEN_CONFIDENCE = 0.99
FEWEST_SEEN = 20  # rows of each side that a model was not trained on
UNSEEN_MARGIN = 0.05  # of an AUC from one half that invalidates the comparison


def check_near_duplicates(data: Dataset, roles: Roles, seeds: Seeds) -> Finding | None:
    """Non-members that lie far closer to one member than to the members around it.

    The nearest member's distance is compared with the fifth nearest's, so no scale has to be chosen. In data of few
    dimensions that happens by chance: if members lie evenly around, the share is ``1 - (1 - 1/3^d)^4`` in dimension d,
    which is estimated from the farther neighbours (Levina & Bickel, 2004). Where columns of few values stand next to
    others, members lie in cells and not evenly. There, and in few dimensions, what is natural follows from how often
    the second neighbour is so close; clusters of four and more copies then go unnoticed. Exact copies are left to
    another check.
    """
    from scipy.stats import binom

    rng = seeds.child("preflight", "near-duplicates").generator()
    queries, members = (
        np.sort(rng.permutation(part)[:most])
        for part, most in ((roles.nonmembers, QUERIES), (roles.members, REFERENCES))
    )
    if data.bare or len(members) < CANDIDATES or len(queries) < 20:
        return None
    rows = _as_numbers(take_rows(data.x, np.concatenate([queries, members])), rng)
    spread = rows.std(axis=0)
    rows = rows[:, spread > 0] / spread[spread > 0]
    if rows.shape[1] == 0:
        return None
    near, which = _nearest(rows[: len(queries)], rows[len(queries) :], rng)
    fifth = near[:, NEIGHBOURS - 1]
    varied = (near[:, 0] > 0) & (near[:, 1] < fifth)
    if varied.sum() < 20:
        return None
    close = near[:, 0] < CLOSE * fifth
    natural = 1 - (1 - CLOSE ** _dimension(near[varied & ~close, :NEIGHBOURS])) ** (NEIGHBOURS - 1)
    if natural > EVEN or _in_cells(rows):
        natural = max(natural, _natural_by_the_second(near[near[:, 0] > 0]))
    near, which, asked, close = near[varied], which[varied], queries[varied], close[varied]
    found = int(close.sum())
    if found < LEAST_SHARE * len(near) or found < EXCESS * natural * len(near):
        return None
    if binom.sf(found - 1, len(near), natural) > CHANCE:
        return None
    first = int(close.argmax())
    return Finding(
        code="near-duplicates",
        title=f"{found:,} of {len(near):,} non-members that were looked at are nearly copies of a member "
        f"(e.g. {data.ids[asked[first]]} of {data.ids[members[which[first]]]})",
        severity="warning",
        explanation="Each lies over three times closer to one member than to the fifth nearest. The model was trained "
        "on almost the same record, so an attack that takes it for a member is counted as wrong: leakage looks "
        "smaller than it is.",
        remedy="Remove near duplicates before you split, or keep each cluster of them on one side (data.group).",
    )


def _as_numbers(x: Rows, rng: np.random.Generator) -> Floats:
    """Rows as numbers (n, columns): text as one bit a value, or as codes where it has many values.

    Arrays of more than 800 columns are thinned to so many, drawn at random; sparse rows of more than 256 are projected
    at random, which keeps distances up to a few percent. Of a column in which numbers are missing there are two: its
    mean where it has none, and whether it has one.
    """
    if is_frame(x):
        parts = [_number_column(column_values(x.iloc[:, j])) for j in range(x.shape[1])]
        return np.column_stack(parts) if parts else np.empty((len(x), 0))
    if is_sparse(x):
        return _projected(x, rng)
    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    if flat.shape[1] > MOST_COLUMNS:
        flat = flat[:, np.sort(rng.permutation(flat.shape[1])[:MOST_COLUMNS])]
    return _without_missing(flat) if np.isnan(flat).any() else flat


def _projected(x: Rows, rng: np.random.Generator) -> Floats:
    """Sparse rows as dense ones (n, 256 at most)."""
    from sklearn.random_projection import SparseRandomProjection

    plain = x.astype(np.float64)
    plain.data = np.nan_to_num(plain.data)
    if x.shape[1] <= PROJECTED:
        return np.asarray(plain.toarray())
    projection = SparseRandomProjection(PROJECTED, dense_output=True, random_state=int(rng.integers(2**31)))
    return np.asarray(projection.fit_transform(plain))


def _without_missing(numbers: Floats) -> Floats:
    """Columns of numbers, the mean where one is missing, and behind them a bit for each that misses any."""
    gone = np.isnan(numbers)
    mean = np.where(gone, 0.0, numbers).sum(axis=0) / np.maximum((~gone).sum(axis=0), 1)
    return np.column_stack([np.where(gone, mean, numbers), gone[:, gone.any(axis=0)]])


def _number_column(column: np.ndarray) -> Floats:
    if column.dtype.kind in "biuf":
        return _without_missing(column.astype(np.float64).reshape(-1, 1))
    names, codes = np.unique(column.astype(str), return_inverse=True)
    if len(names) > MOST_VALUES:
        return codes.astype(np.float64).reshape(-1, 1)
    return np.eye(len(names))[codes]


def _nearest(queries: Floats, members: Floats, rng: np.random.Generator) -> tuple[Floats, np.ndarray]:
    """Distances (q, 6) to the nearest members, and which member is the nearest (q,).

    Wide rows are first projected at random, which keeps distances up to a few percent (Johnson & Lindenstrauss, 1984);
    the neighbours that this proposes are measured in full.
    """
    from sklearn.neighbors import NearestNeighbors
    from sklearn.random_projection import GaussianRandomProjection

    narrow = queries, members
    if queries.shape[1] > 2 * WIDTH:
        projection = GaussianRandomProjection(WIDTH, random_state=int(rng.integers(2**31)))
        narrow = projection.fit_transform(queries), projection.transform(members)
    search = NearestNeighbors(n_neighbors=CANDIDATES).fit(narrow[1].astype(np.float32))
    proposed = search.kneighbors(narrow[0].astype(np.float32), return_distance=False)
    distances = np.stack([np.linalg.norm(members[p] - q, axis=1) for q, p in zip(queries, proposed, strict=True)])
    order = np.argsort(distances, axis=1, kind="stable")[:, : NEIGHBOURS + 1]
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(proposed, order[:, :1], axis=1)[:, 0]


def _dimension(near: Floats) -> float:
    """Local dimension of the rows, by maximum likelihood from the second to the fifth neighbour's distances.

    With members evenly around, ``log(fifth / other)`` of the four inner neighbours are exponential with rate d; the
    nearest, which is the largest of them and may be a copy, is left out.
    """
    if len(near) == 0:
        return 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(near[:, -1:] / near[:, 1:-1])
    inverse = float(np.nanmean(np.where(np.isfinite(logs), logs, np.nan)))
    return MIDDLE / max(inverse, 1e-3)


def _in_cells(rows: Floats) -> bool:
    """Whether columns of few values stand next to columns of many."""
    values = [np.unique(column, return_counts=True)[1] for column in rows.T]
    few = [len(counts) <= FEW_VALUES for counts in values if counts.max() < (1 - SELDOM) * len(rows)]
    return any(few) and not all(few)


def _natural_by_the_second(near: Floats) -> float:
    """How often the nearest member is close by chance, if it is as likely to be so as the second is.

    Of the neighbours within the sixth each is closer than a third of its distance with one chance p; two or more of
    five are so where the second is, and one or more of four where the nearest is, within the fifth.
    """
    from scipy.optimize import brentq
    from scipy.stats import binom

    second = float((near[:, 1] < CLOSE * near[:, NEIGHBOURS]).mean())
    p = brentq(lambda chance: binom.sf(1, NEIGHBOURS, chance) - second, 0.0, 1.0)
    return float(1 - (1 - p) ** (NEIGHBOURS - 1))


def check_sides(target: ModelFacts, shadows: ShadowFacts | None, members: int, nonmembers: int) -> list[Finding]:
    """Non-members on which the model is as right, and as sure, as on its training records, and nearly always right.

    Args:
        target: accuracies and losses on both sides.
        shadows: the shadow models' facts; where they too are nearly always right on rows they never saw, the task is
            easy and nothing is wrong.
        members: audited members.
        nonmembers: audited non-members.
    """
    inside, outside = target.train_accuracy, target.test_accuracy
    if inside is None or outside is None or min(inside, outside) < NEAR_ONE:
        return []
    noise = 2 * float(np.sqrt(inside * (1 - inside) / members + outside * (1 - outside) / nonmembers))
    if inside - outside > noise + 1 / min(members, nonmembers):
        return []
    losses = target.train_loss, target.test_loss
    if losses[0] is not None and losses[1] is not None and losses[1] > EQUAL_LOSS * max(losses[0], 1e-3):
        return []
    unseen = None if shadows is None or shadows.test_accuracy is None else shadows.test_accuracy.value
    if unseen is not None and unseen >= outside - EASIER:
        return []
    told = "" if unseen is None else f", where shadow models reach {unseen:.1%} on rows that they never saw"
    return [
        Finding(
            code="nonmembers-look-like-members",
            title=f"the model is right on {outside:.1%} of the non-members, as on its training records ({inside:.1%})"
            + told,
            severity="warning",
            explanation="A model is seldom as good on records that it never saw. The non-members may have been "
            "trained on (a split made after training, augmented copies), and then an audit finds no difference "
            "whatever it leaks. If the task is that easy, nothing is wrong.",
            remedy="Make sure that the non-members were held out before training.",
        )
    ]


def check_swapped(target: ModelFacts, answers: Floats, case: AuditCase) -> Finding | None:
    """Members on whom the model is right significantly less often than on non-members.

    Args:
        target: its accuracies on both sides.
        answers: (n, c) its full answers to the audited rows.
        case: the audited rows and the truth.
    """
    right = (answers.argmax(axis=1) == case.evidence.labels).astype(np.float64)
    p, below = chance_p(right, case.member, case.units)
    if not below or p > SWAPPED_P or target.train_accuracy is None or target.test_accuracy is None:
        return None
    return Finding(
        code="tables-swapped?",
        title=f"the model is right on {target.train_accuracy:.1%} of the members and on {target.test_accuracy:.1%} of "
        "the non-members, which is significantly more",
        severity="error",
        explanation="A model is seldom worse on what it was trained on. Either members and non-members are swapped, "
        "and then every value is mirrored; or the members' answers or rows do not belong to their labels; or the "
        "model was made to forget its members, and does it so well that it shows.",
        remedy="Swap the two tables or mend the labels, if that is what happened. If they are right, override this "
        "finding: the audit then counts, and reports what scores below others reveal.",
    )


def check_unseen(case: AuditCase) -> Finding | None:
    """The swapped-label check: models that were not trained on a record must not tell on which side it stands.

    A score that ranks members first even under models that saw neither side reads the rows and not the target (Maini et
    al., 2024, found an AUC of 0.7 with the labels swapped). The blind baseline asks the same of the rows; this asks it
    of what a trained model makes of them.
    """
    shadows, units = case.evidence.shadows, case.units
    if shadows is None:
        return None
    out = ~shadows.member
    seen = out.any(axis=0)
    if case.groups is None and units is not None:  # a copy of the record was trained on where the record was not
        seen &= np.isin(units, np.flatnonzero(np.bincount(units) == 1))
    if min(int(case.member[seen].sum()), int((~case.member[seen]).sum())) < FEWEST_SEEN:
        return None
    losses = shadows.signal(loss)
    finite = np.where(out, np.minimum(losses, np.float32(30.0)), np.float32(0.0))
    mean = -finite.sum(axis=0)[seen] / out.sum(axis=0)[seen]
    member = case.member[seen]
    together = split_groups(None if units is None else units[seen], member)
    estimate = auc(mean[member], mean[~member], confidence=UNSEEN_CONFIDENCE, groups=together)
    if estimate.low <= 0.5 <= estimate.high:
        return None
    return _told_apart(estimate)


def _told_apart(estimate: Interval) -> Finding:
    invalid = estimate.low > 0.5 + UNSEEN_MARGIN or estimate.high < 0.5 - UNSEEN_MARGIN
    return Finding(
        code="unseen-models-tell",
        title=f"shadow models that were not trained on a record show which side it is on: AUC {estimate.value:.3f} "
        f"({estimate.low:.3f} to {estimate.high:.3f})",
        severity="error" if invalid else "warning",
        explanation="One side is easier for any model, so members and non-members do not come from one source. An "
        "attack that finds members by that says nothing about what the audited model remembers (the swapped-label "
        "check).",
        remedy="Split one source at random into members and non-members before training.",
    )
