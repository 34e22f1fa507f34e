"""How many numbers were fitted to the training rows: with as many numbers as rows, rows can be solved for."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnomon.auditing.structure.parts import FittedPart

ARRAYS = (
    ("coefs_", "intercepts_"),  # networks
    ("dual_coef_", "intercept_"),  # support vectors
    ("coef_", "intercept_"),  # linear models
    ("theta_", "var_", "class_prior_"),  # Gaussian naive Bayes
    ("feature_log_prob_", "class_log_prior_"),  # other naive Bayes
)


def fitted_numbers(part: FittedPart) -> int | None:
    """Fitted numbers of a part that answers by itself; None where it has none that are known.

    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted_numbers(FittedPart(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), None))
    3
    """
    thing = part.thing
    if callable(getattr(thing, "parameters", None)) and callable(getattr(thing, "state_dict", None)):
        return sum(int(np.prod(tuple(p.shape))) for p in thing.parameters())
    for names in ARRAYS:
        values = [getattr(thing, name, None) for name in names]
        if values[0] is not None:
            return sum(_size(value) for value in values if value is not None)
    return None


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(_size(one) for one in value)
    return int(np.prod(value.shape)) if hasattr(value, "shape") else 1
