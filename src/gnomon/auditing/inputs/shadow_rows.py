"""The attacker's rows: real ones, or rows that they make themselves.

A synthetic source replaces the real pool by rows that are appended to the data set; everything behind it (shadows,
evidence, attacks) stays as it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Ints, Rows, concat_rows, count_rows, fingerprint, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import ShadowSourceFacts
from gnomon.core.errors import UsageError
from gnomon.core.plan import ShadowSource
from gnomon.core.protocols import ModelAbilities
from gnomon.models.target import Target
from gnomon.synthesis import ClimbRules, climb, count_marginals, label_by_target, load_marginals, noisy
from gnomon.synthesis.marginals import Marginals


@dataclass(frozen=True)
class ShadowData:
    """Rows for shadows: the data set that holds them, the roles that name them, and what they cost."""

    data: Dataset
    roles: Roles
    facts: ShadowSourceFacts


def queries_target(source: ShadowSource) -> bool:
    """Whether rows of this source are made by querying the target."""
    return source.partition(":")[0] in ("marginals", "climbing")


def make_rows(source: ShadowSource, prepared: Prepared, target: Target | None) -> ShadowData:
    """The attacker's rows: real ones, or made from noise, marginals or the target's confidence.

    Args:
        source: which way.
        prepared: the real rows; in the adversary's view noise is added to its pool, and marginals are counted there.
        target: who gives labels and confidences; every query is counted.

    Raises:
        UsageError: the auditor's view, whose shadows are trained on audited rows.
        ClimbInterruptedError: the target failed in the middle; the next run goes on.
    """
    data, roles, plan = prepared.data, prepared.roles, prepared.plan.shadow
    if source == "real":
        return ShadowData(data, roles, ShadowSourceFacts(source="real", rows=len(roles.pool)))
    if roles.view == "auditor":
        raise UsageError(f'shadow.source "{source}" is the adversary\'s: set view = "adversary"')
    if queries_target(source) and target is None:
        raise UsageError(f'shadow.source "{source}" queries the target: give the model itself, not only its answers')
    start = time.perf_counter()
    rng = prepared.seeds.child("synthesis", source).generator()
    wanted = plan.rows or len(roles.pool)
    before = 0 if target is None else target.asked
    real = take_rows(data.x, roles.pool)
    kind, _, option = source.partition(":")
    if kind == "noisy" or target is None:
        rate = float(option or plan.noise)
        x, y = noisy(real, data.features, rate, rng), data.y[roles.pool]
        made = _Made(x, y, [f"each feature of {len(y):,} real records was flipped or redrawn at a rate of {rate:g}"])
    elif kind == "marginals":
        labelled = label_by_target(
            known_marginals(prepared).draw(wanted, rng), target, data.classes, reveal=target.reveal
        )
        made = _Made(labelled.x, labelled.y, [], labelled.unseen)
    else:
        made = _climbed(option or plan.climbing.searcher, prepared, target, rng, wanted, real)
    return _appended(
        source, data, roles, made, 0 if target is None else target.asked - before, time.perf_counter() - start
    )


def known_marginals(prepared: Prepared) -> Marginals:
    """Each feature's frequencies as the attacker is assumed to know them: of a file, or counted on the pool."""
    if prepared.plan.shadow.marginals is not None:
        return load_marginals(Path(prepared.plan.shadow.marginals))
    return count_marginals(take_rows(prepared.data.x, prepared.roles.pool), prepared.data.features)


@dataclass(frozen=True)
class _Made:
    x: Rows
    y: Ints
    notes: list[str]
    unreached: tuple[str, ...] = ()


def _climbed(
    searcher: str, prepared: Prepared, target: Target, rng: np.random.Generator, wanted: int, real: Rows
) -> _Made:
    data, options = prepared.data, prepared.plan.shadow.climbing
    knows = searcher == "guided" and options.guess == "marginals"
    advance, told = prepared.progress.stage("climbing", wanted), [0]

    def step(found: int, _: int) -> None:
        advance(found - told[0])
        told[0] = found

    rules = ClimbRules(
        **{name: getattr(options, name) for name in ("kmax", "kmin", "rejmax", "confmin", "itermax", "failmax")}
    )
    found = climb(
        target,
        data.features,
        data.classes,
        -(-wanted // data.n_classes),
        rng,
        rules=rules,
        searcher="guided" if searcher == "guided" else "plain",
        marginals=count_marginals(real, data.features) if knows else None,
        sharpness=options.sharpness,
        climbers=options.climbers,
        budget=options.budget,
        reveal=target.reveal,
        checkpoint=prepared.store.root / f"climb-{searcher}-{_who(target, real)}.npz",
        progress=step,
    )
    return _Made(found.x, found.y, list(found.notes), found.unreached)


def _who(target: Target, rows: Rows) -> str:
    """A digest of what the target answers: a climb's state must never be taken up before another target."""
    known = ModelAbilities.of(target.model).identity
    if known is not None:
        return known[:16]
    return fingerprint(target.model.log_probs(take_rows(rows, np.arange(min(256, count_rows(rows))))))[:16]


def _appended(
    source: ShadowSource, data: Dataset, roles: Roles, made: _Made, queries: int, seconds: float
) -> ShadowData:
    n = len(made.y)
    if n < 2:
        raise UsageError(f'shadow.source "{source}" gave {n} records; more queries or a lower confmin may give some')
    new = np.arange(len(data), len(data) + n)
    ids = [f"{source}:{i}" for i in range(n)]  # each a person of its own
    extended = replace(
        data,
        x=concat_rows([data.x, made.x]),
        y=np.concatenate([data.y, made.y]),
        ids=np.concatenate([data.ids.astype(object), ids]),
        groups=None if data.groups is None else np.concatenate([data.groups.astype(str), ids]),
    )
    facts = ShadowSourceFacts(
        source=source,
        rows=n,
        queries=queries,
        queries_per_record=queries / n if queries else None,
        unreached=list(made.unreached),
        notes=made.notes,
        seconds=round(seconds, 3),
    )
    return ShadowData(extended, replace(roles, pool=new, population=new), facts)
