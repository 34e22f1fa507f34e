"""Calibration of stated probabilities: coverage of its error, false alarms and power of the test."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from gnomon.stats.risk import stated_by
from gnomon.stats.risk_check import contradicted, contradiction, deviations

Model = tuple[np.ndarray, np.ndarray]


def model(rng: np.random.Generator, n: int, gap: float) -> Model:
    member = np.isin(np.arange(n), rng.permutation(n)[: n // 2])
    return rng.normal(gap * member), member


def shouts_at(rng: np.random.Generator, n: int, target: float, shadows: list[float]) -> bool:
    known = [model(rng, n, gap) for gap in shadows]
    scores, member = model(rng, n, target)
    found = deviations(stated_by(known, scores), member)
    return contradicted(found.interval(0.95, rng), contradiction(found, known))


@pytest.mark.parametrize("spread", [0.0, 0.25])
@pytest.mark.parametrize("count", [2, 4])
def test_shadows_like_the_target_are_rarely_contradicted(count: int, spread: float) -> None:
    """Targets of one recipe differ by chance (``spread``), as the shadows do among each other: 5 % at most."""
    runs, shouts = 50, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        gaps = np.maximum(0, 1 + spread * rng.normal(size=count + 1))
        shouts += shouts_at(rng, 600, gaps[0], list(gaps[1:]))
    assert shouts <= binom.ppf(0.999, runs, 0.05)


def test_on_noise_nothing_is_contradicted() -> None:
    shouts = sum(shouts_at(np.random.default_rng(seed), 400, 0.0, [0.0] * 4) for seed in range(40))
    assert shouts <= binom.ppf(0.999, 40, 0.05)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(("target", "shadow"), [(0.1, 3.0), (3.0, 0.1)])
def test_a_target_unlike_its_shadows_is_seen(count: int, target: float, shadow: float) -> None:
    assert all(shouts_at(np.random.default_rng(seed), 1000, target, [shadow] * count) for seed in range(4))


def test_an_error_that_other_trainings_share_is_contradicted_where_it_is_large() -> None:
    """Shadows that differ wildly explain any target; what they state of this one is false all the same."""
    rng = np.random.default_rng(0)
    known = [model(rng, 1000, gap) for gap in (0.0, 4.0, 0.0, 4.0)]
    scores, member = model(rng, 1000, 4.0)
    found = deviations(stated_by(known, scores), member)
    assert contradiction(found, known) > 0.05
    assert contradicted(found.interval(0.95, rng), contradiction(found, known))


def test_the_error_of_who_is_too_sure() -> None:
    rng = np.random.default_rng(3)
    scores, member = model(rng, 20_000, 1.0)
    true = expit(scores - 0.5)
    assert deviations(true, member).error < 0.02
    assert deviations(np.where(true > 0.5, 0.99, 0.01), member).error > 0.2


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_interval_of_the_error_covers_it(shift: float, size: int) -> None:
    """Stated log odds off by a constant; persons of ``size`` equal records count as one."""

    def draw(rng: np.random.Generator, n: int) -> Model:
        scores, member = model(rng, n, 1.0)
        return expit(scores - 0.5 + shift), member

    truth = 0.0 if shift == 0 else deviations(*draw(np.random.default_rng(99), 400_000)).error
    covered = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        stated, member = (np.repeat(part, size) for part in draw(rng, 800))
        groups = None if size == 1 else np.repeat(np.arange(800), size)
        interval = deviations(stated, member, groups).interval(0.95, rng)
        covered += interval.low <= truth + 1e-9 and interval.high >= truth
    assert covered >= 0.9 * 150


def test_unequal_sides_count_equally() -> None:
    rng = np.random.default_rng(5)
    member = rng.random(30_000) < 0.1
    scores = rng.normal(member)
    assert deviations(expit(scores - 0.5), member).error < 0.02
