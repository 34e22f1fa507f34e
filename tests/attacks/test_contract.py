"""Every attack x every clause of the contract x its toy worlds."""

import pytest
from tests.attacks.suited import SUITED

from gnomon.attacks import ATTACKS
from gnomon.testing import yield_checks


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_contract_holds(attack):
    broken = []
    for check in yield_checks(attack, complete=SUITED.get(type(attack))):
        try:
            check.run()
        except Exception as error:  # all broken clauses at once are worth more than the first
            broken.append(f"{check.name}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)
