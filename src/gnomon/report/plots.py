"""The pictures of a report: ROC curves, score histograms, leakage by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnomon.core.record import AttackResult, ClassResult, Histogram
from gnomon.report import wording
from gnomon.report.ink import CURVES, DASHES, INK, MEMBER, OTHER, RULE, SOFT, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED_CLASSES = 3
_DEEPEST = -5  # decades below 1 that a log axis shows at most


def roc_log(attacks: Sequence[AttackResult], nonmembers: int) -> str:
    """ROC curves with bands on logarithmic axes: the corner where an accusation is nearly certain."""
    decade = max(_DEEPEST, min(-2, math.floor(math.log10(1 / max(nonmembers, 1)))))
    floor = 10.0**decade
    description = f"Both axes are logarithmic, from {wording.rate(floor)} to 100%. {_summary(attacks)}"
    with sheet("roc-log", "ROC curves on logarithmic axes", description, 340) as drawing:
        axes = drawing.axes
        axes.set_xscale("log")
        axes.set_yscale("log")
        _curves(axes, attacks, floor)
        ticks = [10.0**power for power in range(decade, 1)]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ticks, labels=[wording.rate(tick) for tick in ticks])
            axis.set_tick_params(which="minor", length=0)
        unresolved = 1 / max(nonmembers, 1)
        if unresolved > floor * 1.05:
            axes.axvspan(floor, unresolved, color=RULE, alpha=0.55, linewidth=0)
        _roc_frame(axes, floor)
    return drawing.svg


def roc_linear(attacks: Sequence[AttackResult]) -> str:
    """The same curves on linear axes, whose area is the AUC."""
    description = f"Both axes run from 0% to 100%. {_summary(attacks)}"
    with sheet("roc-linear", "ROC curves on linear axes", description, 340) as drawing:
        axes = drawing.axes
        _curves(axes, attacks, 0.0)
        ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ticks, labels=[wording.rate(tick) for tick in ticks])
        _roc_frame(axes, 0.0)
    return drawing.svg


def _curves(axes: Axes, attacks: Sequence[AttackResult], floor: float) -> None:
    axes.plot([floor, 1], [floor, 1], color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    # the headline attack is drawn last, on top of the others
    for attack, colour, dash in reversed(list(zip(attacks, CURVES, DASHES, strict=False))):
        if attack.roc is None:
            continue
        x, y, low, high = (
            [max(value, floor) for value in values]
            for values in (attack.roc.fpr, attack.roc.tpr, attack.roc.low, attack.roc.high)
        )
        axes.fill_between(x, low, high, color=colour, alpha=0.14, linewidth=0)
        axes.plot(x, y, color=colour, linestyle=dash)


def _roc_frame(axes: Axes, floor: float) -> None:
    axes.set_xlim(floor, 1)
    axes.set_ylim(floor, 1)
    axes.grid(True)
    axes.set_xlabel("non-members wrongly accused (FPR)")
    axes.set_ylabel("members found (TPR)")


def _summary(attacks: Sequence[AttackResult]) -> str:
    parts = [f"{wording.clean(a.title)}, AUC {wording.figure(a.auc.value)}" for a in attacks if a.auc]
    return f"Curves: {'; '.join(parts)}. The rates stand in the table of all attacks."


def score_histogram(attack: AttackResult, bins: Histogram) -> str:
    """Scores of members and of non-members, each as a share of its group."""
    members, others = _shares(bins.members), _shares(bins.nonmembers)
    description = "Shares of members and of non-members by score; the table below the picture has the counts."
    with sheet("scores", f"Scores of {wording.clean(attack.title)}", description, 320) as drawing:
        axes = drawing.axes
        for values, colour, fill in ((others, OTHER, 0.28), (members, MEMBER, 0.28)):
            axes.stairs(values, bins.edges, fill=True, color=colour, alpha=fill, linewidth=0)
            axes.stairs(values, bins.edges, color=colour, linewidth=1.5)
        rule = attack.at_threshold
        if rule and rule.threshold is not None and bins.edges[0] <= rule.threshold <= bins.edges[-1]:
            axes.axvline(rule.threshold, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
        top = max([*members, *others, 1e-9])
        axes.set_xlim(bins.edges[0], bins.edges[-1])
        axes.set_ylim(0, 1.06 * top)
        axes.locator_params(axis="y", nbins=5)
        axes.locator_params(axis="x", nbins=6)
        ticks = [tick for tick in axes.get_yticks() if 0 <= tick <= 1.06 * top]
        axes.set_yticks(ticks, labels=[wording.rate(round(tick, 6)) for tick in ticks])
        axes.grid(True, axis="y")
        axes.set_xlabel("score (higher = more like a member)")
        axes.set_ylabel("share of the group")
    return drawing.svg


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]


def class_leakage(attack: AttackResult) -> str:
    """AUC of each class against the number of its audited members; the most exposed classes are named."""
    points = [(c.members, c.auc, c) for c in attack.classes if c.auc is not None and c.members > 0]
    description = f"One dot for each of {len(points)} classes; the table of classes has the figures."
    with sheet("classes", "Leakage of each class against its size", description, 320) as drawing:
        axes = drawing.axes
        sizes, aucs = [size for size, _, _ in points], [auc for _, auc, _ in points]
        wide = bool(sizes) and max(sizes) > 12 * min(sizes)
        if wide:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: wording.count(round(value)))
            axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.scatter(sizes, aucs, s=26, color=MEMBER, alpha=0.75, linewidth=0)
        axes.axhline(0.5, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        if attack.auc:
            axes.axhline(attack.auc.value, color=INK, linewidth=1)
        low = min([*aucs, 0.5])
        axes.set_ylim(max(0.0, math.floor(low * 10) / 10 - 0.02), 1.02)
        axes.margins(x=0.08)
        axes.grid(True)
        _name_classes(axes, [c for _, _, c in sorted(points, key=lambda p: -p[1])[:_NAMED_CLASSES]], sizes)
        axes.set_xlabel("audited members of the class")
        axes.set_ylabel("AUC within the class")
    return drawing.svg


def _name_classes(axes: Axes, worst: Sequence[ClassResult], sizes: Sequence[int]) -> None:
    middle = (max(sizes) + min(sizes)) / 2 if sizes else 0
    taken: list[float] = []
    for result in worst:
        if result.auc is None or any(abs(result.auc - other) < 0.035 for other in taken):
            continue  # a name on top of another helps nobody; the table has both
        taken.append(result.auc)
        left = result.members > middle
        axes.annotate(
            wording.clean(result.name)[:24],
            (result.members, result.auc),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=11,
            parse_math=False,
        )
