import numpy as np
import pandas as pd
import pytest

from gnomon.core.data.augmentations import perturb, read_augmentations
from gnomon.core.data.features import infer_features
from gnomon.core.errors import UsageError
from gnomon.core.seeds import Seeds

SEEDS = Seeds(3)
BITS = np.random.default_rng(0).integers(0, 2, (200, 600)).astype(np.float32)
IMAGES = np.random.default_rng(1).random((6, 4, 5, 3)).astype(np.float32)


def made(texts, x):
    space = infer_features(x)
    spread = space.encode(x).astype(np.float64).std(axis=0)
    return {v.name: v.of(x, space, spread) for v in read_augmentations(texts, space, SEEDS)}


def test_images_are_mirrored_and_shifted():
    found = made(["mirror", "shift:2", "mirror+shift:1"], IMAGES)
    assert list(found) == [
        "mirror",
        *(f"shift:2 {step}" for step in ("up", "down", "left", "right")),
        *(f"mirror + shift:1 {step}" for step in ("up", "down", "left", "right")),
    ]
    np.testing.assert_array_equal(found["mirror"], IMAGES[:, :, ::-1])
    np.testing.assert_array_equal(found["shift:2 up"][:, :2], IMAGES[:, 2:])
    np.testing.assert_array_equal(found["shift:2 up"][:, 2:], IMAGES[:, [3, 3]])  # edges are repeated
    np.testing.assert_array_equal(found["mirror + shift:1 right"][:, :, 1:], IMAGES[:, :, ::-1][:, :, :-1])
    assert all(version.dtype == IMAGES.dtype for version in found.values())


def test_flips_change_their_share_of_bits_in_one_pattern_for_all_rows():
    found = made(["flips:0.05x3"], BITS)
    patterns = [(version != BITS) for version in found.values()]
    for pattern in patterns:
        assert (pattern == pattern[0]).all()
        assert 10 <= pattern[0].sum() <= 50  # 600 bits at 0.05: 30, five deviations
    assert len({tuple(p[0]) for p in patterns}) == 3
    assert all(set(np.unique(version)) == {0.0, 1.0} for version in found.values())


def test_a_version_of_a_row_does_not_depend_on_the_rows_beside_it_nor_on_the_other_versions():
    space, spread = infer_features(BITS), np.zeros(600)
    (alone,) = read_augmentations(["flips:0.05"], space, SEEDS)
    among = read_augmentations(["flips:0.3", "flips:0.05"], space, SEEDS)[1]
    np.testing.assert_array_equal(alone.of(BITS, space, spread)[7:9], among.of(BITS[7:9], space, spread))


def test_noise_moves_numbers_by_their_spread_and_keeps_them_legal():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {f"n{i}": rng.integers(0, 1000, 300) for i in range(40)}
        | {"word": np.array(["a", "b"])[rng.integers(0, 2, 300)]}
    )
    changed = made(["noise:0.1"], frame)["noise:0.1"]
    moved = changed.drop(columns="word") - frame.drop(columns="word")
    assert list(changed["word"]) == list(frame["word"])
    assert 15 < float(np.sqrt((moved.to_numpy() ** 2).mean())) < 45  # a tenth of a spread of 289
    assert changed.drop(columns="word").to_numpy().min() >= 0
    both = made(["flips:1+noise:0.1"], frame)["flips:1 + noise:0.1"]
    assert (both["word"] != frame["word"]).all()


def test_a_rate_that_hits_no_bit_still_changes_one():
    x = BITS[:5, :3]
    space = infer_features(x, one_hot=False)
    changed = perturb(space.encode(x), space, np.zeros(3), flips=1e-9, noise=0.0, rng=np.random.default_rng(0))
    assert ((changed != x).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("text", "x", "message"),
    [
        ("turn", BITS, 'expected "mirror".*got "turn"'),
        ("mirror", BITS, "needs images"),
        ("noise:0.1", BITS, "needs numbers"),
        ("flips:0.1", IMAGES, "needs bits or categories"),
        ("flips:0", BITS, "above 0 and at most 1"),
        ("flips:1.5", BITS, "above 0 and at most 1"),
        ("noise:0", IMAGES, "deviation above 0"),
        ("mirrorx3", IMAGES, "only flips and noise"),
    ],
)
def test_a_version_that_these_rows_do_not_have_is_refused(text, x, message):
    with pytest.raises(UsageError, match=message):
        made([text], x)
