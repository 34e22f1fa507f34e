"""Exposure finds the records that shadow models remember, and nothing of the target is asked."""

import numpy as np

from gnomon.auditing.exposure import exposure, most_exposed_tenth
from gnomon.core.answers import ShadowAnswers

M, N = 16, 200


def shadows(seed: int, remembered: np.ndarray, *, hide: bool = False, member: bool = True) -> ShadowAnswers:
    """Two classes; a remembered row is answered with more confidence by shadows that were trained on it."""
    rng = np.random.default_rng(seed)
    mask = np.stack([rng.permutation(N) < N // 2 for _ in range(M)]) if member else np.zeros((M, N), dtype=bool)
    logit = rng.normal(size=(M, N)) + 4.0 * mask * remembered
    own = -np.logaddexp(0.0, -logit)
    answers = np.stack([own, -np.logaddexp(0.0, logit)], axis=2).astype(np.float32)
    labels = np.zeros(N, dtype=np.int64)
    return ShadowAnswers(answers, np.arange(N), labels, mask, np.ones_like(mask), hide_members=hide)


def test_rows_that_shadows_remember_come_first() -> None:
    remembered = np.arange(N) < 20
    values = exposure(shadows(0, remembered))
    assert values is not None
    assert (most_exposed_tenth(values) & remembered).sum() >= 19


def test_in_the_adversarys_view_hard_records_come_first() -> None:
    world = shadows(1, np.zeros(N), hide=True, member=False)
    answers = np.array(world.answers)
    answers[:, :20] = np.log(np.array([0.01, 0.99], dtype=np.float32))
    values = exposure(ShadowAnswers(answers, world.rows, world.labels, world.member, world.usable, hide_members=True))
    assert values is not None
    assert most_exposed_tenth(values)[:20].all()


def test_a_row_that_no_shadow_tells_of_is_never_chosen() -> None:
    world = shadows(2, np.zeros(N))
    usable = world.usable.copy()
    usable[:, 0] = False
    values = exposure(ShadowAnswers(world.answers, world.rows, world.labels, world.member, usable))
    assert values is not None
    assert values[0] == -np.inf
    assert np.isfinite(values[1:]).all()
    assert exposure(None) is None


def test_the_tenth_is_a_tenth() -> None:
    assert most_exposed_tenth(np.arange(200.0)).sum() == 20
    assert most_exposed_tenth(np.arange(3.0)).tolist() == [False, False, True]
