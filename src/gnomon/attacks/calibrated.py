"""Shokri's learned attack on LiRA's evidence (gnomon, 2026).

Shokri et al. (2017) learn what a member's answer looks like from shadow models, but hold all records to one measure.
LiRA (2022) measures each record by shadow models that knew it and that did not, but fixes the form of the likelihoods.
Here each shadow model in turn plays the target and others calibrate it, record by record; a gradient-boosted attack
model learns from all these rehearsals what sets a member apart, and then scores the real target. No audited row's
membership is used: the rehearsals are about the shadows' own training rows.

**Why a rehearsal leaves two shadows out.** Shadows are balanced: each record is IN half of them. So, once shadow i plays
the target, the count of IN models among the others says whether i was trained on the record, and a learned attack
would learn to count, which is of no use against the real target, whose members were drawn apart. Therefore with i goes
a second shadow of the opposite kind for that record: a pair of which one knew the record and one did not, each as
likely as the other to be the one that plays the target. Whatever the masks are, what is left over says nothing of
which of the two it is; records that are IN more shadows than OUT of are weighted so that both kinds count alike.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints
from gnomon.core.evidence import Signal
from gnomon.stats.signals import entropy, margin, scaled_logit

PAPER = "gnomon 2026"
FEWEST_SHADOWS = 4  # with fewer, a rehearsal that leaves two out has nothing left to calibrate with
BLOCK_ROWS = 20_000
RIDGE = 1e-3
SMALLEST_SQUARE = 1e-3  # of the mean squared residual

_Float64s: TypeAlias = NDArray[np.float64]


def _negative_entropy(log_probs: Floats, labels: Ints) -> Floats:
    return -entropy(log_probs, labels)


SIGNALS: tuple[Signal, ...] = (scaled_logit, margin, _negative_entropy)
