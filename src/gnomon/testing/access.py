"""What a toy world offers beyond answers: further queries, gradients, and an insider's half of the membership.

All of it follows from the target's answers and from chance that knows nothing of membership, so it raises nobody's best
possible AUC.
"""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows
from gnomon.stats.signals import loss, scaled_logit

CHECKPOINTS = 4  # of a toy world's training
STEP = 1.5  # log-odds that an answer loses with each bit between a question and the nearest known row


class ToyTarget:
    """A query handle over known rows: a question is answered as the nearest of them, less surely the farther it is.

    Attributes:
        asked: rows asked so far.
    """

    def __init__(self, x: Floats, labels: Ints, answers: Floats) -> None:
        """Takes the known rows.

        Args:
            x: (n, d) rows of zeros and ones.
            labels: (n,) their class ids.
            answers: (n, c) the target's answers.
        """
        self._x, self._labels, self._answers = x, labels, answers
        self.asked = 0

    @property
    def remaining(self) -> int | None:
        """Always None: no budget."""
        return None

    def ask(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        self.asked += count_rows(x)
        asked = np.asarray(x, dtype=np.float32).reshape(count_rows(x), -1)
        apart = asked.sum(axis=1)[:, None] + self._x.sum(axis=1) - 2.0 * asked @ self._x.T
        nearest = apart.argmin(axis=1)
        logits = self._answers[nearest].astype(np.float64)
        own = self._labels[nearest][:, None]
        logits[np.arange(len(asked)), own[:, 0]] -= STEP * apart.min(axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), dtype=np.float32)


def toy_course(answers: Floats, labels: Ints, rng: np.random.Generator) -> Floats:
    """Losses (n, k) at checkpoints of a training that ended with these answers: on the way there, with chance."""
    last = scaled_logit(answers, labels)
    share = np.arange(1, CHECKPOINTS + 1) / CHECKPOINTS
    logits = last[:, None] * share + (1.0 - share) * rng.normal(0.0, 1.0, (len(labels), CHECKPOINTS))
    return np.asarray(np.logaddexp(0.0, -logits), dtype=np.float32)


def toy_inside(answers: Floats, labels: Ints, rng: np.random.Generator) -> Floats:
    """Numbers (n, 6) of a last layer that gave these answers; its input is drawn."""
    own = loss(answers, labels)
    with np.errstate(under="ignore"):
        off = -np.expm1(-own)  # 1 - p_y
    size = np.exp(rng.normal(2.0, 0.3, len(labels)))
    drawn = np.sort(rng.normal(0.0, 1.0, (len(labels), 2)), axis=1)
    columns = [own, off * np.sqrt(size**2 + 1), off, size, *drawn.T]
    return np.column_stack(columns).astype(np.float32)


def toy_gradients(answers: Floats, labels: Ints, rng: np.random.Generator) -> dict[str, Floats]:
    """Norms of gradients (n,) of a network whose last layer gave these answers; activations are drawn."""
    with np.errstate(under="ignore"):
        off = -np.expm1(-loss(answers, labels))  # 1 - p_y
    size = np.exp(rng.normal(2.0, 0.3, len(labels)))
    last = off * np.sqrt(size**2 + 1)
    first = off * np.exp(rng.normal(1.0, 0.3, len(labels)))
    return {
        "parameters": np.hypot(first, last),
        "input": off * np.exp(rng.normal(0.0, 0.3, len(labels))),
        "layer.0": first,
        "layer.2": last,
        "last_layer": last,
        "activation": size,
    }
