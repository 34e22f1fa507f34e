"""Statements follow from intervals over seeds: each verdict from figures made up for it."""

import numpy as np
import pytest

from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import CellAttack, StudyCell
from gnomon.reproducing.claims import Shape, above, alike, apart, near, rises, state, tracks


def over(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_a_clear_rise_holds_and_a_clear_fall_does_not() -> None:
    up = {"2": over(0.50, 0.51, 0.50), "10": over(0.60, 0.61, 0.62), "100": over(0.90, 0.91, 0.91)}
    assert rises("s", up).verdict == "holds"
    assert rises("s", dict(reversed(up.items()))).verdict == "does not hold"


def test_a_step_that_clearly_goes_down_breaks_the_rise() -> None:
    bent = {"a": over(0.50, 0.51, 0.50), "b": over(0.80, 0.81, 0.81), "c": over(0.60, 0.61, 0.61)}
    found = rises("s", bent)
    assert found.verdict == "does not hold"
    assert "falls from b to c" in found.evidence


def test_a_step_within_noise_does_not_break_the_rise() -> None:
    flat = {"a": over(0.50, 0.51, 0.50), "b": over(0.800, 0.813, 0.802), "c": over(0.802, 0.801, 0.806)}
    found = rises("s", flat)
    assert found.verdict == "holds in part"
    assert "1 of 2 steps are clear by themselves" in found.evidence


def test_what_seeds_disagree_on_is_not_shown() -> None:
    assert rises("s", {"a": over(0.5, 0.6, 0.7), "b": over(0.6, 0.5, 0.8)}).verdict == "not shown"


def test_two_seeds_show_nothing() -> None:
    found = rises("s", {"a": over(0.1, 0.1), "b": over(0.9, 0.9)})
    assert found.verdict == "not shown"
    assert "needs 3 seeds" in found.evidence
    assert near("x", over(0.5, 0.5), 0.5, 0.03).verdict == "not shown"
    assert above("x", over(0.9, 0.9), over(0.1, 0.1)).verdict == "not shown"


def test_seeds_are_compared_with_themselves() -> None:
    """The spread between seeds is large, but within each seed the second figure is higher by a hair."""
    base = np.array([0.5, 0.7, 0.9])
    found = rises("s", {"a": over(*base), "b": over(*(base + np.array([0.010, 0.011, 0.012])))})
    assert found.verdict == "holds"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.505, 0.507, 0.503), "holds"), ((0.60, 0.61, 0.60), "does not hold"), ((0.50, 0.53, 0.56), "not shown")],
)
def test_near(values: tuple[float, ...], verdict: str) -> None:
    assert near("x", over(*values), 0.5, 0.03).verdict == verdict


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [((0.001, -0.002, 0.0), "holds"), ((0.1, 0.11, 0.1), "does not hold"), ((0.1, -0.1, 0.0), "not shown")],
)
def test_alike_is_a_difference_within_a_margin(shift: tuple[float, ...], verdict: str) -> None:
    base = (0.5, 0.7, 0.9)
    other = over(*(b + s for b, s in zip(base, shift, strict=True)))
    assert alike("x", other, over(*base), 0.03).verdict == verdict


def test_tracks_is_a_rank_correlation_seed_by_seed() -> None:
    gaps = {str(i): over(*(0.1 * i + 0.01 * s for s in range(3))) for i in range(5)}
    assert tracks("s", gaps, {k: over(*(v**2 for v in g.values())) for k, g in gaps.items()}).verdict == "holds"
    assert tracks("s", gaps, {k: over(*(-v for v in g.values())) for k, g in gaps.items()}).verdict == "does not hold"


@pytest.mark.parametrize(
    ("other", "gap", "verdict"),
    [
        ((0.600, 0.611, 0.602), 0.30, "holds"),  # a pair with like gaps, clearly apart
        ((0.801, 0.800, 0.802), 0.30, "does not hold"),  # with like gaps, alike
        ((0.60, 0.80, 0.70), 0.30, "not shown"),  # seeds disagree
        ((0.600, 0.611, 0.602), 0.40, "not shown"),  # gaps that differ are no evidence
    ],
)
def test_apart_compares_only_what_is_alike(other: tuple[float, ...], gap: float, verdict: str) -> None:
    gaps = {"a": over(0.30, 0.31, 0.30), "b": over(gap, gap, gap + 0.01)}
    found = apart("s", gaps, {"a": over(0.800, 0.801, 0.802), "b": over(*other)}, 0.03)
    assert found.verdict == verdict


def test_more_pairs_ask_for_clearer_differences() -> None:
    y = {k: over(v, v + 0.010, v + 0.002) for k, v in (("a", 0.80), ("b", 0.80))} | {"c": over(0.768, 0.790, 0.785)}
    gaps = {k: over(0.3, 0.3, 0.3) for k in y}
    two = apart("s", {k: gaps[k] for k in "ac"}, {k: y[k] for k in "ac"}, 0.03)
    assert two.verdict == "holds"
    assert apart("s", gaps, y, 0.03).verdict == "not shown"


def cell(label: str, seed: int, precision: float, gap: float = 0.1) -> StudyCell:
    attacks = [
        CellAttack(name=name, title=name, status="ok", precision=Estimate(value=value, low=value, high=value))
        for name, value in (("shokri", precision), ("gap", 0.55))
    ]
    return StudyCell(labels={"k": label}, seed=seed, status="ok", gap=gap, attacks=attacks)


def test_statements_are_read_off_cells() -> None:
    cells = [cell(label, seed, p + 0.01 * seed) for label, p in (("a", 0.6), ("b", 0.8)) for seed in range(3)]
    assert state(Shape(says="s", kind="rises", axis="k"), cells, {}).verdict == "holds"
    assert state(Shape(says="s", kind="rises", axis="k", labels=("b", "a")), cells, {}).verdict == "does not hold"
    assert state(Shape(says="s", kind="above", axis="k", than="gap"), cells, {}).verdict == "holds"
    assert state(Shape(says="s", kind="above", axis="k", labels=("b", "a")), cells, {}).verdict == "holds"
    assert state(Shape(says="s", kind="above", axis="k", labels=("a", "b")), cells, {}).verdict == "does not hold"
    assert state(Shape(says="s", kind="apart", axis="k", margin=0.02), cells, {}).verdict == "holds"
    assert state(Shape(says="s", kind="near", axis="k", labels=("a",), value=0.5), cells, {}).verdict == "does not hold"
    assert state(Shape(says="s", kind="near", axis="k", figure="gap", value=0.1), cells, {}).verdict == "holds"
    assert state(Shape(says="s", kind="near", axis="k"), cells, {}).verdict == "does not hold"  # to the last label's
    assert state(Shape(says="s", kind="near", axis="k", figure="gap"), cells, {}).verdict == "holds"


def test_what_was_not_run_is_not_shown() -> None:
    cells = [cell("a", seed, 0.6) for seed in range(3)]
    found = state(Shape(says="s", kind="rises", axis="k", labels=("a", "b")), cells, {})
    assert (found.verdict, found.evidence) == ("not shown", "not run: b")
    assert state(Shape(says="s", kind="near", axis="k", labels=("c",), value=0.5), cells, {}).evidence == "not run"
