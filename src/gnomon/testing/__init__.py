"""The contract suite and the toy worlds that ship, so that other people can check their own attacks.

A toy world is evidence whose truth is known in closed form: an attack on it must not pass the best possible AUC, and on
a noise world must not beat chance. `yield_checks` gives the contract of an attack as small functions: run them all.

    for check in yield_checks(MyAttack()):
        check.run()
"""

from gnomon.testing.checks import Check, yield_checks
from gnomon.testing.toy import (
    PhiLaw,
    ToyRows,
    World,
    difficulty_world,
    gaussian_world,
    global_auc,
    make_world,
    noise_world,
    overfitted_world,
)

__all__ = [
    "Check",
    "PhiLaw",
    "ToyRows",
    "World",
    "difficulty_world",
    "gaussian_world",
    "global_auc",
    "make_world",
    "noise_world",
    "overfitted_world",
    "yield_checks",
]
