import operator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import PlanError, UsageError  # noqa: E402
from gnomon.core.plan import TrainerPlan, make_table  # noqa: E402
from gnomon.models.torch import TorchTrainer  # noqa: E402
from gnomon.models.torch.dp import DPTrainer  # noqa: E402
from gnomon.models.torch.networks import build_seeded, count_gpus, mlp  # noqa: E402
from gnomon.models.torch.precision import check_gpu_options, computing, rounding  # noqa: E402
from gnomon.models.torch.stacks.mlp_stack import Batch, MlpStack  # noqa: E402
from gnomon.models.torch.stacks.vmap_stack import VmapStack  # noqa: E402

needs_gpu = pytest.mark.skipif(count_gpus() == 0, reason="torch sees no GPU here")


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_less_than_fp32_is_for_a_gpu(precision: Any) -> None:
    check_gpu_options(TorchTrainer(precision=precision, graph=True), "cuda")
    for device in ("cpu", "auto" if count_gpus() == 0 else "cpu"):
        trainer = TorchTrainer(device=device, precision=precision)
        for use in (trainer.recipe, lambda t=trainer: t.train(np.eye(4), np.arange(4) % 2, 2, [np.arange(4)], [0])):
            with pytest.raises(UsageError, match=f'precision "{precision}" is for a GPU, got device "cpu"'):
                use()


def test_a_graph_is_for_a_gpu() -> None:
    with pytest.raises(UsageError, match='graph = true is for a GPU, got device "cpu"'):
        TorchTrainer(device="cpu", graph=True).recipe()


def test_fp32_stands_in_the_recipe_and_an_unknown_precision_is_refused() -> None:
    assert TorchTrainer(device="cpu").recipe()["precision"] == "fp32"
    assert make_table(TrainerPlan, {"kind": "torch", "precision": "bf16"}, "trainer").precision == "bf16"
    with pytest.raises(PlanError, match="precision"):
        make_table(TrainerPlan, {"kind": "torch", "precision": "fp16"}, "trainer")
    with pytest.raises(UsageError, match="expected precision to be fp32, tf32 or bf16, got 'half'"):
        TorchTrainer(precision="half")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="DP-SGD computes in fp32"):
        DPTrainer(TorchTrainer(precision="bf16"), epsilon=1.0)


def test_a_cpu_and_torchs_own_settings_are_left_alone() -> None:
    before = torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()
    with computing("fp32", "cpu"):
        assert (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()) == before
    if count_gpus():
        with computing("fp32", "cuda"):
            assert not torch.backends.cudnn.allow_tf32
            assert torch.are_deterministic_algorithms_enabled()
    assert (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()) == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="this torch has no setting by operation")
@pytest.mark.parametrize("setting", ["", "cuda.matmul", "cudnn.conv", "cudnn"])
def test_a_users_own_precision_by_operation_is_read_and_comes_back(setting: str) -> None:
    """Torch raises where ``allow_tf32`` is read after any ``fp32_precision`` was set; the settings need no GPU."""
    parts = [torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn]
    untouched = [part.fp32_precision for part in parts]
    own = operator.attrgetter(setting)(torch.backends) if setting else torch.backends
    at_first = own.fp32_precision
    own.fp32_precision = "ieee" if setting == "cudnn.conv" else "tf32"
    try:
        before = [part.fp32_precision for part in parts]
        for precision, inside in (("fp32", "ieee"), ("tf32", "tf32")):
            with computing(precision, "cuda"):  # type: ignore[arg-type]
                assert {part.fp32_precision for part in parts} == {inside}
            assert [part.fp32_precision for part in parts] == before
    finally:
        own.fp32_precision = at_first
        for part, value in zip(parts, untouched, strict=True):
            part.fp32_precision = value
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("kind", [MlpStack, VmapStack])
def test_products_of_16_bits_give_nearly_the_gradients_of_32(kind: Any) -> None:
    """Autocast works on a CPU too: so much of what a GPU does in bf16 can be seen anywhere."""
    modules = [build_seeded(lambda: mlp((6,), 3, (8,), "tanh", 0.0), seed) for seed in (1, 2)]
    stack = MlpStack(modules, "tanh", "cpu") if kind is MlpStack else VmapStack(modules, "cpu")
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 5, 6, generator=rng), torch.tensor([[0, 1, 2, 0, 1]] * 2)
    batch = Batch(x, y, torch.full((2, 5, 1), 0.2), {})
    exact = stack.gradients(batch)
    with rounding("bf16", "cpu"):
        rounded = stack.gradients(batch)
    for a, b in zip(exact, rounded, strict=True):
        assert isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
        gap = float((a - b.float()).abs().max())
        assert 0 < gap < 0.03 * float(a.abs().max()) + 1e-3


@needs_gpu
@pytest.mark.parametrize("module", ["mlp", "cnn"])
def test_on_a_gpu_the_same_seed_gives_the_same_bits_and_alone_is_as_in_a_stack(module: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 8, 8)).astype(np.float32), rng.integers(0, 3, 60)
    rows, seeds = [np.arange(50), np.arange(10, 60)], [1, 2]
    trainer = TorchTrainer(module=module, hidden=(16,), batch=10, epochs=3, device="cuda")
    first, again = trainer.train(x, y, 3, rows, seeds), trainer.train(x, y, 3, rows, seeds)
    for i, model in enumerate(first):
        np.testing.assert_array_equal(model.log_probs(x), again[i].log_probs(x))
        [alone] = trainer.train(x, y, 3, [rows[i]], [seeds[i]])
        assert np.abs(model.log_probs(x) - alone.log_probs(x)).max() < 1e-4


@needs_gpu
@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_on_a_gpu_another_precision_is_another_recipe_and_nearly_the_same_network(precision: Any) -> None:
    x, y = np.eye(8, dtype=np.float32), np.arange(8) % 2
    exact = TorchTrainer(hidden=(8,), epochs=20, device="cuda")
    other = TorchTrainer(hidden=(8,), epochs=20, device="cuda", precision=precision)
    assert exact.recipe() != other.recipe()
    [a], [b] = (t.train(x, y, 2, [np.arange(8)], [0]) for t in (exact, other))
    assert np.abs(a.log_probs(x) - b.log_probs(x)).max() < 0.05


@needs_gpu
def test_on_a_gpu_a_captured_step_trains_the_same_networks() -> None:
    rng = np.random.default_rng(0)
    x, y, rows = rng.normal(size=(60, 8)), rng.integers(0, 3, 60), [np.arange(50), np.arange(10, 60)]
    plain, captured = (
        TorchTrainer(hidden=(16,), batch=20, epochs=9, device="cuda", graph=graph).train(x, y, 3, rows, [1, 2])
        for graph in (False, True)
    )
    for a, b in zip(plain, captured, strict=True):
        assert np.abs(a.log_probs(x) - b.log_probs(x)).max() < 1e-4


@needs_gpu
def test_as_many_gpus_as_there_are_train_a_stack_each() -> None:
    assert TorchTrainer(device="cuda").gpus == count_gpus()
    assert TorchTrainer(device="cuda:0").gpus == 1


def test_a_cpu_is_no_gpu() -> None:
    assert TorchTrainer(device="cpu").gpus == 0
