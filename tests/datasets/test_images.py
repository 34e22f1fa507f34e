"""What image sets have in common."""

import numpy as np
import pytest

from gnomon.datasets.images import ImagePart, join_parts

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("shape", "layout", "pixel"), [((2, 3), "gray", "1-2"), ((2, 3, 3), "rgb", "1-2-2")])
def test_parts_stand_one_after_the_other_with_ids_that_say_which(
    shape: tuple[int, ...], layout: str, pixel: str
) -> None:
    parts = {
        name: ImagePart(RNG.integers(0, 256, (n, *shape), dtype=np.uint8), np.arange(n) % 2)
        for name, n in (("train", 3), ("test", 2))
    }
    data = join_parts(parts, ("cat", "dog"), "pets", "a note")
    np.testing.assert_array_equal(data.x, np.concatenate([part.images for part in parts.values()]))
    assert data.ids.tolist() == ["train:0", "train:1", "train:2", "test:0", "test:1"]
    assert data.y.tolist() == [0, 1, 0, 0, 1]
    assert (data.name, data.note, data.classes) == ("pets", "a note", ("cat", "dog"))
    assert data.features.width == np.prod(shape)
    last = data.features.features[-1]
    assert (last.name, last.low, last.high) == (pixel, 0, 255)
