"""Models that answer and trainers that make them: callables, scikit-learn, torch.

Whatever can be put as `x -> (n, c)` log-probabilities can be audited. A trainer is a recipe that refits the same kind
of model on other rows, which is how shadow models come to be; torch recipes train many networks at once, stacked.
"""

from gnomon.models.callable import CallableModel
from gnomon.models.files import as_model, load_model
from gnomon.models.function import FunctionTrainer
from gnomon.models.import_path import import_object
from gnomon.models.sklearn import SklearnModel, SklearnTrainer, estimator_from_path
from gnomon.models.target import Target
from gnomon.models.torch.adversarial import AdversarialTrainer
from gnomon.models.torch.dp import DPTrainer
from gnomon.models.torch.model import TorchModel, save_weights
from gnomon.models.torch.selena import SelenaTrainer
from gnomon.models.torch.trainer import TorchTrainer, load_torch, train_stack

NETWORK_TRAINERS = (TorchTrainer, DPTrainer, SelenaTrainer, AdversarialTrainer)  # their models are torch networks

__all__ = [
    "NETWORK_TRAINERS",
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
    "train_stack",
]
