"""Attacks: one paper a module, each a frozen record of hyper-parameters with one method, `score`.

An attack declares what evidence it needs and is handed nothing else; it returns one score a record, higher = more
likely a member. To add one, write a module with a class that inherits from `gnomon.core.protocols.Attack` and put an
instance into `ATTACKS` below; the contract suite in `tests/` picks it up from there. A class that attacks in several
forms (online and offline, say) has an instance for each: the fields that tell them apart are made with
`gnomon.core.protocols.variant`. What several attacks use stands in `gnomon.attacks.parts`; attacks never import each
other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gnomon.attacks.bavaria import Bavaria
from gnomon.attacks.boundary import Boundary
from gnomon.attacks.boundary_bits import BoundaryBits
from gnomon.attacks.calibrated import Calibrated, CalibratedTrajectory
from gnomon.attacks.gap import Gap, Loss
from gnomon.attacks.label_only import Augmentation, NoiseRobustness
from gnomon.attacks.lassila import Lassila
from gnomon.attacks.lira import Lira
from gnomon.attacks.metrics import METRICS, MetricThreshold
from gnomon.attacks.nasr import GradientNorm, InputGradientNorm, InsiderAttack, Nasr
from gnomon.attacks.quantile import Quantile, QuantileGaussian
from gnomon.attacks.rmia import Rmia
from gnomon.attacks.sablayrolles import Sablayrolles
from gnomon.attacks.salem import Salem, SalemStatistic
from gnomon.attacks.shokri import Shokri
from gnomon.attacks.trajectory import Trajectory
from gnomon.attacks.watson import Watson
from gnomon.attacks.ye import PopulationAttack, ReferenceAttack
from gnomon.core.documents.record import PlugInFacts
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.protocols import Attack, options_of
from gnomon.models.plugins import PlugIn, check_name, facts_of, find_plugin, make

ATTACKS: tuple[Attack, ...] = (
    Gap(),
    Loss(),
    *(MetricThreshold(metric, by_class) for by_class in (False, True) for metric in METRICS),
    Shokri(),
    Salem(),
    SalemStatistic(),
    PopulationAttack(),
    ReferenceAttack(),
    Sablayrolles(),
    Sablayrolles(online=False),
    Watson(),
    Quantile(),
    QuantileGaussian(),
    Lira(online=False),
    Lira(),
    Rmia(online=False),
    Rmia(),
    Lassila(online=False),
    Lassila(),
    Bavaria(online=False),
    Bavaria(),
    Calibrated(online=False),
    Calibrated(),
    NoiseRobustness(),
    Augmentation(),
    Boundary(),
    BoundaryBits(),
    Trajectory(),
    CalibratedTrajectory(online=False),
    CalibratedTrajectory(),
    GradientNorm(),
    InputGradientNorm(),
    Nasr(),
    InsiderAttack(),
    InsiderAttack(white_box=True),
)

RESERVED_NAMES = ("ids", "member", "exposure", "groups", "none", "strongest")  # files of scores, words of documents

__all__ = ["ATTACKS", "make_attack", *dict.fromkeys(type(attack).__name__ for attack in ATTACKS)]


def make_attack(name: str, options: Mapping[str, Any] | None = None) -> Attack:
    """The attack of this name with these options.

    Raises:
        UsageError: no attack of gnomon's has this name, no such option, or a value that an option can't have.

    >>> make_attack("loss").title
    'Loss threshold'
    >>> make_attack("los")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: no attack is called "los" (did you mean "loss"?)
    """
    known: dict[str, Any] = {attack.name: attack for attack in ATTACKS}
    if name not in known:
        raise UsageError(f'no attack is called "{name}"{did_you_mean(name, known)}')
    return with_options(known[name], options)


def with_options(attack: Any, options: Mapping[str, Any] | None = None) -> Attack:
    """The attack with these options.

    Raises:
        UsageError: no such option, or a value that an option can't have.
    """
    given, own = dict(options or {}), options_of(attack)
    for option in given:
        if option not in own:
            hint = did_you_mean(option, own) if own else " (it has none)"
            raise UsageError(f'attack "{attack.name}" has no option "{option}"{hint}')
    made: Attack = dataclasses.replace(attack, **given) if given else attack
    return made


def make_foreign_attack(text: str, *, trust: bool) -> tuple[Attack, PlugInFacts]:
    """An attack of another package, by the name of its entry point or as ``module:Class``, and where it is from.

    Raises:
        UsageError: no such attack, not trusted, no attack, or a name that can't be.
    """
    found = find_plugin("attacks", text)
    if found is None or found[1]:
        raise UsageError(f'no attack is called "{text}"{did_you_mean(text, [a.name for a in ATTACKS])}')
    attack = check_foreign_attack(make(found[0].load(trust=trust)), text, found[0])
    return attack, facts_of("attacks", attack.name, attack, found[0])


def check_foreign_attack(given: Any, where: str, plugin: PlugIn | None = None) -> Attack:
    """An object as an attack.

    Args:
        given: the object.
        where: what a message begins with.
        plugin: where it was found.

    Raises:
        UsageError: it does not inherit from `gnomon.core.protocols.Attack`, or has a name that can't be.
    """
    if Attack not in type(given).__mro__:
        raise UsageError(
            f"{where}: expected an attack, an object of a class that inherits from gnomon.core.protocols.Attack, got "
            f"{type(given).__name__}"
        )
    attack: Attack = given
    check_name(attack.name, lambda name: name in {a.name for a in ATTACKS} or name in RESERVED_NAMES, where, plugin)
    return attack
