"""What a report says of people: who can be accused, whole persons, slices, and the risk of single records."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.people import RepeatSpread, RiskFacts, SliceResult, Slicing
from gnomon.core.record import AttackResult, Estimate, Record, TprAtFpr
from gnomon.report import wording
from gnomon.report.tables import NONE, Cell, Column, Table, by_auc

_FIRST_SLICES = 12


@dataclass(frozen=True)
class Chapter:
    """A heading with a sentence or two, a table, and the rows that are folded away."""

    key: str
    title: str
    lead: str
    table: Table
    rest: Table | None = None
    rest_title: str = ""


def chapters(record: Record) -> tuple[Chapter, ...]:
    """Persons, slices, risk: those that the record speaks of."""
    found = [
        _accusations(record),
        _repeats(record),
        _groups(record),
        *(_slicing(s, i, record) for i, s in enumerate(record.slices)),
        _risk(record),
    ]
    return tuple(chapter for chapter in found if chapter is not None)


def _accusations(record: Record) -> Chapter | None:
    rows = []
    for attack in by_auc(record):
        if not attack.accusations:
            continue
        cells = [Cell(wording.clean(attack.title))]
        for one in attack.accusations:
            if one.reason is not None:
                cells.append(Cell("refused", (wording.clean(one.reason),), muted=True))
            elif one.accused == 0:
                cells.append(Cell("nobody", muted=True))
            else:
                wrong = one.accused - one.members
                cells.append(
                    Cell(f"{wording.count(one.accused)} accused", (f"{wording.count(wrong)} of them wrongly",))
                )
        rows.append(tuple(cells))
    first = next((a.accusations for a in by_auc(record) if a.accusations), None)
    if first is None:
        return None
    columns = (
        Column("Attack", numeric=False),
        *(Column(f"At most {wording.rate(one.fdr)} false") for one in first),
    )
    lead = (
        f"How many of {wording.counted(first[0].candidates, 'record')} can be accused if at most such a share of the "
        "accusations may be false, on average (false-discovery rate; Benjamini & Hochberg 1995). Each score is held "
        f"against {wording.count(first[0].calibration)} known non-members that are not among the candidates."
    )
    strong = tuple(
        i for i, a in enumerate(b for b in by_auc(record) if b.accusations) if a.name == record.verdict.attack
    )
    table = Table("accusations", "Who can be accused", columns, tuple(rows), strong=strong)
    return Chapter("accusations", table.title, lead, table)


def _repeats(record: Record) -> Chapter | None:
    attacks = [a for a in by_auc(record) if a.repeats is not None]
    if not attacks or attacks[0].repeats is None:
        return None
    first = attacks[0].repeats
    heads = [
        "AUC",
        *(f"TPR at {wording.rate(s.fpr)}\N{NO-BREAK SPACE}FPR" for s in first.tpr_at_fpr if s.fpr is not None),
    ]
    rows = []
    for attack in attacks:
        found = attack.repeats
        assert found is not None
        spreads = [found.auc, *found.tpr_at_fpr]
        rows.append((Cell(wording.clean(attack.title)), *(_over_targets(s) for s in spreads)))
    lead = (
        f"{wording.counted(first.targets, 'model')} of one recipe, each trained on other rows of the audited ones and "
        "with another seed: the mean with its interval, and the lowest and highest. The audited model is one of them."
    )
    table = Table(
        "repeats", "Other trainings of the recipe", (Column("Attack", numeric=False), *map(Column, heads)), tuple(rows)
    )
    return Chapter("repeats", table.title, lead, table)


def _over_targets(found: RepeatSpread) -> Cell:
    spell = wording.figure if found.fpr is None else wording.share
    if found.mean is None:
        return Cell(NONE, muted=True)
    interval = wording.figures(found.mean) if found.fpr is None else wording.shares(found.mean)
    return Cell(spell(found.mean.value), (interval, f"from {spell(found.lowest)} to {spell(found.highest)}"))


def _groups(record: Record) -> Chapter | None:
    attacks = [a for a in by_auc(record) if a.groups is not None]
    if not attacks or attacks[0].groups is None:
        return None
    first = attacks[0].groups
    shown = [
        fpr
        for fpr in sorted({p.fpr for a in attacks for p in a.tpr_at_fpr}, reverse=True)
        if any(p.tpr is not None for a in attacks if a.groups for p in a.groups.tpr_at_fpr if p.fpr == fpr)
    ]
    rows = tuple(_group_row(attack, shown) for attack in attacks)
    heads = [
        Column(f"{who}, TPR at {wording.rate(fpr)}\N{NO-BREAK SPACE}FPR")
        for fpr in shown
        for who in ("Record", "Person")
    ]
    columns = (Column("Attack", numeric=False), Column("Record, AUC"), Column("Person, AUC"), *heads)
    left_out = f" {wording.counted(first.mixed, 'person')} with records on both sides left out." if first.mixed else ""
    lead = " ".join(
        [
            f"A person (household, group) has {first.rows:.3g} audited records on average.",
            "An attacker who asks whether the whole person was in the training data puts their evidence together:",
            f"{wording.clean(first.rule)}. Compared are {wording.counted(first.members, 'person')} whose records were",
            f"all trained on with {wording.count(first.nonmembers)} of whom none was.{left_out} Records of one person",
            "resemble each other, so all intervals, also those by record, allow for persons and not for records alone.",
        ]
    )
    strong = tuple(i for i, attack in enumerate(attacks) if attack.name == record.verdict.attack)
    return Chapter("persons", "Whole persons", lead, Table("persons", "Whole persons", columns, rows, strong=strong))


def _group_row(attack: AttackResult, fprs: list[float]) -> tuple[Cell, ...]:
    group = attack.groups
    cells = [Cell(wording.clean(attack.title)), _figure(attack.auc), _figure(group.auc if group else None)]
    for fpr in fprs:
        cells.append(_rate(attack.tpr_at_fpr, fpr))
        cells.append(_rate(group.tpr_at_fpr if group else [], fpr))
    return tuple(cells)


def _slicing(slicing: Slicing, number: int, record: Record) -> Chapter | None:
    measured = [s for s in slicing.slices if s.auc is not None]
    few = [s for s in slicing.slices if s.auc is None]
    if not slicing.slices:
        return None
    fpr = next((s.tpr.fpr for s in measured if s.tpr is not None), None)
    ordered = [*sorted(measured, key=lambda s: -(s.auc.value if s.auc else 0.0)), *few]
    rows = tuple(_slice_row(s) for s in ordered)
    columns = (
        Column("Slice", numeric=False),
        Column("Members"),
        Column("Non-members"),
        Column("AUC"),
        Column("TPR" if fpr is None else f"TPR at {wording.rate(fpr)}\N{NO-BREAK SPACE}FPR"),
        Column("Members found"),
        Column("Others accused"),
    )
    title = wording.clean(f"Leakage by {slicing.name}")
    attack = next((a.title for a in record.attacks if a.name == slicing.attack), slicing.attack)
    looks = wording.counted(slicing.intervals, "interval")
    lead = " ".join(
        [
            f"{wording.clean(attack)}, slice by slice. All slices together have {looks}; each is given at a",
            f"confidence of {wording.share(slicing.level)}, so that all of them hold together (Bonferroni).",
            f"{_disparity(slicing)}The last columns use one threshold, chosen on shadows, for all slices.",
        ]
    )
    key = f"slices-{number}"
    first = Table(key, title, columns, rows[:_FIRST_SLICES])
    rest = Table(f"{key}-rest", title, columns, rows[_FIRST_SLICES:]) if rows[_FIRST_SLICES:] else None
    return Chapter(key, title, lead, first, rest, f"Further {len(rows) - _FIRST_SLICES} slices")


def _disparity(slicing: Slicing) -> str:
    gap = slicing.disparity
    if gap is None or slicing.most is None or slicing.least is None:
        return ""
    most, least = wording.clean(slicing.most), wording.clean(slicing.least)
    if gap.low <= 0:
        return (
            f"Between the most exposed slice ({most}) and the least ({least}) the AUC differs by "
            f"{wording.figure(gap.value)}, which may be chance. "
        )
    return (
        f"The most exposed slice is {most}: its AUC lies {wording.figure(gap.value)} above that of {least} "
        f"({wording.figures(gap)}). "
    )


def _slice_row(part: SliceResult) -> tuple[Cell, ...]:
    def share(value: float | None) -> Cell:
        return Cell(NONE, muted=True) if value is None else Cell(wording.share(value))

    return (
        Cell(wording.clean(part.name)),
        Cell(wording.count(part.members)),
        Cell(wording.count(part.nonmembers)),
        Cell(NONE, ("too few records",), muted=True) if part.auc is None else _figure(part.auc),
        _rate([part.tpr] if part.tpr else [], part.tpr.fpr if part.tpr else 0.0),
        share(part.recall),
        share(part.fpr),
    )


def _risk(record: Record) -> Chapter | None:
    risk = record.risk
    if risk is None:
        return None
    rows = tuple(
        (
            Cell(f"{wording.rate(b.low)} to {wording.rate(b.high)}"),
            Cell(wording.count(b.members)),
            Cell(wording.count(b.nonmembers)),
            Cell(NONE, muted=True) if b.stated is None else Cell(wording.share(b.stated)),
            Cell(NONE, muted=True) if b.true is None else Cell(wording.share(b.true)),
        )
        for b in reversed(risk.bands)
    )
    columns = (
        Column("Probability of membership", numeric=False),
        Column("Members"),
        Column("Non-members"),
        Column("Stated, mean"),
        Column("Came true"),
    )
    return Chapter("risk", "The risk of single records", _risk_lead(risk), Table("risk", "Risk", columns, rows))


def _risk_lead(risk: RiskFacts) -> str:
    lead = (
        "How probable it is, after the headline attack, that a record was trained on, if half of the candidates were: "
        f"learned on {wording.counted(risk.rehearsals, 'shadow model')} that played the target, checked here on the "
        "audited records (members and non-members in equal weight). Stated and true shares lie "
        f"{100 * risk.calibration_error:.1f} points apart on average."
    )
    if risk.stable_pairs is not None:
        lead += (
            " How far records keep their place when the model is trained again: the rank correlation between two "
            f"trainings on the same record is {risk.stable_pairs:.2f} (1: always the same records are "
            "exposed, 0: chance decides)."
        )
    if risk.file:
        lead += f" Every audited record, with its interval, stands in {wording.clean(risk.file)} beside the record."
    return lead


def _figure(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NONE, muted=True)
    return Cell(wording.figure(estimate.value), (wording.figures(estimate),))


def _rate(points: list[TprAtFpr], fpr: float) -> Cell:
    point = next((p for p in points if p.fpr == fpr), None)
    if point is None or point.tpr is None:
        return Cell("refused" if point and point.refused else NONE, muted=True)
    return Cell(wording.share(point.tpr.value), (wording.shares(point.tpr),))
