"""Targets whose answers are known in closed form, and a spy that remembers what they were asked."""

import numpy as np

from gnomon.core.data.features import Feature, FeatureSpace


def bits(d):
    return FeatureSpace(tuple(Feature(f"b{j}", "binary", (j,)) for j in range(d)))


def mixed():
    return FeatureSpace(
        (
            Feature("bit", "binary", (0,)),
            Feature("hot", "categorical", (1, 2, 3)),
            Feature("whole", "integer", (4,), 0, 30),
            Feature("real", "real", (5,), -1, 1),
            Feature("value", "categorical", (6,), values=(2, 4, 8, 16)),
        )
    )


def log_softmax(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


class Linear:
    """Softmax regression with random weights: every class can be reached by climbing."""

    def __init__(self, width, c, seed=0, scale=1.0):
        rng = np.random.default_rng(seed)
        self.weights = rng.normal(size=(width, c)) * scale
        self.asked = 0
        self.batches = []
        self.c = c

    def __call__(self, x):
        x = np.asarray(x, dtype=np.float64)
        self.asked += len(x)
        self.batches.append(len(x))
        # One row at a time in float64: the answer on a row must not depend on the rows beside it.
        return log_softmax(np.einsum("nd,dc->nc", x - 0.5, self.weights))


class Constant:
    """Gives every record the same answer."""

    def __init__(self, probabilities):
        with np.errstate(divide="ignore"):
            self.answer = np.log(np.array(probabilities)).astype(np.float32)
        self.asked = 0

    def __call__(self, x):
        self.asked += len(x)
        return np.tile(self.answer, (len(x), 1))


class Failing:
    """Answers like another target, and goes wrong once, from a certain number of calls on."""

    def __init__(self, target, call, fail):
        self.target = target
        self.left = call
        self.fail = fail

    def __call__(self, x):
        self.left -= 1
        answers = self.target(x)
        return self.fail(answers) if self.left == 0 else answers
