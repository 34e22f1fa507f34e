"""Attacks at work: each scores the evidence that it declared and rehearses on shadows, side by side in processes.

In a rehearsal a shadow model plays the target, with known membership: what an attacker must choose (a threshold, the
best attack) is chosen there, never on the audited rows. A broken attack is data, not the end of an audit.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gnomon.auditing.settings import Progress
from gnomon.core.answers import Reveal, ShadowAnswers, Signal
from gnomon.core.arrays import Bools, Float64s, Floats, Ints
from gnomon.core.documents.record import Skipped, Status
from gnomon.core.errors import DataError
from gnomon.core.evidence import INSIDE, REHEARSABLE, Evidence, Need
from gnomon.core.protocols import Attack, Judge, options_of, why_not
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, Task, in_order
from gnomon.models.target import Allowance
from gnomon.stats.calibration import calibrate_threshold
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc
from gnomon.stats.signals import (
    confidence,
    loss,
    margin,
    negative_entropy,
    negative_modified_entropy,
    scaled_logit,
)

LESSONS = 1_000_000  # answers of shadow models that an attack learns from, in all its rehearsals together
SIGNALS: tuple[Signal, ...] = (  # the slowest ones first
    negative_modified_entropy, negative_entropy, loss, confidence, scaled_logit, margin,
)  # fmt: skip
MOST_BYTES = 64 * 2**20  # of all of them together, which every process holds
FEWEST_READERS = 4  # attacks, from which on it pays


@dataclass(frozen=True)
class Played:
    """One rehearsal of one attack: a shadow's rows in the target's place."""

    rows: Ints  # (n',) positions in the attacker's pool
    scores: Floats  # (n',) higher = member
    member: Bools  # (n',) the shadow was trained on the row
    auc: float
    tpr: dict[float, float]  # by false-positive rate, where the rows resolve it


@dataclass(frozen=True)
class Rehearsed:
    """What shadows playing the target taught about one attack."""

    threshold: float | None = None
    auc: float | None = None  # mean over rehearsals
    tpr: dict[float, float] = field(default_factory=dict)  # by false-positive rate, mean over rehearsals
    played: tuple[Played, ...] = ()


def rehearse(attack: Attack, evidence: Evidence, count: int, fprs: Sequence[float], seeds: Seeds) -> Rehearsed:
    """Lets up to ``count`` shadows play the target for one attack.

    An attack that learns from the shadow models' answers rehearses less often where these are many (at least once): how
    often follows from their number alone, so that a plan gives the same record on a busy machine. One that cannot be
    rehearsed returns an empty result.
    """
    if count == 0 or not evidence.can_rehearse or not attack.needs <= REHEARSABLE:
        return Rehearsed()
    assert evidence.pool is not None
    played: list[Played] = []
    learned: dict[int, Judge | None] = {}  # by what is left out: partners leave out each other, and know the same
    for i in range(min(count, evidence.pool.n_shadows, most_rehearsals(attack, evidence.pool, len(evidence.queries)))):
        rehearsal, member = evidence.rehearse(i)
        if rehearsal.missing(attack.needs) is not None:
            return Rehearsed()
        rng, view = seeds.child("rehearsal", attack.name, i).generator(), rehearsal.view(attack.needs)
        left_out = i // 2 if evidence.pool.paired else i
        if left_out not in learned:
            learned = {left_out: attack.learn(view, rng)}
        judge = learned[left_out]
        scores = np.asarray(attack.score(view, rng) if judge is None else judge(view), dtype=np.float64)
        rows, sides = np.flatnonzero(evidence.pool.usable[i]), (scores[member], scores[~member])
        played.append(Played(rows, scores, member, auc(*sides).value, sampled_tprs(*sides, fprs)))
    return Rehearsed(
        threshold=calibrate_threshold(
            np.concatenate([p.scores for p in played]), np.concatenate([p.member for p in played])
        ),
        auc=float(np.mean([p.auc for p in played])),
        tpr={f: float(np.mean(rates)) for f in fprs if (rates := [p.tpr[f] for p in played if f in p.tpr])},
        played=tuple(played),
    )


def most_rehearsals(attack: Attack, pool: ShadowAnswers, queries: int = 1) -> int:
    """How often an attack rehearses at most: no attack learns from more than `LESSONS` answers in doing so.

    Args:
        attack: one that does not learn from the pool is quick, and rehearses as often as the plan has it.
        pool: the shadow models on the attacker's rows.
        queries: versions of each record.
    """
    answers = pool.n_shadows * len(pool.labels) * queries
    return max(1, LESSONS // max(answers, 1)) if "pool" in attack.needs else pool.n_shadows


def choose(rehearsed: dict[str, Rehearsed], fpr: float) -> str | None:
    """The attack that finds most members at this false-positive rate in rehearsals; the AUC decides between equals."""
    known = {name: r for name, r in rehearsed.items() if r.auc is not None}
    return max(known, key=lambda name: (round(known[name].tpr.get(fpr, 0.0), 3), known[name].auc)) if known else None


AT_HOME: frozenset[Need] = frozenset({"query"})  # a counted query handle can't be shared out among processes


@dataclass(frozen=True)
class Scored:
    """What an attack returned, or why it did not."""

    name: str
    title: str
    paper: str
    needs: list[str]
    options: dict[str, Any]
    status: Status
    reason: str | None = None
    skipped: Skipped | None = None
    traceback: str | None = None
    scores: Floats | None = None  # (n,) higher = member
    seconds: float = 0.0
    queries: int = 0
    notes: list[str] = field(default_factory=list)
    threshold: float | None = None
    calibrated: Literal["shadow", "attack", "oracle"] = "oracle"

    def with_threshold(self, own: float | None, rehearsed: float | None, broke: str | None) -> Scored:
        """The same with a decision rule: the attack's own threshold, or the one that shadows taught, or none."""
        notes = [*self.notes, broke] if broke else self.notes
        if own is not None:
            return replace(self, threshold=own, calibrated="attack", notes=notes)
        if rehearsed is not None:
            return replace(self, threshold=rehearsed, calibrated="shadow", notes=notes)
        return replace(self, notes=notes)


def describe_attack(attack: Attack) -> Scored:
    """An attack that has not run yet."""
    options = options_of(attack)
    plain = {k: v for k, v in options.items() if isinstance(v, str | int | float | bool | list | tuple | type(None))}
    return Scored(attack.name, attack.title, attack.paper, sorted(attack.needs), plain, "ok")


def score_attack(attack: Attack, evidence: Evidence, seeds: Seeds) -> Scored:
    """Runs one attack on what it declared to need."""
    blank = describe_attack(attack)
    asked = 0 if evidence.query is None else evidence.query.asked
    start = time.perf_counter()
    view = evidence.view(attack.needs)
    try:
        reason = why_not(attack, evidence)
        if reason is not None:
            return replace(blank, status="skipped", reason=reason, skipped=_what_lacks(attack, evidence))
        scores = _checked(attack.score(view, seeds.child("attack", attack.name).generator()), len(evidence))
        notes = attack.notes(view)
    except Exception as error:
        line = f"{type(error).__name__}: {error}"
        return replace(
            blank,
            status="failed",
            reason=line,
            traceback=traceback.format_exc(),
            seconds=time.perf_counter() - start,
            queries=0 if evidence.query is None else evidence.query.asked - asked,
        )
    return replace(
        blank,
        scores=scores,
        seconds=round(time.perf_counter() - start, 3),
        queries=0 if evidence.query is None else evidence.query.asked - asked,
        notes=notes,
    )


def _what_lacks(attack: Attack, evidence: Evidence) -> Skipped:
    """Whose doing it is that an attack can't run: the plan's, the evidence's, or the records'."""
    if evidence.missing(attack.needs) is None:
        return "unfit"
    kept_out = bool(attack.needs & (INSIDE | AT_HOME)) or ("shadows" in attack.needs and _hides_members(evidence))
    return "plan" if kept_out else "evidence"


def _hides_members(evidence: Evidence) -> bool:
    """Shadow models there are, but of the adversary's view: none was trained on audited rows."""
    return evidence.shadows is not None and evidence.missing(frozenset({"shadows"})) is not None


def _checked(scores: Any, n: int) -> Floats:
    array = np.asarray(scores, dtype=np.float64)
    if array.shape != (n,):
        raise DataError(f"expected {n} scores, one an audited row, got shape {array.shape}")
    if np.isnan(array).any():
        raise DataError(f"{int(np.isnan(array).sum())} of {n} scores are NaN")
    return array


@dataclass(frozen=True)
class Attempt:
    """What came of one attack: scores with a decision rule, and what rehearsals taught."""

    scored: Scored
    rehearsed: Rehearsed

    @property
    def scores(self) -> Floats:
        """The scores (n,) of one that brought some."""
        assert self.scored.scores is not None
        return self.scored.scores


def with_scores(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Those attempts that brought scores."""
    return [attempt for attempt in attempts if attempt.scored.scores is not None]


def attempt(attack: Attack, evidence: Evidence, rehearsals: int, fprs: Sequence[float], seeds: Seeds) -> Attempt:
    """Scores the evidence with one attack and lets shadows rehearse it."""
    scored = score_attack(attack, evidence, seeds)
    if scored.status != "ok":
        return Attempt(scored, Rehearsed())
    try:
        learned, broke = rehearse(attack, evidence, rehearsals, fprs, seeds), None
    except Exception as error:
        learned, broke = Rehearsed(), f"the rehearsal on shadow models broke: {type(error).__name__}: {error}"
    return Attempt(scored.with_threshold(attack.threshold, learned.threshold, broke), learned)


def attempt_all(
    attacks: Sequence[Attack],
    evidence: Evidence,
    rehearsals: int,
    fprs: Sequence[float],
    seeds: Seeds,
    engine: Engine,
    progress: Progress,
    barred: Mapping[str, str] | None = None,
) -> list[Attempt]:
    """All attacks, in their order; those that need no query handle run in this machine's processes.

    Those that ask share what is left of the budget evenly; what one leaves, the next ones get. Attacks that are barred
    (name -> why) are skipped.
    """
    advance = progress.stage("attacks", len(attacks))
    found: dict[int, Attempt] = {}
    for i, attack in enumerate(attacks):
        if barred and attack.name in barred:
            found[i] = Attempt(
                replace(describe_attack(attack), status="skipped", reason=barred[attack.name], skipped="plan"),
                Rehearsed(),
            )
            advance(1)
    away = [i for i, attack in enumerate(attacks) if i not in found and not attack.needs & AT_HOME]
    home = [i for i in range(len(attacks)) if i not in found and i not in away]
    fit = [i for i in home if _will_ask(attacks[i], evidence)]
    for i in home:
        to_come = sum(j >= i for j in fit)
        found[i] = attempt(attacks[i], _with_allowance(evidence, max(1, to_come)), rehearsals, fprs, seeds)
        advance(1)
    evidence = with_signals(evidence, [attacks[i] for i in away], engine.here)
    slow_first = sorted(away, key=lambda i: "pool" not in attacks[i].needs)
    tasks = [
        Task(
            f"attack {attacks[i].name}",
            attempt,
            (attacks[i], _to_send(evidence, attacks[i].needs), rehearsals, fprs, seeds),
        )
        for i in slow_first
    ]
    for done in engine.here.run(tasks):
        found[slow_first[done.position]] = done.result
        advance(1)
    return [found[i] for i in range(len(attacks))]


def _will_ask(attack: Attack, evidence: Evidence) -> bool:
    try:
        return why_not(attack, evidence) is None
    except Exception:  # an attack that breaks here fails when its turn comes, and asks nothing
        return False


def _with_allowance(evidence: Evidence, parts: int) -> Evidence:
    """The evidence with one of so many parts of the queries that are left."""
    query = evidence.query
    if query is None:
        return evidence
    limit = None if query.remaining is None else query.remaining // parts
    return replace(evidence, query=Allowance(query, limit))


def _to_send(evidence: Evidence, needs: frozenset[Need]) -> Evidence:
    """The evidence without what would only be carried along: rows that the attack does not read."""
    population = evidence.population
    if "x" in needs:
        return replace(evidence, query=None)
    return replace(evidence, query=None, x=None, population=None if population is None else replace(population, x=None))


def with_signals(evidence: Evidence, attacks: Sequence[Attack], engine: Engine) -> Evidence:
    """The evidence whose shadow models know their signals; as it is where few attacks or too many bytes are concerned.

    Args:
        evidence: of the audited rows.
        attacks: those that will read it.
        engine: where signals are worked out.
    """
    parts = [part for part in (evidence.shadows, evidence.pool) if part is not None]
    readers = sum(bool(attack.needs & {"shadows", "shadows_out", "pool"}) for attack in attacks)
    size = 8 * len(SIGNALS) * sum(part.n_shadows * len(part.rows) for part in parts)
    if readers < FEWEST_READERS or size > MOST_BYTES or len({id(part.answers) for part in parts}) != 1:
        return evidence
    rows, first = np.unique(np.concatenate([part.rows for part in parts]), return_index=True)
    labels = np.concatenate([part.labels for part in parts])[first]
    asked = (parts[0].answers, parts[0].reveal, rows, labels)
    tasks = [Task(f"{signal.__name__} of shadow models", _work_out, (signal, *asked)) for signal in SIGNALS]
    found = dict(zip(SIGNALS, in_order(engine, tasks), strict=True))

    def known(part: ShadowAnswers | None) -> ShadowAnswers | None:
        if part is None:
            return None
        at = np.searchsorted(rows, part.rows)
        return replace(part, known={signal: values[:, at] for signal, values in found.items()})

    return replace(evidence, shadows=known(evidence.shadows), pool=known(evidence.pool))


def _work_out(signal: Signal, answers: Sequence[Floats], reveal: Reveal, rows: Ints, labels: Ints) -> Float64s:
    """A signal of m models on n rows, (m, n)."""
    values = [signal(reveal.apply(np.asarray(each)[rows]), labels) for each in answers]
    return np.stack(values).astype(np.float64, copy=False)
