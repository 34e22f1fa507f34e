"""Objectives against autograd of the loss as its paper writes it, stacked against alone, and their fixed points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import cross_entropy, one_hot  # noqa: E402

from gnomon.core.errors import UsageError  # noqa: E402
from gnomon.models.torch.objectives import (  # noqa: E402
    HighEntropy,
    LabelSmoothing,
    RelaxLoss,
    SoftLabels,
    label_probability,
)
from gnomon.models.torch.stacks.mlp_stack import Batch, cross_entropy_signal  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402

B, C = 7, 5


def relax(alpha: float, epoch: int, upper: float = 1.0) -> Callable[[Any, Any], Any]:
    """RelaxLoss line by line, as its authors' code has it."""

    def loss(z: Any, y: Any) -> Any:
        each = cross_entropy(z, y, reduction="none")
        if epoch % 2 == 0:
            return (each.mean() - alpha).abs()
        if each.mean() > alpha:
            return each.mean()
        confidence = z.softmax(1)[torch.arange(len(y)), y].clamp(0, upper)
        hot = one_hot(y, C).double()
        soft = hot * confidence[:, None] + (1 - hot) * ((1 - confidence) / (C - 1))[:, None]
        correct = (z.argmax(1) == y).double()
        return ((1 - correct) * -(soft * z.log_softmax(1)).sum(1) - each).mean()

    return loss


def hamp(z: Any, y: Any) -> Any:
    own = label_probability(0.7, C)
    soft = one_hot(y, C) * own + (1 - one_hot(y, C)) * (1 - own) / (C - 1)
    entropy = -(z.softmax(1) * z.log_softmax(1)).sum(1)
    return (-(soft * z.log_softmax(1)).sum(1) - 0.3 * entropy).mean()


TWINS: dict[str, tuple[Any, Callable[[Any, Any], Any], int]] = {
    "label smoothing": (LabelSmoothing(0.2), lambda z, y: cross_entropy(z, y, label_smoothing=0.2), 0),
    "relaxloss, down to the level": (RelaxLoss(0.1), relax(0.1, 0), 0),
    "relaxloss, up to the level": (RelaxLoss(9.0), relax(9.0, 4), 4),
    "relaxloss, odd and above": (RelaxLoss(0.1), relax(0.1, 1), 1),
    "relaxloss, flattening": (RelaxLoss(9.0), relax(9.0, 3), 3),
    "relaxloss, flattening below a bound": (RelaxLoss(9.0, upper=0.15), relax(9.0, 3, 0.15), 3),
    "hamp": (HighEntropy(0.7, 0.3), hamp, 0),
}


@pytest.mark.parametrize("name", TWINS)
def test_the_signal_is_autograds_gradient_of_the_loss(name: str) -> None:
    objective, loss, epoch = TWINS[name]
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, B, C, generator=generator, dtype=torch.float64) * 2
    y = torch.randint(0, C, (2, B), generator=generator)
    counts = (B, 4)  # the second network's batch is padded
    weights = torch.stack([(torch.arange(B) < k) / k for k in counts])[:, :, None].double()
    found = objective.signal(z, Batch(z, y, weights, {}, (epoch, epoch)))
    for slot, k in enumerate(counts):
        leaf = z[slot, :k].clone().requires_grad_()
        wanted = torch.autograd.grad(loss(leaf, y[slot, :k]), leaf)[0]
        assert (found[slot, :k] - wanted).abs().max() < 1e-6
        assert found[slot, k:].abs().sum() == 0
        assert wanted.abs().max() > 1e-3


def test_soft_labels_that_are_hard_are_cross_entropy() -> None:
    z, y = torch.randn(2, B, C, generator=torch.Generator().manual_seed(0)), torch.arange(2 * B).view(2, B) % C
    weights = torch.full((2, B, 1), 1 / B)
    hard = cross_entropy_signal(z, Batch(z, y, weights, {}))
    soft = SoftLabels().signal(z, Batch(z, one_hot(y, C).float(), weights, {}))
    assert (hard - soft).abs().max() < 1e-7


def rows_of(n: int = 120, d: int = 12, c: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return (rng.random((n, d)) < 0.4).astype(np.uint8), rng.integers(0, c, n)


def deep(shape: tuple[int, ...], n_classes: int) -> Any:
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, n_classes)
    )


@pytest.mark.parametrize(
    "objective", [LabelSmoothing(0.2), RelaxLoss(1.2), HighEntropy(0.8, 0.1)], ids=lambda o: str(o.name)
)
@pytest.mark.parametrize("module", ["mlp", deep], ids=["by hand", "vmap"])
def test_a_network_is_the_same_alone_and_in_a_stack(objective: Any, module: Any) -> None:
    x, y = rows_of()
    rows = [np.arange(100), np.arange(20, 61), np.arange(7)]  # unequal: their epochs end at different steps
    trainer = TorchTrainer(module=module, hidden=(16,), batch=20, epochs=8, learning_rate=0.03, objective=objective)
    stacked = trainer.train(x, y, 4, rows, [1, 2, 3])
    alone = replace(trainer, stack="never").train(x, y, 4, rows, [1, 2, 3])
    plain = replace(trainer, objective=None).train(x, y, 4, rows, [1, 2, 3])
    for one, other, without in zip(stacked, alone, plain, strict=True):
        assert np.abs(one.log_probs(x) - other.log_probs(x)).max() < 1e-4
        assert np.abs(one.log_probs(x) - without.log_probs(x)).max() > 1e-3


def test_distilling_a_models_own_answers_gives_its_answers() -> None:
    x, _ = rows_of(60)
    trainer = TorchTrainer(hidden=(32,), batch=20, epochs=400, learning_rate=0.01)
    answers = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    unique = np.unique(x, axis=0, return_index=True)[1]
    [student] = trainer.distil(x, answers, [unique], [0])
    assert np.abs(np.exp(student.log_probs(x[unique])) - answers[unique]).max() < 0.03


def test_label_smoothing_ends_at_its_fixed_point() -> None:
    x, y = np.eye(4, dtype=np.float32), np.arange(4)
    trainer = TorchTrainer(hidden=(), epochs=600, learning_rate=0.05, objective=LabelSmoothing(0.2))
    [model] = trainer.train(x, y, 4, [np.arange(4)], [0])
    assert np.exp(model.log_probs(x))[range(4), y] == pytest.approx(1 - 0.2 + 0.2 / 4, abs=2e-3)


def final_loss(objective: Any, epochs: int = 301) -> float:
    x, y = rows_of(200, 30)
    trainer = TorchTrainer(hidden=(64,), batch=50, epochs=epochs, learning_rate=0.01, objective=objective)
    [model] = trainer.train(x, y, 4, [np.arange(200)], [0])
    return float(-model.log_probs(x)[np.arange(200), y].mean())


@pytest.mark.parametrize("alpha", [0.3, 0.8])
def test_relaxloss_ends_near_its_level(alpha: float) -> None:
    assert final_loss(None) < 0.05
    assert final_loss(RelaxLoss(alpha)) == pytest.approx(alpha, rel=0.4)


def test_hamp_ends_near_the_soft_labels() -> None:
    wanted = -np.log(label_probability(0.6, 4))
    assert final_loss(HighEntropy(0.6, 0.0)) == pytest.approx(wanted, abs=0.05)
    assert final_loss(HighEntropy(0.6, 0.3)) > wanted + 0.05  # the bonus flattens further


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("c", [2, 10, 100])
def test_the_soft_label_has_its_share_of_the_entropy(gamma: float, c: int) -> None:
    own = label_probability(gamma, c)
    p = np.array([own, *[(1 - own) / (c - 1)] * (c - 1)])
    assert -(p * np.log(p)).sum() / np.log(c) == pytest.approx(gamma, abs=1e-6)
    assert own > 1 / c


@pytest.mark.parametrize(
    "make",
    [
        lambda: LabelSmoothing(0),
        lambda: LabelSmoothing(1.5),
        lambda: RelaxLoss(-1),
        lambda: RelaxLoss(float("nan")),
        lambda: HighEntropy(0),
        lambda: HighEntropy(0.5, -1),
    ],
)
def test_a_strength_that_cannot_be_is_refused_in_one_line(make: Callable[[], Any]) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]*expected[^\n]*got[^\n]*$"):
        make()


def test_the_recipe_names_the_objective_only_where_there_is_one() -> None:
    plain = TorchTrainer(stack="always").recipe()
    assert list(plain) == [
        "kind", "version", "module", "hidden", "activation", "dropout", "optimizer", "learning_rate",
        "weight_decay", "momentum", "batch", "epochs", "patience", "device",
        "precision", "graph", "outputs", "stack",
    ]  # fmt: skip
    assert TorchTrainer(stack="always", objective=RelaxLoss(0.5)).recipe() == {
        **plain,
        "objective": {"name": "relaxloss", "alpha": 0.5, "upper": 1.0},
    }
