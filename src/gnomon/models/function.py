"""Any user function that trains, as a Trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.arrays import Ints, Rows, take_rows
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model, OneByOne
from gnomon.models.as_model import as_model
from gnomon.models.recipe_hash import describe, describe_files

SEEDS = 2**31  # a function's seed is below


@dataclass(frozen=True, eq=False)
class FunctionTrainer(OneByOne):
    """A function ``(x, y, n_classes, seed, **params) -> model`` as a recipe.

    The function gets the training rows and their class ids 0 .. n_classes - 1, in the order of the classes that a
    record lists, never the user's own labels: a weight of a class that it names is the weight of an id. It must draw
    all its chance from ``seed``, an integer below 2**31, as NumPy's older generators and what is built on them demand.
    It returns a `Model`, a fitted classifier with ``predict_proba`` and ``classes_`` (ids), or a function of rows.

    Attributes:
        function: the recipe; a hash of its source stands in the store's key.
        params: further keyword arguments, plain values.
        outputs: what a returned function of rows answers.
        files: paths of files that the function reads; their content stands in the store's key.

    >>> import numpy as np
    >>> def prior(x, y, n_classes, seed, smoothing):
    ...     share = (np.bincount(y, minlength=n_classes) + smoothing) / (len(y) + n_classes * smoothing)
    ...     return lambda rows: np.tile(share, (len(rows), 1))
    >>> x, y = np.zeros((4, 2)), np.array([0, 0, 0, 1])
    >>> [model] = FunctionTrainer(prior, {"smoothing": 1}).train(x, y, 2, rows=[np.arange(4)], seeds=[0])
    >>> np.exp(model.log_probs(x[:1])).round(2)
    array([[0.67, 0.33]], dtype=float32)
    """

    function: Callable[..., Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    outputs: Outputs = "probabilities"
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise UsageError(f"expected a function (x, y, n_classes, seed), got {type(self.function).__name__}")

    def recipe(self) -> dict[str, Any]:
        """The function's path and hashes of its code and files, its parameters and outputs."""
        return {
            "kind": "function",
            "function": describe(self.function),
            "seeds": SEEDS,
            "params": describe(self.params),
            "outputs": self.outputs,
            **describe_files(self.files),
        }

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> Model:
        """What the function makes.

        Raises:
            ModelError: the function fails or returns something that can't answer.
        """
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        try:
            made = self.function(take_rows(x, rows), y[rows], n_classes, seed % SEEDS, **self.params)
        except Exception as error:
            raise ModelError(
                f"the recipe {name} failed on {len(rows)} rows: {type(error).__name__}: {error}"
            ) from error
        names = tuple(str(k) for k in range(n_classes))
        return as_model(made, names, outputs=self.outputs, labels=tuple(range(n_classes)))
