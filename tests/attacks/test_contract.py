"""Every attack x every clause of the contract x its toy worlds."""

from dataclasses import replace

import pytest

from gnomon.attacks import ATTACKS, Augmentation
from gnomon.testing import yield_checks


def as_images(world):
    """Rows of 12 bits as images of 4 x 3."""
    x = world.evidence.x
    return world._replace(evidence=replace(world.evidence, x=x.reshape(len(x), 4, 3)))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_contract_holds(attack):
    broken = []
    for check in yield_checks(attack(), complete=as_images if attack is Augmentation else None):
        try:
            check.run()
        except Exception as error:  # all broken clauses at once are worth more than the first
            broken.append(f"{check.name}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)
