"""What is done to rows: how much, of which kind, from whose seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError, UsageError  # noqa: E402
from gnomon.models.torch.augmentation import TrainingAugmentation  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402


def chance(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_bits_are_flipped_at_their_rate_and_nothing_else() -> None:
    x = np.column_stack([np.random.default_rng(0).integers(0, 2, (50, 40)), np.full(50, 0.5)]).astype(np.float32)
    moves = TrainingAugmentation(0.1).moves(x, "flat", "cpu")
    batch = torch.tensor(x).repeat(2, 1, 1)
    moved = moves.apply(batch, np.array([50, 20]), chance(0, 1))
    changed = (moved != batch).numpy()
    assert not changed[:, :, 40].any() and not changed[1, 20:].any()
    assert set(moved[:, :, :40].unique().tolist()) == {0.0, 1.0}
    flips, trials = changed[0].sum() + changed[1, :20].sum(), 70 * 40
    assert abs(flips - 0.1 * trials) < 4 * (trials * 0.1 * 0.9) ** 0.5


@pytest.mark.parametrize("layout", ["image", "flat"])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_are_mirrored_and_shifted(layout: Any, channels: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random((4, 6, 8, *channels)).astype(np.float32)
    as_seen = x.reshape(4, -1)
    if layout == "image":
        as_seen = x[:, None] if not channels else np.moveaxis(x, 3, 1)
    moves = TrainingAugmentation(0.2).moves(x, layout, "cpu")
    count, seen = 200, set()
    moved = moves.apply(torch.tensor(as_seen[:1]).expand(1, count, *as_seen.shape[1:]), np.array([count]), chance(0))
    padded = np.pad(x[0], ((2, 2), (2, 2), *[(0, 0)] * len(channels)), mode="edge")  # 0.2 of 6 and of 8, rounded up
    wanted = {
        (dy, dx, mirrored): window[:, ::-1] if mirrored else window
        for dy in range(5)
        for dx in range(5)
        for mirrored in (False, True)
        for window in [padded[dy : dy + 6, dx : dx + 8]]
    }
    for image in moved[0].numpy():
        back = (
            image.reshape(x.shape[1:]) if layout == "flat" else image[0] if not channels else np.moveaxis(image, 0, 2)
        )
        seen.add(next(key for key, window in wanted.items() if np.array_equal(window, back)))
    assert len(seen) > 40


@pytest.mark.parametrize("kind", ["table", "images"])
def test_a_network_is_the_same_alone_and_in_a_stack(kind: str) -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((60, 9)) < 0.5).astype(np.uint8) if kind == "table" else rng.random((60, 6, 5)).astype(np.float32)
    y, rows, seeds = rng.integers(0, 3, 60), [np.arange(50), np.arange(10, 27)], [4, 5]
    trainer = TorchTrainer(hidden=(16,), batch=10, epochs=4, augmentation=TrainingAugmentation(0.2))
    stacked = trainer.train(x, y, 3, rows, seeds)
    plain = TorchTrainer(hidden=(16,), batch=10, epochs=4).train(x, y, 3, rows, seeds)
    for i, model in enumerate(stacked):
        [alone] = trainer.train(x, y, 3, [rows[i]], [seeds[i]])
        assert np.abs(model.log_probs(x) - alone.log_probs(x)).max() < 1e-4
        assert np.abs(model.log_probs(x) - plain[i].log_probs(x)).max() > 1e-3


def test_what_cannot_be_moved_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(DataError, match="no feature of these rows is 0 or 1"):
        TorchTrainer(augmentation=TrainingAugmentation()).train(x, np.arange(20) % 2, 2, [np.arange(20)], [0])
    for rate in (0.0, 0.5, -1, float("nan")):
        with pytest.raises(UsageError, match="expected a rate"):
            TrainingAugmentation(rate)
