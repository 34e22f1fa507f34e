"""From the plan's [trainer] table to a trainer."""

from __future__ import annotations

from typing import Any

from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import PlanError, UsageError, did_you_mean
from gnomon.core.plan import TrainerPlan
from gnomon.core.protocols import Model, Trainer
from gnomon.models.function import FunctionTrainer
from gnomon.models.import_path import import_object
from gnomon.models.sklearn import SklearnModel, SklearnTrainer, estimator_from_path, speak_of
from gnomon.models.torch.dp import DPTrainer
from gnomon.models.torch.trainer import TorchTrainer

TORCH_FIELDS = (
    "module",
    "hidden",
    "activation",
    "dropout",
    "optimizer",
    "learning_rate",
    "weight_decay",
    "momentum",
    "batch",
    "epochs",
    "patience",
    "device",
)


def make_trainer(plan: TrainerPlan, target: Model | None, *, trust: bool) -> Trainer | None:
    """The trainer that a [trainer] table describes; None for kind "none", or a clone of what cannot be cloned.

    Args:
        plan: the table.
        target: the model under attack, if it is given; kind "clone" refits its estimator.
        trust: whether code that the plan names may be imported.

    Raises:
        PlanError: a key that the kind needs is missing.
    """
    if plan.kind == "none":
        return None
    if plan.kind == "torch":
        plain = TorchTrainer(**_torch_options(plan, trust))
        return plain if plan.dp is None else DPTrainer(plain, **plan.dp.model_dump())
    if plan.kind == "sklearn":
        if plan.estimator is None:
            raise PlanError(
                'trainer.estimator is missing: kind = "sklearn" needs e.g. sklearn.ensemble:RandomForestClassifier'
            )
        return SklearnTrainer(estimator_from_path(plan.estimator, plan.params, trust=trust))
    if plan.kind == "function":
        if plan.function is None:
            raise PlanError('trainer.function is missing: kind = "function" needs module:function')
        return FunctionTrainer(import_object(plan.function, trust=trust), dict(plan.params))
    return clone_of(target)


def clone_of(target: Model | None) -> Trainer | None:
    """The recipe that a scikit-learn target brings with it; None for any other model."""
    return SklearnTrainer(target.estimator) if isinstance(target, SklearnModel) else None


def speaking(trainer: Trainer | None, data: Dataset) -> Trainer | None:
    """The trainer with the data set's labels, where it hands labels on to code of the user's."""
    return speak_of(trainer, data.classes, data.labels) if isinstance(trainer, SklearnTrainer) else trainer


def trainer_from(value: Any, target: Model | None, *, trust: bool = True) -> Trainer | None:
    """A trainer from what a Python caller may give: a Trainer, "clone", None, or a [trainer] table as a dict."""
    if value is None or isinstance(value, Trainer):
        return value
    if isinstance(value, dict):
        return make_trainer(TrainerPlan.model_validate(value), target, trust=trust)
    if value == "clone":
        return clone_of(target)
    if isinstance(value, str):
        raise UsageError(f'trainer: "{value}" is unknown{did_you_mean(value, ["clone"])}')
    raise UsageError(f'trainer: expected "clone", a Trainer, a table or None, got {type(value).__name__}')


def _torch_options(plan: TrainerPlan, trust: bool) -> dict[str, Any]:
    options = {name: getattr(plan, name) for name in TORCH_FIELDS}
    if ":" in plan.module:
        import_object(plan.module, trust=trust)
    return options
