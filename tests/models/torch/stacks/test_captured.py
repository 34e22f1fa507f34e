from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from gnomon.models.torch.stacks.captured import EAGER, CapturedStep  # noqa: E402


def test_a_step_is_recorded_once_and_then_run_again_with_other_positions() -> None:
    seen, recorded = [], []

    def capture(step: Callable[[], None]) -> Callable[[], None]:
        recorded.append(step)
        return step

    captured = CapturedStep(lambda where: seen.append(where.tolist()), capture)
    for i in range(EAGER + 3):
        captured(torch.tensor([[i, i + 1]]))
        captured(torch.tensor([[i]]))  # a smaller batch runs as it is
    assert seen == [part for i in range(EAGER + 3) for part in ([[i, i + 1]], [[i]])]
    assert len(recorded) == 1


def test_what_cannot_be_recorded_runs_as_it_is_and_is_not_tried_again() -> None:
    seen, tried = [], []

    def capture(step: Callable[[], None]) -> Callable[[], None]:
        tried.append(step)
        raise RuntimeError("operation not permitted when stream is capturing")

    captured = CapturedStep(lambda where: seen.append(where.item()), capture)
    for i in range(EAGER + 3):
        captured(torch.tensor([[i]]))
    assert seen == list(range(EAGER + 3))
    assert len(tried) == 1
