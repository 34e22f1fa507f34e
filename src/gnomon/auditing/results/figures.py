"""How many records an attacker may accuse if at most a wanted share of the accusations may be false.

From an attack's scores to its figures, with intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.results.estimates import estimate, tpr_point
from gnomon.auditing.results.groups import measure_groups
from gnomon.auditing.results.rehearsal import Rehearsed
from gnomon.auditing.results.scoring import Scored
from gnomon.core.arrays import Bools, Floats
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.person_results import FdrAccusations, RatePoint, Rehearsal
from gnomon.core.documents.record import (
    AttackResult,
    AtThreshold,
    ClassResult,
    Curve,
    Histogram,
    Percentiles,
    PrecisionAtPrior,
)
from gnomon.core.plan import Plan
from gnomon.stats.calibration import oracle
from gnomon.stats.classes import class_rates, percentiles
from gnomon.stats.clusters import Groups, split_groups, worth_of_shares
from gnomon.stats.curves import histogram, thin_roc
from gnomon.stats.false_discovery import accusations
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.rates import Rates, precision_at_prior, rates_at_threshold
from gnomon.stats.roc import auc
from gnomon.stats.samples import tied_share

FDRS = (0.1, 0.01)


def accuse(scores: Floats, member: Bools, groups: NDArray[Any] | None = None) -> list[FdrAccusations]:
    """Half of the non-members calibrate; the other half stand among the members, and must not be accused too often.

    A person's records calibrate together or not at all: no candidate is held against other records of their own.

    Args:
        scores: of the audited rows ``(n,)``, in shuffled order, higher = more like a member.
        member: the truth ``(n,)``.
        groups: the person or household of each row ``(n,)``.
    """
    others = np.flatnonzero(~member)
    half = len(others) // 2
    if groups is not None:
        others = by_group(others, groups)
        while half and groups[others[half - 1]] == groups[others[half]]:
            half -= 1
    known, candidates = others[:half], np.concatenate([np.flatnonzero(member), others[half:]])
    if len(known) == 0:
        return []
    found = [accusations(scores[candidates], scores[known], fdr) for fdr in FDRS]
    return [
        FdrAccusations(
            fdr=one.fdr,
            accused=one.count,
            members=int((one.accused & member[candidates]).sum()),
            persons=None if groups is None else len(np.unique(groups[candidates[one.accused]])),
            candidates=len(candidates),
            calibration=len(known),
            least=one.least,
            reason=one.reason,
        )
        for one in found
    ]


PRIORS = (0.5, 0.1, 0.01)
LARGEST = 1e300  # JSON has no infinity


def measure(scored: Scored, rehearsed: Rehearsed, case: Case, data: Dataset, roles: Roles, plan: Plan) -> AttackResult:
    """The figures of one attack on the audited rows, and in rehearsals."""
    result = AttackResult(
        name=scored.name,
        title=scored.title,
        paper=scored.paper,
        status=scored.status,
        reason=scored.reason,
        skipped=scored.skipped,
        traceback=scored.traceback,
        needs=scored.needs,
        options=scored.options,
        seconds=scored.seconds,
        queries=scored.queries,
        notes=scored.notes,
    )
    if scored.scores is None:
        return result
    scores, member, level = scored.scores, case.member, plan.statistics.confidence
    inside, outside, groups = scores[member], scores[~member], split_groups(case.groups, member)
    best = oracle(inside, outside, confidence=level, groups=groups).rates
    rates = (
        best
        if scored.calibrated == "oracle"
        else rates_at_threshold(inside, outside, scored.threshold, confidence=level, groups=groups)
    )
    classes = class_rates(scores, member, case.evidence.labels, rates.threshold, classes=data.n_classes)
    precision, recall = percentiles(c.precision for c in classes), percentiles(c.recall for c in classes)
    roc, bins = thin_roc(inside, outside, confidence=level, groups=groups), histogram(inside, outside)
    return result.model_copy(
        update={
            "auc": estimate(auc(inside, outside, confidence=level, groups=groups)),
            "advantage": estimate(rates.advantage),
            "tpr_at_fpr": [tpr_point(inside, outside, f, level, groups) for f in plan.statistics.fprs],
            "at_threshold": _at_threshold(rates, scored.calibrated),
            "oracle": _at_threshold(best, "oracle"),
            "precision_at_prior": _priors(inside, outside, plan.statistics.fprs, level, groups),
            "roc": Curve(fpr=_list(roc.fpr), tpr=_list(roc.tpr), low=_list(roc.low), high=_list(roc.high)),
            "histogram": Histogram(
                edges=_list(bins.edges), members=bins.members.tolist(), nonmembers=bins.nonmembers.tolist()
            ),
            "classes": [
                ClassResult(
                    name=data.classes[c.label],
                    members=c.members,
                    nonmembers=c.nonmembers,
                    precision=c.precision,
                    recall=c.recall,
                    auc=c.auc,
                )
                for c in classes
            ],
            "class_precision": None if precision is None else Percentiles(**asdict(precision)),
            "class_recall": None if recall is None else Percentiles(**asdict(recall)),
            "tied_share": tied_share(scores),
            "accusations": accuse(scores, member, case.groups),
            "groups": measure_groups(scored, rehearsed, case, data, roles, plan),
            "rehearsals": [
                Rehearsal(auc=p.auc, tpr_at_fpr=[RatePoint(fpr=f, tpr=t) for f, t in p.tpr.items()])
                for p in rehearsed.played
            ],
            "scores_file": f"scores/{scored.name}.npy",
        }
    )


def rank_auc(scores: Floats, member: Bools) -> float:
    """The AUC alone."""
    return auc(scores[member], scores[~member]).value


def _at_threshold(rates: Rates, calibrated: Literal["shadow", "attack", "oracle"]) -> AtThreshold:
    finite = rates.threshold is not None and np.isfinite(rates.threshold)
    return AtThreshold(
        threshold=rates.threshold if finite else None,
        calibrated=calibrated,
        accuracy=estimate(rates.accuracy),
        precision=None if rates.precision is None else estimate(rates.precision),
        recall=estimate(rates.recall),
        fpr=estimate(rates.fpr),
    )


def _priors(
    inside: Floats, outside: Floats, fprs: Sequence[float], level: float, groups: Groups | None
) -> list[PrecisionAtPrior]:
    """Precision at the lowest resolvable false-positive rate of the plan."""
    resolved = [f for f in fprs if tpr_at_fpr(inside, outside, f).tpr is not None]
    if not resolved:
        return []
    fpr = min(resolved)
    threshold = tpr_at_fpr(inside, outside, fpr).threshold
    least = np.inf if threshold is None else threshold
    accused = [(side >= least) & (threshold is not None) for side in (inside, outside)]
    worth = None if groups is None else worth_of_shares(accused[0], accused[1], groups)
    counts = int(accused[0].sum()), len(inside), int(accused[1].sum()), len(outside)
    found = [(prior, precision_at_prior(*counts, prior=prior, confidence=level, worth=worth)) for prior in PRIORS]
    return [
        PrecisionAtPrior(prior=prior, fpr=fpr, precision=None if interval is None else estimate(interval))
        for prior, interval in found
    ]


def _list(values: Floats) -> list[float]:
    return [float(v) for v in np.clip(values, -LARGEST, LARGEST)]
