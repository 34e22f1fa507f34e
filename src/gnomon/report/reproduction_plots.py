"""The picture that all experiments of a reproduction share: what the attack finds against how far a model overfits."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.parts import Estimate
from gnomon.core.reproduction import ExperimentResult, Reproduction
from gnomon.core.study import Curve
from gnomon.report import wording
from gnomon.report.ink import CURVES, SOFT, sheet
from gnomon.report.panel import Panel
from gnomon.report.panel_plots import MARKS, Drawing
from gnomon.report.tables import Cell, Column, Table

TITLE = "Precision against the train-test gap"
_FEWEST = 3  # cells that are worth a picture


@dataclass(frozen=True)
class Spot:
    """One cell of an experiment: means over its seeds."""

    group: str
    experiment: str
    label: str
    gap: Estimate
    precision: Estimate


def spots(made: Reproduction) -> list[Spot]:
    """All cells of the experiments that have a group, group by group."""
    found = [spot for experiment in made.experiments if experiment.group for spot in _spots(experiment)]
    groups = list(dict.fromkeys(spot.group for spot in found))[: len(CURVES)]
    return [spot for group in groups for spot in found if spot.group == group]


def overview(made: Reproduction) -> Panel | None:
    """What the attack finds against how far targets overfit, over all experiments; None for fewer than three cells."""
    known = spots(made)
    if len(known) < _FEWEST:
        return None
    rows = tuple(
        (
            Cell(spot.group),
            Cell(spot.experiment),
            Cell(spot.label),
            Cell(wording.share(spot.gap.value), (wording.shares(spot.gap),)),
            Cell(wording.share(spot.precision.value), (wording.shares(spot.precision),)),
        )
        for spot in sorted(known, key=lambda spot: spot.gap.value)
    )
    heads = [Column(name, numeric=False) for name in ("What varies", "Experiment", "Cell")]
    columns = (*heads, Column("Gap"), Column("Precision"))
    lead = (
        "One mark a cell of the experiments below, mean over its seeds: how much better the target is on its own rows "
        "than on others (across), and the precision of the paper's attack (up)."
    )
    table = Table("overview", "The cells, by their gap", columns, rows)
    return Panel(key="overview", title=TITLE, short="Overfitting", lead=lead, tables=(table,))


def draw_overview(made: Reproduction) -> tuple[Drawing, ...]:
    """The picture of `overview`."""
    known = spots(made)
    groups = tuple(dict.fromkeys(spot.group for spot in known))
    said = "; ".join(
        f"{s.label}: gap {wording.share(s.gap.value)}, precision {wording.share(s.precision.value)}" for s in known
    )
    with sheet("overview-gap", TITLE, f"{said}.", 340) as drawing:
        axes = drawing.axes
        for j, group in enumerate(groups):
            mine = [spot for spot in known if spot.group == group]
            x = [spot.gap.value for spot in mine]
            lows, highs = [spot.precision.low for spot in mine], [min(1.0, spot.precision.high) for spot in mine]
            axes.vlines(x, lows, highs, color=CURVES[j], alpha=0.4, lw=1.4)
            y = [spot.precision.value for spot in mine]
            axes.plot(x, y, MARKS[j], color=CURVES[j], markersize=6, mew=0, alpha=0.85, linestyle="none")
        axes.axhline(0.5, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        values = [spot.precision.value for spot in known]
        axes.set_ylim(min(0.48, min(values) - 0.03), 1.02)
        axes.margins(x=0.05)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            ticks = [tick / 10 for tick in range(-10, 11) if low <= tick / 10 <= high]
            axis.set_ticks(ticks, labels=[wording.rate(tick) for tick in ticks])
        axes.grid(True)
        axes.set_xlabel("train-test gap")
        axes.set_ylabel("precision")
    return (Drawing(TITLE, "", drawing.svg, groups, True),)


def _spots(experiment: ExperimentResult) -> list[Spot]:
    study = experiment.study
    if study is None or not study.axes:
        return []
    axis = study.axes[0].key
    gaps = _curve(study.curves, axis, "gap", None)
    precisions = _curve(study.curves, axis, "precision", study.headline)
    title = wording.clean(experiment.title)
    return [
        Spot(wording.clean(experiment.group), title, wording.clean(label), gaps[label], precisions[label])
        for label in gaps
        if label in precisions
    ]


def _curve(curves: list[Curve], axis: str, figure: str, attack: str | None) -> dict[str, Estimate]:
    found = next((c for c in curves if (c.axis, c.figure, c.attack) == (axis, figure, attack)), None)
    return {} if found is None else {p.label: p.mean for p in found.points if p.mean is not None}
