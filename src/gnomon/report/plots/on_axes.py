"""Figures on the user's own matplotlib axes, in the user's own style: for notebooks and papers.

These are functions and no methods of the record: what a record holds is read without matplotlib, and it is
`gnomon.report` that knows how to draw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnomon.core.documents.record import AttackResult, Audited, Record, record_of
from gnomon.core.errors import UsageError, did_you_mean, expect
from gnomon.report import formatting
from gnomon.report.audit.attacks import by_auc, headliner
from gnomon.report.plots.audit import lowest_rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CURVES = 4  # where none are named


def plot_roc(
    record: Record | Audited, axes: Axes | None = None, *, attacks: Sequence[str] | None = None, log: bool = True
) -> Axes:
    """Draws ROC curves with their intervals.

    Args:
        record: of an audit, or its outcome.
        axes: where to; by default new ones, which pyplot shows.
        attacks: names; by default the headline attack and the next three by AUC.
        log: both axes logarithmic, where an accusation is nearly certain; otherwise linear, where the area is the AUC.

    Returns:
        The axes.

    Raises:
        UsageError: not a record, an attack that it does not have, or no attack with a curve.
    """
    record = record_of(record)
    curves = _chosen(record, attacks)
    floor = lowest_rate(record.data.nonmembers) if log else 0.0
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots()
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.plot([floor, 1], [floor, 1], color="0.6", linestyle=":", label="guessing")
    for attack in curves:
        assert attack.roc is not None
        points = [p for p in zip(*vars(attack.roc).values(), strict=True) if p[0] >= floor]
        x, y, low, high = zip(*points, strict=True)
        area = "" if attack.auc is None else f" (AUC {formatting.number(attack.auc.value)})"
        [line] = axes.plot(x, y, label=f"{formatting.clean(attack.title)}{area}")
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xlim(floor, 1)
    axes.set_ylim(floor, 1)
    axes.set_xlabel("non-members wrongly accused (FPR)")
    axes.set_ylabel("members found (TPR)")
    axes.set_title(formatting.clean(record.name))
    axes.legend()
    return axes


def _chosen(record: Record, names: Sequence[str] | None) -> list[AttackResult]:
    finished = by_auc(record)
    if names is not None:
        expect("attacks", names, (list, tuple), "a list of attacks' names")
        known = {attack.name: attack for attack in record.attacks}
        strange = next((name for name in names if name not in known), None)
        if strange is not None:
            raise UsageError(f'attacks: the record has no attack "{strange}"{did_you_mean(str(strange), known)}')
        finished = [known[name] for name in names]
    else:
        first = headliner(record)
        finished = ([first] if first else []) + [a for a in finished if a is not first]
    curves = [a for a in finished if a.roc is not None and a.roc.fpr]
    if not curves:
        raise UsageError("no attack of this record has a ROC curve")
    return curves if names is not None else curves[:MOST_CURVES]
