"""What a report says of people: who can be accused, whole persons, slices, and the risk of single records."""

from __future__ import annotations

from dataclasses import replace

from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import FdrAccusations, RepeatSpread, RiskFacts, SliceResult, Slicing
from gnomon.core.documents.schema import Estimate
from gnomon.report.audit.attacks import by_auc, name_cell, title_of
from gnomon.report.formatting import count, counted, number, numbers, rate, share, shares, tpr_at
from gnomon.report.sections import NONE, Cell, Cells, Section, Table, area, fold, table
from gnomon.report.sections import rate as rate_cell

_FIRST_SLICES = 12
_FIRST_ATTACKS = 6
_ROWS, _COLUMNS = 6, 5  # of each table on a terminal


def affected(record: Record) -> tuple[Section | None, ...]:
    """Whole persons and slices: who is exposed more than others, as far as the record speaks of it."""
    return _persons(record), _slices(record)


def people(record: Record) -> tuple[Section | None, ...]:
    """Accusations, repeats, risk: those that the record speaks of."""
    return _accusations(record), _repeats(record), _risk(record)


def _section(whole: Table, lead: str, *rest: Table) -> Section:
    brief = (whole.cut(_ROWS, _COLUMNS),) if whole.rows else ()
    return Section(whole.key, whole.title, lead, tables=rest or (whole,), brief=brief)


def _accusations(record: Record) -> Section | None:
    attacks = [a for a in by_auc(record) if a.accusations]
    if not attacks:
        return None
    first = attacks[0].accusations
    lead = (
        f"How many of {counted(first[0].candidates, 'record')} can be accused if at most such a share of the "
        "accusations may be false, on average (false-discovery rate; Benjamini & Hochberg 1995). Each score is held "
        f"against {count(first[0].calibration)} known non-members that are not among the candidates."
    )
    heads = ("Attack", *(f"At most {rate(one.fdr)} false" for one in first))
    rows: list[Cells] = [(name_cell(a, record), *map(_accused, a.accusations)) for a in attacks]
    return _section(table("accusations", "Who can be accused", heads, rows), lead)


def _accused(one: FdrAccusations) -> Cell:
    if one.reason is not None:
        return Cell("refused", (one.reason,), muted=True)
    if one.accused == 0:
        return Cell("nobody", muted=True)
    return Cell(f"{count(one.accused)} accused", (f"{count(one.accused - one.members)} of them wrongly",))


def _repeats(record: Record) -> Section | None:
    found = [(a, a.repeats) for a in by_auc(record) if a.repeats is not None]
    if not found:
        return None
    first = found[0][1]
    lead = (
        f"{counted(first.targets, 'model')} of one recipe, each trained on other rows of the audited ones and with "
        "another seed: the mean with its interval, and the lowest and highest. The audited model is one of them."
    )
    heads = ("Attack", "AUC", *(tpr_at(s.fpr) for s in first.tpr_at_fpr))
    rows: list[Cells] = [(a.title, _over_targets(r.auc), *map(_over_targets, r.tpr_at_fpr)) for a, r in found]
    return _section(table("repeats", "Other trainings of the recipe", heads, rows), lead)


def _over_targets(found: RepeatSpread) -> Cell:
    if found.mean is None:
        return NONE
    spell, interval = (number, numbers) if found.fpr is None else (share, shares)
    span = f"from {spell(found.lowest)} to {spell(found.highest)}"
    return Cell(spell(found.mean.value), (interval(found.mean), span))


def _persons(record: Record) -> Section | None:
    attacks = [(a, a.groups) for a in by_auc(record) if a.groups is not None]
    if not attacks:
        return None
    attacks.sort(
        key=lambda found: found[0].name != record.verdict.attack
    )  # the headline's first, the others as they were
    first = attacks[0][1]
    known = {p.fpr for _, group in attacks for p in group.tpr_at_fpr if p.tpr is not None}
    fprs = sorted(known & {p.fpr for a, _ in attacks for p in a.tpr_at_fpr}, reverse=True)
    rows: list[Cells] = []
    for attack, group in attacks:
        pairs = [(rate_cell(attack.tpr_at_fpr, fpr), rate_cell(group.tpr_at_fpr, fpr)) for fpr in fprs]
        rates = [one for pair in pairs for one in pair]
        rows.append((name_cell(attack, record), area(attack.auc), area(group.auc), *rates))
    heads = [f"{who}, {tpr_at(fpr)}" for fpr in (None, *fprs) for who in ("Record", "Person")]
    left_out = f" {counted(first.mixed, 'person')} with records on both sides left out." if first.mixed else ""
    lead = (
        f"A person (household, group) has {first.rows:.3g} audited records on average. An attacker who wants to "
        f"know whether the whole person was in the training data combines their evidence: {first.rule}. Compared are "
        f"{counted(first.members, 'person')} whose records were all trained on with {count(first.nonmembers)} of whom "
        f"none was.{left_out} Records of one person resemble each other, so all intervals, also those by record, "
        "allow for persons and not for records alone."
    )
    whole = table("persons", "Whole persons", ("Attack", *heads), rows)
    return _section(whole, lead, *fold(whole, _FIRST_ATTACKS, "attacks"))


def _slices(record: Record) -> Section | None:
    if not record.slices:
        return None
    first, parts = record.slices[0], [_slicing(slicing, i) for i, slicing in enumerate(record.slices)]
    lead = (
        f"{title_of(record, first.attack)}, slice by slice. All slices together have "
        f"{counted(first.intervals, 'interval')}; each is given at a confidence of {share(first.level)}, so that "
        "all of them hold together (Bonferroni)."
    )
    if any(one.recall is not None for slicing in record.slices for one in slicing.slices):
        lead += " The last columns use one threshold, chosen on shadows, for all slices."
    tables = tuple(one for whole in parts for one in fold(whole, _FIRST_SLICES, "slices"))
    return Section("slices", "Slices", lead, tables=tables, brief=tuple(one.cut(_ROWS, _COLUMNS) for one in parts))


def _slicing(slicing: Slicing, i: int) -> Table:
    measured = sorted((s for s in slicing.slices if s.auc), key=lambda s: -(s.auc.value if s.auc else 0.0))
    fpr = next((s.tpr.fpr for s in measured if s.tpr is not None), None)
    rows = [_slice_row(s) for s in (*measured, *(s for s in slicing.slices if s.auc is None))]
    one = any(s.recall is not None for s in measured)
    last = ("Members found", "Others accused") if one else ()
    rates = ("AUC", "TPR" if fpr is None else tpr_at(fpr), *last)
    rows = [row[: 3 + len(rates)] for row in rows]
    whole = table(f"slices-{i}", f"Leakage by {slicing.name}", ("Slice", "Members", "Non-members", *rates), rows)
    return replace(whole, lead=_disparity(slicing))


def _disparity(slicing: Slicing) -> str:
    gap, most, least = slicing.disparity, slicing.most, slicing.least
    if gap is None or most is None or least is None:
        return ""
    if gap.low <= 0:
        return (
            f"Between the most exposed slice ({most}) and the least ({least}) the AUC differs by "
            f"{number(gap.value)}, which may be chance."
        )
    return f"The most exposed slice is {most}: its AUC lies {number(gap.value)} above that of {least} ({numbers(gap)})."


def _slice_row(part: SliceResult) -> Cells:
    few = Cell(NONE.text, ("too few records",), muted=True)
    tpr = rate_cell([part.tpr], part.tpr.fpr) if part.tpr else NONE
    found = few if part.auc is None else area(part.auc)
    return part.name, part.members, part.nonmembers, found, tpr, part.recall, part.fpr


def _risk(record: Record) -> Section | None:
    risk = record.risk
    if risk is None:
        return None
    lead = _risk_lead(risk)
    if risk.stable_pairs is not None:
        lead += (
            " How far records keep their place when the model is trained again: the rank correlation between two "
            f"trainings on the same record is {risk.stable_pairs:.2f} (1: always the same records are "
            "exposed, 0: chance decides)."
        )
    if risk.file:
        lead += f" Every audited record, with its interval, is listed in {risk.file} next to the record."
    bands = risk.bands or risk.shadow_bands
    rows = [(f"{rate(b.low)} to {rate(b.high)}", b.members, b.nonmembers, b.stated, b.true) for b in bands]
    heads = ("Probability of membership", "Members", "Non-members", "Stated, mean", "Came true")
    return _section(table("risk", "The risk of single records", heads, rows[::-1]), lead)


def _risk_lead(risk: RiskFacts) -> str:
    lead = "How probable it is, after the headline attack, that a record was trained on, if half of the candidates were"
    models = f"{counted(risk.rehearsals, 'shadow model')} that played the target"
    if risk.basis == "shadows":
        lead += f": learned on {models}, checked here on the audited records (members and non-members in equal weight)."
    elif risk.basis == "audited records":
        lead += f": learned on the audited records, each from the others, and not on {models}, because {risk.reason}"
        lead += f" (they were {_points(risk.shadow_error)} off)."
    else:
        lead += (
            f". Nothing is stated: {risk.reason}, and the audited records are too few to learn from. The table shows "
        )
        lead += f"what {models} would have stated ({_points(risk.shadow_error)} off)."
    if risk.calibration_error is not None:
        lead += f" Stated and true shares lie {_points(risk.calibration_error)} apart on average."
    return lead


def _points(error: Estimate) -> str:
    return f"{100 * error.value:.1f} ({100 * error.low:.1f} to {100 * error.high:.1f}) points"
