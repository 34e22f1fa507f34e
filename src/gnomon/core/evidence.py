"""Evidence: everything that the attacker saw, and the views that enforce what an attack declared.

An attack reads the evidence through `Evidence.view`, from which everything that it did not declare is removed: the
threat model is enforced, not promised. Members and non-members stand in shuffled order; membership is not in here.

Letters: n audited rows, m shadow models, c classes, p rows of the attacker's pool, z population rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np

from gnomon.core.answers import Reveal, ShadowAnswers
from gnomon.core.arrays import Bools, Floats, Ints, Rows
from gnomon.core.errors import UsageError
from gnomon.core.features import FeatureSpace
from gnomon.core.insider import Insider

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
        observed: name -> (n, k) of what was observed of the target beside its answers ("checkpoints", "inside").
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
    insider: Insider | None = None
    variants: tuple[Evidence, ...] = ()
    reveal: Reveal = field(default_factory=Reveal)

    def __len__(self) -> int:
        return len(self.labels)

    def missing(self, needs: frozenset[Need]) -> str | None:
        """Why an attack with these needs can't run, in words; None if it can."""
        reasons: dict[Need, tuple[bool, str]] = {
            "labels": (self.answers is not None, "the target's answers"),
            "answers": (self.answers is not None, "the target's answers"),
            "shadows_out": (self.shadows is not None, "shadow models"),
            "shadows": (
                self.shadows is not None and not self.shadows.hide_members and bool(self.shadows.member.any()),
                "shadow models trained on audited rows (the auditor's view)",
            ),
            "pool": (self.pool is not None, "shadow models"),
            "population": (
                self.population is not None and len(self.population.labels) > 0,
                "known non-members beside the audited rows",
            ),
            "query": (self.query is not None, "further queries to the target"),
            "x": (self.x is not None, "the audited rows themselves"),
            "gradients": (bool(self.gradients), "white-box access (a torch network)"),
            "checkpoints": (self._observes("checkpoints"), "checkpoints of a training that is done here"),
            "inside": (self._observes("inside"), "white-box access to the target and its shadows (torch networks)"),
            "membership_half": (
                self.insider is not None,
                "the membership of half of the audited rows (the auditor's view)",
            ),
        }
        for need in sorted(needs):
            there, words = reasons.get(need, (True, ""))
            if not there:
                return f"needs {words}"
        return None

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
        online = self.shadows is not None and not self.shadows.hide_members and bool(self.shadows.member.any())
        population = self.population
        if population is not None and population.shadows is not None:
            known_out = ~population.shadows.member[i]
            inner = population.shadows.at(known_out)
            population = Population(inner.labels, inner.of_shadow(i), inner.without(i))
        evidence = Evidence(
            labels=audited.labels,
            n_classes=self.n_classes,
            answers=audited.of_shadow(i),
            shadows=None if self.shadows is None else replace(others, hide_members=not online),
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
        """All answers reduced to what is revealed; of what is observed beside them, these names only."""

        def less(shadows: ShadowAnswers | None) -> ShadowAnswers | None:
            return None if shadows is None else replace(shadows.observed_only(observed), reveal=reveal)

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


class Attack(Protocol):
    """A frozen record of hyper-parameters that turns evidence into scores.

    Class attributes: ``name`` (registry key), ``title``, ``paper``, ``needs``. ``threshold`` is the score from which
    the attack itself says "member", or None if the threshold is to be calibrated on shadow models. An attack that some
    evidence does not suit though it is complete (rows that are no images) says so in a method
    ``unfit(evidence) -> str | None``, and is then skipped with that reason.
    """

    @property
    def name(self) -> str:
        """Registry key, lower case."""
        ...

    @property
    def title(self) -> str:
        """What a report calls it."""
        ...

    @property
    def paper(self) -> str:
        """Authors and year."""
        ...

    @property
    def needs(self) -> frozenset[Need]:
        """What evidence it reads; everything else is removed before it is called."""
        ...

    @property
    def threshold(self) -> float | None:
        """The score from which the attack itself says "member"; None: calibrate on shadow models."""
        ...

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) of the audited rows: higher = more likely a member."""
        ...


def why_not(attack: Attack, evidence: Evidence) -> str | None:
    """Why an attack can't run on this evidence, in words; None if it can."""
    missing = evidence.missing(attack.needs)
    if missing is not None:
        return missing
    unfit: Callable[[Evidence], str | None] = getattr(attack, "unfit", lambda _: None)
    return unfit(evidence.view(attack.needs))
