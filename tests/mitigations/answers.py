"""Answers of models that do not exist, for mitigations of answers."""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.mitigations import Known


def answers(n: int, c: int, seed: int, *, sharpness: float = 3.0) -> Floats:
    """Natural-log probabilities (n, c), float32: a softmax of normal logits of this spread."""
    logits = sharpness * np.random.default_rng(seed).normal(size=(n, c))
    logs = logits - logits.max(axis=1, keepdims=True)
    return (logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))).astype(np.float32)


def extreme(c: int) -> Floats:
    """Answers (4, c) that break careless arithmetic: certain, even, tied, and with zeros."""
    rows = np.zeros((4, c))
    rows[0, 1] = 1.0
    rows[1] = 1.0 / c
    rows[2, :2] = 0.5
    rows[3, -2:] = (0.3, 0.7)
    with np.errstate(divide="ignore"):
        return np.log(rows).astype(np.float32)


def known(c: int, seed: int = 0, *, k: int = 200, gap: float = 3.0) -> Known:
    """What an owner has at hand whose model is surer of its members than of anything else."""
    members, reference = answers(k, c, seed, sharpness=3.0 + gap), answers(k, c, seed + 1)
    random = answers(k, c, seed + 2, sharpness=1.0)
    return Known(members, members.argmax(axis=1), reference, reference.argmax(axis=1), random)
