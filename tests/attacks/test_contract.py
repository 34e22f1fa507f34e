"""Every attack x every clause of the contract x its toy worlds."""

from dataclasses import replace

import pytest
from tests.attacks.suited import SUITED

from gnomon.attacks import ATTACKS
from gnomon.testing import yield_checks


def quick(attack):
    """With few trees: no clause asks for more, and each is scored some 40 times."""
    return replace(attack, trees=20) if hasattr(attack, "trees") else attack


@pytest.mark.parametrize("attack", [quick(attack) for attack in ATTACKS], ids=lambda attack: attack.name)
def test_the_contract_holds(attack):
    broken = []
    for check in yield_checks(attack, complete=SUITED.get(type(attack))):
        try:
            check.run()
        except Exception as error:  # all broken clauses at once are worth more than the first
            broken.append(f"{check.name}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)
