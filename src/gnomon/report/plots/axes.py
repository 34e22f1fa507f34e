"""What drawings share: ticks, bands, the line of guessing, names next to dots, and lines with whiskers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from gnomon.core.documents.record import Estimate
from gnomon.report import formatting
from gnomon.report.sections import Figure
from gnomon.report.svg import CURVES, DASHES, MARKS, SOFT, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Box = tuple[float, float, float, float]  # left, bottom, right, top, as shares of the axes
Row = tuple[str, tuple[Estimate | None, ...]]
CHANCE = ("chance", "guessing")
_STEPS, _TICKS = (0.01, 0.02, 0.05, 0.1, 0.2), 6  # of the x axis: sizes, and how many at most
_ROW, _BOTTOM = 46, 46
_NEAR = 0.025  # of an axis: points that lie so close share one name
_LETTER, _LINE, _ROOM = 0.0185, 0.06, 0.03  # of the axes: width of a letter, height of a line, distance from the dot


def marks(series: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The legend of marks in the colours of the curves."""
    return tuple((f"mark-{j}", name) for j, name in enumerate(series, 1))


def ticks(axis: Axis, where: Sequence[float], spell: Callable[[float], str] = formatting.rate) -> None:
    """Ticks at these places and nowhere else."""
    from matplotlib.ticker import NullLocator

    axis.set_minor_locator(NullLocator())  # those of logarithmic axes take half of the time of a drawing
    axis.set_ticks(list(where), labels=[spell(round(float(tick), 6)) for tick in where])


def dress(axes: Axes, x: str, y: str = "", *, grid: Literal["both", "x", "y"] = "both") -> None:
    """Names of the axes, and the grid behind the drawing."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, axis=grid)


def guessing(axes: Axes, *, y: float | None = None, x: float | None = None) -> None:
    """The dotted line of what guessing achieves."""
    if y is not None:
        axes.axhline(y, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    if x is not None:
        axes.axvline(x, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))


def band(axes: Axes, x: Sequence[float], values: Sequence[Estimate], j: int, *, dashed: bool = False) -> None:
    """The j-th curve: marks on a line, in the band of their intervals."""
    low, high = [e.low for e in values], [e.high for e in values]
    axes.fill_between(x, low, high, color=CURVES[j], alpha=0.14, lw=0)
    axes.plot(
        x,
        [e.value for e in values],
        color=CURVES[j],
        linestyle=DASHES[j] if dashed else "solid",
        marker=MARKS[j],
        markersize=6,
        mew=0,
    )


def name_dots(axes: Axes, points: Sequence[tuple[str, float, float, bool]], others: Sequence[Box] = ()) -> None:
    """Names next to the dots, each on the first side where it covers no dot and no other name.

    Args:
        axes: with its limits set.
        points: name, x, y, and whether it must be named; one that need not, and has no room, is left to the table.
        others: what must not be covered either.
    """
    groups: list[tuple[list[str], float, float, bool]] = []
    for label, x, y, must in sorted(points, key=lambda point: not point[3]):
        across, up = place(axes, x, y)
        near = next((g for g in groups if abs(g[1] - across) < _NEAR and abs(g[2] - up) < _NEAR), None)
        if near is None:
            groups.append(([formatting.clean(label)], across, up, must))
        else:
            near[0].append(formatting.clean(label))
    taken = [*others, *(dot_box(x, y) for _, x, y, _ in groups)]
    for names, x, y, must in groups:
        text = ", ".join(names[:3]) + (f", +{len(names) - 3}" if len(names) > 3 else "")
        wide = _LETTER * len(text)
        boxes = [(left, low, left + wide, low + _LINE) for left, low in _sides(x, y, wide)]
        box = min(boxes, key=lambda one: _covered(one, taken))
        if _covered(box, taken) and not must:
            continue
        taken.append(box)
        axes.text(box[0], box[1] + _LINE / 2, text, transform=axes.transAxes, fontsize=11, va="center")


def place(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Where a point lies, as shares of the axes."""
    at = (axes.transScale + axes.transLimits).transform((x, y))
    return float(at[0]), float(at[1])


def dot_box(x: float, y: float) -> Box:
    """What a dot covers."""
    return x - 0.015, y - 0.02, x + 0.015, y + 0.02


def _sides(x: float, y: float, wide: float) -> list[tuple[float, float]]:
    """Lower left corners for a name, the most natural first."""
    right, left, middle = x + _ROOM, x - _ROOM - wide, min(max(x - wide / 2, 0.0), max(0.0, 1 - wide))
    found = [(right, y - _LINE / 2), (left, y - _LINE / 2)]
    found += [(middle, y + step * _LINE) for step in (0.5, -1.5, 1.3, -2.3)]
    found += [(side, y + step * _LINE) for step in (0.3, -1.3, 1.2, -2.2) for side in (right, left)]
    return [p for p in found if p[0] >= -0.01 and p[0] + wide <= 1.04 and -0.02 <= p[1] <= 0.97] or [(middle, y)]


def _covered(box: Box, taken: Sequence[Box]) -> int:
    return sum(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken)


def whiskers(
    key: str,
    title: str,
    rows: Sequence[Row],
    series: Sequence[str],
    chance: float | None,
    *,
    lead: str = "",
    shares: bool = True,
    label: str = "",
) -> Figure:
    """One line a row, its name above it, and on it a mark with whiskers for each series.

    Args:
        key: of the figure.
        title: its heading.
        rows: name and estimates, one a series.
        series: what the marks are.
        chance: what guessing achieves.
        lead: a sentence below the heading.
        shares: whether values are percentages.
        label: of the axis; default the series.
    """
    row = _ROW + 12 * max(0, len(series) - 2)
    height = row * len(rows) + _BOTTOM + 8
    spell = formatting.rate if shares else lambda value: f"{value:.2g}"

    def paint(axes: Axes) -> None:
        low, high, step = _reach(rows, chance)
        axes.set_position((12 / WIDTH, _BOTTOM / height, 1 - 34 / WIDTH, 1 - (_BOTTOM + 8) / height))
        axes.spines["left"].set_visible(False)
        axes.set_xlim(low - 0.015 * (high - low), high + 0.01 * (high - low))
        axes.set_ylim(len(rows) + 0.12, 0)
        guessing(axes, x=chance)
        for i, (name, estimates) in enumerate(rows):
            axes.text(low, i + 12.4 / row, name, fontsize=11.5, va="center")
            for j, estimate in enumerate(estimates):
                if estimate is not None:
                    y = i + (row - 15.6 + 10.1 * (j - len(series) + 1 + min(1, len(series) - 1) / 2)) / row
                    axes.plot([estimate.low, estimate.high], [y, y], color=CURVES[j], linewidth=2, alpha=0.55)
                    axes.plot([estimate.value], [y], MARKS[j], color=CURVES[j], markersize=6.5, markeredgewidth=0)
        axes.set_yticks([])
        ticks(axes.xaxis, [low + i * step for i in range(math.floor((high - low) / step + 1e-9) + 1)], spell)
        dress(axes, label or " and ".join(series), grid="x")

    shown = (marks(series) if len(series) > 1 else ()) + ((CHANCE,) if chance is not None else ())
    return Figure(key, title, lead, described(rows, series), paint, height, legend=shown)


def _reach(rows: Sequence[Row], chance: float | None) -> tuple[float, float, float]:
    """Lowest and highest value of the axis, and the step between its ticks."""
    known = [e for _, estimates in rows for e in estimates if e is not None]
    also = [] if chance is None else [chance]
    low = max(0.0, math.floor(10 * (min([*also, *(e.low for e in known)]) - 0.02)) / 10)
    top = min(1.0, max([*also, *(e.high for e in known)]) + 0.005)
    step = next(size for size in _STEPS if (top - low) / size <= _TICKS)
    return low, min(1.0, step * math.ceil(top / step)), step


def described(rows: Sequence[Row], series: Sequence[str]) -> str:
    """Rows of estimates in words."""
    parts = []
    for name, estimates in rows:
        known = [(what, e) for what, e in zip(series, estimates, strict=True) if e is not None]
        said = (f"{what} {formatting.share(e.value)} ({formatting.shares(e)})" for what, e in known)
        parts.append(f"{name}: {', '.join(said)}")
    return "; ".join(parts) + "."
