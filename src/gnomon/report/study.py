"""The page of a study: a section for each varied key, for each pair of keys, and for the classes.

Like every page it selects, sorts and words; the values and their intervals stand in the document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gnomon.core.documents.study import Axis, FigureKind, Heat, Point, Study
from gnomon.report.formatting import count, counted, duration, moment, rate, tpr_at
from gnomon.report.plots import study as plots
from gnomon.report.sections import NONE, Cell, Cells, Fact, Figure, Page, Section, Table, filled, machine, table

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
    "tpr_1": tpr_at(0.01),
    "tpr_01": tpr_at(0.001),
}
_TOGETHER = ("train_accuracy", "test_accuracy")  # drawn in one figure where nothing else varies
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_TERMINAL_ROWS = 24


def study_page(study: Study) -> Page:
    """The view that all renderers share."""
    whole = failed(study)
    lines = tuple(f"- {row[0].text}, seed {row[1].text}: {row[2].text}" for row in whole.rows)
    plan = (("The plan that all cells share", json.dumps(study.plan, indent=1, ensure_ascii=False)),)
    return Page(
        kind="study",
        source="one study",
        name=study.title,
        headline=study.title,
        sentences=tuple(filter(None, (study.question, intervals(study)))),
        facts=_facts(study),
        sections=filled(
            Section("failed", whole.title, tables=(whole,), brief=lines),
            *axes(study),
            *heats(study),
            classes(study),
            Section("provenance", "Where the values come from", facts=_made(study), texts=plan, short="Provenance"),
        ),
    )


def _facts(study: Study) -> tuple[Fact, ...]:
    done = sum(cell.status == "ok" for cell in study.cells)
    return (
        ("cells", f"{count(done)} of {count(len(study.cells))}"),
        *((axis.key, f"{len(axis.labels)} values") for axis in study.axes),
        ("seeds", ", ".join(map(str, study.seeds))),
        ("attacks", ", ".join(study.attacks) or "none"),
    )


def _made(study: Study) -> tuple[Fact, ...]:
    made = study.made
    return (
        ("Command", made.command),
        ("Made", moment(made.created)),
        ("Time", f"{duration(made.seconds)}, {counted(made.reused, 'cell')} finished before"),
        ("Time of all cells", duration(sum(cell.seconds for cell in study.cells))),
        *machine(made),
    )


def intervals(study: Study) -> str:
    """What the whiskers of this study are."""
    kinds = {(p.interval, p.repeats) for curve in study.curves for p in curve.points if p.mean is not None}
    most = max((n for _, n in kinds), default=0)
    found = next((kind for kind in INTERVALS if (kind, most) in kinds), None)
    return "" if found is None else f"Whiskers are {INTERVALS[found].format(n=most)}."


def failed(study: Study, prefix: str = "") -> Table:
    """Cells that could not be carried out, with the reason."""
    rows = [(named(cell.labels), str(cell.seed), cell.reason or "") for cell in study.failed]
    return table(f"{prefix}failed", "Cells that could not be carried out", ("Cell", "Seed", "Why"), rows, left=3)


def axes(study: Study, prefix: str = "", only: Sequence[str] = ()) -> list[Section]:
    """A section for each varied key.

    Args:
        study: the document.
        prefix: makes the keys unique on a page with several studies.
        only: kinds of values to draw; default all.
    """
    found = []
    for i, axis in enumerate(study.axes):
        key = f"{prefix}axis-{i}"
        whole = axis_table(study, axis, study.headline, f"{prefix}axis-table-{i}")
        others = [name for name in study.attacks if name != study.headline]
        tables = [axis_table(study, axis, name, f"{prefix}axis-table-{i}-{name}", folded=True) for name in others]
        lead = "Each value against this key."
        averaged = next((c.averaged for c in study.curves if c.axis == axis.key), [])
        if averaged:
            lead += f" Means over all values of {', '.join(averaged)}."
        figures = _figures(study, axis, key, only)
        found.append(Section(key, axis.key, lead, figures=figures, tables=(whole, *tables), brief=(_narrow(whole),)))
    return found


def axis_table(study: Study, axis: Axis, attack: str | None, key: str, *, folded: bool = False) -> Table:
    """The values of the target and of one attack, a row a value of the axis (and of the other axes)."""
    kinds = [kind for kind in study.figures if kind.of == "target" or attack is not None]
    curves = {
        (c.figure, c.attack, named(c.fixed)): c
        for c in study.curves
        if c.axis == axis.key and c.attack in (None, attack)
    }
    fixed = list(dict.fromkeys(name for _, _, name in curves))
    rows: list[Cells] = []
    for i, label in enumerate(axis.labels):
        for other in fixed:
            found = [curves.get((kind.key, None if kind.of == "target" else attack, other)) for kind in kinds]
            points = [None if curve is None else curve.points[i] for curve in found]
            rows.append((label, *([other] if other else []), *map(_point, kinds, points)))
    heads = [axis.key, *(["With"] if any(fixed) else [])]
    title = f"Under {study.attacks[attack]}" if attack is not None else "The targets"
    names = [_SHORT.get(kind.key, kind.title) for kind in kinds]
    return table(key, title, (*heads, *names), rows, left=len(heads), folded=title if folded else "")


def _narrow(whole: Table) -> Table:
    """What fits on a terminal: the recall and the lowest rate are left to the other reports."""
    keep = [i for i, column in enumerate(whole.columns) if column.title not in ("Recall", _SHORT["tpr_01"])]
    rows = tuple(tuple(row[i] for i in keep) for row in whole.rows)
    return Table(whole.key, whole.title, tuple(whole.columns[i] for i in keep), rows).cut(_TERMINAL_ROWS)


def _point(kind: FigureKind, point: Point | None, heat: float = 0.0) -> Cell:
    """A point as a table's cell: the mean, and below it the interval."""
    if point is None or point.mean is None:
        return NONE
    spell, around = plots.spelling(kind)
    return Cell(spell(point.mean.value), () if point.interval == "none" else (around(point.mean),), heat=heat)


def _figures(study: Study, axis: Axis, key: str, only: Sequence[str]) -> tuple[Figure, ...]:
    kinds = [kind for kind in study.figures if not only or kind.key in only]
    pair = [kind for kind in kinds if kind.key in _TOGETHER]
    alone = len(study.axes) == 1 or any(c.averaged for c in study.curves if c.axis == axis.key)
    found = []
    if alone and len(pair) == len(_TOGETHER):
        lines = [line for kind in pair for line in _lines(study, axis, kind)]
        found.append(plots.against(f"{key}-accuracies", "Accuracy of the target", axis, pair[0], lines))
        kinds = [kind for kind in kinds if kind not in pair]
    for kind in kinds:
        lines = _lines(study, axis, kind)[: plots.MOST_LINES]
        found.append(plots.against(f"{key}-{kind.key}", kind.title[:1].upper() + kind.title[1:], axis, kind, lines))
    return tuple(figure for figure in found if figure is not None)


def _lines(study: Study, axis: Axis, kind: FigureKind) -> list[plots.Line]:
    """The curves of one figure, named: one an attack, or, where other keys vary too, one for each of their values."""
    found = [c for c in study.curves if c.axis == axis.key and c.figure == kind.key]
    if kind.of == "target":
        return [(with_keys(c.fixed) or kind.title, c) for c in found]
    if any(c.fixed for c in found):
        return [(with_keys(c.fixed), c) for c in found if c.attack == study.headline]
    order = [study.headline, *(name for name in study.attacks if name != study.headline)]
    ranked = sorted(found, key=lambda c: order.index(c.attack))
    return [(study.attacks[c.attack or ""], c) for c in ranked]


def heats(study: Study, prefix: str = "") -> list[Section]:
    """One section for each pair of keys: a table for each kind of value, tinted by how high it is."""
    pairs = list(dict.fromkeys((heat.rows, heat.columns) for heat in study.heats))
    lead = "Two keys at once; the deeper the tint, the higher the value."
    sections = []
    for i, pair in enumerate(pairs):
        found = [heat for heat in study.heats if (heat.rows, heat.columns) == pair]
        tables = tuple(_heat(study, heat, f"{prefix}heat-{i}-{j}") for j, heat in enumerate(found))
        sections.append(Section(f"{prefix}heat-{i}", " and ".join(pair), lead, tables=tables))
    return sections


def _heat(study: Study, heat: Heat, key: str) -> Table:
    kind = next(k for k in study.figures if k.key == heat.figure)
    labels = {axis.key: axis.labels for axis in study.axes}
    known = [point.mean.value for row in heat.cells for point in row if point.mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def tinted(point: Point) -> Cell:
        tint = (point.mean.value - low) / (high - low) if point.mean is not None and high > low else 0.0
        return _point(kind, point, tint)

    rows: list[Cells] = [(label, *map(tinted, row)) for label, row in zip(labels[heat.rows], heat.cells, strict=True)]
    corner = f"{heat.rows} \N{DOWNWARDS ARROW}  {heat.columns} \N{RIGHTWARDS ARROW}"
    who = f", {study.attacks[heat.attack]}" if heat.attack is not None else ""
    return table(key, f"{kind.title}{who}", (corner, *labels[heat.columns]), rows)


def classes(study: Study, prefix: str = "") -> Section | None:
    """The classes of each combination: how precision is spread over them."""
    clouds = [c for c in study.classes if len([k for k in c.classes if k.precision is not None]) > 2]
    if not clouds or study.headline is None:
        return None
    rows: list[Cells] = []
    for cloud in clouds:
        values = sorted(c.precision for c in cloud.classes if c.precision is not None)
        quantiles = [values[min(len(values) - 1, int(part * len(values)))] for part in _QUANTILES]
        rows.append((named(cloud.labels), str(len(values)), *quantiles))
    heads = ("Cell", "Classes", *(f"{rate(part)} of the classes below" for part in _QUANTILES))
    drawn = clouds[: plots.MOST_LINES]
    series = [named(cloud.labels) or "all classes" for cloud in drawn]
    return Section(
        f"{prefix}classes",
        "Classes",
        f"Precision of each class under {study.attacks[study.headline]}, as a distribution over the classes; and "
        "against the share of the training set that a class has.",
        figures=(
            plots.class_distribution(f"{prefix}class-cdf", drawn, series),
            plots.class_sizes(f"{prefix}class-sizes", drawn, series),
        ),
        tables=(table(f"{prefix}class-quantiles", "Precision over the classes", heads, rows),),
    )


def named(labels: dict[str, str]) -> str:
    """Labels in words: one axis by its value alone, several with their keys.

    >>> named({"trainer.epochs": "5"}), named({"trainer.epochs": "5", "data.rows": "9"}), named({})
    ('5', 'trainer.epochs 5, data.rows 9', '')
    """
    return next(iter(labels.values())) if len(labels) == 1 else with_keys(labels)


def with_keys(labels: dict[str, str]) -> str:
    """Labels in words, each with its key.

    >>> with_keys({"trainer.epochs": "5"})
    'trainer.epochs 5'
    """
    return ", ".join(f"{key} {value}" for key, value in labels.items())
