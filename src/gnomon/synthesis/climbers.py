"""Algorithm 1 of Shokri et al. (2017) for many climbers at once, as array expressions.

The state is a handful of arrays with one entry a climber or a class, so that a checkpoint is these arrays and nothing
else. One step: ask the target about every climber's record in one batch, accept or reject, finish, propose anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.data.features import Codes
from gnomon.core.errors import UsageError
from gnomon.core.seeds import Words


@dataclass(frozen=True)
class ClimbRules:
    """The parameters of Algorithm 1, and when a class is given up.

    The paper does not state its values. ``kmax = 128``, ``kmin = 4``, ``rejmax = 10`` and ``confmin = 0.2`` are only
    recalled from its authors' work; ``itermax`` and ``failmax`` are gnomon's own.

    Attributes:
        kmax: features re-drawn in a proposal at first (at most as many as there are).
        kmin: ... and at last.
        rejmax: after more than this many rejections in a row, k is halved (rounded up).
        confmin: least probability of the class that a record must have.
        itermax: most queries of one climber; then it has failed and another one starts.
        failmax: a class is given up once ``failmax * (records found + 1)`` of its climbers have failed.
    """

    kmax: int = 128
    kmin: int = 4
    rejmax: int = 10
    confmin: float = 0.2
    itermax: int = 500
    failmax: int = 5

    def __post_init__(self) -> None:
        for name, low in (("kmin", 1), ("kmax", self.kmin), ("rejmax", 0), ("itermax", 1), ("failmax", 1)):
            if getattr(self, name) < low:
                raise UsageError(f"expected {name} of at least {low}, got {name}={getattr(self, name)}")
        if not 0 <= self.confmin < 1:
            raise UsageError(f"expected confmin in [0, 1), got confmin={self.confmin}")

    def first_k(self, features: int) -> int:
        """How many features the first proposal re-draws."""
        return min(self.kmax, features)

    def given_up(self, failed: Ints, found: Ints) -> Bools:
        """Which classes get no further climbers."""
        return np.asarray(failed >= self.failmax * (found + 1))

    def next_k(self, k: Ints, features: int) -> Ints:
        """K after too many rejections in a row: half of it, rounded up, never below kmin."""
        return np.maximum(min(self.kmin, features), -(-k // 2))


@dataclass
class Climbers:
    """The climbers that are under way; all arrays have one entry a climber.

    Attributes:
        classes: (a,) class that it climbs.
        attempts: (a,) how many climbers of this class started before it.
        keys: (a,) its random stream.
        used: (a,) how far the stream has been read.
        record: (a, features) x, the record to ask about next.
        best: (a, features) x*.
        best_answers: (a, c) the target's answer on x*, natural logs.
        confidence: (a,) y_c*, the probability of its class on x*.
        rejects: (a,) j, rejections in a row.
        k: (a,) features to re-draw.
        queries: (a,) how often it asked.
    """

    classes: Ints
    attempts: Ints
    keys: Words
    used: Words
    record: Codes
    best: Codes
    best_answers: Floats
    confidence: Floats
    rejects: Ints
    k: Ints
    queries: Ints

    def __len__(self) -> int:
        return len(self.classes)

    def part(self, mask: Bools) -> Climbers:
        """The climbers under the mask."""
        return Climbers(**{name: array[mask] for name, array in vars(self).items()})

    def put(self, places: Ints, others: Climbers) -> None:
        """Puts other climbers in these places."""
        for name, array in vars(self).items():
            array[places] = getattr(others, name)

    def plus(self, others: Climbers) -> Climbers:
        """These climbers, and the others behind them."""
        return Climbers(**{name: np.concatenate([array, getattr(others, name)]) for name, array in vars(self).items()})


def new_climbers(
    classes: Ints, attempts: Ints, keys: Words, used: Words, record: Codes, *, n_classes: int, k: int
) -> Climbers:
    """Climbers at their first record: y_c* = 0, j = 0, k = kmax."""
    a = len(classes)
    return Climbers(
        classes=classes,
        attempts=attempts,
        keys=keys,
        used=used,
        record=record,
        best=record.copy(),
        best_answers=np.full((a, n_classes), -np.log(n_classes), dtype=np.float32),
        confidence=np.zeros(a),
        rejects=np.zeros(a, dtype=np.int64),
        k=np.full(a, k, dtype=np.int64),
        queries=np.zeros(a, dtype=np.int64),
    )


@dataclass
class ClimbLedger:
    """What each class has cost and given so far; all arrays are (c,).

    Attributes:
        started: climbers started.
        found: records returned.
        failed: climbers that used up their queries.
        queries: queries spent.
        hidden: ... of these, answers that showed nothing of the class (probability hidden or 0).
        best: highest probability of the class that was seen.
    """

    started: Ints
    found: Ints
    failed: Ints
    queries: Ints
    hidden: Ints
    best: Floats


def new_ledger(n_classes: int) -> ClimbLedger:
    """Nothing asked yet."""
    counts = {f.name: np.zeros(n_classes, dtype=np.int64) for f in fields(ClimbLedger) if f.name != "best"}
    return ClimbLedger(**counts, best=np.zeros(n_classes))


def judge(
    climbers: Climbers, answers: Floats, uniform: Floats, rules: ClimbRules, features: int, ledger: ClimbLedger
) -> tuple[Bools, Bools]:
    """Lines 6 to 23 of Algorithm 1 for a batch of answers: accept, sample, or reject.

    Returns which climbers (a,) gave back their record, and which have failed.

    Args:
        climbers: the climbers that asked; they are changed in place.
        answers: (a, c) natural-log probabilities of the target on ``climbers.record``.
        uniform: (a,) uniform numbers, one a climber, for the sampling phase.
        rules: the parameters.
        features: number of features.
        ledger: counts by class, changed in place.
    """
    rows, classes = np.arange(len(climbers)), climbers.classes
    confidence = np.exp(answers[rows, classes].astype(np.float64))
    climbers.queries += 1
    n_classes = len(ledger.queries)
    ledger.queries += np.bincount(classes, minlength=n_classes)
    ledger.hidden += np.bincount(classes[confidence == 0], minlength=n_classes)
    np.maximum.at(ledger.best, classes, confidence)
    accepted = confidence >= climbers.confidence
    sampling = accepted & (confidence > rules.confmin) & (answers.argmax(axis=1) == classes)
    returned = sampling & (uniform < confidence)
    moved = accepted & ~returned
    climbers.best[moved] = climbers.record[moved]
    climbers.best_answers[moved] = answers[moved]
    climbers.confidence[moved] = confidence[moved]
    climbers.rejects = np.where(accepted, 0, climbers.rejects + 1)
    tired = climbers.rejects > rules.rejmax
    climbers.k = np.where(tired, rules.next_k(climbers.k, features), climbers.k)
    climbers.rejects[tired] = 0
    failed = ~returned & (climbers.queries >= rules.itermax)
    ledger.found += np.bincount(classes[returned], minlength=n_classes)
    ledger.failed += np.bincount(classes[failed], minlength=n_classes)
    return returned, failed


def classes_to_start(ledger: ClimbLedger, running: Ints, per_class: int, rules: ClimbRules, slots: int) -> Ints:
    """Classes (s,), s <= slots, that get a new climber each, those with fewest starts first.

    A climber starts only where it would start as well if climbers of its class ran one after the other: as long as
    those under way can't bring all the records that are wanted, and as long as the class would not be given up even if
    all of them failed. So the size of the batch decides neither what is climbed nor what it costs.
    """
    want = per_class - ledger.found - running
    may_fail = rules.failmax * (ledger.found + 1) - ledger.failed - running
    room = np.minimum(np.maximum(want, 0), np.maximum(may_fail, 0))
    classes = np.repeat(np.arange(len(room)), room)
    turn = np.arange(len(classes)) - np.repeat(np.cumsum(room) - room, room)
    first = np.lexsort((classes, ledger.started[classes] + turn))[:slots]
    return np.sort(classes[first])


def restore(kind: type[Any], arrays: Mapping[str, NDArray[Any]], prefix: str) -> Any:
    """Climbers or a ledger from the arrays of a checkpoint."""
    return kind(**{f.name: arrays[prefix + f.name] for f in fields(kind)})
