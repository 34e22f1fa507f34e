"""Attacks: one paper a module, each a frozen record of hyper-parameters with one method, `score`.

An attack declares what evidence it needs and is handed nothing else; it returns one score a record, higher = more
likely a member. To add one, write a module and name its class in `ATTACKS` below; the contract suite in `tests/` picks
it up from there.

An attack may also have a method ``notes(evidence) -> list[str]``: what the reader of its result must know (classes that
were too small for it, a fall-back that it took); it goes into the Record. And where evidence that is complete does not
suit it (rows that are no images), a method ``unfit(evidence) -> str | None`` says why, and it is skipped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gnomon.attacks.bavaria import Bavaria, BavariaOffline
from gnomon.attacks.boundary import Boundary
from gnomon.attacks.boundary_bits import BoundaryBits
from gnomon.attacks.calibrated import Calibrated, CalibratedOffline
from gnomon.attacks.courses import TrajectoryOffline, TrajectoryOnline
from gnomon.attacks.gap import Gap, Loss
from gnomon.attacks.insider import InsiderAttack
from gnomon.attacks.label_only import Augmentation, NoiseRobustness
from gnomon.attacks.lassila import Lassila, LassilaOffline
from gnomon.attacks.lira import Lira, LiraOffline
from gnomon.attacks.metrics import (
    Confidence,
    ConfidenceByClass,
    Entropy,
    EntropyByClass,
    ModifiedEntropy,
    ModifiedEntropyByClass,
)
from gnomon.attacks.nasr import GradientNorm, InputGradientNorm, Nasr, NasrInsider
from gnomon.attacks.population import PopulationAttack
from gnomon.attacks.quantile import Quantile, QuantileGaussian
from gnomon.attacks.reference import ReferenceAttack
from gnomon.attacks.rmia import Rmia, RmiaOffline
from gnomon.attacks.sablayrolles import Sablayrolles, SablayrollesOffline
from gnomon.attacks.salem import Salem, SalemStatistic
from gnomon.attacks.shokri import Shokri
from gnomon.attacks.trajectory import Trajectory
from gnomon.attacks.watson import Watson
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.evidence import Attack

ATTACKS: tuple[type[Any], ...] = (
    Gap,
    Loss,
    Confidence,
    Entropy,
    ModifiedEntropy,
    ConfidenceByClass,
    EntropyByClass,
    ModifiedEntropyByClass,
    Shokri,
    Salem,
    SalemStatistic,
    PopulationAttack,
    ReferenceAttack,
    Sablayrolles,
    SablayrollesOffline,
    Watson,
    Quantile,
    QuantileGaussian,
    LiraOffline,
    Lira,
    RmiaOffline,
    Rmia,
    LassilaOffline,
    Lassila,
    BavariaOffline,
    Bavaria,
    CalibratedOffline,
    Calibrated,
    NoiseRobustness,
    Augmentation,
    Boundary,
    BoundaryBits,
    Trajectory,
    TrajectoryOffline,
    TrajectoryOnline,
    GradientNorm,
    InputGradientNorm,
    Nasr,
    InsiderAttack,
    NasrInsider,
)

__all__ = ["ATTACKS", "make_attack", *(attack.__name__ for attack in ATTACKS)]


def make_attack(name: str, options: Mapping[str, Any] | None = None) -> Attack:
    """The attack of this name with these options.

    Raises:
        UsageError: no such attack, no such option, or a value that an option can't have.

    >>> make_attack("loss").title
    'Loss threshold'
    >>> make_attack("los")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: no attack is called "los" (did you mean "loss"?)
    """
    known = {attack.name: attack for attack in ATTACKS}
    if name not in known:
        raise UsageError(f'no attack is called "{name}"{did_you_mean(name, known)}')
    given = dict(options or {})
    fields = [field.name for field in dataclasses.fields(known[name]) if field.init]
    for option in given:
        if option not in fields:
            hint = did_you_mean(option, fields) if fields else " (it has none)"
            raise UsageError(f'attack "{name}" has no option "{option}"{hint}')
    made: Attack = known[name](**given)
    return made
