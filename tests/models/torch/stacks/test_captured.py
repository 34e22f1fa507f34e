from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from gnomon.models.torch.networks import Scratch, build_seeded, mlp, tensor_rows  # noqa: E402
from gnomon.models.torch.stacks.captured import EAGER, CapturedStep, capture_graph  # noqa: E402
from gnomon.models.torch.stacks.mlp_stack import MlpStack  # noqa: E402
from gnomon.models.torch.stacks.stacked_training import Optimizer, Regime, _plain_step  # noqa: E402
from gnomon.models.torch.stacks.vmap_stack import VmapStack  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402


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


def test_it_is_recorded_on_the_device_of_its_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[Any] = []

    def device(name: str) -> Any:
        entered.append(name)
        return nullcontext()

    def graph(_recorded: Any, stream: str) -> Any:
        entered.append(stream)
        return nullcontext()

    fake = SimpleNamespace(CUDAGraph=lambda: SimpleNamespace(replay="replay"), device=device, graph=graph)
    fake.Stream = lambda name: f"stream of {name}"
    monkeypatch.setattr(torch, "cuda", fake)
    assert capture_graph("cuda:1", lambda: entered.append("step")) == "replay"  # type: ignore[comparison-overlap]
    assert entered == ["cuda:1", "stream of cuda:1", "step"]


class _Names(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", [MlpStack, VmapStack])
def test_nothing_in_a_step_waits_for_a_gpu_or_is_sorted_there(kind: Any) -> None:
    """Such operations can't be recorded, or are many where a GPU is to be deterministic."""
    modules = [build_seeded(lambda: mlp((6,), 3, (8,), "relu", 0.0), seed) for seed in (1, 2)]
    stack = MlpStack(modules, "relu", "cpu") if kind is MlpStack else VmapStack(modules, "cpu")
    optimizer = Optimizer(stack.parameters, Regime(TorchTrainer(), {}))
    x, y = tensor_rows(np.eye(6, dtype=np.uint8), "flat", "cpu"), torch.tensor([0, 1, 2, 0, 1, 2])
    where, scratch = torch.tensor([[0, 1, 2], [3, 4, 5]]), Scratch()
    with torch.no_grad():
        _plain_step(stack, where, x, y, optimizer, scratch)  # what is made once
        with _Names() as seen:
            _plain_step(stack, where, x, y, optimizer, scratch)
    assert any("softmax" in name for name in seen.names)
    kinds = ("_local_scalar_dense", "nonzero", "masked_select", "index_put", ".src", "scatter_add", "sort")
    assert [name for name in seen.names if any(kind in name for kind in kinds)] == []
