"""An order of shadow models that follows from what they are, for attacks that draw from them or are trained on them."""

from __future__ import annotations

import numpy as np

from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import fingerprint

SAMPLE = 256  # rows whose answers tell two shadows of one mask apart


def in_own_order(shadows: ShadowAnswers) -> ShadowAnswers:
    """The same shadows, sorted by a digest of their masks and of some answers.

    A learned attack draws rows shadow by shadow; without an order of their own, renumbering the shadows would change
    its scores.
    """
    rows = shadows.rows[:SAMPLE]
    digests = [fingerprint(shadows.member[i], np.asarray(shadows.answers[i])[rows]) for i in range(shadows.n_shadows)]
    return shadows.only(np.argsort(digests, kind="stable"))
