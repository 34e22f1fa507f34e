"""The loaders of fetched sets, on small files in their canonical form; on the real ones where a mirror has them."""

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror

from gnomon.datasets import load_dataset


@needs_mirror("location30", "adult")
@pytest.mark.parametrize(("name", "shape", "classes"), [("location30", (5010, 446), 30), ("adult", (48842, 14), 2)])
def test_the_real_files_load_from_a_mirror(name, shape, classes):
    data = load_dataset(name)
    assert data.x.shape == shape
    assert np.array_equal(np.unique(data.y), np.arange(classes))
