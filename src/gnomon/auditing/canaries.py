"""The one-run audit: canaries that fair coins put into one more training of the recipe (Steinke et al., 2023).

Everything that decides the bound is fixed before anything is trained: the canaries, their coins, the numbers of
guesses, delta and confidence. The training sees the canaries whose coins fell in; the attacker sees the model, ranks
all canaries by the probability that it gives to their labels, guesses the first "in" and the last "out", and says
nothing of those between. That ranking uses no coin, so the coins of all canaries are left to count errors on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gnomon.auditing.outcome import CanaryTable
from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Bools, Ints, Rows, concat_rows, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding
from gnomon.core.documents.record_parts import CanariesPlan, CanaryFacts, CanaryTrial, Kind
from gnomon.core.errors import PlanError
from gnomon.core.plan import DataPlan
from gnomon.core.protocols import Trainer, TrainerAbilities
from gnomon.core.seeds import Seeds
from gnomon.datasets.own_files.csv_files import CsvFormat
from gnomon.datasets.own_files.tables import read_further_rows
from gnomon.shadow.pool import ShadowPool
from gnomon.stats.privacy.one_run import numbers_of_guesses, one_run_bound_from_scores, one_run_ceiling

USUAL_COUNT = 500
USUAL_DELTA = 1e-5  # as in the paper; what delta allows to go wrong counts 2 m delta, so a larger one hides much
MOST_TESTED = 2000  # rows that the accuracy of the model with canaries is measured on


@dataclass(frozen=True)
class Canaries:
    """Canaries, drawn and checked; nothing has been trained yet."""

    kind: Kind
    data: Dataset  # the audit's rows, and the canaries behind them
    rows: Ints  # (m,) the canaries' positions in it
    coins: Bools  # (m,) True = put in
    train: Ints  # (k,) what the model is trained on: the target's training rows, and the canaries that are in
    tested: Ints  # rows that it is not trained on, for its accuracy
    guesses: list[int]
    delta: float
    confidence: float


def draw_canaries(
    asked: CanariesPlan | None, names: DataPlan, data: Dataset, trainer: Trainer | None, roles: Roles, seeds: Seeds
) -> Canaries | None:
    """The canaries of a plan, or None if it asks for none.

    Args:
        asked: the table [canaries], or None.
        names: the columns that a file of canaries has next to its features.
        data: all rows.
        trainer: the recipe that the bound will speak of.
        roles: who is who; canaries are added to ``roles.train``.
        seeds: the audit's root.

    Raises:
        PlanError: nobody can train, too many or too few canaries, or more guesses than canaries.
        DataError: a file that can't be read, or whose columns or classes are others.
    """
    if asked is None:
        return None
    if trainer is None:
        raise PlanError(
            "canaries: they must be in the training data before a model is trained, and the model here is given "
            "without a recipe; give one in [trainer], or leave [canaries] out"
        )
    spare = np.setdiff1d(np.arange(len(data)), np.union1d(roles.train, roles.reference))
    rng = seeds.child("canaries", asked.kind).generator()
    x, y, copied = _make(asked, names, data, spare, rng)
    m = len(y)
    extended = replace(
        data,
        x=x,
        y=np.concatenate([data.y, y]),
        ids=np.concatenate([data.ids.astype(object), [f"canary:{i}" for i in range(m)]]),
        groups=None,
    )
    coins = seeds.child("canaries", "coins").generator().random(m) < 0.5
    rows = np.arange(len(data), len(data) + m)
    train = np.concatenate([roles.train, rows[coins]])
    others = seeds.child("canaries", "tested").generator().permutation(np.setdiff1d(spare, copied))
    delta = _delta(asked, trainer)
    guesses = _guesses(asked, m, delta)
    return Canaries(
        asked.kind, extended, rows, coins, train, np.sort(others[:MOST_TESTED]), guesses, delta, asked.confidence
    )


def audit_canaries(canaries: Canaries, prepared: Prepared) -> tuple[CanaryFacts, CanaryTable]:
    """Trains once with the canaries (or takes the answers from the store), guesses, and gives the bound."""
    data, trainer, rows = canaries.data, prepared.inputs.trainer, canaries.rows
    assert trainer is not None  # `draw_canaries` came first
    asked = np.union1d(rows, canaries.tested)
    pool = ShadowPool(prepared.store, prepared.engine, trainer)
    advance = prepared.progress.stage("canaries", 1)
    found = pool.answers(data, [canaries.train], asked, [prepared.seeds.child("canaries", "model").integer()], advance)
    answers = np.asarray(found.answers[0])
    scores = answers[np.searchsorted(asked, rows), data.y[rows]].astype(np.float64)
    bound = one_run_bound_from_scores(
        scores, canaries.coins, guesses=canaries.guesses, delta=canaries.delta, confidence=canaries.confidence
    )
    tested = canaries.tested
    right = answers[np.searchsorted(asked, tested)].argmax(axis=1) == data.y[tested]
    size = len(canaries.train)
    facts = CanaryFacts(
        kind=canaries.kind,
        canaries=len(rows),
        included=int(canaries.coins.sum()),
        guesses=bound.guesses,
        right=bound.right,
        epsilon=bound.epsilon,
        ceiling=bound.ceiling,
        delta=bound.delta,
        confidence=bound.confidence,
        trials=[CanaryTrial(guesses=t.guesses, right=t.right, epsilon=t.epsilon) for t in bound.trials],
        promised=TrainerAbilities.of(trainer).promised_epsilon(size, bound.delta),
        train_size=size,
        test_accuracy=float(right.mean()) if len(tested) else None,
        tested=len(tested),
        reused=found.reused == 1,
    )
    labels = [data.classes[label] for label in data.y[rows]]
    return facts, CanaryTable([str(i) for i in data.ids[rows]], labels, canaries.coins, scores)


def check_promise(facts: CanaryFacts) -> list[Finding]:
    """A finding where the canaries refute the epsilon that the training promised."""
    if facts.promised is None or facts.epsilon <= facts.promised:
        return []
    return [
        Finding(
            code="epsilon-refuted",
            title="the canaries refute the epsilon that the training promised",
            severity="warning",
            explanation=f"At delta {facts.delta:g} the accountant promises epsilon {facts.promised:.3g} at most; "
            f"{facts.right} right guesses of {facts.guesses} show {facts.epsilon:.3g} at least, at a confidence of "
            f"{facts.confidence:g}. Chance alone does this in at most {1 - facts.confidence:.2g} of all audits.",
            remedy="Audit with another seed. If it happens again, the training differs from what the accountant "
            "assumed: look at clipping, noise, sampling and at rows that stand in the data twice.",
        )
    ]


def _make(
    asked: CanariesPlan, names: DataPlan, data: Dataset, spare: Ints, rng: np.random.Generator
) -> tuple[Rows, Ints, Ints]:
    """All rows with the canaries behind them, the canaries' class ids, and the rows that they are copies of."""
    nothing = np.empty(0, dtype=np.int64)
    if asked.kind == "own":
        return *_from_file(asked, names, data, rng), nothing
    if asked.kind == "random":
        m = asked.count or USUAL_COUNT
        drawn = data.features.random(m, rng)
        return concat_rows([data.x, drawn]), rng.integers(0, data.n_classes, m), nothing
    m = asked.count or min(USUAL_COUNT, len(spare))
    if m > len(spare) or m == 0:
        raise PlanError(
            f"canaries.count: {m} mislabelled canaries need as many rows that the model is not trained on, and there "
            f'are {len(spare)}; ask for fewer, or take kind = "random"'
        )
    copied = rng.permutation(spare)[:m]
    wrong = (data.y[copied] + rng.integers(1, data.n_classes, m)) % data.n_classes
    return concat_rows([data.x, take_rows(data.x, copied)]), wrong, copied


def _from_file(asked: CanariesPlan, names: DataPlan, data: Dataset, rng: np.random.Generator) -> tuple[Rows, Ints]:
    assert asked.file is not None
    x, y = read_further_rows(asked.file, data, names.label, names.id, names.group, CsvFormat(**names.csv.model_dump()))
    k = len(y)
    m = asked.count or k
    if m > k:
        raise PlanError(f"canaries.count: {m} canaries wanted, {asked.file} holds {k}; ask for fewer or add rows")
    if m == k:
        return x, y
    chosen = np.sort(rng.permutation(k)[:m])
    rows = np.concatenate([np.arange(len(data)), len(data) + chosen])
    return take_rows(x, rows), y[chosen]


def _delta(asked: CanariesPlan, trainer: Trainer) -> float:
    if asked.delta is not None:
        return asked.delta
    promised = TrainerAbilities.of(trainer).promised_delta
    return USUAL_DELTA if promised is None else promised


def _guesses(asked: CanariesPlan, m: int, delta: float) -> list[int]:
    """The numbers of guesses, if they can show anything at all."""
    guesses = numbers_of_guesses(m) if asked.tried is None else sorted(set(asked.tried))
    if max(guesses) > m:
        raise PlanError(f"canaries.guesses: {max(guesses)} guesses on {m} canaries; ask for {m} or fewer")
    if one_run_ceiling(m, guesses, delta=delta, confidence=asked.confidence) == 0:
        raise PlanError(
            f"canaries.count: {m} canaries and {', '.join(map(str, guesses))} guesses can show no epsilon above 0 at "
            f"delta {delta:g} and confidence {asked.confidence:g}, even if every guess is right; take more canaries "
            "(some hundreds) or a smaller delta"
        )
    return guesses
