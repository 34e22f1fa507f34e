"""Losses at checkpoints of a training."""

import numpy as np
import torch
from tests.models.test_observations import TRAINERS, watched

from gnomon.models.torch.checkpoints import precise_loss


def test_who_stopped_early_stays_what_it_became() -> None:
    course = watched(TRAINERS["stops"], 40)[0].course
    changes = np.flatnonzero((np.diff(course, axis=1) != 0).any(axis=0))
    assert changes.max() < 38
    assert (course[:, changes.max() + 1 :] == course[:, -1:]).all()


def test_a_sure_answer_keeps_a_loss_above_zero() -> None:
    logits = torch.tensor([[0.0, 60.0, 3.0], [0.0, 900.0, 3.0]], dtype=torch.float64)
    found = precise_loss(logits, torch.tensor([1, 0]))
    np.testing.assert_allclose(found, [np.exp(-60.0) + np.exp(-57.0), 900.0], rtol=1e-9)
