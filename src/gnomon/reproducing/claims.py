"""Whether the shape of a result holds: statements computed from intervals over seeds, never from single figures.

A statement holds if its interval says so, does not hold if its interval says the contrary, and is "not shown" where
the interval allows either; an order holds in part where its ends are clear and some step between them is not. Cells of
one seed share the target's rows where they can, so differences are taken seed by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Literal

import numpy as np
from pydantic import Field

from gnomon.core.documents.record import Record
from gnomon.core.documents.reproduction import Holds, Statement
from gnomon.core.documents.schema import Estimate, PlanTable
from gnomon.core.documents.study import StudyCell
from gnomon.stats.intervals import spread
from gnomon.studies.summary import ENOUGH, figure_of

Values = Mapping[int, float]  # seed -> figure
TARGET = ("train_accuracy", "test_accuracy", "gap")
SHARE = "share"  # of a class in the training rows


class Shape(PlanTable):
    """A shape that the paper's results have, as an experiment's table says it."""

    says: str = Field(description="the statement, as a report prints it")
    kind: Literal["rises", "above", "near", "tracks", "apart"] = Field(
        description="rises: along the labels; above: one attack finds more than another, or at the first label than at "
        "every other; near: a value, or the last label's; tracks: rises with another value over all cells, or falls "
        "with the share of a class; apart: differs where another value is alike"
    )
    axis: str = Field(description="what varies")
    figure: str = Field("precision", description="of the attack, or of the target")
    attack: str = Field("shokri", description="whose figure")
    labels: tuple[str, ...] | None = Field(None, description="labels of the axis, lowest value first; default all")
    than: str | None = Field(None, description="above: the attack that finds less; default: the first label is above")
    value: float | None = Field(None, description="near: to what; default: to the last label's value")
    margin: float = Field(0.03, description="near, apart: how near")
    against: str = Field(
        "gap", description='tracks: the value that it rises with, or "share" of a class; apart: the one that is alike'
    )

    @property
    def compares_labels(self) -> bool:
        """Whether one label alone says nothing."""
        alone = {"above": self.than is not None, "near": self.value is not None, "tracks": self.against == SHARE}
        return not alone.get(self.kind, False)


def state(shape: Shape, cells: Sequence[StudyCell], records: Mapping[tuple[str, int], Record]) -> Statement:
    """What the cells say of a shape.

    Args:
        shape: the statement.
        cells: of the study, all seeds.
        records: by label of the shape's axis and seed; for statements on classes.
    """
    there = list(dict.fromkeys(c.labels[shape.axis] for c in cells if shape.axis in c.labels and c.status == "ok"))
    labels = [label for label in shape.labels or there if label in there]
    missing = [label for label in shape.labels or () if label not in there]
    if shape.compares_labels and (len(labels) < 2 or missing):
        return Statement(says=shape.says, verdict="not shown", evidence=f"not run: {', '.join(missing) or 'its cells'}")
    if not labels:
        return Statement(says=shape.says, verdict="not shown", evidence="not run")

    def gather(figure: str, attack: str | None) -> dict[str, Values]:
        whose = None if figure in TARGET else attack
        return {label: _by_seed(cells, shape.axis, label, figure, whose) for label in labels}

    ours = gather(shape.figure, shape.attack)
    if shape.kind == "rises":
        return rises(shape.says, ours)
    if shape.kind == "apart":
        return apart(shape.says, gather(shape.against, None), ours, shape.margin)
    if shape.kind == "tracks" and shape.against != SHARE:
        return tracks(shape.says, gather(shape.against, None), ours)
    return _all(shape.says, _parts(shape, labels, ours, gather, records))


def _parts(
    shape: Shape,
    labels: Sequence[str],
    ours: Mapping[str, Values],
    gather: Callable[[str, str | None], Mapping[str, Values]],
    records: Mapping[tuple[str, int], Record],
) -> list[Statement]:
    """One statement a label, or a pair of labels."""
    first, last = labels[0], labels[-1]
    if shape.kind == "tracks":
        return [falls_with_size(label, shape.attack, records) for label in labels]
    if shape.kind == "near" and shape.value is not None:
        return [near(label, ours[label], shape.value, shape.margin) for label in labels]
    if shape.kind == "near":
        return [alike(f"{label} and {last}", ours[label], ours[last], shape.margin) for label in labels[:-1]]
    if shape.than is None:
        return [above(f"{first}, {label}", ours[first], ours[label]) for label in labels[1:]]
    less = gather(shape.figure, shape.than)
    return [above(label, ours[label], less[label]) for label in labels]


def rises(says: str, by_label: Mapping[str, Values]) -> Statement:
    """Whether a figure rises along the labels: the last lies above the first, and no step clearly goes down.

    It holds in part where that is so, but not every step is clear by itself.

    >>> rises("it rises", {"a": {0: 0.50, 1: 0.51, 2: 0.50}, "b": {0: 0.60, 1: 0.61, 2: 0.61}}).verdict
    'holds'
    """
    labels = list(by_label)
    means = ", ".join(f"{label}: {_share(by_label[label])}" for label in labels)
    whole = _difference(by_label[labels[-1]], by_label[labels[0]])
    steps = [_difference(by_label[b], by_label[a]) for a, b in pairwise(labels)]
    if whole is None or None in steps:
        return Statement(says=says, verdict="not shown", evidence=f"{means}; {_too_few()}")
    known = [step for step in steps if step is not None]
    down = [f"{a} to {b}" for (a, b), step in zip(pairwise(labels), known, strict=True) if step.high < 0]
    clear = sum(step.low > 0 for step in known)
    verdict = _verdict(whole)
    if down:
        verdict = "does not hold"
    elif verdict == "holds" and clear < len(known):
        verdict = "holds in part"
    tail = f"; falls from {', '.join(down)}" if down else ""
    evidence = (
        f"{means}; from first to last {_points(whole)}; {clear} of {len(known)} steps are clear by themselves{tail}"
    )
    return Statement(says=says, verdict=verdict, evidence=evidence)


def near(label: str, values: Values, value: float, margin: float) -> Statement:
    """Whether a figure's interval lies within a margin of a value."""
    found = _interval(list(values.values()))
    if found is None:
        return Statement(says=label, verdict="not shown", evidence=f"{label}: {_share(values)}; {_too_few()}")
    return Statement(says=label, verdict=_within(found, value, margin), evidence=f"{label}: {_estimate(found)}")


def alike(label: str, one: Values, other: Values, margin: float) -> Statement:
    """Whether two figures differ by no more than a margin, seed by seed."""
    found = _difference(one, other)
    if found is None:
        return Statement(says=label, verdict="not shown", evidence=f"{label}; {_too_few()}")
    return Statement(says=label, verdict=_within(found, 0.0, margin), evidence=f"{label}: {_points(found)}")


def tracks(says: str, x: Mapping[str, Values], y: Mapping[str, Values]) -> Statement:
    """Whether a figure rises with another over all cells: rank correlation (Spearman), seed by seed."""
    seeds = sorted(set.intersection(*(set(values) for values in (*x.values(), *y.values()))))
    found = [_rank_correlation([x[k][seed] for k in x], [y[k][seed] for k in x]) for seed in seeds]
    known = [value for value in found if value is not None]
    interval = _interval(known)
    if interval is None:
        return Statement(says=says, verdict="not shown", evidence=_too_few())
    evidence = f"rank correlation over {len(x)} cells {_correlation(interval)}"
    return Statement(says=says, verdict=_verdict(interval), evidence=evidence)


def apart(says: str, x: Mapping[str, Values], y: Mapping[str, Values], margin: float) -> Statement:
    """Whether a figure differs between cells in which another is alike: some pair differs clearly.

    Pairs count whose other figures differ by no more than the margin on average; the intervals of their differences
    hold for all of them at once (Bonferroni). It does not hold if every pair's lies within the margin.

    >>> gaps = {"a": {0: 0.30, 1: 0.31, 2: 0.30}, "b": {0: 0.30, 1: 0.30, 2: 0.31}}
    >>> apart("it differs", gaps, {"a": {0: 0.8, 1: 0.81, 2: 0.8}, "b": {0: 0.6, 1: 0.61, 2: 0.61}}, 0.03).verdict
    'holds'
    """
    means = {label: float(np.mean(list(values.values()))) for label, values in x.items() if values}
    pairs = [(a, b) for a, b in combinations(means, 2) if abs(means[a] - means[b]) <= margin]
    if not pairs:
        return Statement(says=says, verdict="not shown", evidence=f"no two are alike within {100 * margin:.0f} points")
    found = {(a, b): _difference(y[a], y[b], confidence=1 - 0.05 / len(pairs)) for a, b in pairs}
    known = {pair: interval for pair, interval in found.items() if interval is not None}
    if len(known) < len(pairs):
        return Statement(says=says, verdict="not shown", evidence=_too_few())
    clear = sum(i.low > 0 or i.high < 0 for i in known.values())
    within = all(-margin <= i.low and i.high <= margin for i in known.values())
    texts = [f"{a} ({_share(y[a])}) and {b} ({_share(y[b])}): {_points(i)}" for (a, b), i in known.items()]
    evidence = f"{clear} of {len(known)} pairs with similar values are apart; {'; '.join(texts)}"
    return Statement(
        says=says, verdict="holds" if clear else "does not hold" if within else "not shown", evidence=evidence
    )


def above(label: str, more: Values, less: Values) -> Statement:
    """Whether one attack finds more than another, seed by seed."""
    found = _difference(more, less)
    pair = f"{label}: {_share(more)} against {_share(less)}"
    if found is None:
        return Statement(says=label, verdict="not shown", evidence=f"{pair}; {_too_few()}")
    return Statement(says=label, verdict=_verdict(found), evidence=f"{pair}, {_points(found)}")


def falls_with_size(label: str, attack: str, records: Mapping[tuple[str, int], Record]) -> Statement:
    """Whether precision of a class falls with its share of the training rows: rank correlation over classes."""
    found = [class_correlation(record, attack) for (name, _), record in sorted(records.items()) if name == label]
    interval = _interval([value for value in found if value is not None])
    if interval is None:
        return Statement(says=label, verdict="not shown", evidence=f"{label}: {_too_few()}")
    negative = Estimate(value=-interval.value, low=-interval.high, high=-interval.low)
    evidence = f"{label}: rank correlation of precision and share over classes {_correlation(interval)}"
    return Statement(says=label, verdict=_verdict(negative), evidence=evidence)


def class_correlation(record: Record, attack: str) -> float | None:
    """Rank correlation (Spearman) of a class's precision with its number of members, in one record."""
    result = record.attack(attack)
    known = [(c.members, c.precision) for c in (result.classes if result else ()) if c.precision is not None]
    return _rank_correlation([m for m, _ in known], [p for _, p in known])


def _all(says: str, parts: Sequence[Statement]) -> Statement:
    """A statement that is made of one for each label: as bad as its worst part."""
    order: tuple[Holds, ...] = ("does not hold", "not shown", "holds in part", "holds")
    verdict = next(v for v in order if any(part.verdict == v for part in parts))
    return Statement(says=says, verdict=verdict, evidence="; ".join(part.evidence for part in parts))


def _by_seed(cells: Sequence[StudyCell], axis: str, label: str, figure: str, attack: str | None) -> Values:
    found = {}
    for cell in cells:
        if cell.labels.get(axis) == label and cell.status == "ok":
            value = figure_of(cell, figure, attack)
            if value is not None:
                found[cell.seed] = value.value if isinstance(value, Estimate) else value
    return found


def _rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    from scipy.stats import spearmanr

    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    return float(spearmanr(x, y).statistic)


def _difference(more: Values, less: Values, confidence: float = 0.95) -> Estimate | None:
    return _interval([more[seed] - less[seed] for seed in sorted(set(more) & set(less))], confidence)


def _interval(values: Sequence[float], confidence: float = 0.95) -> Estimate | None:
    """Student's interval; None for fewer than three seeds."""
    if len(values) < ENOUGH:
        return None
    mean = spread(values, confidence=confidence).mean
    assert mean is not None
    return Estimate(value=mean.value, low=mean.low, high=mean.high)


def _verdict(interval: Estimate) -> Holds:
    return "holds" if interval.low > 0 else "does not hold" if interval.high < 0 else "not shown"


def _within(interval: Estimate, value: float, margin: float) -> Holds:
    if value - margin <= interval.low and interval.high <= value + margin:
        return "holds"
    return "does not hold" if interval.low > value + margin or interval.high < value - margin else "not shown"


def _too_few() -> str:
    return f"an interval needs {ENOUGH} seeds"


def _share(values: Values) -> str:
    return f"{100 * float(np.mean(list(values.values()))):.1f}%" if values else "–"


def _estimate(found: Estimate) -> str:
    return f"{100 * found.value:.1f}% ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _correlation(found: Estimate) -> str:
    low, high = max(-1.0, found.low), min(1.0, found.high)
    return f"{found.value:.2f} ({low:.2f} to {high:.2f})".replace("-", "\N{MINUS SIGN}")


def _points(found: Estimate) -> str:
    text = f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return text.replace("-", "\N{MINUS SIGN}")
