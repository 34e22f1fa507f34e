"""Stacked training against training alone, against a slow twin in plain torch, and at odd sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import ModelError  # noqa: E402
from gnomon.core.seeds import Seeds  # noqa: E402
from gnomon.models.torch.networks import build_seeded, mlp, tensor_rows  # noqa: E402
from gnomon.models.torch.stacks.captured import EAGER  # noqa: E402
from gnomon.models.torch.stacks.mlp_stack import MlpStack  # noqa: E402
from gnomon.models.torch.stacks.stacked_training import Regime, fit  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402

SEEDS = [3, 1, 4, 1_000_000_007]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def table(n: int = 157, d: int = 12, c: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = (rng.random((n, d)) < 0.3).astype(np.uint8)
    return x, rng.integers(0, c, n)


def largest_gap(a: Any, b: Any, x: np.ndarray) -> float:
    return float(np.abs(a.log_probs(x) - b.log_probs(x)).max())


def draws(n: int, sizes: list[int]) -> list[np.ndarray]:
    return [np.random.default_rng(size).permutation(n)[:size] for size in sizes]


RECIPES = {
    "mlp, dropout, weight decay": TorchTrainer(
        stack="always", hidden=(32,), dropout=0.3, weight_decay=1e-2, batch=20, epochs=3
    ),
    "mlp, relu, two hidden layers": TorchTrainer(
        stack="always", hidden=(16, 9), activation="relu", dropout=0.5, batch=16, epochs=3
    ),
    "mlp, sgd, momentum": TorchTrainer(
        stack="always",
        hidden=(32,),
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-3,
        batch=20,
        epochs=3,
    ),
    "logistic regression": TorchTrainer(stack="always", hidden=(), batch=20, epochs=3, learning_rate=0.01),
}


@pytest.mark.parametrize("sizes", [[100, 100, 100, 100], [100, 7, 41, 1]], ids=["equal sizes", "ragged"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_network_is_the_same_alone_and_in_a_stack(name: str, sizes: list[int]) -> None:
    trainer = RECIPES[name]
    x, y = table()
    rows = draws(len(x), sizes)
    stacked = trainer.train(x, y, 4, rows, SEEDS)
    for i, model in enumerate(stacked):
        alone = trainer.train(x, y, 4, [rows[i]], [SEEDS[i]])[0]
        assert largest_gap(model, alone, x) < 1e-4
    assert largest_gap(stacked[0], stacked[1], x) > 1e-2  # other rows and seed, another model


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("k", [1, 37, 40])
def test_slow_twin_in_plain_torch(optimizer: str, k: int) -> None:
    """A loop as anybody would write it: nn.Sequential, torch.optim, cross-entropy of the batch."""
    x, y = table(d=9)
    rows, seed = np.arange(k), 11
    momentum = 0.5 if optimizer == "sgd" else 0.0
    trainer = TorchTrainer(
        stack="always",
        hidden=(8,),
        optimizer=optimizer,
        learning_rate=0.02,
        momentum=momentum,
        weight_decay=0.1,
        batch=10,
        epochs=4,
    )
    model = trainer.train(x, y, 4, [rows], [seed])[0]

    torch.manual_seed(Seeds(seed).child("weights").integer())
    twin = torch.nn.Sequential(torch.nn.Linear(9, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    order = np.random.Generator(np.random.SFC64(Seeds(seed).child("order").integer()))
    if optimizer == "adam":
        steps: Any = torch.optim.Adam(twin.parameters(), lr=0.02, weight_decay=0.1)
    else:
        steps = torch.optim.SGD(twin.parameters(), lr=0.02, momentum=0.5, weight_decay=0.1)
    for _ in range(4):
        shuffled = order.permutation(rows)
        for start in range(0, k, 10):
            part = shuffled[start : start + 10]
            steps.zero_grad()
            logits = twin(torch.tensor(x[part], dtype=torch.float32))
            torch.nn.functional.cross_entropy(logits, torch.tensor(y[part])).backward()
            steps.step()
    with torch.no_grad():
        wanted = torch.log_softmax(twin(torch.tensor(x, dtype=torch.float32)), 1).numpy()
    assert np.abs(model.log_probs(x) - wanted).max() < 1e-4


def test_same_seed_same_bits_and_another_seed_another_model() -> None:
    x, y = table()
    trainer = TorchTrainer(stack="always", hidden=(16,), dropout=0.2, batch=20, epochs=2)
    rows = draws(len(x), [60, 60])
    first, again = trainer.train(x, y, 4, rows, [5, 6]), trainer.train(x, y, 4, rows, [5, 6])
    assert all((a.log_probs(x) == b.log_probs(x)).all() for a, b in zip(first, again, strict=True))
    other = trainer.train(x, y, 4, rows, [5, 7])
    assert largest_gap(first[0], other[0], x) < 1e-4
    assert largest_gap(first[1], other[1], x) > 1e-3


def test_training_leaves_torchs_random_state_and_threads_alone() -> None:
    x, y = table()
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for module in ("mlp", with_batch_norm):
        TorchTrainer(module=module, dropout=0.0, epochs=1).train(x, y, 4, [np.arange(50)], [0])
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("k", [1, 2, 19, 20, 21, 157])
@pytest.mark.parametrize("batch", [1, 20, 1000])
def test_odd_sizes_train(k: int, batch: int) -> None:
    x, y = table()
    models = TorchTrainer(stack="always", hidden=(8,), batch=batch, epochs=1).train(
        x, y, 4, draws(len(x), [k, k, 3]), SEEDS[:3]
    )
    assert all(np.isfinite(m.log_probs(x)).all() for m in models)


def test_every_row_is_drawn_once_an_epoch() -> None:
    """Full-batch gradient descent is order-free; one epoch of batches of 1 with a tiny rate must come to its sum."""
    x, y = table(d=9)
    rows = np.arange(23)
    few = TorchTrainer(stack="always", hidden=(), optimizer="sgd", learning_rate=1e-4, batch=1, epochs=1)
    one = TorchTrainer(stack="always", hidden=(), optimizer="sgd", learning_rate=23e-4, batch=23, epochs=1)
    single, full = (t.train(x, y, 4, [rows], [2])[0] for t in (few, one))
    start = TorchTrainer(stack="always", hidden=(), optimizer="sgd", learning_rate=1e-12, epochs=1).train(
        x, y, 4, [rows], [2]
    )[0]
    moved = largest_gap(full, start, x)
    assert largest_gap(single, full, x) < 0.01 * moved


def test_learning_happens() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 5)) * 3
    y = rng.integers(0, 3, 300)
    x = centres[y] + rng.normal(size=(300, 5)) * 0.3
    for model in TorchTrainer(stack="always", hidden=(16,), learning_rate=0.01, epochs=20).train(
        x, y, 3, [np.arange(100), np.arange(100, 250)], [0, 1]
    ):
        assert (model.log_probs(x).argmax(axis=1) == y).mean() > 0.98


def test_early_stopping_keeps_the_best_epoch_and_stops() -> None:
    """Labels are noise: the held-out loss is best early, and training to the end is worse than what is kept."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(400, 20)).astype(np.float32), rng.integers(0, 2, 400)
    rows = [np.arange(200), np.arange(60), np.arange(100, 300)]
    settings = {"hidden": (64,), "learning_rate": 0.01, "batch": 20, "epochs": 60}
    stopped = TorchTrainer(stack="always", patience=3, **settings).train(x, y, 2, rows, [0, 1, 2])
    to_the_end = TorchTrainer(stack="always", **settings).train(x, y, 2, rows, [0, 1, 2])
    for s, e, r in zip(stopped, to_the_end, rows, strict=True):
        assert mean_loss(s, x, y, r) > 5 * mean_loss(e, x, y, r)
    for i, model in enumerate(stopped):
        alone = TorchTrainer(stack="always", patience=3, **settings).train(x, y, 2, [rows[i]], [i])[0]
        assert largest_gap(alone, model, x) < 1e-4


def mean_loss(model: Any, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
    return float(-model.log_probs(x[rows])[np.arange(len(rows)), y[rows]].mean())


def with_batch_norm(shape: tuple[int, ...], n_classes: int) -> Any:
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2), torch.nn.Linear(8, n_classes)
    )


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_stack_of_data_sets_equals_networks_trained_apart(dropout: float) -> None:
    sizes = [50, 1, 33, 200, 50]
    data = [table(n=n, d=6, c=2, seed=n + i) for i, n in enumerate(sizes)]
    xs, ys = [x.astype(np.float32) for x, _ in data], [y for _, y in data]
    trainer = TorchTrainer(
        stack="always", hidden=(8,), activation="relu", dropout=dropout, batch=16, epochs=5, learning_rate=0.01
    )
    ends = np.cumsum(sizes)
    rows = [np.arange(end - n, end) for n, end in zip(sizes, ends, strict=True)]
    together = trainer.train(np.concatenate(xs), np.concatenate(ys), 2, rows, range(5))
    for i, model in enumerate(together):
        apart = trainer.train(xs[i], ys[i], 2, [np.arange(sizes[i])], [i])[0]
        assert largest_gap(model, apart, xs[3]) < 1e-4


def test_divergence_is_one_clear_error() -> None:
    x, y = table()
    huge = x.astype(np.float32) * 1e30
    with pytest.raises(ModelError, match=r"diverged.*lower the learning rate"):
        TorchTrainer(
            stack="always", hidden=(8,), activation="relu", optimizer="sgd", learning_rate=1e9, epochs=3
        ).train(huge, y, 4, [np.arange(50)], [0])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_that_are_recorded_and_run_again_train_the_same_bits(optimizer: Any) -> None:
    x, y = table()
    rows, seeds = draws(len(x), [50, 50]), [1, 2]
    trainer = TorchTrainer(hidden=(8,), batch=16, epochs=4, stack="always", optimizer=optimizer, device="cpu")
    replayed = []

    def capture(step: Any) -> Any:
        return lambda: replayed.append(step())

    def states(**options: Any) -> Any:
        stack = MlpStack(
            [build_seeded(lambda: mlp(x.shape[1:], 4, (8,), "tanh", 0.0), s) for s in seeds], "tanh", "cpu"
        )
        data = tensor_rows(x, "flat", "cpu"), torch.tensor(y)
        return fit(stack, *data, rows, seeds, Regime(trainer, {}), **options)

    for plain, again in zip(states(), states(capture=capture), strict=True):
        assert all(torch.equal(plain[name], again[name]) for name in plain)
    assert len(replayed) == 4 * 3 - EAGER  # all full batches but the first ones; the last batch of an epoch is smaller
