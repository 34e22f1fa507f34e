"""Which files can hold a model: a line a format, from which help texts and messages are made.

A format is read by a module of its own in `gnomon.models.readers`, with a function ``read(place, trust)``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelFormat:
    """A kind of model file.

    Attributes:
        suffixes: endings of its names, lower case.
        title: what is in it.
        reader: the module of `gnomon.models.readers` that reads it.
        needs: what else must be given, in words; empty: nothing.
        trust: whether reading it may run whatever its maker put in.
        recipe: whether it holds weights only, and the network's recipe must be given.
        extra: the extra that is installed for it, if any.
    """

    suffixes: tuple[str, ...]
    title: str
    reader: str
    needs: str = ""
    trust: bool = False
    recipe: bool = False
    extra: str | None = None


FORMATS = (
    ModelFormat((".skops",), "scikit-learn", "skops"),
    ModelFormat((".json", ".ubj"), "XGBoost", "xgboost", extra="boosting"),
    ModelFormat((".txt", ".lgb"), "LightGBM", "lightgbm", extra="boosting"),
    ModelFormat((".cbm",), "CatBoost", "catboost", extra="catboost"),
    ModelFormat((".onnx",), "ONNX", "onnx", extra="onnx"),
    ModelFormat(
        (".safetensors", ".pt", ".pth"),
        "torch weights",
        "weights",
        "their network in [trainer]",
        recipe=True,
        extra="torch",
    ),
    ModelFormat((".joblib", ".pkl", ".pickle"), "pickles", "pickles", "--trust", trust=True),
)
MODEL_FILES = "model file: " + "; ".join(
    f"{', '.join(f.suffixes)} ({f.title}{f', needs {f.needs}' if f.needs else ''})" for f in FORMATS
)


def format_of(name: str) -> ModelFormat | None:
    """The format of a file of this name; None for an unknown ending.

    >>> format_of("model.PKL").title
    'pickles'
    """
    return next((f for f in FORMATS if name.lower().endswith(f.suffixes)), None)
