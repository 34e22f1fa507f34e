"""The steps of a fully connected network's training in one pass over its numbers: forward, backward, optimiser.

Plain Python over numpy arrays, in the part of the language that numba compiles, where it is installed (the extra
``fast``); uncompiled it gives the same numbers, only slowly. A network's numbers lie one behind the other in one
vector: for each layer its weights (inputs, units), then its biases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gnomon.core.compiled import compiled, inlined

NARROW = 12  # columns up to which BLAS is slower than a loop at a product of transposed rows
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam


@inlined
def tanh_row(line: Any) -> None:
    """The hyperbolic tangent (h,) in place, to 3e-7: a ratio of polynomials that vector units compute (Eigen's)."""
    for j in range(len(line)):
        u = line[j]
        u = np.float32(7.905311) if u > np.float32(7.905311) else u
        u = np.float32(-7.905311) if u < np.float32(-7.905311) else u
        s = u * u
        top = np.float32(-2.76076847742355e-16)
        top = top * s + np.float32(2.00018790482477e-13)
        top = top * s + np.float32(-8.60467152213735e-11)
        top = top * s + np.float32(5.12229709037114e-08)
        top = top * s + np.float32(1.48572235717979e-05)
        top = top * s + np.float32(6.37261928875436e-04)
        top = top * s + np.float32(4.89352455891786e-03)
        low = np.float32(1.19825839466702e-06)
        low = low * s + np.float32(1.18534705686654e-04)
        low = low * s + np.float32(2.26843463243900e-03)
        low = low * s + np.float32(4.89352518554385e-03)
        line[j] = u * top / low


@inlined
def activate(out: Any, relu: bool) -> None:
    """ReLU, or else tanh, of a layer's sums (k, h) in place."""
    for i in range(len(out)):
        line = out[i]
        if relu:
            for j in range(len(line)):
                line[j] *= np.float32(line[j] > 0)  # not a branch: this goes through vector units; NaN stays NaN
        else:
            tanh_row(line)


@inlined
def add_to_rows(out: Any, biases: Any) -> None:
    """Adds (h,) to each row of (k, h)."""
    for i in range(len(out)):
        line = out[i]
        for j in range(len(line)):
            line[j] += biases[j]


@inlined
def multiply_rows(into: Any, rows: Any, factors: Any, first: int) -> None:
    """Rows (k, h) times the h factors from ``first`` on of (k, u), into (k, h)."""
    for i in range(len(rows)):
        line, given, factor = into[i], rows[i], factors[i]
        for j in range(len(line)):
            line[j] = given[j] * factor[first + j]


@inlined
def sum_ones(out: Any, weights: Any, order: Any, ones: Any, starts: Any) -> None:
    """The first layer's sums (k, h) of rows of bits: the weights (d, h) of the columns that are 1."""
    for i in range(len(out)):
        line = out[i]
        line[:] = 0
        for q in range(starts[order[i]], starts[order[i] + 1]):
            weight = weights[ones[q]]
            for j in range(len(line)):
                line[j] += weight[j]


@inlined
def spread_ones(slope: Any, sent: Any, order: Any, ones: Any, starts: Any) -> None:
    """Adds the signals (k, h) of rows of bits to the slopes (d, h) of the columns that are 1."""
    for i in range(len(sent)):
        line = sent[i]
        for q in range(starts[order[i]], starts[order[i] + 1]):
            into = slope[ones[q]]
            for j in range(len(line)):
                into[j] += line[j]


@inlined
def add_products(slope: Any, rows: Any, sent: Any) -> None:
    """Adds narrow rows (k, d), transposed, times the signals (k, h) to the slopes (d, h); four rows at a time."""
    k = len(rows)
    for i in range(0, k - k % 4, 4):
        one, two, three, four = sent[i], sent[i + 1], sent[i + 2], sent[i + 3]
        for f in range(len(slope)):
            into, a, b, c, d = slope[f], rows[i, f], rows[i + 1, f], rows[i + 2, f], rows[i + 3, f]
            for j in range(len(into)):
                into[j] += a * one[j] + b * two[j] + c * three[j] + d * four[j]
    for i in range(k - k % 4, k):
        line = sent[i]
        for f in range(len(slope)):
            into, a = slope[f], rows[i, f]
            for j in range(len(into)):
                into[j] += a * line[j]


@inlined
def softmax_less_label(signal: Any, logits: Any, labels: Any) -> None:
    """Gradient (k, c) of the mean cross-entropy in the logits (k, c)."""
    share = np.float32(1.0 / len(labels))
    for i in range(len(labels)):
        line, into = logits[i], signal[i]
        most = line[0]
        for j in range(1, len(line)):
            most = max(most, line[j])
        whole = np.float32(0)
        for j in range(len(line)):
            into[j] = np.exp(line[j] - most)
            whole += into[j]
        for j in range(len(line)):
            into[j] *= share / whole
        into[labels[i]] -= share


@inlined
def through_activation(signal: Any, out: Any, relu: bool) -> None:
    """Signals (k, h) behind an activation become those before it, in place; ``out`` is what it gave."""
    for i in range(len(signal)):
        line, gave = signal[i], out[i]
        if relu:
            for j in range(len(line)):
                line[j] = np.float32(0) if gave[j] <= 0 else line[j]
        else:
            for j in range(len(line)):
                line[j] *= np.float32(1) - gave[j] * gave[j]


@inlined
def adam_step(numbers: Any, slopes: Any, first: Any, second: Any, taken: int, rate: float, decay: float) -> None:
    """One step of Adam on all numbers (w,) at once; the slopes are 0 afterwards."""
    size = np.float32(rate / (1.0 - BETA1**taken))
    root = np.float32(1.0 / np.sqrt(1.0 - BETA2**taken))
    penalty = np.float32(decay)
    keep1, keep2, epsilon = np.float32(BETA1), np.float32(BETA2), np.float32(EPSILON)
    new1, new2 = np.float32(1 - BETA1), np.float32(1 - BETA2)
    for i in range(len(numbers)):
        slope = slopes[i] + penalty * numbers[i]
        slopes[i] = np.float32(0)
        first[i] = keep1 * first[i] + new1 * slope
        second[i] = keep2 * second[i] + new2 * slope * slope
        numbers[i] -= size * first[i] / (np.sqrt(second[i]) * root + epsilon)


@inlined
def descend(numbers: Any, slopes: Any, velocity: Any, rate: float, decay: float, momentum: float) -> None:
    """One step of gradient descent on all numbers (w,); the slopes are 0 afterwards."""
    size, penalty, keep = np.float32(rate), np.float32(decay), np.float32(momentum)
    for i in range(len(numbers)):
        velocity[i] = keep * velocity[i] + slopes[i] + penalty * numbers[i]
        slopes[i] = np.float32(0)
        numbers[i] -= size * velocity[i]


@inlined
def block(numbers: Any, start: int, rows: int, columns: int) -> Any:
    """So many rows and columns (rows, columns) of a vector, from a position on."""
    return numbers[start : start + rows * columns].reshape((rows, columns))


@compiled
def steps(
    rows: Any, order: Any, ones: Any, starts: Any, labels: Any, masks: Any, widths: Any, numbers: Any, slopes: Any,
    first: Any, second: Any, taken: int, stops: Any, adam: bool, relu: bool, rate: float, decay: float, momentum: float,
) -> int:  # fmt: skip
    """Trains a network by a step for each batch of the rows; its numbers are changed.

    Args:
        rows: float32 (n, d), in the order of training; (0, d) where ``ones`` stands for them.
        order: int64 (n,), the row of ``starts`` that each one is.
        ones: int32 (k,), the columns of each row that are 1, all others being 0.
        starts: int64 (pool + 1,), where a row's entries of ``ones`` begin.
        labels: int64 (n,).
        masks: float32 (n, units of all hidden layers), factors of dropout; (0, 0) for none.
        widths: int64 (layers + 1,), numbers that go into each layer, and classes.
        numbers: float32 (w,), weights and biases.
        slopes: float32 (w,), zeros; their gradients.
        first: float32 (w,), Adam's first moments, or the velocity of gradient descent.
        second: float32 (w,), Adam's second moments.
        taken: steps that were taken before.
        stops: int64 (batches,), where each batch's rows end.
        adam: Adam (Kingma and Ba, 2015), or else gradient descent with momentum.
        relu: ReLU, or else tanh.
        rate: learning rate.
        decay: L2 penalty.
        momentum: of gradient descent.

    Returns:
        Steps taken, with those before.
    """
    layers, sparse, drops = len(widths) - 1, len(rows) < len(labels), masks.shape[1] > 0
    total, batch = widths[1:].sum(), np.diff(stops).max() if len(stops) > 1 else 0
    batch = max(batch, stops[0])
    outs = np.empty(batch * total, np.float32)  # of each layer, layer after layer
    ins = np.empty(batch * total, np.float32) if drops else outs  # the same behind dropout: what the next layer gets
    signals = np.empty(batch * total, np.float32)  # slopes of the loss in each layer's sums
    start = 0
    for stop in stops:
        k, here = stop - start, slice(start, stop)
        at, unit = 0, 0  # where the layer's numbers, and its units, begin
        for layer in range(layers):
            d, h = widths[layer], widths[layer + 1]
            weights, out = block(numbers, at, d, h), block(outs, batch * unit, k, h)
            if layer > 0:
                np.dot(block(ins, batch * (unit - d), k, d), weights, out)
            elif sparse:
                sum_ones(out, weights, order[here], ones, starts)
            else:
                np.dot(rows[here], weights, out)
            add_to_rows(out, numbers[at + d * h : at + d * h + h])
            if layer < layers - 1:
                activate(out, relu)
                if drops:
                    multiply_rows(block(ins, batch * unit, k, h), out, masks[here], unit)
            at += d * h + h
            unit += h
        c = widths[layers]
        unit -= c
        softmax_less_label(block(signals, batch * unit, k, c), block(outs, batch * unit, k, c), labels[here])
        for back in range(layers):
            layer = layers - 1 - back
            d, h = widths[layer], widths[layer + 1]
            at -= d * h + h
            sent, slope = block(signals, batch * unit, k, h), block(slopes, at, d, h)
            bias_slope = slopes[at + d * h : at + d * h + h]
            for i in range(k):
                line = sent[i]
                for j in range(h):
                    bias_slope[j] += line[j]
            if layer > 0:
                unit -= d
                np.dot(block(ins, batch * unit, k, d).T, sent, slope)
                below = block(signals, batch * unit, k, d)
                np.dot(sent, block(numbers, at, d, h).T, below)
                if drops:
                    multiply_rows(below, below, masks[here], unit)
                through_activation(below, block(outs, batch * unit, k, d), relu)
            elif sparse:
                spread_ones(slope, sent, order[here], ones, starts)
            elif d <= NARROW:
                add_products(slope, rows[here], sent)
            else:
                np.dot(rows[here].T, sent, slope)
        start = stop
        taken += 1
        if adam:
            adam_step(numbers, slopes, first, second, taken, rate, decay)
        else:
            descend(numbers, slopes, first, rate, decay, momentum)
    return taken
