"""Several queries a record: every model is also asked versions of it, where the plan says so.

What they are is in `gnomon.core.data.augmentations`.

Shadow models and a target of their recipe answer all rows in each version when they are trained, so that a rehearsal
meets what the audit meets. A target that is given is asked about the audited and the population rows only: that is what
an attacker would have to ask, and it counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from gnomon.core.answers import Reveal, ShadowAnswers
from gnomon.core.arrays import Floats, Ints, Rows, take_rows
from gnomon.core.data.augmentations import QueryAugmentation, read_augmentations
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.data.feature_space import FeatureSpace
from gnomon.core.errors import BudgetError
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import Model
from gnomon.core.seeds import Seeds
from gnomon.models.target import Target, ask
from gnomon.shadow.pool import PoolAnswers


@dataclass(frozen=True)
class AskedAugmentation:
    """An observation of a model: its answers to one version of the asked rows."""

    version: QueryAugmentation
    space: FeatureSpace
    spread: Floats  # (features,) of the whole data set

    @property
    def name(self) -> str:
        """As the store knows it: two versions may differ in their seeds alone."""
        return self.key

    @property
    def key(self) -> str:
        """The version with its seed; the spread follows from the data, which the model's own key holds."""
        return json.dumps({"version": 1, **asdict(self.version)}, sort_keys=True)

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:  # noqa: ARG002 - the protocol's arguments
        """Natural-log probabilities (a, c) of the version of the asked rows."""
        x = self.version.of(asked, self.space, self.spread)
        return ask(model, x, classes=model.n_classes, source=f'answers to "{self.version.name}"')


def asked_augmentations(queries: Sequence[str], data: Dataset, seeds: Seeds) -> tuple[AskedAugmentation, ...]:
    """The versions that ``queries`` (attacks.queries) names.

    Raises:
        UsageError: a version that these rows don't have.
    """
    versions = read_augmentations(queries, data.features, seeds.child("queries"))
    noisy = any(version.noise for version in versions)
    spread = data.features.spread(data.features.encode(data.x)) if noisy else np.zeros(len(data.features))
    return tuple(AskedAugmentation(version, data.features, spread) for version in versions)


def queried_rows(roles: Roles) -> Ints:
    """Rows whose versions an attacker asks the target: sorted, each once."""
    return np.unique(np.concatenate([roles.audited, roles.population]))


def count_queries(
    versions: Sequence[AskedAugmentation], roles: Roles, budget: int | None, target: Target | None
) -> int:
    """How many queries the versions cost; they are charged to the target's budget.

    Raises:
        BudgetError: the budget does not allow them; then nothing was asked.
    """
    wanted = len(versions) * len(queried_rows(roles))
    left = budget if target is None else target.remaining
    if wanted and left is not None and wanted > left:
        raise BudgetError(
            f"attacks.queries: {len(versions)} versions of {len(queried_rows(roles)):,} records are {wanted:,} "
            f"queries, {left:,} are left of target.query_budget; name fewer versions or raise the budget"
        )
    if target is not None:
        target.charge(wanted)
    return wanted


def ask_given(model: Model, data: Dataset, roles: Roles, asked: Ints, version: AskedAugmentation) -> Floats:
    """A given target's answers (a, c) to a version; NaN on asked rows that no attacker asks it about."""
    rows = queried_rows(roles)
    answers = np.full((len(asked), data.n_classes), np.nan, dtype=np.float32)
    answers[np.searchsorted(asked, rows)] = version.of(model, take_rows(data.x, rows), data.y[rows])
    return answers


def with_augmentations(
    evidence: Evidence, places: tuple[Ints, Ints], own: dict[str, Floats], pool: PoolAnswers | None, reveal: Reveal
) -> Evidence:
    """The evidence with one more query a record for each version: masks, labels and order are the record's own.

    Args:
        evidence: of the records themselves.
        places: positions of the audited and of the population rows among the asked.
        own: the target's full answers (a, c) by version.
        pool: the shadows' answers by version, if there are shadows.
        reveal: what the target reveals of an answer.
    """
    audited, known = places
    variants = []
    for name, answers in own.items():
        shown, population = reveal.apply(answers), evidence.population
        shadows = [] if pool is None else pool.observed[name]
        if population is not None:
            others = None if population.shadows is None else _saying(population.shadows, shadows)
            population = replace(population, answers=shown[known], shadows=others, x=None)
        variants.append(
            Evidence(
                labels=evidence.labels,
                n_classes=evidence.n_classes,
                answers=shown[audited],
                shadows=None if evidence.shadows is None else _saying(evidence.shadows, shadows),
                pool=None if evidence.pool is None else _saying(evidence.pool, shadows),
                population=population,
                reveal=reveal,
            )
        )
    return replace(evidence, variants=tuple(variants))


def _saying(shadows: ShadowAnswers, answers: Sequence[Floats]) -> ShadowAnswers:
    """The same shadows with other answers; what is observed of them goes with the record itself."""
    return replace(shadows, answers=answers, observed={})
