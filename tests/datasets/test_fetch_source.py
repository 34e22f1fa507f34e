"""What the registry holds of a data set."""

import dataclasses

import numpy as np
import pytest

from gnomon.core.data.dataset import make_dataset
from gnomon.datasets.fetch import Source


def test_it_loads_with_a_number_of_classes_and_stands_for_itself() -> None:
    def load(classes: int):
        return make_dataset(np.zeros((4, 2)), np.arange(4) % classes, classes=tuple("abc"[:classes]), name="toy")

    source = Source("toy", "A toy", 4, 2, (2, 3), "CC0", load)
    assert [source.load(k).classes for k in source.classes] == [("a", "b"), ("a", "b", "c")]
    assert source.stand_in is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.name = "other"
