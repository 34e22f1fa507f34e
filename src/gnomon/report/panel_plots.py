"""The pictures of the panels: figures side by side, with the whiskers of their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.record import Estimate, Record
from gnomon.report import wording
from gnomon.report.ink import CURVES, SOFT, sheet
from gnomon.report.panel import Panel
from gnomon.report.sources import attack_of_sources, result_of, title_of

MARKS = ("o", "D", "s", "^")
_STEPS, _TICKS = (0.01, 0.02, 0.05, 0.1, 0.2), 6  # of the x axis: sizes, and how many at most
_ROW, _BOTTOM, _WIDTH = 46, 46, 420


@dataclass(frozen=True)
class Drawing:
    """A picture with its caption; ``series`` names its marks, in their order."""

    title: str
    lead: str
    svg: str
    series: tuple[str, ...]
    chance: bool  # a dotted line shows what guessing achieves


def draw(panel: Panel, record: Record) -> tuple[Drawing, ...]:
    """The pictures of a panel; none where its tables say it all."""
    makers = {"sources": _sources, "ladder": _ladder, "by-shadows": _by_shadows}
    return makers[panel.key](record) if panel.key in makers else ()


def _sources(record: Record) -> tuple[Drawing, ...]:
    name = attack_of_sources(record)
    found = [(source.source, result_of(source, name)) for source in record.shadow_sources]
    rows = [(wording.clean(source), (r.accuracy, r.precision)) for source, r in found if r is not None]
    if name is None or len(rows) < 2:
        return ()
    title = "What each source is worth"
    lead = f"{title_of(record, name)}, trained on shadow models of each source and asked about the same records."
    series = ("balanced accuracy", "precision")
    svg = whiskers("sources-plot", title, rows, series, 0.5)
    return (Drawing(title, lead, svg, series, True),)


def _ladder(record: Record) -> tuple[Drawing, ...]:
    rungs = record.ladder
    if len(rungs) < 2:
        return ()
    rate = wording.rate(rungs[0].tpr.fpr)
    areas: list[Row] = [(wording.clean(r.title), (r.auc,)) for r in rungs]
    rates: list[Row] = [(wording.clean(r.title), (r.tpr.tpr,)) for r in rungs]
    svg = whiskers("ladder-auc", "AUC, rung by rung", areas, ("AUC",), 0.5, shares=False)
    lead = "How often a member scores above a non-member, with intervals."
    drawings = [Drawing("Telling members from others", lead, svg, (), True)]
    if any(r.tpr.tpr is not None for r in rungs):
        name = f"members found (TPR at {rate} FPR)"
        svg = whiskers("ladder-tpr", "TPR, rung by rung", rates, (name,), rungs[0].tpr.fpr)
        lead = f"Members found while {wording.one_in(rungs[0].tpr.fpr)} non-members may be wrongly accused."
        drawings.insert(0, Drawing("Nearly certain accusations", lead, svg, (), True))
    return tuple(drawings)


def _by_shadows(record: Record) -> tuple[Drawing, ...]:
    found = record.by_shadows
    if found is None or len(found.points) < 2:
        return ()
    rate = f"TPR at {wording.rate(found.fpr)} FPR"
    title = "By number of shadow models"
    series: list[tuple[str, list[tuple[int, Estimate]]]] = [
        ("AUC", [(p.count, p.auc) for p in found.points]),
        (rate, [(p.count, p.tpr.tpr) for p in found.points if p.tpr.tpr is not None]),
    ]
    series = [(name, points) for name, points in series if points]
    rows: list[Row] = [(name, tuple(e for _, e in points)) for name, points in series]
    description = _described(rows, [f"{p.count} shadow models" for p in found.points])
    counts = [p.count for p in found.points]
    with sheet("by-shadows-plot", title, description, 300) as drawing:
        axes = drawing.axes
        axes.set_xscale("log", base=2)
        for j, (_, points) in enumerate(series):
            x, figures = [count for count, _ in points], [e for _, e in points]
            axes.fill_between(x, [e.low for e in figures], [e.high for e in figures], color=CURVES[j], alpha=0.14, lw=0)
            axes.plot(x, [e.value for e in figures], color=CURVES[j], marker=MARKS[j], markersize=6, mew=0)
        axes.set_xticks(counts, labels=[wording.count(c) for c in counts])
        axes.xaxis.set_tick_params(which="minor", length=0)
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "0.25", "0.5", "0.75", "1"])
        axes.grid(True)
        axes.set_xlabel("shadow models (logarithmic)")
    lead = "With the bands of their intervals. Where the curves are flat, more shadow models bring little."
    return (Drawing(title, lead, drawing.svg, tuple(name for name, _ in series), False),)


Row = tuple[str, tuple[Estimate | None, ...]]


def whiskers(
    key: str,
    title: str,
    rows: Sequence[Row],
    series: Sequence[str],
    chance: float | None,
    *,
    shares: bool = True,
    label: str = "",
) -> str:
    """One line a row, its name above it, and on it a mark with whiskers for each series; a label for the axis."""
    known = [e for _, estimates in rows for e in estimates if e is not None]
    guessing = [] if chance is None else [chance]
    low = max(0.0, math.floor(10 * (min([*guessing, *(e.low for e in known)]) - 0.02)) / 10)
    top = min(1.0, max([*guessing, *(e.high for e in known)]) + 0.005)
    step = next(size for size in _STEPS if (top - low) / size <= _TICKS)
    high = min(1.0, step * math.ceil(top / step))
    spell = wording.rate if shares else lambda value: f"{value:.2g}"
    row = _ROW + 12 * max(0, len(series) - 2)
    height = row * len(rows) + _BOTTOM + 8
    with sheet(key, title, _described(rows, series), height) as drawing:
        axes = drawing.axes
        axes.set_position((12 / _WIDTH, _BOTTOM / height, 1 - 34 / _WIDTH, 1 - (_BOTTOM + 8) / height))
        axes.spines["left"].set_visible(False)
        axes.set_xlim(low - 0.015 * (high - low), high + 0.01 * (high - low))
        axes.set_ylim(len(rows) + 0.12, 0)
        if chance is not None:
            axes.axvline(chance, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        for i, (name, estimates) in enumerate(rows):
            axes.text(low, i + 12.4 / row, name, fontsize=11.5, va="center", parse_math=False)
            for j, estimate in enumerate(estimates):
                if estimate is not None:
                    y = i + (row - 15.6 + 10.1 * (j - len(series) + 1 + min(1, len(series) - 1) / 2)) / row
                    axes.plot([estimate.low, estimate.high], [y, y], color=CURVES[j], linewidth=2, alpha=0.55)
                    axes.plot([estimate.value], [y], MARKS[j], color=CURVES[j], markersize=6.5, markeredgewidth=0)
        axes.set_yticks([])
        ticks = [round(low + i * step, 6) for i in range(math.floor((high - low) / step + 1e-9) + 1)]
        axes.set_xticks(ticks, labels=[spell(tick) for tick in ticks])
        axes.grid(True, axis="x")
        axes.set_xlabel(label or " and ".join(series))
    return drawing.svg


def _described(rows: Sequence[Row], series: Sequence[str]) -> str:
    parts = []
    for name, estimates in rows:
        said = [
            f"{what} {wording.share(e.value)} ({wording.shares(e)})"
            for what, e in zip(series, estimates, strict=True)
            if e is not None
        ]
        parts.append(f"{name}: {', '.join(said)}")
    return "; ".join(parts) + "."
