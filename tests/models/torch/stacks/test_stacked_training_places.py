import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.models.torch.stacks.stacked_training import Drawn, Places, Regime, start_course  # noqa: E402  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402


def test_rows_in_step_are_sent_once_an_epoch_and_are_those_that_would_be_sent_at_every_step() -> None:
    regime = Regime(TorchTrainer(batch=4), {})
    courses = [start_course(np.arange(first, first + 10), seed, regime) for first, seed in ((0, 1), (20, 2))]
    places, sent = Places(torch.device("cpu")), set()
    for _ in range(9):  # three epochs of 4, 4 and 2 rows
        drawn = [next(course.batches) for course in courses]
        where, weights, counts = places.of(drawn)
        sent.add(where.data_ptr() - where.storage_offset() * where.element_size())
        np.testing.assert_array_equal(where, [one.rows for one in drawn])
        padded = places._padded(drawn, counts)
        assert torch.equal(where, padded[0])
        assert torch.equal(weights, padded[1])
    assert len(sent) <= 3


def test_rows_out_of_step_are_padded() -> None:
    drawn = [Drawn(np.arange(10), 0, 4), Drawn(np.arange(20, 23), 0, 3)]
    where, weights, counts = Places(torch.device("cpu")).of(drawn)
    assert where.tolist() == [[0, 1, 2, 3], [20, 21, 22, 0]]
    assert weights[:, :, 0].tolist() == [[0.25] * 4, [pytest.approx(1 / 3)] * 3 + [0.0]]
    assert counts.tolist() == [4, 3]
