import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats.worlds import gaussian

from gnomon.core.errors import DataError
from gnomon.stats.calibration import calibrate_threshold, oracle
from gnomon.stats.rates import rates_at_threshold

SCORE = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.inf, -np.inf]), st.floats(-1, 1))
SAMPLE = st.lists(SCORE, min_size=1, max_size=12)


def accuracy(members: list[float], nonmembers: list[float], t: float | None) -> float:
    return rates_at_threshold(members, nonmembers, t).accuracy.value


@given(SAMPLE, SAMPLE)
def test_no_threshold_does_better_on_its_own_scores(members: list[float], nonmembers: list[float]) -> None:
    t = calibrate_threshold(members + nonmembers, [True] * len(members) + [False] * len(nonmembers))
    tried = [accuracy(members, nonmembers, other) for other in {*members, *nonmembers, -math.inf}]
    assert accuracy(members, nonmembers, t) == pytest.approx(max([0.5, *tried]))
    assert oracle(members, nonmembers).rates.threshold == t


@given(SAMPLE, SAMPLE, st.randoms())
def test_the_order_of_rows_does_not_matter(members: list[float], nonmembers: list[float], random) -> None:
    rows = [(score, True) for score in members] + [(score, False) for score in nonmembers]
    shuffled = random.sample(rows, len(rows))
    assert calibrate_threshold(*zip(*rows, strict=True)) == calibrate_threshold(*zip(*shuffled, strict=True))


def test_it_lies_midway() -> None:
    assert calibrate_threshold([0.0, 1.0, 3.0, 4.0], [False, False, True, True]) == 2.0


def test_among_equals_the_fewest_accusations_win() -> None:
    assert calibrate_threshold([1.0, 1.0], [True, False]) == math.inf  # constant scores accuse nobody
    assert calibrate_threshold([4.0, 3.0, 2.0, 1.0], [True, False, True, False]) == 3.5


def test_anti_correlated_scores_accuse_nobody() -> None:
    assert calibrate_threshold([0.0, 1.0], [True, False]) == math.inf


def test_infinities_are_told_apart() -> None:
    assert calibrate_threshold([-np.inf, np.inf], [False, True]) == 0.0
    assert calibrate_threshold([-np.inf, 1.0], [False, True]) == 1.0
    # A tie at plus infinity that holds more non-members: no number accuses nobody, so everybody it is.
    assert calibrate_threshold([np.inf, np.inf, np.inf, 0.0], [True, False, False, True]) == -math.inf


def test_neighbouring_floats_are_told_apart() -> None:
    low = 1.0
    high = math.nextafter(low, 2)
    t = calibrate_threshold([low, high], [False, True])
    assert low < t <= high


def test_a_tiny_or_huge_range_does_not_overflow() -> None:
    assert calibrate_threshold([-1.7e308, 1.7e308], [False, True]) == 0.0


def test_a_threshold_from_shadows_beats_chance_on_the_target_and_the_oracle_flatters() -> None:
    world, rng = gaussian(0.5), np.random.default_rng(2)
    honest, flattered = [], []
    for _ in range(200):
        shadow = world.draw(rng, 200, 200)
        t = calibrate_threshold(np.concatenate(shadow), np.arange(400) < 200)
        target = world.draw(rng, 200, 200)
        honest.append(rates_at_threshold(*target, t).accuracy.value)
        flattered.append(oracle(*target).rates.accuracy.value)
    assert np.mean(honest) == pytest.approx(0.5, abs=0.005)
    assert np.mean(flattered) > 0.52  # on pure noise: why it must bear its name


def test_a_missing_side_is_refused() -> None:
    with pytest.raises(DataError, match="0 non-members"):
        calibrate_threshold([1.0], [True])
