"""Signals: plain functions of (log-probabilities, labels) that tell members from non-members.

Members tend to be answered with more confidence. A signal says how confident one answer is: `confidence`,
`scaled_logit`, `margin` and `correct` are higher for likely members; `loss`, `entropy` and
`modified_entropy` are lower for them, as in the papers, and attacks negate them.

All take natural-log probabilities (n, c), float32 as models give them, and labels (n,), and return float64 (n,).

- A probability near 1 keeps its tail: what is left of it is summed from the other classes, never taken from 1 - p.
- A probability of 0 (minus infinity) counts as the smallest positive float32, whose logarithm is `LOG_TINY`. So loss
  and scaled logit are finite (at most 103.28 in size) and one answer of 0 makes no mean and no variance infinite.
- Where an answer sums to less than 1 (top k, rounded), the hidden rest belongs to the classes other than the label.
- An answer that is hidden from the attacker (a row of NaN) gives NaN, and nothing else does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Floats, Ints

LOG_TINY = -149 * float(np.log(2.0))  # log of the smallest positive float32, 2**-149
HIDDEN_MASS = 1e-5  # a sum that misses 1 by less is float32 rounding

_Float64s = NDArray[np.float64]


def scaled_logit(log_probs: Floats, labels: Ints) -> Floats:
    """LiRA's phi = log p_y - log sum of the others: close to normal for one record over many models.

    Args:
        log_probs: (n, c) natural-log probabilities.
        labels: (n,) class ids.

    Returns:
        (n,) in [LOG_TINY, -LOG_TINY], higher = more member-like (Carlini et al. 2022, in its stable form).

    >>> scaled_logit(np.log([[0.7, 0.2, 0.1]]), np.array([0])).round(6)
    array([0.847298])
    """
    own, others = _own_and_others(log_probs, labels)
    return np.maximum(own, LOG_TINY) - np.maximum(others, LOG_TINY)


def loss(log_probs: Floats, labels: Ints) -> Floats:
    """Cross-entropy loss -log p_y: LOWER = more member-like (Yeom et al. 2018).

    Returns:
        (n,) in [0, -LOG_TINY]; where p_y rounds to 1 in float32, the tail is taken from the other classes.

    >>> loss(np.log([[0.7, 0.2, 0.1]]), np.array([1])).round(6)
    array([1.609438])
    """
    own, others = _own_and_others(log_probs, labels)
    return _loss(own, others)


def logit_of_loss(losses: Floats) -> Floats:
    """The scaled logit log p_y - log(1 - p_y) that belongs to a loss -log p_y, of any shape.

    Returns:
        float64 in [LOG_TINY, -LOG_TINY], higher = more member-like.

    >>> logit_of_loss(np.array([np.log(2.0), 0.0])).round(6)
    array([  0.     , 103.27893])
    """
    exact = np.asarray(losses, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        return np.clip(-exact - np.log(-np.expm1(-exact)), LOG_TINY, -LOG_TINY)


def confidence(log_probs: Floats, labels: Ints) -> Floats:
    """Probability p_y of the true label, (n,) in [0, 1], higher = more member-like.

    >>> confidence(np.log([[0.7, 0.2, 0.1]]), np.array([1])).round(6)
    array([0.2])
    """
    own, others = _own_and_others(log_probs, labels)
    with np.errstate(under="ignore"):
        return np.where(own == -np.inf, 0.0, np.exp(-_loss(own, others)))


def margin(log_probs: Floats, labels: Ints) -> Floats:
    """Hinge z_y - max z of the other logits, as log p_y - max log p (Carlini et al. 2022; Bertran et al. 2023).

    Returns:
        (n,) in [LOG_TINY, -LOG_TINY], higher = more member-like; positive where the model is right.

    >>> margin(np.log([[0.7, 0.2, 0.1]]), np.array([0])).round(6)
    array([1.252763])
    """
    own, rest = _split(log_probs, labels)
    result: _Float64s = np.maximum(own, LOG_TINY) - np.maximum(rest.max(axis=1).astype(np.float64), LOG_TINY)
    return result


def correct(log_probs: Floats, labels: Ints) -> Floats:
    """1.0 where the most probable class (the first of equals) is the label, else 0.0; higher = more member-like.

    >>> correct(np.log([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]]), np.array([0, 0]))
    array([1., 0.])
    """
    right = np.argmax(log_probs, axis=1) == labels
    return np.where(_hidden(log_probs), np.nan, right.astype(np.float64))


def entropy(log_probs: Floats, labels: Ints) -> Floats:  # noqa: ARG001 - a signal by its form
    """Prediction entropy -sum p_i log p_i in nats, whatever the label: LOWER = more member-like (Salem 2019).

    Returns:
        (n,) in [0, log c].

    >>> entropy(np.log([[0.7, 0.2, 0.1]]), np.array([0])).round(6)
    array([0.801819])
    """
    logs = np.asarray(log_probs, dtype=np.float64)
    top = np.argmax(logs, axis=1)
    own, others = _own_and_others(log_probs, top)
    terms = np.exp(logs) * np.maximum(logs, LOG_TINY)
    _put(terms, top, -np.exp(own) * _loss(own, others))
    total: _Float64s = -terms.sum(axis=1)
    return np.abs(total)  # a sum of zeros is -0.0


def negative_entropy(log_probs: Floats, labels: Ints) -> Floats:
    """Minus the entropy: higher = more certain, and more member-like."""
    return -entropy(log_probs, labels)


def modified_entropy(log_probs: Floats, labels: Ints) -> Floats:
    """-(1 - p_y) log p_y - sum over the others of p_i log(1 - p_i): LOWER = more member-like.

    Unlike the entropy it knows the label: a confident wrong answer is large (Song and Mittal 2021).

    Returns:
        (n,) in [0, -2 LOG_TINY]; 0 exactly where p_y = 1.

    >>> modified_entropy(np.log([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]]), np.array([0, 1])).round(6)
    array([0.162167, 2.140867])
    """
    p, top = np.exp(np.asarray(log_probs, dtype=np.float64)), np.argmax(log_probs, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        complement = np.log1p(-np.minimum(p, 1.0))
        _put(complement, top, _own_and_others(log_probs, top)[1])  # exact where p_i rounds to 1
        terms = -p * np.maximum(complement, LOG_TINY)
    own, others = _own_and_others(log_probs, labels)
    _put(terms, labels, np.exp(others) * _loss(own, others))
    total: _Float64s = terms.sum(axis=1)
    return np.abs(total)


def negative_modified_entropy(log_probs: Floats, labels: Ints) -> Floats:
    """Minus the modified entropy: higher = more certain of the label, and more member-like."""
    return -modified_entropy(log_probs, labels)


def _split(log_probs: Floats, labels: Ints) -> tuple[_Float64s, Floats]:
    """Log p_y (n,), and a copy of the answers (n, c) with minus infinity in its place."""
    rest = np.array(log_probs)
    place = np.asarray(labels)[:, None]
    own = np.take_along_axis(rest, place, axis=1)[:, 0].astype(np.float64)
    np.put_along_axis(rest, place, np.where(np.isnan(own), np.nan, -np.inf).astype(rest.dtype)[:, None], axis=1)
    return np.minimum(own, 0.0), rest


def _own_and_others(log_probs: Floats, labels: Ints) -> tuple[_Float64s, _Float64s]:
    """Log p_y and the log of the mass of all other classes, the hidden ones included; both may be minus infinity."""
    own, rest = _split(log_probs, labels)
    top = rest.max(axis=1)
    top = np.where(top == -np.inf, 0, top).astype(rest.dtype)
    with np.errstate(under="ignore", divide="ignore"):
        rest -= top[:, None]
        np.exp(rest, out=rest)  # float32 is exact enough inside a sum whose largest term is 1
        others = np.minimum(np.log(rest.sum(axis=1, dtype=np.float64)) + top, 0.0)
        mass = np.exp(others)
        hidden = 1.0 - np.exp(own) - mass
        return own, np.where(hidden > HIDDEN_MASS, np.log(mass + np.maximum(hidden, 0.0)), others)


def _loss(own: _Float64s, others: _Float64s) -> _Float64s:
    """-log p_y; from the others' mass where that says the same number to more digits (p_y near 1 in float32)."""
    plain = -np.maximum(own, LOG_TINY)
    with np.errstate(under="ignore", invalid="ignore"):
        refined = np.logaddexp(0.0, others + plain)  # log(1 + others / p_y)
    return np.where(np.abs(refined - plain) < HIDDEN_MASS, refined, plain)


def _hidden(log_probs: Floats) -> Bools:
    return np.asarray(np.isnan(log_probs).any(axis=1))


def _put(array: Floats, columns: Ints, values: Floats) -> None:
    np.put_along_axis(array, np.asarray(columns)[:, None], np.asarray(values)[:, None], axis=1)
