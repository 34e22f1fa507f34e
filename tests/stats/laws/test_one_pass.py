"""Sums in one compiled pass are those of numpy, and are used where they pay."""

from pathlib import Path

import numpy as np
import pytest

from gnomon.stats.laws import one_pass
from gnomon.stats.laws.moments import Moments, group_moments, outside_moments
from gnomon.stats.laws.one_pass import suits

pytest.importorskip("numba", reason="the extra fast is not installed")


@pytest.mark.parametrize("m", [1, 3, 4, 11])
def test_moments_are_those_of_numpy(m: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rng = np.random.default_rng(m)
    n = one_pass.BLOCK_ROWS + 77
    signals = (20.0 + rng.normal(size=(m, n))).astype(np.float32)
    signals[rng.random((m, n)) < 0.1] = np.nan
    signals[:, 5] = np.nan
    member = rng.random((m, n)) < 0.5
    plain = group_moments(signals, member)
    np.save(tmp_path / "signals.npy", signals)
    monkeypatch.setattr(one_pass, "FEWEST", 1)
    for table in (signals, np.load(tmp_path / "signals.npy", mmap_mode="r")):
        assert suits(table, member)
        compiled = group_moments(table, member)
        alike(compiled.inside, plain.inside)
        alike(compiled.outside, plain.outside)
        alike(outside_moments(table, member), plain.outside)
    assert signals.flags.writeable


def alike(got: Moments, expected: Moments) -> None:
    assert np.array_equal(got.count, expected.count)
    np.testing.assert_allclose(got.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(got.variance, expected.variance, atol=1e-11)


def test_small_odd_or_scattered_tables_are_left_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, member = np.zeros((4, 9), np.float32), np.zeros((4, 9), np.bool_)
    assert not suits(signals, member)
    monkeypatch.setattr(one_pass, "FEWEST", 36)
    assert suits(signals, member)
    assert not suits(signals.astype(np.float64), member)
    assert not suits(signals.T, member.T)
    assert not suits(signals, member[:, :8])
    monkeypatch.setattr(one_pass, "can_compile", lambda: False)
    assert not suits(signals, member)
