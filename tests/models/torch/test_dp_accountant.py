"""Epsilon that a training spends, against closed forms."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("opacus")

from gnomon.models.torch.dp import noise_for, spent, usual_delta


@pytest.mark.parametrize("counted_by", ["prv", "rdp"])
def test_accountants_agree_with_the_gaussian_mechanism(counted_by: Any) -> None:
    """Without sampling, T steps of noise sigma are one Gaussian mechanism of mu = sqrt(T) / sigma (METHODS: mu = 1)."""
    assert 4.377 < spent(10.0, 1e-5, 1.0, 100, counted_by) < 4.377 * (1.01 if counted_by == "prv" else 1.1)
    assert noise_for(4.4, 1e-5, 1.0, 100, "prv") == pytest.approx(10, rel=0.02)


def test_delta_is_below_one_over_the_rows() -> None:
    for rows in (1, 9, 10, 99, 100, 12345):
        assert 0.1 / rows <= usual_delta(rows) < 1 / rows
