"""From finished audits to what the report says of one mitigation: leakage, usefulness, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnomon.auditing.outcome import Outcome
from gnomon.auditing.results.figures import estimate, tpr_points
from gnomon.auditing.results.risk import most_exposed_tenth
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.defence import Cost, ExposedRows, Guarantee, Leak, Strongest, Utility
from gnomon.core.documents.record import AttackResult, Record
from gnomon.core.errors import DataError
from gnomon.core.evidence import INSIDE, reads_labels_only
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import Clusters, split_groups
from gnomon.stats.comparison import auc_difference, matched_difference, tpr_difference
from gnomon.stats.intervals import share
from gnomon.stats.roc import auc

FEW_ACCUSED = 10  # non-members; below it a true-positive rate's interval is too wide to speak of first
CHOSEN_BY = {
    "auditor": "The tenth of the audited records that shadow models of the plain recipe answer most differently when "
    "they were trained on them. The audited model was not queried, so no value below was used to choose them.",
    "adversary": "The tenth of the audited records that shadow models of the plain recipe, none of which was trained "
    "on them, find hardest. The audited model was not queried, so no value below was used to choose them.",
}


@dataclass(frozen=True)
class Tenth:
    """The most exposed records, by id: the same ones for every mitigation."""

    ids: frozenset[str]
    facts: ExposedRows

    def mask(self, outcome: Outcome) -> Bools:
        """Mask (n,) of an audit's rows."""
        return np.asarray([i in self.ids for i in outcome.ids], dtype=bool)


def exposed_tenth(plain: Outcome) -> Tenth | None:
    """The most exposed tenth, told by the plain recipe's shadow models; None without any."""
    if plain.exposure is None or not np.isfinite(plain.exposure).any():
        return None
    mask = most_exposed_tenth(plain.exposure)
    members = int((mask & np.asarray(plain.member, dtype=bool)).sum())
    if members == 0:
        return None
    facts = ExposedRows(rows=int(mask.sum()), members=members, chosen_by=CHOSEN_BY[plain.record.threat_model.view])
    return Tenth(frozenset(i for i, chosen in zip(plain.ids, mask, strict=True) if chosen), facts)


def leaks(record: Record) -> list[Leak]:
    """Every attack of an audit."""
    return [_leak(result) for result in record.attacks]


def strongest(outcome: Outcome, tenth: Tenth | None) -> Strongest | None:
    """The strongest attack by the value that the report speaks of, as rehearsals on shadow models tell.

    Shadows keep answers and cannot be asked, so attacks that send queries never win a rehearsal. Where a mitigation
    leaves nothing but labels they may be the best there is, so one that is surely stronger on the audited rows wins.
    """
    record = outcome.record
    results = {a.name: a for a in record.attacks if a.status == "ok" and a.name in outcome.scores}
    name, chosen_on = record.verdict.attack, record.verdict.chosen_on or "audited rows"
    if name not in results:
        return None
    fpr = telling_fpr(record)
    rehearsed = {a.name: _rehearsed(a, fpr) for a in results.values() if a.rehearsals and not INSIDE & set(a.needs)}
    if rehearsed:
        name, chosen_on = max(rehearsed, key=lambda attack: rehearsed[attack]), "shadows"
    asking = [a.name for a in results.values() if a.name != name and "query" in a.needs and reads_labels_only(a.needs)]
    for rival in asking:
        if _surely_stronger(outcome, results[rival], results[name], fpr, 1 - (1 - level_of(record)) / len(asking)):
            name, chosen_on = rival, "audited rows"
    exposed = None if tenth is None else _on_tenth(results[name], outcome, tenth)
    return Strongest(leak=_leak(results[name]), chosen_on=chosen_on, exposed=exposed)


def _rehearsed(result: AttackResult, fpr: float | None) -> tuple[float, float]:
    """Mean true-positive rate and mean AUC over rehearsals; the second decides between equals."""
    rates = [p.tpr for r in result.rehearsals for p in r.tpr_at_fpr if p.fpr == fpr]
    return round(float(np.mean(rates)), 3) if rates else 0.0, float(np.mean([r.auc for r in result.rehearsals]))


def _surely_stronger(outcome: Outcome, one: AttackResult, other: AttackResult, fpr: float | None, level: float) -> bool:
    member, groups, wider = np.asarray(outcome.member, dtype=bool), outcome.groups, max(one.wider, other.wider)
    pair = outcome.scores[one.name], outcome.scores[other.name]
    if fpr is None:
        return auc_difference(*pair, member, confidence=level, groups=groups, wider=wider).change == "higher"
    rng = Seeds(0).child("defend", one.name).generator()
    found = tpr_difference(*pair, member, fpr, rng=rng, confidence=level, groups=groups, wider=wider).result
    return found is not None and found.change == "higher"


def with_headline(outcome: Outcome, found: Strongest | None) -> Outcome:
    """The audit with this attack as the one that it speaks of."""
    if found is None or found.leak.attack == outcome.record.verdict.attack:
        return outcome
    verdict = outcome.record.verdict.model_copy(update={"attack": found.leak.attack, "chosen_on": found.chosen_on})
    record = outcome.record.model_copy(update={"verdict": verdict})
    return replace(outcome, record=record)


def best_label_only(found: Sequence[Leak]) -> Leak | None:
    """The strongest of the attacks that read labels alone, by AUC on the audited rows."""
    known = [leak for leak in found if leak.label_only and leak.auc is not None]
    return max(known, key=lambda leak: leak.auc.value if leak.auc else 0.0, default=None)


def utility(outcome: Outcome, plain: Outcome | None, confidence: float) -> Utility:
    """Accuracy on audited non-members, and its change against the plain model on the same rows.

    Args:
        outcome: of the mitigated model, with the gap attack among its scores: 1 where a label is right, else 0.
        plain: of the plain model; None for the plain model itself.
        confidence: of the change.

    Raises:
        DataError: the gap attack is missing, or the audits are not of the same rows.
    """
    record, rights = outcome.record, [_rights(o) for o in (outcome, plain or outcome)]
    if plain is not None and (outcome.ids != plain.ids or outcome.member != plain.member):
        raise DataError("the audits of mitigations must be of the same records in the same roles; delete its folder")
    others = ~np.asarray(outcome.member, dtype=bool)
    now, before = (right[others] > 0.5 for right in rights)
    level, persons = level_of(record), None if outcome.groups is None else np.asarray(outcome.groups)[others]
    size = None if persons is None else Clusters.of(persons).share_size(now)
    return Utility(
        accuracy=estimate(share(int(now.sum()), len(now), confidence=level, size=size)),
        train_accuracy=float(rights[0][~others].mean()),
        change=None
        if plain is None
        else estimate(matched_difference(now, before, confidence=confidence, groups=persons)),
        calibration_error=record.target.calibration_error,
        answer_size=record.target.answer_size,
    )


def accuracy(outcome: Outcome) -> float:
    """The share of audited non-members that the model labels rightly."""
    return utility(outcome, None, level_of(outcome.record)).accuracy.value


def cost(record: Record, plain: Record, *, retrains: bool) -> Cost:
    """Training time of one model, as a mean over the shadow models: they are trained like the target."""
    own, base = (r.shadows.seconds_each if r.shadows else None for r in (record, plain))
    if not retrains:
        return Cost(retrains=False, seconds=base, times=1.0)
    return Cost(retrains=True, seconds=own, times=own / base if own is not None and base else None)


def notes_of(record: Record) -> dict[str, Any]:
    """What mitigations noted of themselves while the target was trained."""
    found: dict[str, Any] = {}
    for part in record.mitigations:
        found.update(part.facts)
    return found


def curves_of(record: Record) -> dict[str, list[float]]:
    """Curves over the target's training, by name."""
    return {name: values for part in record.mitigations for name, values in part.curves.items()}


def guarantee(facts: dict[str, Any]) -> Guarantee | None:
    """What an accountant proves of the target, if there was one."""
    epsilon, delta = facts.get("epsilon"), facts.get("delta")
    if not isinstance(epsilon, int | float):
        return None
    return Guarantee(epsilon=float(epsilon), delta=float(delta) if isinstance(delta, int | float) else None)


def telling_fpr(record: Record) -> float | None:
    """The lowest of the plan's false-positive rates that leaves a rate's interval of some use; None: take the AUC."""
    others = record.data.nonmembers
    rates = [float(f) for f in record.plan["statistics"]["fprs"]]
    return min((f for f in rates if f * others >= FEW_ACCUSED - 1e-9), default=None)


def level_of(record: Record) -> float:
    """The level of a record's intervals."""
    return float(record.plan["statistics"]["confidence"])


def _leak(result: AttackResult) -> Leak:
    reason = None if result.status == "ok" else f"{result.status}: {result.reason or 'no reason given'}"
    return Leak(
        attack=result.name,
        title=result.title,
        label_only=reads_labels_only(result.needs),
        auc=result.auc,
        advantage=result.advantage,
        tpr_at_fpr=result.tpr_at_fpr,
        reason=reason,
    )


def _on_tenth(result: AttackResult, outcome: Outcome, tenth: Tenth) -> Leak | None:
    scores, member = outcome.scores[result.name], np.asarray(outcome.member, dtype=bool)
    rows = ~member | tenth.mask(outcome)
    inside, outside = scores[member & rows], scores[~member]
    if inside.size < 2:
        return None
    level = level_of(outcome.record)
    groups = None if outcome.groups is None else split_groups(np.asarray(outcome.groups)[rows], member[rows])
    return Leak(
        attack=result.name,
        title=result.title,
        label_only=reads_labels_only(result.needs),
        auc=estimate(auc(inside, outside, confidence=level, groups=groups, wider=result.wider)),
        tpr_at_fpr=tpr_points(inside, outside, [p.fpr for p in result.tpr_at_fpr], level, groups, result.wider),
    )


def _rights(outcome: Outcome) -> Floats:
    if "gap" not in outcome.scores:
        raise DataError("defend needs the gap attack in every audit: its score shows where a label is right")
    return outcome.scores["gap"]
