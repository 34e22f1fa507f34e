"""The pictures of a report: ROC curves, score histograms, leakage by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnomon.core.record import AttackResult, ClassResult, Curve, Histogram
from gnomon.report import wording
from gnomon.report.ink import CURVES, DASHES, INK, MEMBER, OTHER, SOFT, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED_CLASSES = 3
_DEEPEST = -5  # decades below 1 that a log axis shows at most


def roc_log(attacks: Sequence[AttackResult], nonmembers: int) -> str:
    """ROC curves with bands on logarithmic axes: the corner where an accusation is nearly certain."""
    floor = max(1 / max(nonmembers, 10), 10.0**_DEEPEST)  # below one non-member nothing is known
    description = f"Both axes are logarithmic, from {wording.share(floor)} to 100%. {_summary(attacks)}"
    with sheet("roc-log", "ROC curves on logarithmic axes", description, 340) as drawing:
        axes = drawing.axes
        axes.set_xscale("log")
        axes.set_yscale("log")
        _curves(axes, attacks, floor)
        ticks = [10.0**power for power in range(_DEEPEST, 1) if 10.0**power >= floor * 0.999]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ticks, labels=[wording.rate(tick) for tick in ticks])
            axis.set_tick_params(which="minor", length=0)
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
    for i, (attack, colour, dash) in reversed(list(enumerate(zip(attacks, CURVES, DASHES, strict=False)))):
        if attack.roc is None:
            continue
        x, y, low, high = _visible(attack.roc, floor)
        axes.fill_between(x, low, high, color=colour, alpha=0.16 if i == 0 else 0.09, linewidth=0)
        axes.plot(x, y, color=colour, linestyle=dash)


def _visible(curve: Curve, floor: float) -> tuple[list[float], ...]:
    """FPR, TPR and band from ``floor`` on; the piece that crosses the edge is cut there, in a straight line."""
    points = list(zip(curve.fpr, curve.tpr, curve.low, curve.high, strict=True))
    shown = [point for point in points if point[0] >= floor]
    before = [point for point in points if point[0] < floor]
    if before and shown and shown[0][0] > floor:
        left, right = before[-1], shown[0]
        part = (floor - left[0]) / (right[0] - left[0])
        rate, low, high = (left[i] + part * (right[i] - left[i]) for i in (1, 2, 3))
        shown.insert(0, (floor, rate, low, high))
    return tuple([max(point[i], floor) for point in shown] for i in range(4))


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
        if max(sizes) > 12 * min(sizes):
            axes.set_xscale("log")
            ticks = [
                d * 10**power for power in range(8) for d in (1, 2, 5) if min(sizes) <= d * 10**power <= max(sizes)
            ]
            axes.set_xticks(ticks, labels=[wording.count(tick) for tick in ticks])
            axes.xaxis.set_tick_params(which="minor", length=0)
            axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.scatter(sizes, aucs, s=26, color=MEMBER, alpha=0.75, linewidth=0)
        if guessing_in_sight(attack):
            axes.axhline(0.5, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        if attack.auc:
            axes.axhline(attack.auc.value, color=INK, linewidth=1)
        low, high = min([0.5, *aucs] if guessing_in_sight(attack) else aucs), max(aucs)
        room = 0.08 * max(high - low, 0.05)
        axes.set_ylim(low - room, high + 1.5 * room)
        axes.margins(x=0.08)
        axes.grid(True)
        _name_classes(axes, [c for _, _, c in sorted(points, key=lambda p: -p[1])])
        axes.set_xlabel("audited members of the class")
        axes.set_ylabel("AUC within the class")
    return drawing.svg


def guessing_in_sight(attack: AttackResult) -> bool:
    """Whether the picture of the classes reaches down to 0.5: not if every class is far from it."""
    return any(c.auc is not None and c.auc < 0.7 for c in attack.classes)


def _name_classes(axes: Axes, worst_first: Sequence[ClassResult]) -> None:
    """Names the most exposed classes, each on the side of its dot where it covers the fewest others."""
    to_box = axes.transScale + axes.transLimits
    dots = [tuple(to_box.transform((float(c.members), c.auc or 0.0))) for c in worst_first]
    taken: list[tuple[float, float, float, float]] = []  # left, bottom, right, top, as shares of the axes
    for (x, y), result in list(zip(dots, worst_first, strict=True))[: 3 * _NAMED_CLASSES]:
        name = wording.clean(result.name)[:24]
        wide = 0.021 * len(name)
        sides = {
            "left": (x + 0.015, y - 0.03, x + 0.015 + wide, y + 0.03),
            "right": (x - 0.015 - wide, y - 0.03, x - 0.015, y + 0.03),
        }
        free = {
            side: sum(left <= dot_x <= right and bottom <= dot_y <= top for dot_x, dot_y in dots)
            for side, (left, bottom, right, top) in sides.items()
            if left >= 0 and right <= 1.02 and not any(_overlap((left, bottom, right, top), box) for box in taken)
        }
        if not free or len(taken) == _NAMED_CLASSES:
            continue
        side = min(free, key=lambda side: free[side])
        taken.append(sides[side])
        shift = 7 if side == "left" else -7
        at = (result.members, result.auc or 0.0)
        axes.annotate(
            name, at, xytext=(shift, 0), textcoords="offset points", ha=side, va="center", fontsize=11, parse_math=False
        )


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
