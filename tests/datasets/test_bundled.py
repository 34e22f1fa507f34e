"""The two sets that scikit-learn brings along."""

import numpy as np
import pytest
from sklearn import datasets

from gnomon.core.data.dataset import Dataset
from gnomon.datasets.bundled import BREAST_CANCER, DIGITS
from gnomon.datasets.fetch import Source


@pytest.fixture(scope="module", params=[DIGITS, BREAST_CANCER], ids=lambda source: source.name)
def loaded(request: pytest.FixtureRequest) -> tuple[Source, Dataset]:
    return request.param, request.param.load(request.param.classes[0])


def test_rows_and_classes_are_scikit_learns(loaded: tuple[Source, Dataset]) -> None:
    source, data = loaded
    bunch = getattr(datasets, f"load_{source.name}")()
    np.testing.assert_array_equal(data.x, bunch.data)
    np.testing.assert_array_equal(data.y, bunch.target)
    assert data.classes == tuple(str(name) for name in bunch.target_names)


def test_every_row_is_legal_in_the_features_that_are_named(loaded: tuple[Source, Dataset]) -> None:
    _, data = loaded
    np.testing.assert_allclose(data.features.decode(data.features.encode(data.x)), data.x)
    beyond = data.x[:1].copy()
    beyond[0, 3] = data.features.features[3].high + 1
    with pytest.raises(Exception, match=data.features.features[3].name):
        data.features.encode(beyond)
