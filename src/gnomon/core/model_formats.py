"""Which files can hold a model: a line a format, from which help texts and messages are made.

A format is read by a module of its own in `gnomon.models.readers`, with a function ``read(place, trust)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelFormat:
    """A kind of model file.

    Attributes:
        suffixes: endings of its names, lower case.
        title: what is in it.
        reader: the module of `gnomon.models.readers` that reads it.
        needs: what else must be given, in words; empty: nothing.
        trust: whether reading it may run whatever its maker put in.
        types: whether single types in it can be trusted by their names.
        recipe: whether it holds weights only, and the network's recipe must be given.
        extra: the extra that is installed for it, if any.
        library: what takes seconds to import and is, before a file is tried in a process of its own.
        holds: of a format that is a folder, the file that such a folder holds.
        tried: most rows that a file of unknown origin is queried with in a process of its own.
    """

    suffixes: tuple[str, ...]
    title: str
    reader: str
    needs: str = ""
    trust: bool = False
    types: bool = False
    recipe: bool = False
    extra: str | None = None
    library: str = ""
    holds: str = ""
    tried: int = 1000

    @property
    def place(self) -> str:
        """What such a model is on disk: endings of a file's name, or a folder."""
        return ", ".join(self.suffixes) or f"a folder with {self.holds}"


MLMODEL = "MLmodel"
TRANSFORMERS = "transformers.models.auto.modeling_auto"
MLFLOW_SCHEMES = ("models:/", "runs:/", "mlflow-artifacts:/")
FORMATS = (
    ModelFormat((".skops",), "scikit-learn", "skops", types=True, library="skops.io"),
    ModelFormat((".json", ".ubj"), "XGBoost", "boosters", extra="boosting"),
    ModelFormat((".txt", ".lgb"), "LightGBM", "boosters", extra="boosting"),
    ModelFormat((".cbm",), "CatBoost", "boosters", extra="catboost"),
    ModelFormat((".onnx",), "ONNX", "onnx", extra="onnx"),
    ModelFormat((".keras",), "Keras", "keras", extra="keras"),
    ModelFormat(
        (".safetensors", ".pt", ".pth", ".pt2"),
        "torch weights or programs",
        "weights",
        "their network in [trainer], or --trust",
        recipe=True,
        extra="torch",
    ),
    ModelFormat((".joblib", ".pkl", ".pickle"), "pickles", "pickles", "--trust", trust=True),
    ModelFormat(
        (), "MLflow, also models:/NAME/3 and runs:/ID/PATH", "mlflow", types=True, extra="mlflow", holds=MLMODEL
    ),
    ModelFormat(
        (),
        "Hugging Face text classifier",
        "huggingface",
        extra="transformers",
        library=TRANSFORMERS,
        holds="config.json",
        tried=16,
    ),
)


MODEL_FILES = "model file: " + "; ".join(
    f"{f.place} ({f.title}{f', needs {f.needs}' if f.needs else ''})" for f in FORMATS
)

OTHERS = {  # not read, and what they hold
    "Keras 2": (".h5", ".hdf5"),
    "TensorFlow": (".pb", ".tflite", ".ckpt"),
    "PMML": (".pmml",),
    "Core ML": (".mlmodel", ".mlpackage"),
    "R": (".rds", ".rda", ".rdata"),
    "H2O": (".zip", ".mojo"),
}
INSTEAD = (
    "give an ONNX file (tf2onnx, torch.onnx and skl2onnx make them), the model's answers as files (--member-answers, "
    "--nonmember-answers), the endpoint that serves it (--endpoint, --protocol), or a function in a plan "
    "(target.callable)"
)


def other_format(name: str) -> str | None:
    """What a file of this name holds where it is a known kind of model that is not read; None otherwise.

    >>> other_format("model.H5")
    'Keras 2'
    """
    return next((title for title, endings in OTHERS.items() if name.lower().endswith(endings)), None)


def is_address(name: str) -> bool:
    """Whether it is no path but the address of a model in MLflow.

    >>> is_address("models:/risk/3"), is_address("models/risk.skops")
    (True, False)
    """
    return name.startswith(MLFLOW_SCHEMES)


def names_server(address: str) -> bool:
    """Whether an address in MLflow names a server of its own, which would be sent the user's MLflow credentials.

    >>> names_server("mlflow-artifacts://host/1/model"), names_server("models:/risk/3")
    (True, False)
    """
    return address.partition(":")[2].startswith("//")


def folder_format(place: Path) -> ModelFormat | None:
    """The format of a folder, by a file in it; None for any other folder, or no folder."""
    return next((f for f in FORMATS if f.holds and (place / f.holds).is_file()), None)


def format_of(name: str) -> ModelFormat | None:
    """The format of a file of this name; None for an unknown ending.

    >>> format_of("model.PKL").title
    'pickles'
    """
    return next((f for f in FORMATS if f.suffixes and name.lower().endswith(f.suffixes)), None)
