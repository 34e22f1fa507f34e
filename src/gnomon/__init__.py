"""gnomon measures what a trained model gives away about the records that it was trained on.

>>> import gnomon
>>> gnomon.load_dataset("digits").n_classes
10
"""

# What most users need: the audit, its report, its gate.
from gnomon.auditing.api import Settings, audit, audit_plan
from gnomon.auditing.gate import GateResult, Limit, gate, parse_limit
from gnomon.auditing.run import Outcome

# What a plan, a record and a data set are.
from gnomon.core import VERSION
from gnomon.core.data import Dataset, make_dataset
from gnomon.core.errors import GnomonError
from gnomon.core.plan import Plan, make_plan, read_plan
from gnomon.core.protocols import Model, Trainer
from gnomon.core.record import Record, read_record, write_record

# What can be audited, and how it is trained.
from gnomon.datasets import load_dataset
from gnomon.models.callable import CallableModel
from gnomon.models.function import FunctionTrainer
from gnomon.models.sklearn import SklearnModel, SklearnTrainer
from gnomon.models.torch_dp import DPTrainer
from gnomon.models.torch_model import TorchModel
from gnomon.models.torch_trainer import TorchTrainer
from gnomon.report import print_terminal, render, write_report

__version__ = VERSION

__all__ = [
    "CallableModel",
    "DPTrainer",
    "Dataset",
    "FunctionTrainer",
    "GateResult",
    "GnomonError",
    "Limit",
    "Model",
    "Outcome",
    "Plan",
    "Record",
    "Settings",
    "SklearnModel",
    "SklearnTrainer",
    "TorchModel",
    "TorchTrainer",
    "Trainer",
    "__version__",
    "audit",
    "audit_plan",
    "gate",
    "load_dataset",
    "make_dataset",
    "make_plan",
    "parse_limit",
    "print_terminal",
    "read_plan",
    "read_record",
    "render",
    "write_record",
    "write_report",
]
