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

if TYPE_CHECKING:  # "as": type checkers show what is imported under its own name
    from gnomon.models.torch.adversarial import AdversarialTrainer as AdversarialTrainer
    from gnomon.models.torch.augmentation import TrainingAugmentation as TrainingAugmentation
    from gnomon.models.torch.dp import DPTrainer as DPTrainer
    from gnomon.models.torch.image_regression import ImageRegression as ImageRegression
    from gnomon.models.torch.model import MitigatedModule as MitigatedModule
    from gnomon.models.torch.model import TorchModel as TorchModel
    from gnomon.models.torch.model import read_weights as read_weights
    from gnomon.models.torch.model import save_weights as save_weights
    from gnomon.models.torch.networks import resolve_device as resolve_device
    from gnomon.models.torch.objectives import HighEntropy as HighEntropy
    from gnomon.models.torch.objectives import LabelSmoothing as LabelSmoothing
    from gnomon.models.torch.objectives import RelaxLoss as RelaxLoss
    from gnomon.models.torch.selena import SelenaTrainer as SelenaTrainer
    from gnomon.models.torch.trainer import TorchTrainer as TorchTrainer
    from gnomon.models.torch.trainer import load_torch as load_torch
    from gnomon.models.torch.weights import is_program as is_program
    from gnomon.models.torch.weights import load_program as load_program
    from gnomon.models.torch.weights import needs_trust as needs_trust

_HOMES = {
    "adversarial": ("AdversarialTrainer",),
    "augmentation": ("TrainingAugmentation",),
    "dp": ("DPTrainer",),
    "image_regression": ("ImageRegression",),
    "model": ("MitigatedModule", "TorchModel", "read_weights", "save_weights"),
    "networks": ("resolve_device",),
    "objectives": ("HighEntropy", "LabelSmoothing", "RelaxLoss"),
    "selena": ("SelenaTrainer",),
    "trainer": ("TorchTrainer", "load_torch"),
    "weights": ("is_program", "load_program", "needs_trust"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(["has_torch", *_HOME])


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
