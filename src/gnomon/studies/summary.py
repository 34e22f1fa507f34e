"""From a study's cells to its document: figures with intervals over the repeats, curves, heat tables, classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np

from gnomon.core.documents.record import AttackResult, Record
from gnomon.core.documents.schema import Estimate, rate_at
from gnomon.core.documents.study import (
    Axis,
    CellAttack,
    ClassCloud,
    ClassPoint,
    FigureKind,
    Heat,
    Point,
    Study,
    StudyCell,
    StudyCurve,
)
from gnomon.core.documents.study import StudyMachine as Machine
from gnomon.core.system import made_here
from gnomon.stats.intervals import spread
from gnomon.studies.cells import CellRun
from gnomon.studies.spec import StudySpec
from gnomon.studies.vary import Choice, VariedKey

FIGURES = (
    FigureKind(key="train_accuracy", title="accuracy on training rows", of="target"),
    FigureKind(key="test_accuracy", title="accuracy on rows it never saw", of="target"),
    FigureKind(key="gap", title="train-test gap", of="target"),
    FigureKind(key="precision", title="precision", of="attack", chance=0.5),
    FigureKind(key="recall", title="recall", of="attack"),
    FigureKind(key="accuracy", title="balanced accuracy", of="attack", chance=0.5),
    FigureKind(key="auc", title="AUC", of="attack", shape="area", chance=0.5),
    FigureKind(key="tpr_1", title="TPR at 1% FPR", of="attack", chance=0.01),
    FigureKind(key="tpr_01", title="TPR at 0.1% FPR", of="attack", chance=0.001),
)
MOST_LINES = 4  # combinations of the other axes that are drawn one by one; more are averaged over
ENOUGH = 3  # repeats from which on Student's interval is given


def summarise(
    spec: StudySpec,
    runs: Sequence[CellRun],
    folder: Path,
    seconds: float,
    command: str = "",
    headline: str | None = None,
) -> Study:
    """The document of a study.

    Args:
        spec: what was asked.
        runs: what came of the cells that were carried out, or that should have been.
        folder: of the study; runs' folders are given from there.
        seconds: that this took.
        command: that asked for it.
        headline: the attack that tables begin with, if it was run; by default the one that most audits' verdicts
            speak of, chosen by each on its shadow models.
    """
    cells = [cell_facts(run, folder) for run in runs]
    attacks = _attacks(cells)
    headline = headline if headline in attacks else _headline(runs, list(attacks))
    return Study(
        name=spec.name,
        title=spec.title,
        question=spec.question,
        plan=dict(spec.values),
        axes=[_axis(axis) for axis in spec.axes],
        seeds=list(spec.seeds),
        figures=list(FIGURES),
        attacks=attacks,
        headline=headline,
        cells=cells,
        curves=_curves(spec.axes, cells, list(attacks)),
        heats=_heats(spec.axes, cells, headline),
        classes=_clouds(runs, headline),
        made=machine_facts(seconds, sum(run.reused for run in runs), command),
    )


def _headline(runs: Sequence[CellRun], attacks: Sequence[str]) -> str | None:
    spoken = Counter(run.record.verdict.attack for run in runs if run.record is not None)
    return max(attacks, key=lambda name: spoken[name], default=None)


def cell_facts(run: CellRun, folder: Path) -> StudyCell:
    """One cell's figures."""
    labels, record = dict(run.cell.labels), run.record
    if record is None:
        return StudyCell(labels=labels, seed=run.cell.seed, status="failed", reason=run.reason, seconds=run.seconds)
    target = record.target
    known = target.train_accuracy is not None and target.test_accuracy is not None
    return StudyCell(
        labels=labels,
        seed=run.cell.seed,
        status="ok",
        run=_relative(run.folder, folder),
        seconds=run.seconds,
        train_size=target.train_size,
        train_accuracy=target.train_accuracy,
        test_accuracy=target.test_accuracy,
        gap=(target.train_accuracy or 0.0) - (target.test_accuracy or 0.0) if known else None,
        attacks=[_attack_facts(attack) for attack in record.attacks],
    )


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _attack_facts(attack: AttackResult) -> CellAttack:
    rule = attack.at_threshold
    return CellAttack(
        name=attack.name,
        title=attack.title,
        status=attack.status,
        reason=attack.reason,
        calibrated=None if rule is None else rule.calibrated,
        precision=None if rule is None else rule.precision,
        recall=None if rule is None else rule.recall,
        accuracy=None if rule is None else rule.accuracy,
        auc=attack.auc,
        tpr_1=rate_at(attack.tpr_at_fpr, 0.01),
        tpr_01=rate_at(attack.tpr_at_fpr, 0.001),
    )


def _attacks(cells: Sequence[StudyCell]) -> dict[str, str]:
    found: dict[str, str] = {}
    for cell in cells:
        found.update({a.name: a.title for a in cell.attacks if a.status == "ok"})
    return found


def _axis(axis: VariedKey) -> Axis:
    numbers = [choice.number for choice in axis.choices]
    known = [number for number in numbers if number is not None]
    return Axis(
        key=axis.key,
        labels=[choice.label for choice in axis.choices],
        numbers=known if len(known) == len(numbers) else None,
    )


def figure_of(cell: StudyCell, figure: str, attack: str | None) -> Estimate | float | None:
    """A figure of a cell: the target's own, or an attack's with its interval; None where there is none."""
    if attack is None:
        value: float | None = getattr(cell, figure)
        return value
    found = next((a for a in cell.attacks if a.name == attack), None)
    estimate: Estimate | None = None if found is None else getattr(found, figure)
    return estimate


def gather(cells: Sequence[StudyCell], where: Mapping[str, str], figure: str, attack: str | None, label: str) -> Point:
    """A figure over the repeats of all cells with these labels; axes that are not named are averaged over.

    A seed counts only if every one of its cells has the figure, so that means compare like with like.
    """
    chosen = [c for c in cells if all(c.labels.get(key) == value for key, value in where.items())]
    by_seed: dict[int, list[Estimate | float | None]] = {}
    for cell in chosen:
        by_seed.setdefault(cell.seed, []).append(figure_of(cell, figure, attack))
    most = max(map(len, by_seed.values()), default=0)
    whole = [found for found in by_seed.values() if len(found) == most and None not in found]
    values = [float(np.mean([_value(entry) for entry in found])) for found in whole]
    if not values:
        return Point(label=label, repeats=0, mean=None, interval="none", values=[])
    if len(values) == 1:
        only = whole[0][0]
        own = only if most == 1 and isinstance(only, Estimate) else None
        alone = own or Estimate(value=values[0], low=values[0], high=values[0])
        return Point(label=label, repeats=1, mean=alone, interval="audit" if own else "none", values=values)
    return _over_seeds(values, label, lowest=-1.0 if figure == "gap" else 0.0)


def _over_seeds(values: list[float], label: str, lowest: float) -> Point:
    found = spread(values)
    assert found.mean is not None  # two values or more
    mean = found.mean
    if len(values) < ENOUGH:
        estimate = Estimate(value=mean.value, low=found.lowest, high=found.highest)
        return Point(label=label, repeats=len(values), mean=estimate, interval="range", values=values)
    estimate = Estimate(value=mean.value, low=max(lowest, mean.low), high=min(1.0, mean.high))
    return Point(label=label, repeats=len(values), mean=estimate, interval="student", values=values)


def _value(entry: Estimate | float | None) -> float:
    assert entry is not None
    return entry.value if isinstance(entry, Estimate) else entry


def _curves(axes: Sequence[VariedKey], cells: Sequence[StudyCell], attacks: Sequence[str]) -> list[StudyCurve]:
    curves = []
    for axis in axes:
        others = [other for other in axes if other is not axis]
        apart = list(product(*(other.choices for other in others)))
        averaged = [other.key for other in others] if len(apart) > MOST_LINES else []
        settings = [{}] if averaged else [_labels(others, choices) for choices in apart]
        for kind in FIGURES:
            for attack in [None] if kind.of == "target" else list(attacks):
                for fixed in settings:
                    points = [
                        gather(cells, {**fixed, axis.key: choice.label}, kind.key, attack, choice.label)
                        for choice in axis.choices
                    ]
                    curves.append(
                        StudyCurve(
                            axis=axis.key,
                            figure=kind.key,
                            attack=attack,
                            fixed=fixed,
                            averaged=averaged,
                            points=points,
                        )
                    )
    return curves


def _labels(axes: Sequence[VariedKey], choices: Sequence[Choice]) -> dict[str, str]:
    return {axis.key: choice.label for axis, choice in zip(axes, choices, strict=True)}


def _heats(axes: Sequence[VariedKey], cells: Sequence[StudyCell], headline: str | None) -> list[Heat]:
    heats = []
    for first, second in combinations(axes, 2):
        averaged = [axis.key for axis in axes if axis not in (first, second)]
        pictured = [("gap", None)] + ([] if headline is None else [("precision", headline), ("auc", headline)])
        for figure, attack in pictured:
            grid = [
                [
                    gather(cells, {first.key: row.label, second.key: column.label}, figure, attack, column.label)
                    for column in second.choices
                ]
                for row in first.choices
            ]
            heats.append(
                Heat(
                    rows=first.key,
                    columns=second.key,
                    figure=figure,
                    attack=attack,
                    averaged=averaged,
                    cells=grid,
                )
            )
    return heats


def _clouds(runs: Sequence[CellRun], headline: str | None) -> list[ClassCloud]:
    """Classes of each combination under the headline attack: means over the repeats."""
    if headline is None:
        return []
    groups: dict[tuple[tuple[str, str], ...], list[Record]] = {}
    for run in runs:
        if run.record is not None:
            groups.setdefault(tuple(run.cell.labels.items()), []).append(run.record)
    clouds = [ClassCloud(labels=dict(key), attack=headline, classes=_classes(r, headline)) for key, r in groups.items()]
    return [cloud for cloud in clouds if cloud.classes]


def _classes(records: Sequence[Record], attack: str) -> list[ClassPoint]:
    found: dict[str, list[tuple[float, float | None, float | None]]] = {}
    for record in records:
        for result in record.attacks:
            if result.name == attack:
                members = sum(c.members for c in result.classes)
                for c in result.classes:
                    if c.members:
                        found.setdefault(c.name, []).append((c.members / members, c.precision, c.recall))
    return [
        ClassPoint(
            name=name,
            share=float(np.mean([share for share, _, _ in rows])),
            precision=_mean([p for _, p, _ in rows]),
            recall=_mean([r for _, _, r in rows]),
        )
        for name, rows in found.items()
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def machine_facts(seconds: float, reused: int, command: str) -> Machine:
    """Where and with what something was made."""
    return Machine(**made_here(), seconds=round(seconds, 3), reused=reused, command=command)
