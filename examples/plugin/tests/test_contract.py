"""The contract of an attack, as gnomon itself holds its own attacks to it."""

import pytest
from gnomon_margin.attack import Margin

from gnomon.testing import Check, yield_checks


@pytest.mark.parametrize("check", yield_checks(Margin()), ids=lambda check: check.name)
def test_the_attack_keeps_the_contract(check: Check) -> None:
    """One clause of the contract."""
    check.run()
