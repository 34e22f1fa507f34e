"""Watching a training changes nothing, and sees what a shorter training would have given."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.observations import Checkpoints, checkpoints
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.stats.signals import loss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 90)
ROWS = [np.arange(40), np.arange(10, 65), np.arange(30, 60)]
SEEDS = [1, 2, 3]


def with_dice(input_shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
    class Noisy(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.norm = torch.nn.Linear(input_shape[0], n_classes), torch.nn.BatchNorm1d(n_classes)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = self.norm(self.layer(x))
            return out + 0.1 * torch.rand_like(out)

    return Noisy()


TRAINERS = {
    "mlp": TorchTrainer(hidden=(8,), epochs=6, batch=16, device="cpu"),
    "dropout": TorchTrainer(hidden=(8,), epochs=6, batch=16, dropout=0.3, activation="relu", device="cpu"),
    "sgd": TorchTrainer(hidden=(8,), epochs=6, batch=16, optimizer="sgd", momentum=0.9, device="cpu"),
    "alone": TorchTrainer(hidden=(8,), epochs=6, batch=16, stack="never", device="cpu"),
    "stops": TorchTrainer(hidden=(8,), epochs=40, batch=16, patience=1, learning_rate=0.05, device="cpu"),
    "dice": TorchTrainer(module=with_dice, epochs=6, batch=16, device="cpu"),
}


def watched(trainer: TorchTrainer, count: int) -> list:
    return list(Checkpoints(count).watching(trainer, X, Y).train(X, Y, 3, ROWS, SEEDS))


@pytest.mark.parametrize("name", TRAINERS)
def test_watching_changes_no_weight(name: str) -> None:
    plain = TRAINERS[name].train(X, Y, 3, ROWS, SEEDS)
    for one, other in zip(plain, watched(TRAINERS[name], 4), strict=True):
        weights = other.network.state_dict()
        assert all(torch.equal(value, weights[key]) for key, value in one.network.state_dict().items())


@pytest.mark.parametrize("name", ["mlp", "dropout", "sgd", "alone"])
def test_a_checkpoint_is_what_a_shorter_training_gives(name: str) -> None:
    models = watched(TRAINERS[name], 3)
    for j, epochs in enumerate((2, 4, 6)):
        shorter = replace(TRAINERS[name], epochs=epochs).train(X, Y, 3, ROWS, SEEDS)
        for model, short in zip(models, shorter, strict=True):
            np.testing.assert_allclose(model.course[:, j], loss(short.log_probs(X), Y), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in TRAINERS if name != "dice"])
def test_the_course_ends_with_the_model_itself(name: str) -> None:
    for model in watched(TRAINERS[name], 7):
        assert model.course.shape == (90, 7)
        np.testing.assert_allclose(model.course[:, -1], loss(model.log_probs(X), Y), rtol=1e-6)


def test_what_is_watched_is_no_part_of_the_recipe() -> None:
    trainer = TRAINERS["mlp"]
    assert Checkpoints(3).watching(trainer, X, Y).recipe() == trainer.recipe()


BOOSTED = {
    "gradient": GradientBoostingClassifier(n_estimators=6, max_depth=2),
    "ada": AdaBoostClassifier(n_estimators=6),
    "hist": HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=5, early_stopping=False),
    "pipeline": make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=6, max_depth=2)),
}


@pytest.mark.parametrize("name", BOOSTED)
def test_stages_of_an_ensemble_are_those_of_smaller_ensembles(name: str) -> None:
    trainer = SklearnTrainer(BOOSTED[name])
    assert Checkpoints.name in trainer.observable
    [model] = trainer.train(X, Y, 3, ROWS[:1], SEEDS[:1])
    course = Checkpoints(3).of(model, X, Y)
    own = "max_iter" if name == "hist" else "n_estimators"
    prefix = "gradientboostingclassifier__" if name == "pipeline" else ""
    for j, size in enumerate((2, 4, 6)):
        smaller = SklearnTrainer(clone(BOOSTED[name]).set_params(**{prefix + own: size}))
        [short] = smaller.train(X, Y, 3, ROWS[:1], SEEDS[:1])
        np.testing.assert_allclose(course[:, j], loss(short.log_probs(X), Y), rtol=1e-4, atol=1e-5)


def test_a_class_that_an_ensemble_never_saw_costs_all() -> None:
    rows = np.flatnonzero(Y > 0)
    [model] = SklearnTrainer(BOOSTED["gradient"]).train(X, Y, 3, [rows], [1])
    course = Checkpoints(2).of(model, X, Y)
    assert (course[Y == 0] > 100).all()
    assert (course[Y > 0] < 10).all()


def test_what_cannot_be_followed_says_so() -> None:
    assert Checkpoints.name not in SklearnTrainer(LogisticRegression()).observable
    model = TRAINERS["mlp"].train(X, Y, 3, ROWS[:1], SEEDS[:1])[0]
    assert Checkpoints.name not in model.observable
    with pytest.raises(ModelError, match="not watched"):
        Checkpoints(2).of(model, X, Y)
    with pytest.raises(UsageError, match="1 or more"):
        Checkpoints(0)


def test_checkpoints_are_spread_evenly_and_end_with_the_end() -> None:
    assert checkpoints(60, 10) == [6, 12, 18, 24, 30, 36, 42, 48, 54, 60]
    assert checkpoints(7, 3) == [3, 5, 7]
