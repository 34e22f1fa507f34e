"""What shadow models answered, how much of an answer a target reveals, and who knows half of the members.

Letters: n rows, N rows that the models were asked, m shadow models, c classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Bools, Float64s, Floats, Ints

Signal: TypeAlias = Callable[[Floats, Ints], Floats]  # (log-probabilities (n, c), labels (n,)) -> (n,)

BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Reveal:
    """How much of its answer a target reveals; the attacker puts the shadows' answers through the same step.

    Attributes:
        kind: "full" vector, "labels" only, the "top" k probabilities (the others 0, not renormalised, as Shokri et al.
            2017 do), or all "rounded" to d decimals.
        amount: k of "top", d of "rounded".
        margins: the full vector stands for margins, of a model that gives no probabilities.
    """

    kind: Literal["full", "labels", "top", "rounded"] = "full"
    amount: int = 0
    margins: bool = False

    def apply(self, log_probs: Floats) -> Floats:
        """What is revealed of full answers (n, c); minus infinity where a probability is hidden or rounds to 0."""
        if self.kind == "full":
            return log_probs
        flat = np.asarray(log_probs).reshape(-1, log_probs.shape[-1])
        with np.errstate(divide="ignore"):
            if self.kind == "rounded":
                revealed = np.log(np.round(np.exp(flat), self.amount))
            else:
                if self.kind == "labels":
                    kept = flat.argmax(axis=1)[:, None]
                    values: Floats = np.zeros(kept.shape, np.float32)
                else:
                    kept = np.argsort(-flat, axis=1, kind="stable")[:, : self.amount]
                    values = np.take_along_axis(flat, kept, axis=1)
                revealed = np.full_like(flat, -np.inf)
                np.put_along_axis(revealed, kept, values, axis=1)
        return revealed.astype(np.float32).reshape(log_probs.shape)

    def __str__(self) -> str:
        whole = (
            "the margin of each class (there are no probabilities)" if self.margins else "the full probability vector"
        )
        words = {"full": whole, "labels": "the predicted label only"}
        top_or_rounded = (
            f"the top {self.amount} probabilities"
            if self.kind == "top"
            else f"probabilities rounded to {self.amount} decimals"
        )
        return words.get(self.kind, top_or_rounded)


@dataclass(frozen=True)
class ShadowAnswers:
    """What m shadow models answered on n rows, and which model was trained on which row.

    Attributes:
        answers: m arrays (N, c) of natural-log probabilities, one a shadow, memory-mapped or in memory (an (m, N, c)
            array will do); ``rows`` picks the n rows among the N.
        rows: (n,) positions in the answers.
        labels: (n,) class ids.
        member: (m, n) the shadow was trained on the row.
        usable: (m, n) the pair may be used at all. For Shokri's "out" set of the same size, a row that is neither in
            the training set nor in the test set of a shadow is not usable. True everywhere by default.
        hide_members: True in an offline view: answers on rows that a shadow was trained on read as NaN.
        reveal: the step that the target's answers go through.
        paired: shadows 2j and 2j + 1 were drawn as a pair, so one's rows tell of the other's; pairs are independent.
        observed: name -> m arrays (N, k) of what was observed of the shadows next to their answers.
        known: signals (m, n) that were worked out beforehand, none of them hidden.
    """

    answers: Sequence[Floats]
    rows: Ints
    labels: Ints
    member: Bools
    usable: Bools
    hide_members: bool = False
    reveal: Reveal = field(default_factory=Reveal)
    paired: bool = False
    observed: Mapping[str, Sequence[Floats]] = field(default_factory=dict)
    known: Mapping[Signal, Float64s] = field(default_factory=dict)

    @property
    def n_shadows(self) -> int:
        """Number of shadow models m."""
        return len(self.answers)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return int(self.answers[0].shape[1])

    def of_shadow(self, i: int) -> Floats:
        """Answers (n, c) of shadow i, through the reveal step, NaN where hidden."""
        return self._hidden(i, self.reveal.apply(np.asarray(self.answers[i])[self.rows]))

    def observation(self, name: str, i: int) -> Floats:
        """What was observed under this name of shadow i, (n, k), NaN where hidden."""
        return self._hidden(i, np.asarray(self.observed[name][i][self.rows]))

    def _hidden(self, i: int, values: Floats) -> Floats:
        if self.hide_members and self.member[i].any():
            return np.where(self.member[i][:, None], np.float32(np.nan), values)
        return values

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Blocks of answers (m, b, c) with the slice of rows that they cover, within a fixed memory."""
        n, m = len(self.rows), self.n_shadows
        size = max(1, BLOCK_BYTES // (4 * m * self.n_classes))
        for start in range(0, n, size):
            part = slice(start, min(start + size, n))
            stacked = np.stack([np.asarray(a[self.rows[part]]) for a in self.answers])
            block = self.reveal.apply(stacked)
            if self.hide_members:
                block = np.where(self.member[:, part, None], np.float32(np.nan), block)
            yield part, block

    def signal(self, signal: Signal) -> Floats:
        """A signal of every shadow on every row, (m, n) float32; NaN where hidden."""
        result = np.empty((self.n_shadows, len(self.rows)), dtype=np.float32)
        for i in range(self.n_shadows):
            result[i] = self.signal_of(i, signal)
        if self.hide_members:
            result[self.member] = np.nan
        return result

    def signal_of(self, i: int, signal: Signal, rows: Bools | None = None) -> Float64s:
        """A signal of shadow i on every row, or on those of a mask, (n,) float64; NaN where hidden."""
        if signal not in self.known:
            part = self if rows is None else self.at(rows)
            return np.asarray(signal(part.of_shadow(i), part.labels), dtype=np.float64)
        found, kept = self.known[signal][i], slice(None) if rows is None else rows
        return np.where(self.member[i], np.nan, found)[kept] if self.hide_members else found[kept]

    def through(self, reveal: Reveal) -> ShadowAnswers:
        """The same through another step, of which no signal is known yet."""
        return replace(self, reveal=reveal, known={})

    def without(self, i: int) -> ShadowAnswers:
        """The shadows that know nothing of shadow i's rows: all others, or where shadows are paired all other pairs."""
        partner = i ^ 1 if self.paired else i
        return self.only([j for j in range(self.n_shadows) if j not in (i, partner)])

    def only(self, shadows: Sequence[int] | Ints) -> ShadowAnswers:
        """Some of the shadows (positions), in this order."""
        order = np.asarray(shadows, dtype=np.int64)
        return replace(
            self,
            answers=[self.answers[j] for j in order],
            member=self.member[order],
            usable=self.usable[order],
            observed={name: [each[j] for j in order] for name, each in self.observed.items()},
            known={signal: values[order] for signal, values in self.known.items()},
        )

    def at(self, rows: Ints | Bools) -> ShadowAnswers:
        """The same shadows on some of the rows (positions or mask)."""
        return replace(
            self,
            rows=self.rows[rows],
            labels=self.labels[rows],
            member=self.member[:, rows],
            usable=self.usable[:, rows],
            known={signal: values[:, rows] for signal, values in self.known.items()},
        )

    def first(self, m: int) -> ShadowAnswers:
        """The first m shadows only."""
        return self.only(range(min(m, self.n_shadows)))

    def observed_only(self, names: frozenset[str]) -> ShadowAnswers:
        """The same without observations of other names."""
        return replace(self, observed={name: each for name, each in self.observed.items() if name in names})


FOLDS = 2


@dataclass(frozen=True)
class KnownHalf:
    """Two insiders: each was told the membership of one half of the audited rows, and judges the other half.

    An attack learns from `told` and scores `judged`, fold by fold; so no row's own membership has a part in its score.
    The contract suite checks that: other truths in a fold must leave the scores of that fold as they are.

    Attributes:
        fold: (n,) the half, 0 or 1, in which a row is judged.
        truth: (n,) membership. Attacks read it through `told` only.
    """

    fold: Ints
    truth: Bools

    def judged(self, fold: int) -> Ints:
        """Positions of the rows that are judged in this fold."""
        return np.flatnonzero(self.fold == fold).astype(np.int64)

    def told(self, fold: int) -> tuple[Ints, Bools]:
        """What is known when this fold is judged: positions of all other rows, and their membership."""
        others = np.flatnonzero(self.fold != fold).astype(np.int64)
        return others, self.truth[others]

    def at(self, rows: Ints | Bools) -> KnownHalf:
        """The same insiders on some of the rows (positions or mask)."""
        return KnownHalf(self.fold[rows], self.truth[rows])


def halve(member: Bools, rng: np.random.Generator) -> KnownHalf:
    """Halves members and non-members at random.

    Both halves hold as many members (give or take one): otherwise an attack that learns how common members are would
    be wrong in the opposite direction on the other half, and its AUC on noise would fall below one half.

    Args:
        member: (n,) the truth.
        rng: where chance comes from.

    >>> insider = halve(np.arange(8) < 4, np.random.default_rng(0))
    >>> [int(insider.told(fold)[1].sum()) for fold in (0, 1)]
    [2, 2]
    """
    fold = np.empty(len(member), dtype=np.int64)
    for side in (True, False):
        rows = np.flatnonzero(member == side)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    return KnownHalf(fold, np.asarray(member, dtype=np.bool_).copy())
