"""What a plan or a program can say of a network's training: the values, and which of them can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

from gnomon.core.errors import UsageError

Precision: TypeAlias = Literal["fp32", "tf32", "bf16"]


@dataclass(frozen=True)
class NetworkRecipe:
    """The values that every network is trained by; see `gnomon.models.TorchTrainer`, which trains by them.

    Raises:
        UsageError: a value out of range.
    """

    module: Any = "mlp"
    hidden: tuple[int, ...] = (128,)
    activation: Literal["tanh", "relu"] = "tanh"
    dropout: float = 0.0
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.0
    batch: int = 100
    epochs: int = 60
    patience: int | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    graph: bool = False

    def __post_init__(self) -> None:
        for name in RULES:
            check_network_option(name, getattr(self, name))
        if self.momentum and self.optimizer == "adam":
            raise UsageError(f'momentum={self.momentum:g} is for optimizer "sgd"; adam has its own')


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "hidden": (lambda widths: all(units >= 1 for units in widths), "widths of 1 or more"),
    "activation": (lambda word: word in ("tanh", "relu"), "tanh or relu"),
    "dropout": (lambda rate: 0 <= rate < 1, "at least 0 and below 1"),
    "optimizer": (lambda word: word in ("adam", "sgd"), "adam or sgd"),
    "learning_rate": (lambda rate: rate > 0, "above 0"),
    "weight_decay": (lambda weight: weight >= 0, "0 or more"),
    "momentum": (lambda share: 0 <= share < 1, "at least 0 and below 1"),
    "batch": (lambda rows: rows >= 1, "1 or more"),
    "epochs": (lambda passes: passes >= 1, "1 or more"),
    "patience": (lambda epochs: epochs is None or epochs >= 1, "1 or more"),
    "precision": (lambda word: word in get_args(Precision), "fp32, tf32 or bf16"),
}
NETWORK_OPTIONS = tuple(field.name for field in fields(NetworkRecipe))


def check_network_option(name: str, value: Any) -> None:
    """Refuses a value that no network can be trained by.

    Raises:
        UsageError: it is out of range.

    >>> check_network_option("epochs", 0)
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: expected epochs to be 1 or more, got 0
    """
    holds, expected = RULES.get(name, (lambda _: True, ""))
    if not holds(value):
        raise UsageError(f"expected {name} to be {expected}, got {value!r}")
