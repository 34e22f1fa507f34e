"""The pictures of a study: figures against a key with whiskers, and the classes as a distribution and as dots."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.core.study import Axis, ClassCloud, Curve, FigureKind, Study
from gnomon.report import wording
from gnomon.report.ink import CURVES, DASHES, SOFT, sheet
from gnomon.report.panel import Panel
from gnomon.report.panel_plots import MARKS, Drawing, whiskers
from gnomon.report.study_view import lines_of, named, spelling

MOST_LINES = len(CURVES)
_WIDE = 8  # from this ratio of largest to smallest on, a key's axis is logarithmic
_TOGETHER = ("train_accuracy", "test_accuracy")  # drawn in one picture where nothing else varies


def draw_study(panel: Panel, study: Study, prefix: str = "", only: Sequence[str] = ()) -> tuple[Drawing, ...]:
    """The pictures of a panel.

    Args:
        panel: of this study.
        study: the document.
        prefix: makes the drawings' ids unique on a page with several studies.
        only: figures to draw; default all.
    """
    kind, _, number = panel.key.partition("-")
    if kind == "axis":
        return tuple(_axis_drawings(study, study.axes[int(number)], f"{prefix}{panel.key}", only))
    return _class_drawings(study, prefix) if kind == "classes" else ()


def _axis_drawings(study: Study, axis: Axis, key: str, only: Sequence[str]) -> list[Drawing]:
    drawings = []
    kinds = [kind for kind in study.figures if not only or kind.key in only]
    pair = [kind for kind in kinds if kind.key in _TOGETHER]
    alone = len(study.axes) == 1 or any(c.averaged for c in study.curves if c.axis == axis.key)
    if alone and len(pair) == len(_TOGETHER):
        lines = [line for kind in pair for line in lines_of(study, axis, kind)]
        drawings.append(_drawing(f"{key}-accuracies", "Accuracy of the target", axis, pair[0], lines))
        kinds = [kind for kind in kinds if kind not in pair]
    for kind in kinds:
        found = lines_of(study, axis, kind)[:MOST_LINES]
        drawings.append(_drawing(f"{key}-{kind.key}", kind.title[:1].upper() + kind.title[1:], axis, kind, found))
    return [d for d in drawings if d is not None]


def _drawing(key: str, title: str, axis: Axis, kind: FigureKind, lines: Sequence[tuple[str, Curve]]) -> Drawing | None:
    drawn = [(name, curve) for name, curve in lines if any(p.mean is not None for p in curve.points)]
    if not drawn:
        return None
    series = tuple(name for name, _ in drawn)
    shown = f"{title} against {wording.clean(axis.key)}"
    chance = kind.chance if kind.chance is not None and kind.chance >= 0.1 else None
    if axis.numbers is not None and len(axis.numbers) > 1:
        svg = _against_number(key, shown, axis, kind, drawn, chance)
    else:
        rows = [
            (wording.clean(label), tuple(curve.points[i].mean for _, curve in drawn))
            for i, label in enumerate(axis.labels)
        ]
        svg = whiskers(key, shown, rows, series, chance, shares=kind.shape == "share", label=title)
    return Drawing(title, "", svg, series, chance is not None)


def _against_number(
    key: str, title: str, axis: Axis, kind: FigureKind, lines: Sequence[tuple[str, Curve]], chance: float | None
) -> str:
    numbers = axis.numbers or []
    spell, around = spelling(kind)
    said = "; ".join(
        f"{name}: "
        + ", ".join(f"{p.label} {spell(p.mean.value)} ({around(p.mean)})" for p in curve.points if p.mean is not None)
        for name, curve in lines
    )
    with sheet(key, title, f"{said}.", 300) as drawing:
        axes = drawing.axes
        logarithmic = min(numbers) > 0 and max(numbers) >= _WIDE * min(numbers)
        if logarithmic:
            axes.set_xscale("log")
        for j, (_, curve) in enumerate(lines):
            known = [(x, p.mean) for x, p in zip(numbers, curve.points, strict=True) if p.mean is not None]
            known.sort(key=lambda pair: pair[0])
            x, figures = [x for x, _ in known], [e for _, e in known]
            axes.fill_between(x, [e.low for e in figures], [e.high for e in figures], color=CURVES[j], alpha=0.13, lw=0)
            axes.vlines(x, [e.low for e in figures], [e.high for e in figures], color=CURVES[j], alpha=0.6, lw=1.6)
            axes.plot(
                x,
                [e.value for e in figures],
                color=CURVES[j],
                linestyle=DASHES[j],
                marker=MARKS[j],
                markersize=6,
                mew=0,
            )
        if chance is not None:
            axes.axhline(chance, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
        axes.set_xticks(sorted(numbers), labels=[_tick(x) for x in sorted(numbers)])
        axes.xaxis.set_tick_params(which="minor", length=0)
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.margins(x=0.06)
        axes.locator_params(axis="y", nbins=6)
        ticks = [tick for tick in axes.get_yticks() if -1 <= tick <= 1.0001]
        plain = wording.rate if kind.shape == "share" else lambda value: f"{value:g}"
        axes.set_yticks(ticks, labels=[plain(round(tick, 6)) for tick in ticks])
        low, high = _limits(lines, chance)
        axes.set_ylim(low, high)
        axes.grid(True)
        axes.set_xlabel(wording.clean(axis.key) + (" (logarithmic)" if logarithmic else ""), parse_math=False)
        axes.set_ylabel(wording.clean(title.partition(" against")[0]))
    return drawing.svg


def _limits(lines: Sequence[tuple[str, Curve]], chance: float | None) -> tuple[float, float]:
    """From the figures, not from intervals that reach far beyond them."""
    figures = [p.mean for _, curve in lines for p in curve.points if p.mean is not None]
    values = [e.value for e in figures] + ([] if chance is None else [chance])
    room = 0.35 * max(max(values) - min(values), 0.04)
    low = max(min([e.low for e in figures] + values), min(values) - room)
    high = min(max([e.high for e in figures] + values), max(values) + room)
    edge = 0.04 * max(high - low, 0.02)
    return low - edge, min(high + edge, 1.02)


def _tick(value: float) -> str:
    """A value of a key below its axis.

    >>> _tick(1000.0), _tick(0.001)
    ('1,000', '0.001')
    """
    return wording.count(int(value)) if float(value).is_integer() else f"{value:g}"


def _class_drawings(study: Study, prefix: str) -> tuple[Drawing, ...]:
    clouds = [c for c in study.classes if len([k for k in c.classes if k.precision is not None]) > 2][:MOST_LINES]
    if not clouds:
        return ()
    series = tuple(named(cloud.labels) or "all classes" for cloud in clouds)
    first = "Over how many classes, and how surely"
    second = "Precision and size of the class"
    lead = "Share of the classes (down) whose precision is at most so high (across), as in the paper of Shokri et al."
    also = "One mark a class: its precision against its share of the training set."
    return (
        Drawing(first, lead, _distribution(f"{prefix}class-cdf", first, clouds, series), series, False),
        Drawing(second, also, _dots(f"{prefix}class-sizes", second, clouds, series), series, False),
    )


def _distribution(key: str, title: str, clouds: Sequence[ClassCloud], series: Sequence[str]) -> str:
    with sheet(key, title, f"Curves: {'; '.join(series)}. The table of classes has the figures.", 300) as drawing:
        axes = drawing.axes
        lowest = 1.0
        for j, cloud in enumerate(clouds):
            values = sorted(c.precision for c in cloud.classes if c.precision is not None)
            lowest = min(lowest, values[0])
            steps = [(i + 1) / len(values) for i in range(len(values))]
            axes.step([values[0], *values, 1.0], [0.0, *steps, 1.0], where="post", color=CURVES[j], linestyle=DASHES[j])
        axes.set_xlim(max(0.0, lowest - 0.02), 1.01)
        axes.set_ylim(0, 1.02)
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
            axis.set_ticks(ticks, labels=[wording.rate(tick) for tick in ticks])
        axes.set_xlim(max(0.0, lowest - 0.02), 1.01)
        axes.grid(True)
        axes.set_xlabel("precision of the class")
        axes.set_ylabel("share of the classes")
    return drawing.svg


def _dots(key: str, title: str, clouds: Sequence[ClassCloud], series: Sequence[str]) -> str:
    with sheet(key, title, f"Marks: {'; '.join(series)}. The table of classes has the figures.", 300) as drawing:
        axes = drawing.axes
        for j, cloud in enumerate(clouds):
            known = [(c.share, c.precision) for c in cloud.classes if c.precision is not None]
            axes.plot(
                [share for share, _ in known],
                [precision for _, precision in known],
                MARKS[j],
                color=CURVES[j],
                markersize=5,
                mew=0,
                alpha=0.75,
                linestyle="none",
            )
        axes.set_xscale("log")
        shares = [c.share for cloud in clouds for c in cloud.classes]
        ticks = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
        inside = [t for t in ticks if min(shares) * 0.8 <= t <= max(shares) * 1.25]
        axes.set_xticks(inside, labels=[wording.rate(tick) for tick in inside])
        axes.xaxis.set_tick_params(which="minor", length=0)
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_ylim(0, 1.03)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0%", "25%", "50%", "75%", "100%"])
        axes.grid(True)
        axes.set_xlabel("share of the training set (logarithmic)")
        axes.set_ylabel("precision of the class")
    return drawing.svg
