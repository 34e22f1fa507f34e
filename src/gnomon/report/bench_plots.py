"""The pictures of a bench: usefulness against leakage, and what a naive attacker would have seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gnomon.core.bench import Bench, Option
from gnomon.core.parts import Estimate
from gnomon.report import wording
from gnomon.report.bench_tables import audited, figure_name, rate_of
from gnomon.report.ink import CURVES, INK, MEMBER, OTHER, SOFT, sheet
from gnomon.report.panel_plots import whiskers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_NEAR = 0.025  # of an axis: points that lie so close share one name
_LETTER, _LINE = 0.0185, 0.06  # of the axes: width of a letter, height of a line
_ROOM = 0.03


@dataclass(frozen=True)
class _Dot:
    names: tuple[str, ...]
    x: float
    y: float
    must: bool

    @property
    def text(self) -> str:
        shown = ", ".join(self.names[:3])
        return shown if len(self.names) <= 3 else f"{shown}, +{len(self.names) - 3}"


def frontier(bench: Bench) -> str:
    """Accuracy against leakage; what lies on the frontier is joined by a line. Empty with nothing to compare."""
    points = [(o, leak, o.utility.accuracy) for o in audited(bench) if o.utility and (leak := _leak(o, bench))]
    if len(points) < 2:
        return ""
    said = "; ".join(f"{o.label}: {_spell(x, bench)}, accuracy {wording.share(y.value)}" for o, x, y in points)
    with sheet("frontier", "Accuracy against leakage", f"{wording.clean(said)}.", 340) as drawing:
        axes = drawing.axes
        best = sorted((x.value, y.value) for o, x, y in points if o.frontier)
        axes.plot([x for x, _ in best], [y for _, y in best], color=MEMBER, linewidth=1.2, alpha=0.6)
        for option, x, y in reversed(points):  # the plain model comes first, and lies on top
            colour = INK if option.acts_on == "nothing" else MEMBER if option.frontier else OTHER
            axes.plot([x.low, x.high], [y.value, y.value], color=colour, linewidth=1.2, alpha=0.35)
            axes.plot([x.value, x.value], [y.low, y.high], color=colour, linewidth=1.2, alpha=0.35)
            axes.plot([x.value], [y.value], "o", color=colour, markersize=6.5, markeredgewidth=0)
        _frame(axes, [x for _, x, _ in points], [y for _, _, y in points], bench.fpr)
        _name(axes, [(o.label, x.value, y.value, o.acts_on == "nothing" or o.frontier) for o, x, y in points])
        axes.set_xlabel(f"leakage: {figure_name(bench.fpr)} of the strongest attack")
        axes.set_ylabel("accuracy")
    return drawing.svg


def _frame(axes: Axes, xs: Sequence[Estimate], ys: Sequence[Estimate], fpr: float | None) -> None:
    spell = (lambda value: f"{value:.2g}") if fpr is None else wording.rate
    sides: tuple[tuple[Axis, Sequence[Estimate], Literal["x", "y"]], ...]
    sides = (axes.xaxis, xs, "x"), (axes.yaxis, ys, "y")
    for axis, side, name in sides:
        low, high = min(e.low for e in side), max(e.high for e in side)
        room = 0.06 * max(high - low, 0.02)
        limits = (max(0.0, low - room), min(1.0, high + room))
        (axes.set_xlim if name == "x" else axes.set_ylim)(limits)
        axes.locator_params(axis=name, nbins=6)
        ticks = [float(t) for t in axis.get_ticklocs() if limits[0] <= t <= limits[1]]
        words = spell if name == "x" else wording.rate
        axis.set_ticks(ticks, labels=[words(round(t, 6)) for t in ticks])
    axes.grid(True)


def _name(axes: Axes, points: Sequence[tuple[str, float, float, bool]]) -> None:
    """Names beside the dots, on the first side where they cover no dot and no other name.

    Those that must stand come first and stand in any case; another that has no room is left to the table.
    """
    to_box = axes.transScale + axes.transLimits
    groups: list[_Dot] = []
    for label, x, y, must in sorted(points, key=lambda point: not point[3]):
        at = to_box.transform((x, y))
        near = next((g for g in groups if abs(g.x - at[0]) < _NEAR and abs(g.y - at[1]) < _NEAR), None)
        if near is None:
            groups.append(_Dot((wording.clean(label),), float(at[0]), float(at[1]), must))
        else:
            groups[groups.index(near)] = _Dot((*near.names, wording.clean(label)), near.x, near.y, near.must)
    taken = [(g.x - 0.015, g.y - 0.02, g.x + 0.015, g.y + 0.02) for g in groups]
    for group in groups:
        wide = _LETTER * len(group.text)
        places = _places(group, wide)
        covered, (left, low) = min(
            ((_covered((x, y, x + wide, y + _LINE), taken), (x, y)) for x, y in places), key=lambda found: found[0]
        )
        if covered and not group.must:
            continue
        taken.append((left, low, left + wide, low + _LINE))
        axes.text(
            left, low + _LINE / 2, group.text, transform=axes.transAxes, fontsize=11, va="center", parse_math=False
        )


def _places(dot: _Dot, wide: float) -> list[tuple[float, float]]:
    """Lower left corners for a name, the most natural first."""
    right, left, middle = dot.x + _ROOM, dot.x - _ROOM - wide, min(max(dot.x - wide / 2, 0.0), max(0.0, 1 - wide))
    beside = [(right, dot.y - _LINE / 2), (left, dot.y - _LINE / 2)]
    around = [(middle, dot.y + step * _LINE) for step in (0.5, -1.5, 1.3, -2.3)]
    slanted = [(x, dot.y + step * _LINE) for step in (0.3, -1.3, 1.2, -2.2) for x in (right, left)]
    inside = [
        p for p in (*beside, *around, *slanted) if p[0] >= -0.01 and p[0] + wide <= 1.04 and -0.02 <= p[1] <= 0.97
    ]
    return inside or [(middle, dot.y)]


def _covered(box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]) -> int:
    return sum(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken)


def knowing_or_not(bench: Bench) -> str:
    """The attacker who knows the mitigation beside the one who does not; empty where nobody was naive."""
    options = [o for o in audited(bench) if o.naive is not None]
    if not options:
        return ""
    rows = [
        (wording.clean(o.label), tuple(rate_of(s.leak, bench.fpr) if s else None for s in (o.adaptive, o.naive)))
        for o in options
    ]
    chance = 0.5 if bench.fpr is None else bench.fpr
    series = ("mitigated shadow models", "plain ones")
    return whiskers(
        "naive", "Mitigated shadow models, and plain ones", rows, series, chance, shares=bench.fpr is not None
    )


def training_curves(key: str, title: str, curves: dict[str, list[float]]) -> str:
    """Curves over the epochs of a training."""
    said = "; ".join(f"{name}: from {v[0]:.3g} to {v[-1]:.3g}" for name, v in curves.items() if v)
    with sheet(key, title, f"{wording.clean(said)}.", 260) as drawing:
        axes = drawing.axes
        for colour, values in zip(CURVES, curves.values(), strict=False):
            axes.plot(range(1, len(values) + 1), values, color=colour)
        axes.axhline(0, color=SOFT, linewidth=0.6)
        axes.grid(True)
        axes.set_xlabel("epoch")
    return drawing.svg


def _leak(option: Option, bench: Bench) -> Estimate | None:
    return rate_of(option.strongest.leak, bench.fpr) if option.strongest else None


def _spell(estimate: Estimate, bench: Bench) -> str:
    return wording.figure(estimate.value) if bench.fpr is None else wording.share(estimate.value)
