"""Every attack x every clause of the contract x its toy worlds."""

from dataclasses import replace

import pytest
from tests.attacks.suited import SUITED

from gnomon.attacks import ATTACKS
from gnomon.testing import yield_checks

FEW = {"trees": 5, "iterations": 5, "epochs": 10, "directions": 4}


def quick(attack):
    """With little learning: no clause needs more, and each attack is scored some 40 times."""
    return replace(attack, **{name: few for name, few in FEW.items() if getattr(attack, name, 0) > few})


@pytest.mark.parametrize("attack", [quick(attack) for attack in ATTACKS], ids=lambda attack: attack.name)
def test_the_contract_holds(attack):
    broken = []
    for check in yield_checks(attack, complete=SUITED.get(type(attack))):
        try:
            check.run()
        except Exception as error:  # all broken clauses at once are worth more than the first
            broken.append(f"{check.name}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)
