"""Do the attacks agree, and would more shadow models find more?"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.auditing.results.test_attackers import SEEDS, judge, world

from gnomon.attacks import make_attack
from gnomon.auditing.results.attackers import agree, by_shadows, jaccard, shadow_counts
from gnomon.auditing.results.figures import rank_auc
from gnomon.auditing.results.scoring import Attempt, Rehearsed, Scored, score_attack


def scored(name: str, scores: Any) -> Attempt:
    found = Scored(name, name, "", ["answers"], {}, "ok", scores=np.asarray(scores, dtype=float))
    return Attempt(found, Rehearsed())


def test_agreement_of_attacks_that_are_alike_unlike_and_half_alike() -> None:
    case = world()
    n = len(case.member)
    up = np.arange(n, dtype=float)
    half = up.copy()
    half[-5:] = -1.0  # five of the ten highest rows fall to the bottom: the next five take their places
    attacks = [scored("up", up), scored("same", 2 * up), scored("down", -up), scored("half", half)]
    found = agree([*attacks, scored("gap", up > 300)], "half", case)
    assert found is not None
    assert found.top == 10
    assert found.attacks[0] == "half"
    assert "gap" not in found.attacks
    at = {name: i for i, name in enumerate(found.attacks)}
    assert found.overlap[at["up"]][at["same"]] == 1.0
    assert found.overlap[at["up"]][at["down"]] == 0.0
    assert found.overlap[at["up"]][at["half"]] == pytest.approx(5 / 15)
    np.testing.assert_allclose(found.overlap, np.transpose(found.overlap))
    assert found.member_share[at["up"]] == pytest.approx(case.member[-10:].mean())


def test_chance_is_what_random_attacks_overlap_in() -> None:
    rng, n = np.random.default_rng(0), 2000
    case = world(n=n)
    pairs = [agree([scored("a", rng.random(n)), scored("b", rng.random(n))], "a", case) for _ in range(300)]
    overlaps = [p.overlap[0][1] for p in pairs if p is not None]
    assert pairs[0] is not None
    assert np.mean(overlaps) == pytest.approx(pairs[0].chance, abs=4 * np.std(overlaps) / np.sqrt(len(overlaps)))


def test_too_few_rows_or_attacks_say_nothing() -> None:
    small, case = world(n=99), world()
    rows = scored("a", np.arange(99.0)), scored("b", np.arange(99.0))
    assert agree(rows, "a", small) is None
    assert agree([scored("a", np.arange(1000.0))], "a", case) is None
    assert jaccard(np.array([True, False]), np.array([True, False])) == 1.0


@pytest.mark.parametrize("m", range(4, 140))
def test_shadow_counts_rise_to_all_of_them(m: int) -> None:
    counts = shadow_counts(m)
    assert counts[0] == 2
    assert counts[-1] == m
    assert all(2 * b >= 3 * a for a, b in itertools.pairwise(counts))


def test_the_curve_is_lira_with_the_first_shadows() -> None:
    case = world(m=16)
    found = by_shadows(judge(case))
    assert found is not None
    assert [p.count for p in found.points] == [2, 4, 8, 16]
    full = score_attack(make_attack("lira"), case.evidence, SEEDS).scores
    assert full is not None
    assert found.points[-1].auc.value == pytest.approx(rank_auc(full, case.member))
    assert found.points[0].auc.high < found.points[-1].auc.low
    assert found.gain.auc.value == pytest.approx(found.points[-1].auc.value - found.points[-2].auc.value)
    assert (found.gain.before, found.gain.after) == (8, 16)


def test_where_nothing_leaks_more_shadows_bring_nothing() -> None:
    gains = [by_shadows(judge(world(seed, leak=0.0))) for seed in range(40)]
    sure = [g.gain.auc.low > 0 or g.gain.auc.high < 0 for g in gains if g is not None]
    assert len(sure) == 40
    assert sum(sure) <= 7  # 5 % of 40, and three standard deviations


def test_offline_and_few_shadows() -> None:
    offline = by_shadows(judge(world(online=False)))
    assert offline is not None
    assert offline.attack == "lira_offline"
    assert by_shadows(judge(world(m=2))) is None
