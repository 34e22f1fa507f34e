"""What an attacker gets for their queries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from gnomon.core.documents.record import AttackResult
from gnomon.core.documents.schema import Estimate
from gnomon.report import formatting
from gnomon.report.plots.axes import CHANCE, dress, guessing, name_dots, ticks
from gnomon.report.sections import Figure
from gnomon.report.svg import MEMBER, OTHER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[str, int, Estimate]  # attack, queries, AUC
LEAD = (
    "Each dot is an attack: how many queries it sends for all audited records, and how well it then tells members from "
    "others. The line is the best that so many queries bring, of these attacks: whoever queries no record guesses. "
    "Whiskers are intervals."
)


def leakage_by_queries(attacks: Sequence[AttackResult], records: int) -> Figure | None:
    """The AUC of each attack against what it spends; None where none has an AUC.

    Args:
        attacks: those of a record.
        records: that were audited; each of them is queried once by every attack.
    """
    points = sorted(((a.title, records + a.queries, a.auc) for a in attacks if a.auc is not None), key=_place)
    if not points:
        return None
    fewest, most = points[0][1] / 3, points[-1][1] * 3
    best = list(accumulate((auc.value for _, _, auc in points), max))
    named = list(zip(points, best, strict=True))
    said = "; ".join(
        f"{title}: {formatting.count(spent)} queries, AUC {formatting.number(auc.value)}"
        for title, spent, auc in points
    )

    def paint(axes: Axes) -> None:
        axes.set_xscale("log")
        steps = [fewest, *(spent for _, spent, _ in points), most]
        line = [0.5, *best, best[-1]]
        axes.step(steps, line, where="post", color=MEMBER, linewidth=1.2, alpha=0.6)
        for (_, spent, auc), top in named:
            colour = MEMBER if auc.value == top else OTHER
            axes.plot([spent, spent], [auc.low, auc.high], color=colour, linewidth=1.2, alpha=0.35)
            axes.plot([spent], [auc.value], "o", color=colour, markersize=6.5, markeredgewidth=0)
        axes.set_xlim(fewest, most)
        ticks(axes.xaxis, sorted({spent for _, spent, _ in points}), lambda count: formatting.count(int(count)))
        axes.set_ylim(min(0.45, *(auc.low for _, _, auc in points)), 1.02)
        guessing(axes, y=0.5)
        first = {spent: (title, spent, auc.value, auc.value == top) for (title, spent, auc), top in reversed(named)}
        name_dots(axes, list(first.values()))
        dress(axes, "queries (logarithmic)", "AUC")

    legend = (("dot-member", "best for so many queries"), ("dot-other", "others"), CHANCE)
    return Figure("leakage-by-queries", "What queries bring", LEAD, f"{said}.", paint, 340, legend=legend)


def _place(point: Point) -> tuple[int, float]:
    return point[1], -point[2].value
