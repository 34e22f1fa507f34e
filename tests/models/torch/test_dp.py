"""DP-SGD: what comes out is what Opacus' parts and the formula say, privately, and the same every time."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("opacus")

from gnomon.auditing.inputs.loading import make_trainer  # noqa: E402
from gnomon.core.errors import MissingExtraError, ModelError, PlanError, UsageError  # noqa: E402
from gnomon.core.plan import TrainerPlan, make_plan  # noqa: E402
from gnomon.core.protocols import Trainer  # noqa: E402
from gnomon.models.torch import dp  # noqa: E402
from gnomon.models.torch.dp import DPTrainer, _poisson  # noqa: E402
from gnomon.models.torch.networks import build_seeded  # noqa: E402
from gnomon.models.torch.objectives import LabelSmoothing  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
PLAIN = TorchTrainer(hidden=(8,), epochs=6, batch=20, optimizer="sgd", learning_rate=0.5)


def linear(shape: tuple[int, ...], n_classes: int) -> Any:
    return torch.nn.Linear(shape[0], n_classes)


def with_batch_norm(shape: tuple[int, ...], n_classes: int) -> Any:
    return torch.nn.Sequential(torch.nn.BatchNorm1d(shape[0]), torch.nn.Linear(shape[0], n_classes))


def centred(shape: tuple[int, ...], n_classes: int) -> Any:
    class Centred(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(shape[0], n_classes)

        def forward(self, x: Any) -> Any:
            return self.linear(x - x.mean(dim=0))

    return Centred()


def answers(trainer: Trainer, rows: int = 60, seed: int = 3) -> Any:
    return trainer.train(X, Y, 2, [np.arange(rows)], [seed])[0].log_probs(X)


def test_it_is_a_trainer_whose_models_are_the_same_again_and_in_company() -> None:
    trainer = DPTrainer(replace(PLAIN, dropout=0.2), noise=1.0)
    assert isinstance(trainer, Trainer)
    alone = answers(trainer)
    torch.manual_seed(99)
    together = trainer.train(X, Y, 2, [np.arange(30), np.arange(60)], [1, 3])
    np.testing.assert_array_equal(alone, together[1].log_probs(X))
    np.testing.assert_array_equal(alone, answers(pickle.loads(pickle.dumps(trainer))))  # noqa: S301
    assert np.abs(alone - answers(trainer, seed=4)).max() > 0.01


@pytest.mark.parametrize("module", ["mlp", linear])
def test_without_noise_and_with_a_wide_clip_it_is_plain_gradient_descent(module: Any) -> None:
    """Every row in every step, so that the order decides nothing: batch >= n."""
    plain = replace(PLAIN, module=module, batch=60, activation="tanh")
    np.testing.assert_allclose(answers(DPTrainer(plain, noise=0.0, clip=1e6)), answers(plain), atol=1e-4)


@pytest.mark.parametrize("module", ["mlp", linear])
def test_a_step_moves_no_further_than_clip(module: Any) -> None:
    """One row, one step of gradient descent without noise: the weights move by learning rate times clip at most."""
    plain = replace(PLAIN, module=module, batch=1, epochs=1, learning_rate=1.0)
    build = plain.factory((5,), 2)
    before = build_seeded(build, 0).state_dict()
    moved = {}
    for clip in (0.01, 1e6):
        model = DPTrainer(plain, noise=0.0, clip=clip).train(100 * X, Y, 2, [np.array([7])], [0])[0]
        after = model.network.state_dict()
        moved[clip] = math.sqrt(sum(float(((after[k] - before[k]) ** 2).sum()) for k in before))
    assert moved[0.01] == pytest.approx(0.01, rel=1e-3)
    assert moved[1e6] > 1


def test_the_noise_has_its_standard_deviation() -> None:
    """The labels' gradients are clipped to almost nothing, so what moves the weights is noise of sigma C / (q n)."""
    plain = TorchTrainer(hidden=(400,), epochs=1, batch=20, optimizer="sgd", learning_rate=1.0)
    before = build_seeded(plain.factory((5,), 2), 0).state_dict()
    after = DPTrainer(plain, noise=50.0, clip=0.1).train(X, Y, 2, [np.arange(60)], [0])[0].network.state_dict()
    steps = torch.cat([(after[k] - before[k]).flatten() for k in before])
    assert float(steps.std()) == pytest.approx(math.sqrt(3) * 50 * 0.1 / 20, rel=0.05)  # three steps


def test_rows_are_drawn_each_by_its_own_coin() -> None:
    rows = np.arange(100, 400)
    drawn = list(_poisson(rows, 0.25, 400, seed=0))
    sizes = np.array([len(d) for d in drawn])
    assert sizes.mean() == pytest.approx(75, abs=2)
    assert sizes.std() == pytest.approx(math.sqrt(300 * 0.25 * 0.75), rel=0.15)
    often = np.bincount(np.concatenate(drawn), minlength=400)[100:]
    assert often.std() == pytest.approx(math.sqrt(400 * 0.25 * 0.75), rel=0.2)


def test_an_empty_step_is_a_step() -> None:
    trainer = DPTrainer(replace(PLAIN, batch=1, epochs=30), noise=0.5)
    assert np.isfinite(answers(trainer, rows=2)).all()
    assert np.isfinite(answers(DPTrainer(replace(PLAIN, module=linear, batch=1, epochs=30), noise=0.5), rows=2)).all()


def test_the_facts_say_what_was_spent() -> None:
    model = DPTrainer(PLAIN, epsilon=8.0, delta=1e-3).train(X, Y, 2, [np.arange(60)], [0])[0]
    facts = model.facts
    assert 7.9 < facts["epsilon"] <= 8
    assert (facts["delta"], facts["sample_rate"], facts["steps"]) == (1e-3, 1 / 3, 18)
    assert facts["accountant"] == "prv"
    looser = DPTrainer(PLAIN, epsilon=8.0, delta=1e-3, accountant="rdp").facts(60)
    assert looser["noise_multiplier"] > facts["noise_multiplier"]
    assert DPTrainer(PLAIN, noise=0.0).facts(60)["epsilon"] is None
    bare = DPTrainer(PLAIN, noise=0.05).facts(60)
    assert bare["accountant"] == "rdp" and bare["epsilon"] > 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epsilon": 0.0}, "expected epsilon to be a number above 0, got 0.0"),
        ({"epsilon": -1.0}, "above 0"),
        ({"epsilon": math.nan}, "above 0"),
        ({"noise": -0.1}, "noise to be 0 or more"),
        ({"epsilon": 1.0, "noise": 1.0}, "either epsilon or noise"),
        ({}, "either epsilon or noise"),
        ({"noise": 1.0, "clip": 0.0}, "clip"),
        ({"noise": 1.0, "delta": 1.0}, "delta"),
        ({"noise": 1.0, "accountant": "gdp"}, "prv or rdp"),
        ({"noise": 1.0, "trainer": replace(PLAIN, patience=3)}, "set epochs instead"),
        ({"noise": 1.0, "trainer": replace(PLAIN, objective=LabelSmoothing(0.1))}, "leave objective out"),
        ({"noise": 1.0, "trainer": "mlp"}, "expected a network .*, got str"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        DPTrainer(**{"trainer": PLAIN, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "words"), [(with_batch_norm, r"batch norm \(0\)"), (centred, "depends on the rest of the batch")]
)
def test_a_network_that_mixes_rows_is_refused(module: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        answers(DPTrainer(replace(PLAIN, module=module), noise=1.0))
    assert "\n" not in str(caught.value)


def test_a_training_that_diverges_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="lower the learning rate"):
        answers(DPTrainer(replace(PLAIN, learning_rate=1e38), noise=1.0, clip=1e6))


def test_too_little_budget_names_the_way_out() -> None:
    with pytest.raises(UsageError, match="fewer epochs"):
        DPTrainer(replace(PLAIN, epochs=100_000), epsilon=0.001, delta=1e-6, accountant="rdp").facts(60)


def test_without_opacus_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opacus", None)
    with pytest.raises(MissingExtraError, match="DP-SGD needs opacus"):
        dp.import_opacus("DP-SGD")
    with pytest.raises(MissingExtraError, match="DP-SGD needs opacus"):
        answers(DPTrainer(PLAIN, noise=1.0))


def test_the_recipe_holds_everything() -> None:
    one = DPTrainer(PLAIN, noise=1.0).recipe()
    for other in (
        DPTrainer(PLAIN, noise=1.1),
        DPTrainer(PLAIN, epsilon=1.0),
        DPTrainer(PLAIN, noise=1.0, clip=2.0),
        DPTrainer(PLAIN, noise=1.0, delta=0.1),
        DPTrainer(PLAIN, noise=1.0, accountant="rdp"),
        DPTrainer(replace(PLAIN, epochs=7), noise=1.0),
    ):
        assert other.recipe() != one
    assert one["trainer"] == PLAIN.recipe()
    assert one["opacus"]


def test_a_plan_names_it() -> None:
    plan = make_plan({"data": {"source": "digits"}, "trainer": {"kind": "torch", "dp": {"epsilon": 8, "clip": 2}}})
    assert make_trainer(plan.trainer, None, trust=False) == DPTrainer(TorchTrainer(), epsilon=8.0, clip=2.0)
    assert make_trainer(TrainerPlan(kind="torch"), None, trust=False) == TorchTrainer()


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ({"kind": "torch", "dp": {}}, "trainer.dp: expected either epsilon or noise"),
        ({"kind": "torch", "dp": {"epsilon": 0}}, "trainer.dp.epsilon"),
        ({"kind": "torch", "dp": {"epsilon": 1, "noise": 1}}, "either epsilon or noise"),
        ({"kind": "torch", "dp": {"epsilom": 1}}, 'did you mean "epsilon"'),
        ({"kind": "sklearn", "dp": {"noise": 1}}, 'dp is for kind = "torch", got kind = "sklearn"'),
    ],
)
def test_a_plan_that_cannot_be_is_one_line(trainer: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words) as caught:
        make_plan({"data": {"source": "digits"}, "trainer": trainer})
    assert "\n" not in str(caught.value)
