"""The rules of the min-max game between a network and an attacker that is trained with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gnomon.core.errors import UsageError


@dataclass(frozen=True)
class Game:
    """The rules: how strong the attacker counts, what it is, and who moves when (Nasr, Shokri and Houmansadr, 2018).

    The defaults are scaled to some thousand training rows, where the authors' networks and steps learn the reference
    rows by heart. Their code for 19,732 rows of Purchase-100 has layers of 1,024, 512 and 64 (answer), 128 and 64
    (label), 512, 256, 128 and 64 (both), a learning rate of 1e-4, batches of 128, 26 steps, an epoch alone, 5 passes
    ahead, logits, a spread of 0.01 and a lambda of 3. With too large a lambda the classifier deceives its own attacker
    and nobody else, at the cost of its accuracy: sweep it.

    Args:
        strength: lambda, of the attacker's gain in the classifier's loss.
        answer_hidden: ReLU layers that the answer goes through on its own.
        label_hidden: ReLU layers that the label (one-hot) goes through on its own.
        joint_hidden: ReLU layers that both go through together, before one output.
        learning_rate: Adam's, of the attacker.
        batch: members, and as many reference rows, in a step of the attacker.
        steps: of the attacker before each step of the classifier.
        warm_up: epochs that the classifier is trained alone at first.
        head_start: passes over the members that the attacker then makes before the game begins.
        sees: what of the answer the attacker gets: ``probabilities``, as in the paper, or ``logits``, as in the
            authors' code, which leave the classifier more room to deceive it.
        gain: ``squares``, as in the authors' code (the attacker minimises the squared error of h, the classifier
            lambda * mean h), or ``log``, as in the paper (log h and log(1 - h); lambda / 2 * mean log h).
        spread: standard deviation of the attacker's initial weights, biases 0; None leaves torch's own.
    """

    strength: float = 1.5
    answer_hidden: tuple[int, ...] = (64, 32)
    label_hidden: tuple[int, ...] = (32,)
    joint_hidden: tuple[int, ...] = (32,)
    learning_rate: float = 1e-3
    batch: int = 100
    steps: int = 4
    warm_up: int = 8
    head_start: int = 5
    sees: Literal["logits", "probabilities"] = "probabilities"
    gain: Literal["squares", "log"] = "squares"
    spread: float | None = None

    def __post_init__(self) -> None:
        widths = (*self.answer_hidden, *self.label_hidden, *self.joint_hidden)
        rules = {
            "strength": (0 < self.strength < math.inf, "a number above 0"),
            "learning_rate": (0 < self.learning_rate < math.inf, "a number above 0"),
            "batch": (self.batch >= 1, "1 or more"),
            "steps": (self.steps >= 1, "1 or more"),
            "warm_up": (self.warm_up >= 0, "0 or more"),
            "head_start": (self.head_start >= 0, "0 or more"),
            "sees": (self.sees in ("logits", "probabilities"), "logits or probabilities"),
            "gain": (self.gain in ("squares", "log"), "squares or log"),
            "spread": (self.spread is None or 0 < self.spread < math.inf, "a number above 0"),
            "answer_hidden": (bool(self.answer_hidden) and min(widths) >= 1, "one or more widths of at least 1"),
            "label_hidden": (bool(self.label_hidden), "one or more widths of at least 1"),
        }
        for name, (holds, expected) in rules.items():
            if not holds:
                raise UsageError(f"adversarial: expected {name} to be {expected}, got {getattr(self, name)!r}")
