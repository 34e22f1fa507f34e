"""gnomon measures what a trained model reveals about the records it was trained on.

The audit (`audit`, or `audit_plan` with a `Plan`) trains shadow models, attacks the model and returns an `Outcome`,
whose `Record` `gate` compares with limits and `write_report` renders. docs/api.md lists all public names.

>>> import gnomon
>>> gnomon.load_dataset("digits").n_classes
10
"""

# Names are imported on first use (PEP 562), so that `import gnomon` costs nothing that is not needed.
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gnomon.core import VERSION

if TYPE_CHECKING:  # "as": type checkers show what is imported under its own name
    # What most users need: the audit, its report, its gate.
    from gnomon.auditing.api import audit as audit
    from gnomon.auditing.outcome import Outcome as Outcome
    from gnomon.auditing.run import audit_plan as audit_plan
    from gnomon.auditing.settings import Settings as Settings

    # What a plan, a record and a data set are.
    from gnomon.core.data.dataset import Dataset as Dataset
    from gnomon.core.data.dataset import make_dataset as make_dataset
    from gnomon.core.documents.gate import GateResult as GateResult
    from gnomon.core.documents.gate import Limit as Limit
    from gnomon.core.documents.read_write import read_record as read_record
    from gnomon.core.documents.read_write import write_record as write_record
    from gnomon.core.documents.record import Record as Record
    from gnomon.core.errors import GnomonError as GnomonError
    from gnomon.core.plan import Plan as Plan
    from gnomon.core.plan import make_plan as make_plan
    from gnomon.core.plan import read_plan as read_plan
    from gnomon.core.protocols import Model as Model
    from gnomon.core.protocols import Trainer as Trainer

    # What can be audited, and how it is trained.
    from gnomon.datasets import load_dataset as load_dataset
    from gnomon.models.callable import CallableModel as CallableModel
    from gnomon.models.function import FunctionTrainer as FunctionTrainer
    from gnomon.models.sklearn import SklearnModel as SklearnModel
    from gnomon.models.sklearn import SklearnTrainer as SklearnTrainer
    from gnomon.models.torch import DPTrainer as DPTrainer
    from gnomon.models.torch import TorchModel as TorchModel
    from gnomon.models.torch import TorchTrainer as TorchTrainer
    from gnomon.report import print_terminal as print_terminal
    from gnomon.report import render as render
    from gnomon.report import write_report as write_report
    from gnomon.report.plots.on_axes import plot_roc as plot_roc
    from gnomon.runs.folder import read_outcome as read_outcome
    from gnomon.runs.gate import gate as gate
    from gnomon.runs.limits import parse_limit as parse_limit
    from gnomon.runs.limits import read_limits as read_limits
    from gnomon.runs.mlflow_run import log_to_mlflow as log_to_mlflow

__version__ = VERSION

_HOMES = {
    "gnomon.auditing.api": ("audit",),
    "gnomon.auditing.run": ("audit_plan",),
    "gnomon.auditing.settings": ("Settings",),
    "gnomon.core.documents.gate": ("GateResult", "Limit"),
    "gnomon.runs.gate": ("gate",),
    "gnomon.runs.mlflow_run": ("log_to_mlflow",),
    "gnomon.runs.limits": ("parse_limit", "read_limits"),
    "gnomon.auditing.outcome": ("Outcome",),
    "gnomon.core.data.dataset": ("Dataset", "make_dataset"),
    "gnomon.core.documents.read_write": ("read_record", "write_record"),
    "gnomon.core.errors": ("GnomonError",),
    "gnomon.core.plan": ("Plan", "make_plan", "read_plan"),
    "gnomon.core.protocols": ("Model", "Trainer"),
    "gnomon.core.documents.record": ("Record",),
    "gnomon.datasets": ("load_dataset",),
    "gnomon.models.callable": ("CallableModel",),
    "gnomon.models.function": ("FunctionTrainer",),
    "gnomon.models.sklearn": ("SklearnModel", "SklearnTrainer"),
    "gnomon.models.torch": ("DPTrainer", "TorchModel", "TorchTrainer"),
    "gnomon.report.plots.on_axes": ("plot_roc",),
    "gnomon.runs.folder": ("read_outcome",),
    "gnomon.report": ("print_terminal", "render", "write_report"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(["__version__", *_HOME])


if not TYPE_CHECKING:  # a type checker reads the imports above

    def __getattr__(name: str) -> object:
        if name in _HOME:
            found = globals()[name] = getattr(import_module(_HOME[name]), name)
            return found
        if not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None:
            return import_module(f"{__name__}.{name}")  # gnomon.attacks and the other subpackages
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
