"""Per-record risk: how probable it is, after the headline attack, that a record was trained on; and who is vulnerable.

The probabilities are learned on shadow models that played the target, and held against the audited rows, whose truth
was not used. Where these contradict them beyond chance, or where the shadows are known to be unlike the target, nothing
that shadows state is passed on: the probabilities are learned anew on the audited rows, each row's from other rows (and
other persons) only, or withheld where these are too few. Where shadows were trained on audited rows, they also tell
whether a record is exposed whenever it is trained on, or was only unlucky this once.

Vulnerability is how much a record is worth to an attacker, told by shadow models alone. The target is not asked, and
the truth is not looked at: so a mitigation can be measured on the records that are most exposed without choosing them
by the very scores that are then measured (Aerni, Zhang & Tramèr, 2024, ask that mitigations be judged on such records).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.outcome import RiskTable
from gnomon.auditing.results.figures import estimate
from gnomon.auditing.results.scoring import Attempt, Played
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.documents.record import Finding
from gnomon.core.documents.record_parts import RiskBand, RiskFacts
from gnomon.core.seeds import Seeds
from gnomon.stats.risk import RiskCurve, fit_risk
from gnomon.stats.risk_check import contradicted, contradiction, deviations
from gnomon.stats.signals import scaled_logit

PRIOR_ROWS = 4.0  # how many models' worth of the mean variance a record's own variance is drawn towards


def vulnerability(shadows: ShadowAnswers | None) -> Floats | None:
    """Exposure (n,) of the audited rows, higher = more exposed; None without shadow models.

    Where shadows were trained on audited rows (auditor's view): by how many standard deviations a record's scaled logit
    is higher in shadows that were trained on it than in the others. Where none was (adversary's view): minus the mean
    scaled logit, because records that a model finds hard are those that it remembers (Carlini et al., 2022). A row that
    no shadow tells anything of is minus infinity.
    """
    if shadows is None or shadows.n_shadows == 0:
        return None
    logits = shadows.signal(scaled_logit).astype(np.float64)
    known = shadows.usable & np.isfinite(logits)
    inside, outside = known & shadows.member, known & ~shadows.member
    out_mean = _mean(logits, outside)
    if not inside.any():
        return _known(-out_mean)
    in_mean = _mean(logits, inside)
    squares = np.where(inside, (logits - in_mean) ** 2, 0.0) + np.where(outside, (logits - out_mean) ** 2, 0.0)
    freedom = np.maximum(inside.sum(axis=0) - 1, 0) + np.maximum(outside.sum(axis=0) - 1, 0)
    common = float(np.nansum(squares)) / max(1, int(freedom.sum()))
    variance = (squares.sum(axis=0) + PRIOR_ROWS * common) / (freedom + PRIOR_ROWS)
    return _known((in_mean - out_mean) / np.sqrt(np.maximum(variance, 1e-12)))


def most_exposed_tenth(values: Floats) -> Bools:
    """Mask (n,) of the tenth of the rows that are most exposed, members and others alike; ties by position."""
    count = max(1, round(len(values) / 10))
    mask = np.zeros(len(values), dtype=bool)
    mask[np.argsort(-values, kind="stable")[:count]] = True
    return mask


def _mean(values: Floats, mask: Bools) -> Floats:
    """Means (n,) over the models (axis 0) where the mask holds; NaN where it holds nowhere."""
    count = mask.sum(axis=0)
    total = np.where(mask, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _known(values: Floats) -> Floats:
    found: Floats = np.where(np.isnan(values), -np.inf, values)
    return found


BANDS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
LEAST_COMMON = 50  # rows that two rehearsals were both trained on, for a rank correlation
FOLDS = 5
FEWEST_UNITS = 50  # members, and non-members (persons, where groups are given), that probabilities are learned anew on
DRAWS = 100  # bootstrap samples of each fold's curve
UNLIKE = "the shadow models are unlike the target"
UNTRUE = "what they stated did not come true on the audited records"


@dataclass(frozen=True)
class Risk:
    """What the record says, the table that lies with it (None: withheld), and what must be known of both."""

    facts: RiskFacts
    table: RiskTable | None
    findings: list[Finding]


@dataclass(frozen=True)
class _Stated:
    """Probabilities of all audited rows, (n,) each."""

    probability: Floats
    low: Floats
    high: Floats


def assess_risk(
    headline: str | None,
    attempts: Sequence[Attempt],
    case: AuditCase,
    confidence: float,
    seeds: Seeds,
    *,
    unlike: bool = False,
) -> Risk | None:
    """The risk of every audited row; None without a headline attack or without rehearsals.

    Args:
        headline: name of the attack.
        attempts: all attacks with their rehearsals.
        case: the audited rows and the truth.
        confidence: of the intervals.
        seeds: the audit's root.
        unlike: a finding says that the shadow models are unlike the target.
    """
    found = next((a for a in attempts if a.scored.name == headline), None)
    if found is None or found.scored.scores is None or not found.rehearsed.played:
        return None
    scores, played, member = found.scored.scores, found.rehearsed.played, case.member
    data, units = case.data, case.units
    known = [(p.scores, p.member) for p in played]
    rng = seeds.child("risk").generator()
    own = None if data.groups is None else [data.groups[case.roles.pool[p.rows]] for p in played]
    curve = fit_risk(known, rng=rng, confidence=confidence, groups=own)
    shadows = _Stated(*curve.at(scores))
    checked = deviations(shadows.probability, member, units)
    shadow_error, p_value = checked.interval(confidence, rng), contradiction(checked, known)
    untrue = contradicted(shadow_error, p_value)
    reason = UNLIKE if unlike else UNTRUE if untrue else None
    stated = shadows if reason is None else _learn_anew(scores, member, units, rng, confidence)
    error = shadow_error
    if stated is not None and reason is not None:
        error = deviations(stated.probability, member, units).interval(confidence, rng)
    seen = _again(played, curve, case.audited, case.roles.pool)  # rehearsals' rows stand in the pool's order
    stability, records = _stability(seen) if reason is None else (None, 0)
    facts = RiskFacts(
        attack=found.scored.name,
        rehearsals=len(played),
        basis="withheld" if stated is None else "shadows" if reason is None else "audited records",
        reason=reason,
        calibration_error=None if stated is None else estimate(error),
        mean_members=None if stated is None else float(stated.probability[member].mean()),
        mean_nonmembers=None if stated is None else float(stated.probability[~member].mean()),
        bands=[] if stated is None else _bands(stated.probability, member),
        shadow_error=estimate(shadow_error),
        shadow_p_value=p_value,
        shadow_bands=_bands(shadows.probability, member),
        stable_pairs=stability,
        stable_records=records,
    )
    findings = [_miscalibrated(facts)] if untrue else []
    if stated is None:
        return Risk(facts, None, findings)
    return Risk(facts, _table(case, scores, stated, seen if reason is None else np.full_like(seen, np.nan)), findings)


def _table(case: AuditCase, scores: Floats, stated: _Stated, seen: Floats) -> RiskTable:
    """The risk of every audited row, with what rehearsals said of it (r, n), NaN where it was not seen."""
    data, groups, times = case.data, case.groups, np.isfinite(seen).sum(axis=0).astype(np.int64)
    mean = np.where(times > 0, np.nansum(seen, axis=0) / np.maximum(times, 1), np.nan)
    return RiskTable(
        ids=[str(i) for i in data.ids[case.audited]],
        labels=[data.classes[c] for c in data.y[case.audited]],
        groups=None if groups is None else [str(g) for g in groups],
        member=case.member,
        score=scores,
        probability=stated.probability,
        low=stated.low,
        high=stated.high,
        when_trained=mean,
        trainings=times,
    )


def _learn_anew(
    scores: Floats, member: Bools, groups: NDArray[np.generic] | None, rng: np.random.Generator, confidence: float
) -> _Stated | None:
    """Probabilities of each row from the audited rows of other folds; None where these are too few.

    Groups stay together; those that stand on both sides are dealt out for themselves.
    """
    own = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    _, first = np.unique(own, return_index=True)
    share = np.bincount(own, member) / np.bincount(own)
    if min(len(np.unique(own[member])), len(np.unique(own[~member]))) < FEWEST_UNITS:
        return None
    fold = np.zeros(len(first), dtype=np.int64)
    for side in (share == 1, share == 0, (share > 0) & (share < 1)):
        fold[side] = rng.permutation(int(side.sum())) % FOLDS
    result = _Stated(*(np.zeros(len(scores)) for _ in range(3)))
    for i in range(FOLDS):
        here = fold[own] == i
        learn = ~here
        together = None if groups is None else [own[learn]]
        curve = fit_risk([(scores[learn], member[learn])], rng=rng, draws=DRAWS, confidence=confidence, groups=together)
        result.probability[here], result.low[here], result.high[here] = curve.at(scores[here])
    return result


def _miscalibrated(facts: RiskFacts) -> Finding:
    """What shadow models stated of the audited rows is not what came true."""
    worst = max(
        (b for b in facts.shadow_bands if b.stated is not None and b.true is not None),
        key=lambda b: (b.members + b.nonmembers) * abs((b.stated or 0.0) - (b.true or 0.0)),
    )
    off = facts.shadow_error
    if facts.basis == "withheld":
        done = "The audited records are too few to learn probabilities anew, so none are stated."
        rest = "rely on the attacks' values."
    else:
        done = "The probabilities that are stated were learned anew on the audited records, each from the others."
        rest = "rely on the attacks' values and on the probabilities that were learned anew."
    return Finding(
        code="risk-miscalibrated",
        title="probabilities of membership learned on shadow models do not hold for this model: "
        f"{worst.stated:.2f} stated, {worst.true:.2f} true among {worst.members + worst.nonmembers:,} records; "
        f"calibration error {off.value:.3f} ({off.low:.3f} to {off.high:.3f})",
        severity="warning",
        explanation="The shadow models that stood in for the target remember their records more, or less, than it "
        "does, or were too few to learn probabilities on. " + done,
        remedy="Where recipe or training size are not the target's own, give these ([trainer], [shadow] size); where "
        f"they are, {rest}",
    )


def _again(played: Sequence[Played], curve: RiskCurve, audited: Ints, pool: Ints) -> Floats:
    """Probabilities (rehearsals, n) of audited rows in models that were trained on them too, else NaN."""
    result = np.full((len(played), len(audited)), np.nan)
    order = np.argsort(audited)
    for row, one in zip(result, played, strict=True):
        rows = pool[one.rows[one.member]]
        place = np.minimum(np.searchsorted(audited, rows, sorter=order), len(audited) - 1)
        there = audited[order[place]] == rows
        row[order[place[there]]] = curve.at(one.scores[one.member][there])[0] if there.any() else np.nan
    return result


def _stability(seen: Floats) -> tuple[float | None, int]:
    """Mean rank correlation of the probabilities of rows that two models were both trained on."""
    from scipy.stats import spearmanr

    found, rows = [], 0
    for one, other in combinations(seen, 2):
        both = np.isfinite(one) & np.isfinite(other)
        if both.sum() >= LEAST_COMMON and np.ptp(one[both]) > 0 and np.ptp(other[both]) > 0:
            found.append(float(spearmanr(one[both], other[both]).statistic))
            rows += int(both.sum())
    return (float(np.mean(found)), rows) if found else (None, 0)


def _bands(probability: Floats, member: Bools) -> list[RiskBand]:
    weight = np.where(member, 0.5 / member.sum(), 0.5 / (~member).sum())
    bands = []
    for low, high in pairwise(BANDS):
        here = (probability >= low) & ((probability < high) | (high == BANDS[-1]))
        total = float(weight[here].sum())
        bands.append(
            RiskBand(
                low=low,
                high=high,
                members=int((here & member).sum()),
                nonmembers=int((here & ~member).sum()),
                stated=float((weight * probability)[here].sum()) / total if total else None,
                true=float(weight[here & member].sum()) / total if total else None,
            )
        )
    return bands
