"""Networks: trained one at a time or many at once in a stack, with the objectives and defences that change training.

`trainer` is the recipe and `model` what comes out; the folder `stacks` has the training itself. `dp`, `selena` and
`adversarial` are other ways to train.

The modules here import torch. This package does not: it is the one door to them, and a name is fetched when it is used,
so that all else works, and starts quickly, without torch.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gnomon.core.errors import MissingExtraError

if TYPE_CHECKING:
    from gnomon.models.torch.adversarial import AdversarialTrainer
    from gnomon.models.torch.augmentation import TrainingAugmentation
    from gnomon.models.torch.dp import DPTrainer
    from gnomon.models.torch.image_regression import ImageRegression
    from gnomon.models.torch.model import MitigatedModule, TorchModel, read_weights, save_weights
    from gnomon.models.torch.networks import resolve_device
    from gnomon.models.torch.objectives import HighEntropy, LabelSmoothing, RelaxLoss
    from gnomon.models.torch.selena import SelenaTrainer
    from gnomon.models.torch.trainer import TorchTrainer, load_torch
    from gnomon.models.torch.weights import is_program, load_program, needs_trust

_HOME = {
    "AdversarialTrainer": "adversarial",
    "DPTrainer": "dp",
    "HighEntropy": "objectives",
    "ImageRegression": "image_regression",
    "LabelSmoothing": "objectives",
    "MitigatedModule": "model",
    "RelaxLoss": "objectives",
    "SelenaTrainer": "selena",
    "TorchModel": "model",
    "TorchTrainer": "trainer",
    "TrainingAugmentation": "augmentation",
    "is_program": "weights",
    "load_program": "weights",
    "load_torch": "trainer",
    "needs_trust": "weights",
    "read_weights": "model",
    "resolve_device": "networks",
    "save_weights": "model",
}

__all__ = [
    "AdversarialTrainer",
    "DPTrainer",
    "HighEntropy",
    "ImageRegression",
    "LabelSmoothing",
    "MitigatedModule",
    "RelaxLoss",
    "SelenaTrainer",
    "TorchModel",
    "TorchTrainer",
    "TrainingAugmentation",
    "has_torch",
    "is_program",
    "load_program",
    "load_torch",
    "needs_trust",
    "read_weights",
    "resolve_device",
    "save_weights",
]


def has_torch() -> bool:
    """Whether torch is installed."""
    return find_spec("torch") is not None


if not TYPE_CHECKING:  # a type checker reads the imports above

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if not has_torch():
            raise MissingExtraError("torch", "torch", name)
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
