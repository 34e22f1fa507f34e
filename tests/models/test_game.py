"""Rules of adversarial regularisation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.models.torch.test_adversarial import SMALL

from gnomon.core.errors import UsageError


@pytest.mark.parametrize(
    "change", [{"strength": 0.0}, {"steps": 0}, {"sees": "labels"}, {"gain": "linear"}, {"answer_hidden": ()}]
)
def test_rules_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="adversarial: expected"):
        replace(SMALL, **change)
