import numpy as np
import pytest

from gnomon.core.errors import DataError
from gnomon.stats.laws import moments
from gnomon.stats.laws.moments import GroupMoments, group_moments, outside_moments


def twin(values, member):
    """Count, mean and variance of one row's visible values, one row at a time."""
    result = np.full((2, 3, values.shape[1]), np.nan)
    for j in range(values.shape[1]):
        for kind, chosen in enumerate((member[:, j], ~member[:, j])):
            mine = values[chosen, j].astype(float)
            mine = mine[~np.isnan(mine)]
            result[kind, 0, j] = len(mine)
            if len(mine):
                result[kind, 1:, j] = mine.mean(), mine.var()
    return result


def check(got, expected):
    for kind, group in enumerate((got.inside, got.outside)):
        for k, name in enumerate(("count", "mean", "variance")):
            np.testing.assert_allclose(getattr(group, name), expected[kind, k], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("m", [1, 2, 7])
@pytest.mark.parametrize("n", [1, 13, 300])
@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_equal_to_the_loop_over_records(m, n, hidden, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK_ROWS", 64)  # many blocks, the last one short
    monkeypatch.setattr(moments, "BLOCK_MODELS", 3)
    rng = np.random.default_rng(m * 1000 + n)
    values = rng.normal(20.0, 0.5, (m, n)).astype(np.float32)
    member = rng.random((m, n)) < 0.5
    member[:, : n // 4] = True
    values[rng.random((m, n)) < hidden] = np.nan
    both = group_moments(values, member)
    check(both, twin(values, member))
    check(GroupMoments(both.inside, outside_moments(values, member)), twin(values, member))


def test_reads_a_mapped_file_and_transforms_by_block(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 50)).astype(np.float32)
    np.save(tmp_path / "signals.npy", values)
    member = rng.random((5, 50)) < 0.5
    mapped = np.load(tmp_path / "signals.npy", mmap_mode="r")
    check(group_moments(mapped, member, np.exp), twin(np.exp(values), member))


def test_pooled_and_overall_figures_are_those_of_all_values_together():
    rng = np.random.default_rng(1)
    values, member = rng.normal(3.0, 2.0, (6, 40)), np.zeros((6, 40), bool)
    member[:3, ::2] = True
    outside = group_moments(values, member).outside
    flat = values[~member]
    assert outside.overall_mean == pytest.approx(flat.mean())
    assert outside.overall_variance == pytest.approx(flat.var())
    deviations = sum(((v := values[~member[:, j], j]) - v.mean()) @ (v - v.mean()) for j in range(40))
    assert outside.pooled_variance == pytest.approx(deviations / (len(flat) - 40))


def test_an_empty_group_has_no_figures():
    inside = group_moments(np.ones((1, 3)), np.zeros((1, 3), bool)).inside
    assert np.isnan([inside.pooled_variance, inside.overall_mean, inside.overall_variance]).all()


def test_refuses_masks_of_another_shape():
    with pytest.raises(DataError, match="one shape"):
        group_moments(np.ones((2, 3)), np.ones((3, 2), bool))
    with pytest.raises(DataError, match="one shape"):
        outside_moments(np.ones((2, 3)), np.ones((3, 2), bool))
