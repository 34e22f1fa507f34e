"""From audits to the report's rows: how each mitigation compares with the plain model, to either attacker.

Audits are kept: carried out once, read back with their scores as long as nothing that decides them changed. An effect
is one only if it is larger than noise after all mitigations share one error rate (Bonferroni), half of it for leakage
and half for accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Progress, Settings
from gnomon.core.documents.comparison import Change, Comparison
from gnomon.core.documents.defence import MitigationResult, Strongest
from gnomon.core.documents.gate import Limit
from gnomon.core.errors import DataError
from gnomon.core.generations import claim, read_published
from gnomon.core.plan import Plan
from gnomon.core.system import write_text
from gnomon.defending import measure
from gnomon.defending.combinations import Combination
from gnomon.defending.search import meets
from gnomon.report import write_report
from gnomon.runs.compare import compare
from gnomon.runs.folder import read_outcome, write_audit
from gnomon.studies.cells import cell_key, fits

MARK = "finished.json"  # one of the results: which audit this is


@dataclass(frozen=True)
class Keeper:
    """Runs audits into one folder, over one store.

    Attributes:
        folder: of all audits; each has a folder in it.
        settings: how to run; the store is shared.
        progress: who is told.
    """

    folder: Path
    settings: Settings
    progress: Progress

    def outcome(self, plan: Plan, name: str) -> Outcome:
        """The outcome of a plan: read back from ``folder/name`` if that very audit finished there, else made.

        Raises:
            GnomonError: whatever stops an audit.
        """
        place, key = self.folder / name, cell_key(plan)
        found = _finished(place, key)
        if found is not None:
            return found
        with claim(place, "audit") as claimed:
            made = audit_plan(plan, place, self.settings, progress=self.progress)
            with claimed.publish() as fresh:
                write_report(write_audit(made, fresh), fresh / "report.html")
                write_text(fresh / MARK, json.dumps({"key": key}) + "\n")
        return made


def _finished(place: Path, key: str) -> Outcome | None:
    """The audit that finished there; None if it is another one, or if something of it is gone."""
    try:
        published = read_published(place)
        if published is None or json.loads(published.files[MARK])["key"] != key:
            return None
        outcome = read_outcome(place)
    except (ValueError, KeyError, TypeError, DataError):
        return None
    return outcome if outcome.ids and fits(outcome.record, key) else None


UNTOUCHED = ("nothing", "answers")  # mitigations that leave the trained model as it is
WORST_FIRST: tuple[Change, ...] = ("worse", "not comparable", "mixed", "within noise")


@dataclass(frozen=True)
class AuditedCombination:
    """A combination, its row of the report, and the audits that the row is made of.

    Attributes:
        combination: the mitigations.
        result: the row.
        outcome: of an attacker who knows them; None where they could not be audited.
        naive: of one who does not.
    """

    combination: Combination
    result: MitigationResult
    outcome: Outcome | None = None
    naive: Outcome | None = None

    @property
    def judged(self) -> Outcome:
        """The audit that the mitigation is judged by: whoever knows it may still train plain shadow models."""
        found = self.result.strongest
        judged = self.naive if found is not None and found.plain_shadows else self.outcome
        assert judged is not None
        return judged


@dataclass(frozen=True)
class Yardstick:
    """What all mitigations are held against.

    Attributes:
        plain: the audit of the plain model.
        tenth: the most exposed records.
        fpr: at which true-positive rates are given; None: AUCs are.
        level: confidence that all verdicts hold together.
        family: how many share the error rate.
        limit: the wanted leakage.
    """

    plain: Outcome
    tenth: measure.Tenth | None
    fpr: float | None
    level: float
    family: int
    limit: Limit | None

    @property
    def alone(self) -> float:
        """The confidence of one comparison of the family."""
        return 1 - (1 - self.level) / self.family

    @property
    def shared(self) -> float:
        """The same where half of the error rate is for leakage and half for accuracy."""
        return 1 - (1 - self.level) / 2 / self.family


def measured(one: AuditedCombination, yardstick: Yardstick) -> AuditedCombination:
    """With its row filled in, all but comparisons; as it came where it could not be audited."""
    if one.outcome is None:
        return one
    outcome, adaptive = _speaking(one.outcome, yardstick.tenth)
    naive, guessed = (None, None) if one.naive is None else _speaking(one.naive, yardstick.tenth)
    strongest = adaptive
    if naive is not None and guessed is not None:
        against = compare(outcome, naive, confidence=yardstick.alone, same_model=True, adaptive=True)
        if against.change == "worse":
            strongest = guessed.model_copy(update={"plain_shadows": True, "chosen_on": "audited rows"})
    acts_on, record = one.combination.acts_on, outcome.record
    facts, attacks = measure.notes_of(record), measure.leaks(record)
    update = {
        "strongest": strongest,
        "adaptive": None if acts_on == "nothing" else adaptive,
        "label_only": measure.best_label_only(attacks),
        "attacks": attacks,
        "naive": guessed,
        "utility": measure.utility(outcome, None if acts_on == "nothing" else yardstick.plain, yardstick.shared),
        "cost": measure.cost(record, yardstick.plain.record, retrains=acts_on in ("training", "both")),
        "guarantee": measure.guarantee(facts),
        "facts": facts,
        "curves": measure.curves_of(record),
    }
    return AuditedCombination(one.combination, one.result.model_copy(update=update), outcome, naive)


def compared(one: AuditedCombination, plain: AuditedCombination, yardstick: Yardstick) -> AuditedCombination:
    """A measured mitigation with comparisons in its row: with the plain model, and of one attacker with the other.

    It leaks less only if it does so to the attacker who knows it and to the naive one; a naive audit that can't be
    compared (plain shadows that are nothing like the target) takes nothing away.
    """
    if one.outcome is None:
        return one
    same = one.combination.acts_on in UNTOUCHED
    found: dict[int, Comparison] = {
        id(outcome): compare(plain.judged, outcome, confidence=yardstick.shared, same_model=same, adaptive=True)
        for outcome in (one.outcome, one.naive)
        if outcome is not None
    }
    changes, from_naive = {found[id(one.outcome)].change}, None
    if one.naive is not None:
        changes |= {found[id(one.naive)].change} - {"not comparable"}
        from_naive = compare(one.naive, one.outcome, confidence=yardstick.alone, same_model=True, adaptive=True)
    values = [row.leakage(yardstick.fpr) for row in (one.result, plain.result)]
    update = {
        "change": found[id(one.judged)].overall,
        "naive_change": None if from_naive is None else from_naive.overall,
        "effect": effect_of(changes, *values),
        "meets": None if yardstick.limit is None else meets(one.outcome.record, yardstick.limit),
    }
    return replace(one, result=one.result.model_copy(update=update))


def effect_of(changes: Set[Change], leak: float, plain: float) -> Change:
    """The worst of the comparisons with the plain model.

    An AUC can fall, significantly and by little, while the true-positive rate at the page's false-positive rate does
    not: that is "mixed".

    >>> effect_of({"better", "within noise"}, leak=0.1, plain=0.3), effect_of({"better"}, leak=0.3, plain=0.3)
    ('within noise', 'mixed')
    """
    worst: Change = next((change for change in WORST_FIRST if change in changes), "better")
    return "mixed" if worst == "better" and leak >= plain else worst


def rival(first: AuditedCombination, second: AuditedCombination, confidence: float) -> Change:
    """How the second of two mitigations compares with the first, each by the audit that it is judged by."""
    same = all(one.combination.acts_on in UNTOUCHED for one in (first, second))
    return compare(first.judged, second.judged, confidence=confidence, same_model=same, adaptive=True).change


def mark_frontier(rows: Sequence[MitigationResult], fpr: float | None) -> list[MitigationResult]:
    """The rows, those on the frontier marked: no other has both values at least as good and one of them better."""
    points = [_point(row, fpr) for row in rows]

    def beaten(mine: tuple[float, float]) -> bool:
        return any(p is not None and p != mine and p[0] >= mine[0] and p[1] <= mine[1] for p in points)

    return [
        row.model_copy(update={"frontier": point is not None and not beaten(point)})
        for row, point in zip(rows, points, strict=True)
    ]


def _point(row: MitigationResult, fpr: float | None) -> tuple[float, float] | None:
    """Accuracy and leakage."""
    found = row.strongest.leak.at(fpr) if row.strongest else None
    return None if row.utility is None or found is None else (row.utility.accuracy.value, found.value)


def _speaking(outcome: Outcome, tenth: measure.Tenth | None) -> tuple[Outcome, Strongest | None]:
    """The audit that speaks of its strongest attack, and that attack."""
    found = measure.strongest(outcome, tenth)
    return measure.with_headline(outcome, found), found
