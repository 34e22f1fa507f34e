"""Evidence: everything that the attacker saw, and the views that enforce what an attack declared.

An attack reads the evidence through `Evidence.view`, from which everything that it did not declare is removed: the
threat model is enforced, not promised. Members and non-members stand in shuffled order; membership is not in here.

Letters: n audited rows, m shadow models, c classes, p rows of the attacker's pool, z population rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, get_args, overload

from gnomon.core.answers import KnownHalf, Reveal, ShadowAnswers, Signal
from gnomon.core.arrays import Bools, Floats, Ints, Rows, take_rows
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import UsageError

Need: TypeAlias = Literal[
    "labels",  # the label that the target predicts on the audited rows, and nothing else of any answer
    "answers",  # what the target answered on the audited rows
    "shadows_out",  # shadow models' answers on audited rows that they were NOT trained on (offline)
    "shadows",  # ... and on those that they were trained on (online)
    "pool",  # shadow models' answers on the attacker's own rows, in and out
    "population",  # rows that the attacker knows to be no members, with the target's answers
    "query",  # further queries to the target, counted
    "x",  # the audited rows themselves
    "gradients",  # white box: norms of the target's gradients
    "checkpoints",  # the course of training: losses at checkpoints, of the target and of the shadows that are needed
    "inside",  # white box: the last layer's gradient and input, of the target and of the shadows that are needed
    "membership_half",  # an insider who knows half of the members
]

NEEDS: frozenset[Need] = frozenset(get_args(Need))
ANSWERS: frozenset[Need] = frozenset({"labels", "answers"})  # what the target said of the audited rows
WHITE_BOX: frozenset[Need] = frozenset({"gradients", "inside"})  # a look at the weights
INSIDE: frozenset[Need] = WHITE_BOX | {
    "checkpoints",
    "membership_half",
}  # no verdict speaks of these
BLACK_BOX: frozenset[Need] = NEEDS - INSIDE
REHEARSABLE: frozenset[Need] = NEEDS - {"query", "gradients", "membership_half"}  # shadows keep answers, not weights


def reads_labels_only(needs: Iterable[str]) -> bool:
    """Whether an attack with these needs is handed predicted labels in place of answers, and looks at no model.

    >>> reads_labels_only({"labels", "query", "x"}), reads_labels_only({"answers"})
    (True, False)
    """
    return "labels" in needs and BLACK_BOX - {"answers"} >= set(needs)


LABELS = Reveal("labels")
OBSERVED = ("checkpoints", "inside")

_WORDS: dict[Need, str] = {
    "labels": "the target's answers",
    "answers": "the target's answers",
    "shadows_out": "shadow models",
    "shadows": "shadow models trained on audited rows (the auditor's view)",
    "pool": "shadow models",
    "population": "known non-members other than the audited rows",
    "query": "further queries to the target",
    "x": "the audited rows themselves",
    "gradients": "white-box access (a torch network)",
    "checkpoints": "checkpoints of a training that is done here",
    "inside": "white-box access to the target and its shadows (torch networks)",
    "membership_half": "the membership of half of the audited rows (the auditor's view)",
}
_PARTS: Mapping[str, str] = {
    **{str(need): words for need, words in _WORDS.items()},
    "shadows": "shadow models",
    "features": "the kinds of the columns",
    "insider": _WORDS["membership_half"],
}
Part = TypeVar("Part")


def lacking(needs: Iterable[Need], there: Collection[Need]) -> str | None:
    """What evidence an attack with these needs lacks, in words; None if all that is evidence at all is there.

    >>> lacking({"labels", "x"}, {"labels", "answers"})
    'needs the audited rows themselves'
    """
    return next((f"needs {_WORDS[need]}" for need in sorted(NEEDS & set(needs)) if need not in there), None)


def required(part: Part | None, what: str) -> Part:
    """The part itself.

    Raises:
        UsageError: there is none.
    """
    if part is None:
        raise UsageError(f"the evidence lacks {what}, which this attack needs")
    return part


@dataclass(frozen=True)
class Population:
    """Rows that the attacker knows the target was not trained on.

    Attributes:
        labels: (z,) class ids.
        answers: (z, c) the target's answers.
        shadows: the shadows' answers on the same rows, if there are shadows.
        x: the rows themselves, if the attacker holds them.
    """

    labels: Ints
    answers: Floats
    shadows: ShadowAnswers | None = None
    x: Rows = None


class QueryHandle(Protocol):
    """Further queries to the target: counted, and stopped at the budget."""

    @property
    def asked(self) -> int:
        """Rows asked so far through this handle."""
        ...

    @property
    def remaining(self) -> int | None:
        """Queries left, or None when there is no budget."""
        ...

    def ask(self, x: Rows) -> Floats:
        """What the target reveals, natural-log probabilities (n, c).

        Raises:
            BudgetError: instead of passing the budget; then nothing was asked.
        """
        ...


class LabelQueries:
    """A query handle that gives labels only: probability 1 for the predicted class, 0 for all others."""

    def __init__(self, query: QueryHandle) -> None:
        """Takes the handle that is asked."""
        self._query = query

    @property
    def asked(self) -> int:
        """Rows asked so far."""
        return self._query.asked

    @property
    def remaining(self) -> int | None:
        """Queries left, or None when there is no budget."""
        return self._query.remaining

    def ask(self, x: Rows) -> Floats:
        """Natural-log probabilities (n, c): 0 for the predicted label, minus infinity for the others."""
        return LABELS.apply(self._query.ask(x))


@dataclass(frozen=True)
class Evidence:
    """Everything that the attacker saw of n audited rows.

    Attributes:
        labels: (n,) true class ids.
        n_classes: c.
        answers: (n, c) the target's answers on the audited rows.
        shadows: shadow models on the audited rows.
        pool: shadow models on the attacker's own rows (in the auditor's view: all rows).
        population: known non-members.
        query: the counted query handle.
        x: the audited rows.
        features: kinds and ranges of the columns.
        gradients: name -> (n,) white-box quantities of the target on the audited rows: norms of the loss's gradient
            ("parameters", "input", "last_layer", "layer.NAME") and of the last layer's input ("activation").
        observed: name -> (n, k) of what was observed of the target next to its answers ("checkpoints", "inside").
        insider: the membership of one half of the audited rows, for who judges the other half.
        variants: further queries a record (augmentations): for each, the target's answers and the shadows' answers.
        reveal: what the target reveals.
    """

    labels: Ints
    n_classes: int
    answers: Floats | None = None
    shadows: ShadowAnswers | None = None
    pool: ShadowAnswers | None = None
    population: Population | None = None
    query: QueryHandle | None = None
    x: Rows = None
    features: FeatureSpace | None = None
    gradients: Mapping[str, Floats] | None = None
    observed: Mapping[str, Floats] = field(default_factory=dict)
    insider: KnownHalf | None = None
    variants: tuple[Evidence, ...] = ()
    reveal: Reveal = field(default_factory=Reveal)

    def __len__(self) -> int:
        return len(self.labels)

    def missing(self, needs: frozenset[Need]) -> str | None:
        """Why an attack with these needs can't run, in words; None if it can."""
        found: dict[Need, bool] = {
            "labels": self.answers is not None,
            "answers": self.answers is not None,
            "shadows_out": self.shadows is not None,
            "shadows": self._is_online,
            "pool": self.pool is not None,
            "population": self.population is not None and len(self.population.labels) > 0,
            "query": self.query is not None,
            "x": self.x is not None,
            "gradients": bool(self.gradients),
            "checkpoints": self._observes("checkpoints"),
            "inside": self._observes("inside"),
            "membership_half": self.insider is not None,
        }
        return lacking(needs, {need for need, there in found.items() if there})

    @property
    def _is_online(self) -> bool:
        """Whether some shadows are known to have been trained on audited rows."""
        return self.shadows is not None and not self.shadows.hide_members and bool(self.shadows.member.any())

    @overload
    def require(self, part: Literal["answers", "checkpoints", "inside"]) -> Floats: ...
    @overload
    def require(self, part: Literal["shadows", "pool"]) -> ShadowAnswers: ...
    @overload
    def require(self, part: Literal["population"]) -> Population: ...
    @overload
    def require(self, part: Literal["query"]) -> QueryHandle: ...
    @overload
    def require(self, part: Literal["x"]) -> Rows: ...
    @overload
    def require(self, part: Literal["features"]) -> FeatureSpace: ...
    @overload
    def require(self, part: Literal["gradients"]) -> Mapping[str, Floats]: ...
    @overload
    def require(self, part: Literal["insider"]) -> KnownHalf: ...
    def require(self, part: str) -> Any:
        """A part of the evidence, or what is observed under that name: how an attack takes what it declared.

        Raises:
            UsageError: it is not there, because an attack was called directly with evidence that lacks it.

        >>> import numpy as np
        >>> Evidence(np.zeros(3, dtype=np.int64), n_classes=2).require("answers")
        Traceback (most recent call last):
        gnomon.core.errors.UsageError: the evidence lacks the target's answers, which this attack needs
        """
        return required(self.observed.get(part) if part in OBSERVED else getattr(self, part), _PARTS[part])

    def signal(self, signal: Signal) -> Floats:
        """A signal (n,) of the target's answers to the audited rows."""
        return signal(self.require("answers"), self.labels)

    def signals(self, signal: Signal) -> tuple[Floats, Floats, Bools]:
        """The same signal of the target (n,) and of the shadows (m, n), NaN where hidden, and the shadows' masks."""
        shadows = self.require("shadows")
        return self.signal(signal), shadows.signal(signal), shadows.member

    @property
    def queries(self) -> tuple[Evidence, ...]:
        """The evidence of the record itself, and of each of its augmentations."""
        return (self, *self.variants)

    def at(self, rows: Ints) -> Evidence:
        """The same attacker before some of the audited rows (positions), in this order; pool and population stay."""
        return replace(
            self,
            labels=self.labels[rows],
            answers=None if self.answers is None else self.answers[rows],
            shadows=None if self.shadows is None else self.shadows.at(rows),
            x=None if self.x is None else take_rows(self.x, rows),
            gradients=None if self.gradients is None else {k: v[rows] for k, v in self.gradients.items()},
            observed={name: values[rows] for name, values in self.observed.items()},
            insider=None if self.insider is None else self.insider.at(rows),
            variants=tuple(v.at(rows) for v in self.variants),
        )

    def _observes(self, name: str) -> bool:
        """Whether the target was observed, and so were the shadows wherever there are some."""
        parts = [part.observed for part in (self.shadows, self.pool) if part is not None]
        return all(name in observed for observed in (self.observed, *parts))

    def view(self, needs: frozenset[Need]) -> Evidence:
        """The evidence with everything removed that was not declared.

        Labels, the number of classes and what kind of answer is revealed are always there. Who needs labels and no
        answers gets all answers (the shadows' and those to further queries, too) reduced to the labels they predict.
        """
        if "labels" in needs and "answers" not in needs:
            query = None if self.query is None else LabelQueries(self.query)
            return replace(self._revealing(LABELS, needs), query=query).view(needs | {"answers"})
        shadows = None if self.shadows is None else self.shadows.observed_only(needs)
        if shadows is not None and "shadows" not in needs:
            shadows = replace(shadows, hide_members=True) if "shadows_out" in needs else None
        return Evidence(
            labels=self.labels,
            n_classes=self.n_classes,
            answers=self.answers if "answers" in needs else None,
            shadows=shadows,
            pool=self.pool.observed_only(needs) if self.pool is not None and "pool" in needs else None,
            population=self._population_view(needs),
            query=self.query if "query" in needs else None,
            x=self.x if "x" in needs else None,
            features=self.features if needs & {"x", "query"} else None,
            gradients=self.gradients if "gradients" in needs else None,
            observed={name: values for name, values in self.observed.items() if name in needs},
            insider=self.insider if "membership_half" in needs else None,
            variants=tuple(v.view(needs) for v in self.variants),
            reveal=self.reveal,
        )

    def _population_view(self, needs: frozenset[Need]) -> Population | None:
        if self.population is None or "population" not in needs:
            return None
        shadows = self.population.shadows
        if shadows is None or not needs & {"shadows", "shadows_out", "pool"}:
            return replace(self.population, shadows=None)
        return replace(self.population, shadows=shadows.observed_only(needs))

    @property
    def can_rehearse(self) -> bool:
        """Whether there are shadows left when one plays the target."""
        return self.pool is not None and self.pool.n_shadows >= (3 if self.pool.paired else 2)

    def rehearse(self, i: int) -> tuple[Evidence, Bools]:
        """Shadow i plays the target: what thresholds, constants and the choice of the best attack are learned on.

        Every row of the pool that is usable for shadow i becomes an audited row with known membership; the other
        shadows stay shadows, as ignorant of the audited rows as they are in the real evidence.

        Returns:
            The rehearsal's evidence (n' rows) and the membership (n',) of its rows.
        """
        if self.pool is None or not self.can_rehearse:
            raise UsageError("a rehearsal needs at least 2 shadow models, or 3 where they were drawn in pairs")
        audited = self.pool.at(self.pool.usable[i])
        others = audited.without(i)
        population = self.population
        if population is not None and population.shadows is not None:
            known_out = ~population.shadows.member[i]
            inner = population.shadows.at(known_out)
            population = Population(inner.labels, inner.of_shadow(i), inner.without(i))
        evidence = Evidence(
            labels=audited.labels,
            n_classes=self.n_classes,
            answers=audited.of_shadow(i),
            shadows=None if self.shadows is None else replace(others, hide_members=not self._is_online),
            pool=self.pool.without(i),
            population=population,
            observed={name: audited.observation(name, i) for name in audited.observed},
            variants=tuple(v.rehearse(i)[0] for v in self.variants if v.can_rehearse),
            reveal=self.reveal,
        )
        return evidence, audited.member[i].copy()

    def through(self, reveal: Reveal) -> Evidence:
        """The same attacker before a target that reveals less, takes no queries and lets nobody look inside.

        Shadows' answers go through the same step.
        """
        return replace(self._revealing(reveal, frozenset()), query=None, gradients=None)

    def _revealing(self, reveal: Reveal, observed: frozenset[str]) -> Evidence:
        """All answers reduced to what is revealed; of what is observed next to them, these names only."""

        def less(shadows: ShadowAnswers | None) -> ShadowAnswers | None:
            return None if shadows is None else shadows.observed_only(observed).through(reveal)

        population = self.population
        if population is not None:
            population = replace(population, answers=reveal.apply(population.answers), shadows=less(population.shadows))
        return replace(
            self,
            answers=None if self.answers is None else reveal.apply(self.answers),
            shadows=less(self.shadows),
            pool=less(self.pool),
            population=population,
            observed={name: values for name, values in self.observed.items() if name in observed},
            variants=tuple(v._revealing(reveal, observed) for v in self.variants),
            reveal=reveal,
        )
