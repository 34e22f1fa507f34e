"""What a report of a study shows: a panel for each varied key, for each pair of keys, and for the classes.

Like every view it selects, sorts and words; the figures and their intervals stand in the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.core.study import Axis, Curve, FigureKind, Heat, Point, Study
from gnomon.report import wording
from gnomon.report.facts import Fact
from gnomon.report.panel import Panel
from gnomon.report.tables import NONE, Cell, Column, Table

INTERVALS = {
    "student": "95% intervals of the mean over {n} seeds (Student)",
    "range": "the range of {n} seeds (an interval needs three)",
    "audit": "the interval of a single audit: other seeds may differ by more",
    "none": "no interval",
}
_SHORT = {
    "train_accuracy": "Train",
    "test_accuracy": "Test",
    "gap": "Gap",
    "precision": "Precision",
    "recall": "Recall",
    "accuracy": "Accuracy",
    "auc": "AUC",
    "tpr_1": "TPR at 1%\N{NO-BREAK SPACE}FPR",
    "tpr_01": "TPR at 0.1%\N{NO-BREAK SPACE}FPR",
}


@dataclass(frozen=True)
class StudyView:
    """One study's report."""

    title: str
    question: str
    facts: tuple[Fact, ...]
    intervals: str
    failed: Table | None
    panels: tuple[Panel, ...]
    folded: dict[str, tuple[Table, ...]]  # of a panel: the other attacks' tables
    provenance: tuple[Fact, ...]
    documents: tuple[tuple[str, str], ...]


def study_view(study: Study) -> StudyView:
    """The view that all renderers share; all text in it is on one line and free of control characters."""
    return StudyView(
        title=wording.clean(study.title),
        question=wording.clean(study.question),
        facts=_facts(study),
        intervals=intervals(study),
        failed=failed(study),
        panels=(*axis_panels(study), *heat_panels(study), *class_panels(study)),
        folded={f"axis-{i}": tuple(_other_tables(study, axis)) for i, axis in enumerate(study.axes)},
        provenance=_provenance(study),
        documents=(("The plan that all cells share", _plan_text(study)),),
    )


def _facts(study: Study) -> tuple[Fact, ...]:
    done = [cell for cell in study.cells if cell.status == "ok"]
    facts = [Fact("cells", f"{wording.count(len(done))} of {wording.count(len(study.cells))}")]
    facts += [Fact(wording.clean(axis.key), f"{len(axis.labels)} values") for axis in study.axes]
    facts.append(Fact("seeds", ", ".join(map(str, study.seeds))))
    facts.append(Fact("attacks", wording.clean(", ".join(study.attacks)) or "none"))
    return tuple(facts)


def intervals(study: Study) -> str:
    """What the whiskers of this study are."""
    kinds = {(p.interval, p.repeats) for curve in study.curves for p in curve.points if p.mean is not None}
    most = max((n for _, n in kinds), default=0)
    found = next((kind for kind in INTERVALS if (kind, most) in kinds), None)
    return "" if found is None else f"Whiskers are {INTERVALS[found].format(n=most)}."


def failed(study: Study) -> Table | None:
    """Cells that could not be carried out, with the reason."""
    if not study.failed:
        return None
    columns = tuple(Column(name, numeric=False) for name in ("Cell", "Seed", "Why"))
    rows = tuple(
        (Cell(named(cell.labels)), Cell(str(cell.seed)), Cell(wording.clean(cell.reason or "")))
        for cell in study.failed
    )
    return Table("failed", "Cells that could not be carried out", columns, rows)


def axis_panels(study: Study) -> list[Panel]:
    """One panel for each varied key: its table under the headline attack; the pictures are drawn beside it."""
    panels = []
    for i, axis in enumerate(study.axes):
        name = wording.clean(axis.key)
        table = axis_table(study, axis, study.headline, f"axis-table-{i}")
        lead = "Each figure against this key."
        others = next((c.averaged for c in study.curves if c.axis == axis.key), [])
        if others:
            lead += f" Means over all values of {wording.clean(', '.join(others))}."
        panels.append(
            Panel(key=f"axis-{i}", title=name, short=name, lead=lead, tables=(table,), terminal_table=_narrow(table))
        )
    return panels


def axis_table(study: Study, axis: Axis, attack: str | None, key: str) -> Table:
    """The figures of the target and of one attack, a row a value of the axis (and of the other axes)."""
    kinds = [kind for kind in study.figures if kind.of == "target" or attack is not None]
    curves = {
        (c.figure, c.attack, named(c.fixed)): c
        for c in study.curves
        if c.axis == axis.key and c.attack in (None, attack)
    }
    fixed = list(dict.fromkeys(name for _, _, name in curves))
    rows = []
    for i, label in enumerate(axis.labels):
        for other in fixed:
            cells = [
                point_cell(kind, curves.get((kind.key, None if kind.of == "target" else attack, other)), i)
                for kind in kinds
            ]
            rows.append((Cell(wording.clean(label)), *([Cell(other)] if other else []), *cells))
    titles = [Column(_SHORT.get(kind.key, kind.title)) for kind in kinds]
    heads = [Column(wording.clean(axis.key), numeric=False), *([Column("With", numeric=False)] if any(fixed) else [])]
    title = f"Under {study.attacks[attack]}" if attack is not None else "The targets"
    return Table(key, wording.clean(title), (*heads, *titles), tuple(rows))


def _other_tables(study: Study, axis: Axis) -> list[Table]:
    i = study.axes.index(axis)
    others = [name for name in study.attacks if name != study.headline]
    return [axis_table(study, axis, name, f"axis-table-{i}-{name}") for name in others]


def _narrow(table: Table) -> Table:
    """What fits on a terminal: the recall and the lowest rate are left to the other reports."""
    keep = [i for i, column in enumerate(table.columns) if column.title not in ("Recall", _SHORT["tpr_01"])]
    return Table(
        table.key,
        table.title,
        tuple(table.columns[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in table.rows),
    )


def point_cell(kind: FigureKind, curve: Curve | None, position: int) -> Cell:
    """A point as a table's cell: the mean, and below it the interval."""
    return _cell(kind, None if curve is None else curve.points[position])


def _cell(kind: FigureKind, point: Point | None, heat: float = 0.0) -> Cell:
    if point is None or point.mean is None:
        return Cell(NONE, muted=True)
    spell, around = spelling(kind)
    known = point.interval != "none"
    return Cell(spell(point.mean.value), (around(point.mean),) if known else (), heat=heat)


def spelling(kind: FigureKind) -> tuple[Callable[[float], str], Callable[..., str]]:
    """How a kind of figure and its interval are spelt."""
    return (wording.figure, wording.figures) if kind.shape == "area" else (wording.share, wording.shares)


def heat_panels(study: Study) -> list[Panel]:
    """One panel for each pair of keys: a table for each figure, tinted by how high it is."""
    pairs = list(dict.fromkeys((heat.rows, heat.columns) for heat in study.heats))
    panels = []
    for i, (first, second) in enumerate(pairs):
        found = [heat for heat in study.heats if (heat.rows, heat.columns) == (first, second)]
        title = wording.clean(f"{first} and {second}")
        tables = tuple(_heat_table(study, heat, f"heat-{i}-{j}") for j, heat in enumerate(found))
        lead = "Two keys at once; the deeper the tint, the higher the figure."
        panels.append(Panel(key=f"heat-{i}", title=title, short=title, lead=lead, tables=tables))
    return panels


def _heat_table(study: Study, heat: Heat, key: str) -> Table:
    kind = next(k for k in study.figures if k.key == heat.figure)
    axes = {axis.key: axis for axis in study.axes}
    known = [point.mean.value for row in heat.cells for point in row if point.mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    rows = []
    for label, row in zip(axes[heat.rows].labels, heat.cells, strict=True):
        tinted = [_cell(kind, p, 0.0 if p.mean is None else _tint(p.mean.value, low, high)) for p in row]
        rows.append((Cell(wording.clean(label)), *tinted))
    columns = (
        Column(
            f"{wording.clean(heat.rows)} \N{DOWNWARDS ARROW}  {wording.clean(heat.columns)} \N{RIGHTWARDS ARROW}",
            numeric=False,
        ),
        *(Column(wording.clean(label)) for label in axes[heat.columns].labels),
    )
    who = f", {study.attacks[heat.attack]}" if heat.attack is not None else ""
    return Table(key, wording.clean(f"{kind.title}{who}"), columns, tuple(rows))


def _tint(value: float, low: float, high: float) -> float:
    return 0.0 if high <= low else (value - low) / (high - low)


def class_panels(study: Study) -> list[Panel]:
    """The classes of each combination: how precision is spread over them."""
    clouds = [c for c in study.classes if len([k for k in c.classes if k.precision is not None]) > 2]
    if not clouds or study.headline is None:
        return []
    columns = (
        Column("Cell", numeric=False),
        Column("Classes"),
        *(Column(f"{wording.rate(part)} of the classes below") for part in (0.1, 0.25, 0.5, 0.75, 0.9)),
    )
    rows = []
    for cloud in clouds:
        values = sorted(c.precision for c in cloud.classes if c.precision is not None)
        quantiles = [values[min(len(values) - 1, int(part * len(values)))] for part in (0.1, 0.25, 0.5, 0.75, 0.9)]
        rows.append((Cell(named(cloud.labels)), Cell(str(len(values))), *(Cell(wording.share(q)) for q in quantiles)))
    lead = (
        f"Precision of each class under {study.attacks[study.headline]}, as a distribution over the classes; and "
        "against the share of the training set that a class has."
    )
    table = Table("class-quantiles", "Precision over the classes", columns, tuple(rows))
    return [Panel(key="classes", title="Classes", short="Classes", lead=wording.clean(lead), tables=(table,))]


def named(labels: dict[str, str]) -> str:
    """Labels in words: one axis by its value alone, several with their keys.

    >>> named({"trainer.epochs": "5"}), named({"trainer.epochs": "5", "data.rows": "9"}), named({})
    ('5', 'trainer.epochs 5, data.rows 9', '')
    """
    return wording.clean(next(iter(labels.values()))) if len(labels) == 1 else with_keys(labels)


def with_keys(labels: dict[str, str]) -> str:
    """Labels in words, each with its key.

    >>> with_keys({"trainer.epochs": "5"})
    'trainer.epochs 5'
    """
    return wording.clean(", ".join(f"{key} {value}" for key, value in labels.items()))


def _provenance(study: Study) -> tuple[Fact, ...]:
    made = study.made
    facts = [
        Fact("Made", wording.moment(made.created)),
        Fact("Time", f"{wording.duration(made.seconds)}, {wording.counted(made.reused, 'cell')} finished before"),
        Fact("Time of all cells", wording.duration(sum(cell.seconds for cell in study.cells))),
        Fact("gnomon", made.gnomon),
        Fact("Python", made.python),
        Fact("Machine", wording.clean(f"{made.machine}, {wording.counted(made.cores, 'core')}")),
        Fact("Packages", wording.clean(", ".join(f"{k} {v}" for k, v in made.packages.items()))),
    ]
    return (Fact("Command", wording.clean(made.command)), *facts) if made.command else tuple(facts)


def _plan_text(study: Study) -> str:
    return wording.clean_lines(json.dumps(study.plan, indent=1, ensure_ascii=False))


def lines_of(study: Study, axis: Axis, kind: FigureKind) -> Sequence[tuple[str, Curve]]:
    """The curves of one picture, named: one an attack, or, where other keys vary too, one for each of their values."""
    found = [c for c in study.curves if c.axis == axis.key and c.figure == kind.key]
    if kind.of == "target":
        return [(with_keys(c.fixed) or kind.title, c) for c in found]
    if any(c.fixed for c in found):
        return [(with_keys(c.fixed), c) for c in found if c.attack == study.headline]
    order = [study.headline, *(name for name in study.attacks if name != study.headline)]
    ranked = sorted(found, key=lambda c: order.index(c.attack))
    return [(wording.clean(study.attacks[c.attack or ""]), c) for c in ranked]
