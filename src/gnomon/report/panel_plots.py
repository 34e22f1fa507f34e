"""The pictures of the panels: figures side by side, with the whiskers of their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.record import Estimate, Record
from gnomon.report import wording
from gnomon.report.ink import CURVES, SOFT, sheet
from gnomon.report.panels import Panel, attack_of_sources, result_of, title_of

_MARKS = ("o", "D")
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
    makers = {"sources": _sources}
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


Row = tuple[str, tuple[Estimate | None, ...]]


def whiskers(key: str, title: str, rows: Sequence[Row], series: Sequence[str], chance: float | None) -> str:
    """One line a row, its name above it, and on it a mark with whiskers for each series; shares on the x axis."""
    known = [e for _, estimates in rows for e in estimates if e is not None]
    edges = [e.low for e in known] + ([] if chance is None else [chance])
    low = max(0.0, math.floor(10 * (min(edges) - 0.02)) / 10)
    height = _ROW * len(rows) + _BOTTOM + 8
    with sheet(key, title, _described(rows, series), height) as drawing:
        axes = drawing.axes
        axes.set_position((12 / _WIDTH, _BOTTOM / height, 1 - 34 / _WIDTH, 1 - (_BOTTOM + 8) / height))
        axes.spines["left"].set_visible(False)
        axes.set_xlim(low, 1.005)
        axes.set_ylim(len(rows) + 0.12, 0)
        if chance is not None:
            axes.axvline(chance, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        for i, (name, estimates) in enumerate(rows):
            axes.text(low, i + 0.27, name, fontsize=11.5, va="center", parse_math=False)
            for j, estimate in enumerate(estimates):
                if estimate is not None:
                    y = i + 0.66 + 0.22 * (j - (len(series) - 1) / 2)
                    axes.plot([estimate.low, estimate.high], [y, y], color=CURVES[j], linewidth=2, alpha=0.55)
                    axes.plot([estimate.value], [y], _MARKS[j], color=CURVES[j], markersize=6.5, markeredgewidth=0)
        axes.set_yticks([])
        ticks = [t / 10 for t in range(round(10 * low), 11)]
        ticks = ticks if len(ticks) <= 7 else ticks[::-2][::-1]
        axes.set_xticks(ticks, labels=[wording.rate(tick) for tick in ticks])
        axes.grid(True, axis="x")
        axes.set_xlabel(" and ".join(series))
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
