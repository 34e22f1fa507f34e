"""Where answers know nothing of membership, an AUC's 95 % interval holds 0.5 about 95 times in 100."""

from functools import cache

import numpy as np
import pytest
from tests.attacks.suited import SUITED, as_it_is

from gnomon.attacks import ATTACKS, make_attack
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import noise_world

FEWEST = {100: 88, 40: 34}  # of so many worlds at a rate of 0.95: a fair interval falls below this once in 250 times
SMALL = {  # learned attacks: small, so that it stays quick
    "boundary": {"rounds": 1, "directions": 4, "halvings": 3},
    "calibrated": {"lessons": 300, "trees": 2},
    "calibrated_offline": {"lessons": 300, "trees": 2},
    "nasr": {"trees": 3},
    "quantile": {"iterations": 3},
    "quantile_gaussian": {"iterations": 2},
    "salem": {"epochs": 2, "hidden": 8},
    "shokri": {"epochs": 2, "hidden": 8, "batch": 50, "min_rows": 20},
    "trajectory": {"trees": 3},
    "trajectory_offline": {"trees": 2, "lessons": 300},
    "trajectory_online": {"trees": 2, "lessons": 300},
}


@cache
def world_of(seed, view):
    """One of the worlds that all attacks meet, which leave their evidence as it is (contract)."""
    return noise_world(np.random.default_rng(seed), n=160, m=4, c=3, view=view)


@pytest.mark.parametrize("view", ["adversary", "auditor"])
@pytest.mark.parametrize("name", [attack.name for attack in ATTACKS])
def test_intervals_hold_one_half_at_the_nominal_rate(name, view):
    attack = make_attack(name, SMALL.get(name))
    reason = world_of(0, view).evidence.missing(attack.needs)
    if reason:
        pytest.skip(reason)  # online attacks have nothing to read in the adversary's view
    worlds = 40 if {"trees", "iterations"} & set(SMALL.get(name, ())) else 100
    areas = []
    for seed in range(worlds):
        world = SUITED.get(type(attack), as_it_is)(world_of(seed, view))
        scores = attack.score(world.evidence.view(attack.needs), np.random.default_rng(seed))
        areas.append(auc(*split_scores(scores, world.member)))
    holds = sum(area.low <= 0.5 <= area.high for area in areas)
    assert holds >= FEWEST[worlds], f"{holds} of {worlds}"
    values = np.array([area.value for area in areas])
    assert abs(values.mean() - 0.5) < 3.5 * values.std() / np.sqrt(worlds)  # no slant either
