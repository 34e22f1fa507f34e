"""Mitigations: one a module, each a frozen record of its strength.

A mitigation of the answers has ``fit(known, n_classes, seed)``, which gives a function of answers alone, so that it
works on anybody's model and on stored answers. A mitigation in training has ``apply(trainer, reference)``, which gives
another trainer. Whether one is worth its cost only an audit can tell whose attacker knows it too (`gnomon defend`).
To add one, write a module with a frozen dataclass (`parse` reads its strength) and name it in `MITIGATIONS` below; the
contract suite in `tests/defences` picks it up from there.
"""

from __future__ import annotations

from typing import Any

from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.mitigations import AnswerMitigation, TrainingMitigation
from gnomon.defences.adversarial import Adversarial
from gnomon.defences.augmentation import Augment
from gnomon.defences.depth import Depth
from gnomon.defences.dp import DP
from gnomon.defences.dropout import Dropout
from gnomon.defences.early_stopping import EarlyStopping
from gnomon.defences.hamp_answers import HampAnswers
from gnomon.defences.hamp_training import HampTraining
from gnomon.defences.l2 import L2
from gnomon.defences.label_smoothing import SmoothLabels
from gnomon.defences.labels import Labels
from gnomon.defences.leaf import Leaf
from gnomon.defences.memguard import MemGuard
from gnomon.defences.noise import Noise
from gnomon.defences.relaxloss import Relax
from gnomon.defences.rounding import Rounding
from gnomon.defences.selena import Selena
from gnomon.defences.temperature import Temperature
from gnomon.defences.top import Top

MITIGATIONS: tuple[type[Any], ...] = (
    Top,
    Labels,
    Rounding,
    Temperature,
    Noise,
    MemGuard,
    HampAnswers,
    L2,
    Dropout,
    EarlyStopping,
    SmoothLabels,
    Augment,
    Relax,
    HampTraining,
    Selena,
    Adversarial,
    Depth,
    Leaf,
    DP,
)

__all__ = ["MITIGATIONS", "make_mitigation", *(mitigation.__name__ for mitigation in MITIGATIONS)]


def make_mitigation(text: str) -> AnswerMitigation | TrainingMitigation:
    """The mitigation that a plan names: a name, and behind it the strength, with a colon or without.

    Raises:
        UsageError: no such mitigation, or a strength that it can't have.

    >>> make_mitigation("top3"), make_mitigation("noise:1e-2"), make_mitigation("labels")
    (Top(k=3, renormalised=False), Noise(deviation=0.01), Labels())
    >>> make_mitigation("temprature5")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: no mitigation is called "temprature" (did you mean "temperature"?)
    """
    known = {mitigation.name: mitigation for mitigation in MITIGATIONS}
    for name in sorted(known, key=len, reverse=True):  # "l2" ends with a digit: names first, then strengths
        rest = text.removeprefix(name)
        if text.startswith(name) and (not rest or rest[0] in ":+-.0123456789"):
            made: AnswerMitigation | TrainingMitigation = known[name].parse(rest.removeprefix(":"))
            return made
    word = text.partition(":")[0].rstrip("+-.0123456789")
    raise UsageError(f'no mitigation is called "{word}"{did_you_mean(word, known)}')
