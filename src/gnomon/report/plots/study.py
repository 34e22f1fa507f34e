"""The figures of studies: values against a key, classes as a distribution and as dots, precision against the gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import Axis, ClassCloud, FigureKind, StudyCurve
from gnomon.report import formatting
from gnomon.report.plots.axes import CHANCE, band, dress, guessing, marks, ticks, whiskers
from gnomon.report.sections import Figure
from gnomon.report.svg import CURVES, DASHES, MARKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = len(CURVES)
_WIDE = 8  # from this ratio of largest to smallest on, a key's axis is logarithmic
_SIZES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
Line = tuple[str, StudyCurve]


class CellMeans(NamedTuple):
    """One cell of an experiment: means over its seeds."""

    group: str
    experiment: str
    label: str
    gap: Estimate
    precision: Estimate


def spelling(kind: FigureKind) -> tuple[Callable[[float], str], Callable[[Estimate], str]]:
    """How a kind of value and its interval are spelt."""
    return (formatting.number, formatting.numbers) if kind.shape == "area" else (formatting.share, formatting.shares)


def against(key: str, title: str, axis: Axis, kind: FigureKind, lines: Sequence[Line]) -> Figure | None:
    """One kind of value against a key: curves over numbers, rows over names; None where nothing was measured."""
    drawn = [(name, curve) for name, curve in lines if any(p.mean is not None for p in curve.points)]
    if not drawn:
        return None
    series = [name for name, _ in drawn]
    chance = kind.chance if kind.chance is not None and kind.chance >= 0.1 else None
    if axis.numbers is not None and len(axis.numbers) > 1:
        return _against_numbers(key, title, axis, kind, drawn, chance)
    rows = [(label, tuple(curve.points[i].mean for _, curve in drawn)) for i, label in enumerate(axis.labels)]
    return whiskers(key, title, rows, series, chance, shares=kind.shape == "share", label=title)


def _against_numbers(
    key: str, title: str, axis: Axis, kind: FigureKind, lines: Sequence[Line], chance: float | None
) -> Figure:
    numbers = axis.numbers or []
    spell, around = spelling(kind)
    known = [(name, [(x, p) for x, p in zip(numbers, c.points, strict=True) if p.mean]) for name, c in lines]
    said = "; ".join(
        f"{name}: " + ", ".join(f"{p.label} {spell(p.mean.value)} ({around(p.mean)})" for _, p in points if p.mean)
        for name, points in known
    )
    plain = formatting.rate if kind.shape == "share" else lambda value: f"{value:g}"
    logarithmic = min(numbers) > 0 and max(numbers) >= _WIDE * min(numbers)

    def paint(axes: Axes) -> None:
        low, high = min(numbers), max(numbers)
        if logarithmic:
            axes.set_xscale("log")
            axes.set_xlim(low * (low / high) ** 0.06, high * (high / low) ** 0.06)
        else:
            axes.set_xlim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        for j, (_, points) in enumerate(known):
            pairs = sorted(((x, p.mean) for x, p in points if p.mean), key=lambda pair: pair[0])
            x, means = [x for x, _ in pairs], [e for _, e in pairs]
            band(axes, x, means, j, dashed=True)
            axes.vlines(x, [e.low for e in means], [e.high for e in means], color=CURVES[j], alpha=0.6, lw=1.6)
        guessing(axes, y=chance)
        ticks(axes.xaxis, sorted(numbers), _tick)
        axes.locator_params(axis="y", nbins=6)
        ticks(axes.yaxis, [tick for tick in axes.get_yticks() if -1 <= tick <= 1.0001], plain)
        axes.set_ylim(*_limits([p.mean for _, points in known for _, p in points if p.mean], chance))
        dress(axes, axis.key + (" (logarithmic)" if logarithmic else ""), title)

    legend = marks([name for name, _ in lines]) + ((CHANCE,) if chance is not None else ())
    return Figure(key, title, "", f"Against {axis.key}. {said}.", paint, 300, legend=legend)


def _limits(estimates: Sequence[Estimate], chance: float | None) -> tuple[float, float]:
    """From the values, not from intervals that reach far beyond them."""
    values = [e.value for e in estimates] + ([] if chance is None else [chance])
    room = 0.35 * max(max(values) - min(values), 0.04)
    low = max(min([e.low for e in estimates] + values), min(values) - room)
    high = min(max([e.high for e in estimates] + values), max(values) + room)
    edge = 0.04 * max(high - low, 0.02)
    return low - edge, min(high + edge, 1.02)


def _tick(value: float) -> str:
    """A value of a key below its axis.

    >>> _tick(1000.0), _tick(0.001)
    ('1,000', '0.001')
    """
    return formatting.count(int(value)) if float(value).is_integer() else f"{value:g}"


def class_distribution(key: str, clouds: Sequence[ClassCloud], series: Sequence[str]) -> Figure:
    """The share of the classes whose precision is at most so high."""
    sorted_values = [sorted(c.precision for c in cloud.classes if c.precision is not None) for cloud in clouds]
    lowest = max(0.0, min(values[0] for values in sorted_values) - 0.02)

    def paint(axes: Axes) -> None:
        for j, values in enumerate(sorted_values):
            steps = [(i + 1) / len(values) for i in range(len(values))]
            axes.step([values[0], *values, 1.0], [0.0, *steps, 1.0], where="post", color=CURVES[j], linestyle=DASHES[j])
        for axis in (axes.xaxis, axes.yaxis):
            ticks(axis, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
        axes.set_ylim(0, 1.02)
        axes.set_xlim(lowest, 1.01)
        dress(axes, "precision of the class", "share of the classes")

    lead = "Share of the classes (up) whose precision is at most so high (across), as in the paper of Shokri et al."
    text = f"Curves: {'; '.join(series)}. The table of classes has the values."
    return Figure(key, "Over how many classes, and how reliably", lead, text, paint, 300, legend=marks(series))


def class_sizes(key: str, clouds: Sequence[ClassCloud], series: Sequence[str]) -> Figure:
    """The precision of each class against its share of the training set."""

    def paint(axes: Axes) -> None:
        for j, cloud in enumerate(clouds):
            known = [(c.share, c.precision) for c in cloud.classes if c.precision is not None]
            x, y = [share for share, _ in known], [precision for _, precision in known]
            axes.plot(x, y, MARKS[j], color=CURVES[j], markersize=5, mew=0, alpha=0.75, linestyle="none")
        axes.set_xscale("log")
        shares = [c.share for cloud in clouds for c in cloud.classes]
        ticks(axes.xaxis, [t for t in _SIZES if min(shares) * 0.8 <= t <= max(shares) * 1.25])
        axes.set_ylim(0, 1.03)
        ticks(axes.yaxis, [0, 0.25, 0.5, 0.75, 1.0])
        dress(axes, "share of the training set (logarithmic)", "precision of the class")

    lead = "One mark a class: its precision against its share of the training set."
    text = f"Marks: {'; '.join(series)}. The table of classes has the values."
    return Figure(key, "Precision and size of the class", lead, text, paint, 300, legend=marks(series))


def gaps(title: str, spots: Sequence[CellMeans]) -> Figure:
    """What the attack finds against how far a model overfits, over all experiments of a reproduction."""
    groups = list(dict.fromkeys(spot.group for spot in spots))
    share = formatting.share

    def paint(axes: Axes) -> None:
        for j, group in enumerate(groups):
            mine = [spot for spot in spots if spot.group == group]
            x, y = [spot.gap.value for spot in mine], [spot.precision.value for spot in mine]
            lows, highs = [spot.precision.low for spot in mine], [min(1.0, spot.precision.high) for spot in mine]
            axes.vlines(x, lows, highs, color=CURVES[j], alpha=0.4, lw=1.4)
            axes.plot(x, y, MARKS[j], color=CURVES[j], markersize=6, mew=0, alpha=0.85, linestyle="none")
        guessing(axes, y=0.5)
        axes.set_ylim(min(0.48, min(spot.precision.value for spot in spots) - 0.03), 1.02)
        axes.margins(x=0.05)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            ticks(axis, [tick / 10 for tick in range(-10, 11) if low <= tick / 10 <= high])
        dress(axes, "train-test gap", "precision")

    said = "; ".join(f"{s.label}: gap {share(s.gap.value)}, precision {share(s.precision.value)}" for s in spots)
    return Figure("overview-gap", title, "", f"{said}.", paint, 340, legend=(*marks(groups), CHANCE))
