"""The figures of an audit: headcounts, ROC curves, scores, leakage by class, and what more shadow models bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnomon.core.documents.record import AttackResult, ByShadows, Curve, Histogram
from gnomon.report import formatting
from gnomon.report.plots.axes import CHANCE, band, described, dot_box, dress, guessing, marks, name_dots, place, ticks
from gnomon.report.sections import Figure, Table
from gnomon.report.svg import CURVES, DASHES, INK, MEMBER, OTHER, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED_CLASSES, _LONGEST = 3, 24
_DEEPEST = -5  # decades below 1 that a log axis shows at most


def dots(kind: str, total: int, marked: int, colour: str, title: str, lead: str = "") -> Figure:
    """Records as dots, the first of them marked."""
    columns = 50 if total > 100 else 20

    def path(first: int, last: int) -> str:
        return "".join(f"M{i % columns * 10 + 5} {i // columns * 10 + 5}h0" for i in range(first, last))

    svg = (
        f'viewBox="0 0 {columns * 10} {total // columns * 10}" fill="none" stroke-linecap="round">'
        f'<path stroke="var(--dot)" stroke-width="7" d="{path(marked, total)}"/>'
        f'<path stroke="var(--{colour})" stroke-width="{9.5 if total > 100 else 8}" d="{path(0, marked)}"/>'
    )
    return Figure(f"dots-{kind}", title, lead, title, svg=svg, kind=kind)


def roc(key: str, title: str, lead: str, attacks: Sequence[AttackResult], floor: float) -> Figure:
    """ROC curves with bands; with a floor above 0 on logarithmic axes, where an accusation is nearly certain."""
    if floor > 0:
        where, span = [10.0**p for p in range(_DEEPEST, 1) if 10.0**p >= floor * 0.999], "are logarithmic, from"
    else:
        where, span = [0.0, 0.25, 0.5, 0.75, 1.0], "run from"
    areas = "; ".join(f"{a.title}, AUC {formatting.number(a.auc.value)}" for a in attacks if a.auc)
    text = f"Both axes {span} {formatting.share(floor)} to 100%. Curves: {areas}."

    def paint(axes: Axes) -> None:
        if floor > 0:
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.plot([floor, 1], [floor, 1], color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        # the headline attack is drawn last, on top of the others
        for i, (attack, colour, dash) in reversed(list(enumerate(zip(attacks, CURVES, DASHES, strict=False)))):
            if attack.roc is None:
                continue
            x, y, low, high = _visible(attack.roc, floor)
            axes.fill_between(x, low, high, color=colour, alpha=0.16 if i == 0 else 0.09, linewidth=0)
            axes.plot(x, y, color=colour, linestyle=dash)
        for axis in (axes.xaxis, axes.yaxis):
            ticks(axis, where)
        axes.set_xlim(floor, 1)
        axes.set_ylim(floor, 1)
        dress(axes, "non-members wrongly accused (FPR)", "members found (TPR)")

    legend = tuple((f"curve-{j}", attack.title) for j, attack in enumerate(attacks, 1))
    return Figure(
        key, title, lead, f"{text} The rates stand in the table of all attacks.", paint, 340, "", "", (*legend, CHANCE)
    )


def lowest_rate(nonmembers: int) -> float:
    """Where a logarithmic axis begins: below one non-member nothing is known."""
    return max(1 / max(nonmembers, 10), 10.0**_DEEPEST)


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


def scores(attack: AttackResult, bins: Histogram, values: Table) -> Figure:
    """Scores of members and of non-members, each as a share of its group."""
    members, others = _shares(bins.members), _shares(bins.nonmembers)
    threshold = attack.at_threshold.threshold if attack.at_threshold else None

    def paint(axes: Axes) -> None:
        for heights, colour in ((others, OTHER), (members, MEMBER)):
            axes.stairs(heights, bins.edges, fill=True, color=colour, alpha=0.28, linewidth=0)
            axes.stairs(heights, bins.edges, color=colour, linewidth=1.5)
        if threshold is not None and bins.edges[0] <= threshold <= bins.edges[-1]:
            axes.axvline(threshold, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
        top = 1.06 * max([*members, *others, 1e-9])
        axes.set_xlim(bins.edges[0], bins.edges[-1])
        axes.set_ylim(0, top)
        axes.locator_params(axis="y", nbins=5)
        axes.locator_params(axis="x", nbins=6)
        ticks(axes.yaxis, [tick for tick in axes.get_yticks() if 0 <= tick <= top])
        dress(axes, "score (higher = more like a member)", "share of the group", grid="y")

    legend = [("area-member", "members"), ("area-other", "non-members")]
    legend += [("rule", "threshold")] if threshold is not None else []
    text = "Shares of members and of non-members by score."
    lead = "The further the two shapes lie apart, the more certain the attacker."
    return Figure("scores", f"Scores: {attack.title}", lead, text, paint, legend=tuple(legend), table=values)


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]


def classes(attack: AttackResult, values: Table) -> Figure:
    """AUC of each class against the number of its audited members; the most exposed classes are named."""
    points = [(c.members, c.auc, c.name) for c in attack.classes if c.auc is not None and c.members > 0]
    low_enough = any(c.auc is not None and c.auc < 0.7 for c in attack.classes)  # to show where 0.5 is

    def paint(axes: Axes) -> None:
        sizes, aucs = [size for size, _, _ in points], [auc for _, auc, _ in points]
        if max(sizes) > 12 * min(sizes):
            axes.set_xscale("log")
            steps = [d * 10**power for power in range(8) for d in (1, 2, 5)]
            inside = [step for step in steps if min(sizes) <= step <= max(sizes)]
            ticks(axes.xaxis, inside, lambda step: formatting.count(int(step)))
        axes.scatter(sizes, aucs, s=26, color=MEMBER, alpha=0.75, linewidth=0)
        guessing(axes, y=0.5 if low_enough else None)
        if attack.auc:
            axes.axhline(attack.auc.value, color=INK, linewidth=1)
        low, high = min([0.5, *aucs] if low_enough else aucs), max(aucs)
        room = 0.08 * max(high - low, 0.05)
        axes.set_ylim(low - room, high + 1.5 * room)
        ticks(
            axes.yaxis,
            [tick for tick in axes.get_yticks() if low - room <= tick <= min(1.0, high + 1.5 * room)],
            lambda value: f"{value:g}",
        )
        axes.margins(x=0.08)
        worst = sorted(points, key=lambda point: -point[1])
        named = [(name[:_LONGEST], float(size), auc, True) for size, auc, name in worst[:_NAMED_CLASSES]]
        name_dots(axes, named, [dot_box(*place(axes, float(size), auc)) for size, auc, _ in points])
        dress(axes, "audited members of the class", "AUC within the class")

    legend = (("dot-member", "a class"), ("mean", "all classes together"), *((CHANCE,) if low_enough else ()))
    text = f"One dot for each of {len(points)} classes; the table of classes has the values."
    lead = "Each dot is a class, set against the number of its audited members."
    return Figure("classes", "Leakage of each class", lead, text, paint, legend=legend, table=values)


def by_shadows(found: ByShadows) -> Figure:
    """What LiRA achieves with more and more shadow models."""
    rate = f"TPR at {formatting.rate(found.fpr)} FPR"
    every = [("AUC", [(p.count, p.auc) for p in found.points])]
    every += [(rate, [(p.count, p.tpr.tpr) for p in found.points if p.tpr.tpr is not None])]
    series = [(name, points) for name, points in every if points]

    def paint(axes: Axes) -> None:
        axes.set_xscale("log", base=2)
        for j, (_, points) in enumerate(series):
            band(axes, [count for count, _ in points], [e for _, e in points], j)
        ticks(axes.xaxis, [p.count for p in found.points], lambda count: formatting.count(int(count)))
        axes.set_ylim(0, 1.02)
        ticks(axes.yaxis, [0, 0.25, 0.5, 0.75, 1.0], lambda value: f"{value:g}")
        dress(axes, "shadow models (logarithmic)")

    counts = [[f"{count} shadow models" for count, _ in points] for _, points in series]
    rows = [(name, tuple(e for _, e in points)) for name, points in series]
    text = " ".join(described([row], names) for row, names in zip(rows, counts, strict=True))
    lead = "With the bands of their intervals. Where the curves are flat, more shadow models bring little."
    legend = marks([name for name, _ in series])
    return Figure("by-shadows-plot", "By number of shadow models", lead, text, paint, 300, legend=legend)
