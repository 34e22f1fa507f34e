"""The figures of a report on mitigations: usefulness against leakage, and what trainings note of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from gnomon.core.documents.defence import MitigationResult
from gnomon.core.documents.schema import Estimate
from gnomon.report import formatting
from gnomon.report.plots.axes import dress, name_dots, ticks
from gnomon.report.sections import Figure
from gnomon.report.svg import CURVES, INK, MEMBER, OTHER, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRONTIER = (
    "Towards the upper left a model is more useful and leaks less. What lies on the line is on the frontier: nothing "
    "that was tried is better in one and as good in the other, by the values; whiskers are their intervals. A name "
    "that has no room is left to the table."
)


def frontier(points: Sequence[tuple[MitigationResult, Estimate, Estimate]], fpr: float | None) -> Figure:
    """Accuracy against leakage; what lies on the frontier is joined by a line.

    Args:
        points: each mitigation with its leakage and accuracy, the plain model first.
        fpr: of the true-positive rate that is the leakage; None: it is the AUC.
    """
    spell = formatting.number if fpr is None else formatting.share
    said = "; ".join(f"{o.label}: {spell(x.value)}, accuracy {formatting.share(y.value)}" for o, x, y in points)

    def paint(axes: Axes) -> None:
        best = sorted((x.value, y.value) for o, x, y in points if o.frontier)
        axes.plot([x for x, _ in best], [y for _, y in best], color=MEMBER, linewidth=1.2, alpha=0.6)
        for option, x, y in reversed(points):  # the plain model comes first, and lies on top
            colour = INK if option.acts_on == "nothing" else MEMBER if option.frontier else OTHER
            axes.plot([x.low, x.high], [y.value, y.value], color=colour, linewidth=1.2, alpha=0.35)
            axes.plot([x.value, x.value], [y.low, y.high], color=colour, linewidth=1.2, alpha=0.35)
            axes.plot([x.value], [y.value], "o", color=colour, markersize=6.5, markeredgewidth=0)
        _limits(axes, "x", [x for _, x, _ in points], fpr)
        _limits(axes, "y", [y for _, _, y in points], 1.0)
        name_dots(axes, [(o.label, x.value, y.value, o.acts_on == "nothing" or o.frontier) for o, x, y in points])
        dress(axes, f"leakage: {formatting.tpr_at(fpr)} of the strongest attack", "accuracy")

    legend = (("dot-ink", "plain model"), ("dot-member", "on the frontier"), ("dot-other", "not on it"))
    return Figure("frontier", "Useful and tight-lipped", FRONTIER, f"{said}.", paint, 340, legend=legend)


def _limits(axes: Axes, name: Literal["x", "y"], values: Sequence[Estimate], fpr: float | None) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    low, high = min(e.low for e in values), max(e.high for e in values)
    room = 0.06 * max(high - low, 0.02)
    limits = (max(0.0, low - room), min(1.0, high + room))
    (axes.set_xlim if name == "x" else axes.set_ylim)(limits)
    axes.locator_params(axis=name, nbins=6)
    spell = (lambda value: f"{value:.2g}") if fpr is None else formatting.rate
    ticks(axis, [float(t) for t in axis.get_ticklocs() if limits[0] <= t <= limits[1]], spell)


def training(key: str, label: str, curves: dict[str, list[float]]) -> Figure:
    """What a training noted of itself, such as the two losses of a game."""
    shown = dict(list(curves.items())[: len(CURVES)])
    said = "; ".join(f"{name}: from {v[0]:.3g} to {v[-1]:.3g}" for name, v in shown.items() if v)

    def paint(axes: Axes) -> None:
        for colour, values in zip(CURVES, shown.values(), strict=False):
            axes.plot(range(1, len(values) + 1), values, color=colour)
        axes.axhline(0, color=SOFT, linewidth=0.6)
        dress(axes, "epoch")

    legend = tuple((f"line-{j}", name) for j, name in enumerate(shown, 1))
    lead = "What the training of the target noted, epoch by epoch."
    return Figure(key, f"Training with {label}", lead, f"{said}.", paint, 260, legend=legend)
