from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from gnomon.attacks import Trajectory
from gnomon.attacks.parts.boosting import known_rows, trajectory_features
from gnomon.core.errors import DataError, UsageError
from gnomon.stats.roc import auc
from gnomon.stats.signals import logit_of_loss
from gnomon.testing import gaussian_world, noise_world


def memorised_late(rng: np.random.Generator, world):
    """A world whose answers tell nothing, and whose members were wrong until the last checkpoints."""
    evidence = world.evidence

    def course(member: np.ndarray) -> np.ndarray:
        steps = np.arange(4) - 1.5
        late = np.where(member[:, None], 2.0 * steps, 0.5 * steps)
        return np.logaddexp(0.0, -late - rng.normal(size=(len(member), 4))).astype(np.float32)

    pool = evidence.pool
    courses = []
    for answers, mask in zip(pool.answers, pool.member, strict=True):
        whole = course(np.zeros(len(answers), bool))
        whole[pool.rows] = course(mask)
        courses.append(whole)
    seen = {"checkpoints": courses}
    pool, shadows = replace(pool, observed=seen), replace(evidence.shadows, observed=seen)
    return replace(evidence, pool=pool, shadows=shadows, observed={"checkpoints": course(world.member)}), world.member


def test_the_course_tells_where_the_answers_tell_nothing() -> None:
    evidence, member = memorised_late(np.random.default_rng(3), noise_world(np.random.default_rng(0), n=1000))
    scores = Trajectory().score(evidence.view(Trajectory.needs), np.random.default_rng(0))
    assert auc(scores[member], scores[~member]).value > 0.9


def test_it_reaches_the_best_auc_where_the_last_checkpoint_tells_all() -> None:
    world = gaussian_world(np.random.default_rng(1), n=2000, m=6)
    scores = Trajectory().score(world.evidence, np.random.default_rng(0))
    assert auc(scores[world.member], scores[~world.member]).value > world.auc - 0.03


def test_features_are_those_of_a_loop_over_records() -> None:
    losses = np.random.default_rng(0).exponential(1.0, (20, 5))
    for row, found in zip(losses, trajectory_features(losses), strict=True):
        own = [float(logit(np.exp(-value))) for value in row]
        mean = sum(own) / len(own)
        np.testing.assert_allclose(found, [*own, mean, own[-1] - mean], rtol=1e-9)


def test_a_loss_of_zero_and_one_beyond_all_bounds_stay_finite() -> None:
    assert np.isfinite(trajectory_features(np.array([[0.0, 1e30], [np.inf, 1e-30]]))).all()
    np.testing.assert_allclose(logit_of_loss(np.array([1e-30])), [np.log(1e30)], rtol=1e-9)


def test_shadows_teach_from_their_usable_rows_only() -> None:
    pool = noise_world(np.random.default_rng(0), n=50, m=3).evidence.pool
    usable = pool.usable.copy()
    usable[:, 10:] = False
    part = replace(pool, usable=usable)
    values, member = known_rows(part, "checkpoints", 1000, np.random.default_rng(0))
    assert values.shape == (30, 4)
    wanted = np.concatenate([np.asarray(v)[pool.rows[:10]] for v in pool.observed["checkpoints"]])
    np.testing.assert_array_equal(np.sort(values[:, 3]), np.sort(wanted[:, 3]))
    assert member.sum() == pool.member[:, :10].sum()
    assert len(known_rows(part, "checkpoints", 9, np.random.default_rng(0))[1]) == 9


def test_without_both_kinds_or_observations_it_says_so() -> None:
    pool = noise_world(np.random.default_rng(0), n=20, m=2).evidence.pool
    alone = replace(pool, member=np.ones_like(pool.member))
    with pytest.raises(DataError, match="40 in and 0 out"):
        known_rows(alone, "checkpoints", 100, np.random.default_rng(0))
    with pytest.raises(UsageError, match='lacks the observation "inside"'):
        known_rows(pool.observed_only(frozenset()), "inside", 100, np.random.default_rng(0))


@pytest.mark.parametrize("options", [{"trees": 0}, {"max_rows": 1}])
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="expected trees >= 1"):
        Trajectory(**options)
