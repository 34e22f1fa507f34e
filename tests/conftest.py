"""What holds for every test."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _same_chance_each_time() -> None:
    """Estimators without a ``random_state`` draw from numpy's global state; no test depends on what ran before."""
    np.random.seed(0)  # noqa: NPY002 - the very state that scikit-learn falls back to
