"""Models that answer and trainers that make them: callables, scikit-learn, torch.

Whatever can be put as `x -> (n, c)` log-probabilities can be audited. A trainer is a recipe that refits the same kind
of model on other rows, which is how shadow models come to be; torch recipes train many networks at once, stacked.
Networks come through `gnomon.models.torch`, which imports torch when one is used.
"""

from typing import TYPE_CHECKING

from gnomon.models import torch
from gnomon.models.as_model import as_model
from gnomon.models.callable import CallableModel
from gnomon.models.files import load_model
from gnomon.models.function import FunctionTrainer
from gnomon.models.plugins import estimator_from_path, import_object
from gnomon.models.sklearn import SklearnModel, SklearnTrainer
from gnomon.models.target import Target

if TYPE_CHECKING:
    from gnomon.models.torch import (
        AdversarialTrainer,
        DPTrainer,
        SelenaTrainer,
        TorchModel,
        TorchTrainer,
        load_torch,
        save_weights,
    )

__all__ = [
    "AdversarialTrainer",
    "CallableModel",
    "DPTrainer",
    "FunctionTrainer",
    "SelenaTrainer",
    "SklearnModel",
    "SklearnTrainer",
    "Target",
    "TorchModel",
    "TorchTrainer",
    "as_model",
    "estimator_from_path",
    "import_object",
    "load_model",
    "load_torch",
    "save_weights",
]

if not TYPE_CHECKING:  # a type checker reads the imports above

    def __getattr__(name: str) -> object:
        if name in __all__:
            return getattr(torch, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
