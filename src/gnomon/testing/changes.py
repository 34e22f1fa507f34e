"""Changes to evidence that a check makes: fewer rows, another order, poisoned parts, saturated answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.evidence import LABELS, Evidence, Need


def permute_shadows(evidence: Evidence, order: Ints) -> Evidence:
    """The same shadows, counted in another order."""
    return change_shadows(evidence, lambda shadows: shadows.only(order))


def change_shadows(evidence: Evidence, change: Callable[[ShadowAnswers], ShadowAnswers]) -> Evidence:
    """The evidence with its shadows' answers changed wherever they stand."""
    population = evidence.population
    if population is not None and population.shadows is not None:
        population = replace(population, shadows=change(population.shadows))
    return replace(
        evidence,
        shadows=None if evidence.shadows is None else change(evidence.shadows),
        pool=None if evidence.pool is None else change(evidence.pool),
        population=population,
        variants=tuple(change_shadows(v, change) for v in evidence.variants),
    )


def poison(evidence: Evidence, needs: frozenset[Need]) -> Evidence:
    """The evidence with NaN in every part that an attack with these needs must not read; what is no array is gone.

    Under offline needs the answers of shadows on rows that they were trained on are such a part.
    """
    shadows, population, pool = evidence.shadows, evidence.population, evidence.pool
    if shadows is not None and "shadows" not in needs:
        shadows = _poison_shadows(shadows, only_members="shadows_out" in needs)
    if pool is not None and "pool" not in needs:
        pool = _poison_shadows(pool, only_members=False)
    shadows, pool = _poison_observed(shadows, needs), _poison_observed(pool, needs)
    if population is not None and "population" not in needs:
        population = replace(population, answers=_nan(population.answers))
    if population is not None and population.shadows is not None and not needs & {"shadows", "shadows_out", "pool"}:
        population = replace(population, shadows=_poison_shadows(population.shadows, only_members=False))
    return replace(
        evidence,
        answers=_poison_answers(evidence.answers, needs),
        shadows=shadows,
        pool=pool,
        population=population,
        x=evidence.x if evidence.x is None or "x" in needs else _nan(evidence.x),
        gradients=evidence.gradients
        if evidence.gradients is None or "gradients" in needs
        else {k: _nan(v) for k, v in evidence.gradients.items()},
        observed={name: v if name in needs else _nan(v) for name, v in evidence.observed.items()},
        query=evidence.query if "query" in needs else None,
        insider=evidence.insider if "membership_half" in needs else None,
        variants=tuple(poison(v, needs) for v in evidence.variants),
    )


def _poison_answers(answers: Floats | None, needs: frozenset[Need]) -> Floats | None:
    """NaN, or where labels are needed another vector with the same label on top."""
    if answers is None or "answers" in needs:
        return answers
    return (LABELS.apply(answers) == 0.0).astype(np.float32) - 2.0 if "labels" in needs else _nan(answers)


def _poison_shadows(shadows: ShadowAnswers, *, only_members: bool) -> ShadowAnswers:
    def poisoned(values: Floats, member: Bools) -> Floats:
        own = np.array(values)
        own[shadows.rows[member] if only_members else shadows.rows] = np.nan
        return own

    def every(parts: Sequence[Floats]) -> list[Floats]:
        return [poisoned(values, member) for values, member in zip(parts, shadows.member, strict=True)]

    observed = {name: every(parts) for name, parts in shadows.observed.items()}
    return replace(shadows, answers=every(shadows.answers), observed=observed)


def _poison_observed(shadows: ShadowAnswers | None, needs: frozenset[Need]) -> ShadowAnswers | None:
    if shadows is None:
        return None
    kept = {n: v if n in needs else [_nan(one) for one in v] for n, v in shadows.observed.items()}
    return replace(shadows, observed=kept)


def _nan(array: Floats) -> Floats:
    return np.full_like(np.asarray(array, dtype=np.float32), np.nan)


def saturate(evidence: Evidence, rows: Bools) -> Evidence:
    """Answers of exactly 0 and 1 of the target and all shadows on these audited rows, and on half of all other rows.

    Gradients, losses at checkpoints and whatever else is observed vanish on these audited rows.
    """

    def sure(answers: Floats, which: Bools) -> Floats:
        with np.errstate(divide="ignore"):
            one_hot = np.log(np.eye(answers.shape[1], dtype=np.float32))[np.argmax(answers, axis=1)]
        return np.where(which[:, None], one_hot, answers)

    def sure_shadows(shadows: ShadowAnswers) -> ShadowAnswers:
        halves = [np.arange(len(answers)) % 2 == 0 for answers in shadows.answers]
        for which in halves:
            which[: len(rows)] = rows  # audited rows stand first in a toy world
        return replace(
            shadows,
            answers=[sure(a, h) for a, h in zip(shadows.answers, halves, strict=True)],
            observed={
                name: [np.where(h[:, None], 0.0, v) for v, h in zip(each, halves, strict=True)]
                for name, each in shadows.observed.items()
            },
        )

    changed = change_shadows(evidence, sure_shadows)
    population = changed.population
    if population is not None:
        population = replace(population, answers=sure(population.answers, np.arange(len(population.labels)) % 2 == 0))
    answers = None if evidence.answers is None else sure(evidence.answers, rows)
    gradients = evidence.gradients
    if gradients is not None:
        gradients = {name: np.where(rows, 0.0, norms) for name, norms in gradients.items()}
    observed = {name: np.where(rows[:, None], 0.0, values) for name, values in evidence.observed.items()}
    return replace(changed, answers=answers, population=population, gradients=gradients, observed=observed)


def change_truth(evidence: Evidence, fold: int, rng: np.random.Generator) -> Evidence:
    """The evidence with another truth about the rows that an insider judges in this fold."""
    insider = evidence.insider
    if insider is None:
        return evidence
    truth, rows = insider.truth.copy(), insider.judged(fold)
    truth[rows] = rng.permutation(truth[rows])
    return replace(evidence, insider=replace(insider, truth=truth))


def extreme_masks(evidence: Evidence) -> Evidence:
    """A third of the audited rows is in all shadows, a third in none; the rest stays as it is."""

    def extreme(shadows: ShadowAnswers) -> ShadowAnswers:
        member = shadows.member.copy()
        third = member.shape[1] // 3
        member[:, :third], member[:, third : 2 * third] = True, False
        return replace(shadows, member=member)

    online = evidence.shadows is not None and bool(evidence.shadows.member.any())
    return replace(
        evidence,
        shadows=extreme(evidence.shadows) if evidence.shadows is not None and online else evidence.shadows,
        pool=None if evidence.pool is None else extreme(evidence.pool),
    )


def arrays_of(part: object) -> Iterator[NDArray[Any]]:
    """Every array that stands anywhere in the evidence."""
    if isinstance(part, np.ndarray):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from arrays_of(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from arrays_of(value)
    elif is_dataclass(part) and not isinstance(part, type):
        for entry in fields(part):
            yield from arrays_of(getattr(part, entry.name))
