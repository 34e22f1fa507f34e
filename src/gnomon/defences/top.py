"""Top k: only the k largest probabilities are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.defences.shown import Shown
from gnomon.defences.strength import whole

RENORMALISED = "renormalised"


@dataclass(frozen=True)
class Top:
    """The k largest probabilities as they are, all others 0.

    Attributes:
        k: entries to keep.
        renormalised: scale them to sum to 1, so that what the others held can't be told.

    >>> Top.parse("3").label, Top.parse("3:renormalised").label
    ('top3', 'top3:renormalised')
    """

    name: ClassVar[str] = "top"
    title: ClassVar[str] = "Top k"
    paper: ClassVar[str] = "Shokri et al. 2017"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("top3", "top1", "top:3:renormalised")

    k: int
    renormalised: bool = False

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "3" or "3:renormalised".

        Raises:
            UsageError: k is no whole number >= 1, or another word behind it.
        """
        k, _, word = strength.partition(":")
        if word not in ("", RENORMALISED):
            raise UsageError(f'mitigation "top": expected top:K or top:K:{RENORMALISED}, got "top:{strength}"')
        return cls(whole(k, cls.name, least=1, what="entries to keep"), word == RENORMALISED)

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"top{self.k}" + (f":{RENORMALISED}" if self.renormalised else "")

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model.

        Raises:
            UsageError: more entries than there are classes.
        """
        if self.k > n_classes:
            raise UsageError(f'mitigation "top": {self.k} entries to keep, but there are only {n_classes} classes')
        return Shown("top", self.k, self.renormalised)
