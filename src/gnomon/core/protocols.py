"""The narrow waists: a Model answers, a Trainer makes models, an Attack scores what it was shown.

Anything with a model's or a trainer's methods can be audited; it need not inherit from them. What else some of them can
do stands in `ModelAbilities` and `TrainerAbilities`, with defaults for all others. An attack inherits from `Attack`,
which has such defaults itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, take_rows
from gnomon.core.data.labels import class_name
from gnomon.core.documents.record_parts import EndpointFacts
from gnomon.core.evidence import Evidence, Need

Value = TypeVar("Value")


@runtime_checkable
class Model(Protocol):
    """Something that answers: rows in, natural-log probabilities out, and nothing more."""

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        ...

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c), of n rows; minus infinity for a probability of 0."""
        ...


@runtime_checkable
class Trainer(Protocol):
    """A recipe that makes models from rows and seeds; a frozen record that can be pickled to a worker."""

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> Sequence[Model]:
        """Trains one model per entry of ``rows`` (positions in ``x``), each with its own seed.

        The model of one (rows, seed) pair is the same whatever else is trained next to it (to 1e-4 in log-probability
        where a stack of networks is trained at once).
        """
        ...

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON: the store's key and the Record hold it."""
        ...

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        """How many models of ``size`` rows one call of `train` should get (1 = one at a time)."""
        ...


class KnownClasses(NamedTuple):
    """What a model calls its answers."""

    labels: tuple[Any, ...]  # in the order of its own answers
    columns: Ints  # for each of them the id of the data set's class

    @property
    def names(self) -> list[str]:
        """What its labels are called."""
        return [class_name(label) for label in self.labels]


Gives: TypeAlias = Literal["probabilities", "margins", "labels"]


class AnswerForm(NamedTuple):
    """What a function's answers are."""

    reveals: str  # what they show, as a plan says it
    columns: tuple[str, ...]  # what each class's answer is called, in the order of the classes
    rule: Literal["name", "name within", "number", "position", "one column"]  # what they were matched by
    said: str  # how they were read, in words; empty where that is the usual


@dataclass(frozen=True)
class Told:
    """Who is told of something slow: stages with their steps, and single lines."""

    stage: Callable[[str, int], Callable[[int], None]] = lambda _title, _total: lambda _steps: None
    note: Callable[[str], None] = lambda _line: None


TWICE = 20  # rows that are queried twice, to see whether answers change
SAME = 1e-6  # in probability: answers that differ by less are the same


@dataclass(frozen=True)
class Twice:
    """What came of records that were queried twice."""

    records: int = 0
    changed: int = 0  # of which so many were answered otherwise
    largest: float = 0.0  # difference, in probability
    kept_before: bool = False  # some of the first answers are of an earlier run
    failed: str | None = None  # why it could not be tried

    @classmethod
    def of(cls, before: Floats, after: Floats, *, kept_before: bool = False) -> Twice:
        """Natural-log probabilities (n, c) of the same rows, compared."""
        moved = np.abs(np.exp(after) - np.exp(before)).max(axis=1, initial=0.0)
        return cls(len(moved), int((moved > SAME).sum()), float(moved.max(initial=0.0)), kept_before)

    @classmethod
    def ask(cls, answer: Callable[[Rows], Floats], x: Rows) -> Twice:
        """Queries a few of the rows, evenly spaced, twice and compares: who answers may draw when it does."""
        n = count_rows(x)
        some = take_rows(x, np.unique(np.linspace(0, n - 1, min(n, TWICE)).astype(np.int64)))
        return cls.of(answer(some), answer(some))


class ModelAbilities:
    """What else a model may be able to do: a class that inherits overrides what it can.

    A model need not inherit; then it can do nothing else. The rest of the code reads `ModelAbilities.of`, and never the
    class of a model.
    """

    facts: Mapping[str, Any] = MappingProxyType({})  # what its training has to say, as plain JSON
    shown: AnswerForm | None = None  # what its answers are, where that was found out from some
    already_shares: bool = False  # what it takes for logits were probabilities so far
    one_column: bool = False  # it answers with one number a row, that of the second class

    @staticmethod
    def of(model: Model | None) -> ModelAbilities:
        """The abilities of any model."""
        return model if isinstance(model, ModelAbilities) else ModelAbilities()

    @property
    def gives(self) -> Gives:
        """What it answers with, by itself."""
        return "probabilities"

    @property
    def plain(self) -> Model | None:
        """The model behind a mitigation of its answers; None where there is no mitigation."""
        return None

    @property
    def whole(self) -> bool:
        """Whether its answers sum to 1."""
        return True

    @property
    def known(self) -> KnownClasses | None:
        """What it calls its answers; None where they come in the order of the data set's classes."""
        return None

    @property
    def observable(self) -> frozenset[str]:
        """Names of the observations that can be made of it."""
        return frozenset()

    @property
    def identity(self) -> str | None:
        """What stands for its answers without a query; None: only its answers can."""
        return None

    @property
    def spent(self) -> EndpointFacts | None:
        """What queries to it have cost; None where they cost nothing."""
        return None

    def remembering(self, folder: Path, told: Told) -> Model | None:  # noqa: ARG002 - for those that can
        """The same model that keeps its answers in a folder, where each costs something."""
        return None

    def asked_twice(self, x: Rows) -> Twice | None:  # noqa: ARG002 - for those that can
        """Whether some rows are answered alike once more; None: it keeps no answers, so whoever wants to know asks."""
        return None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of a record must know of how it was read or wrapped, in sentences."""
        return ()

    def deciding(self) -> Model | None:
        """The model as its labels show it, each with probability 1, where they follow a rule of its own.

        None: a label is the class with the largest probability.
        """
        return None

    def clone_recipe(self, params: Mapping[str, Any] = MappingProxyType({})) -> Trainer | None:  # noqa: ARG002
        """The recipe that it brings with it, with these parameters set; None: it brings none."""
        return None

    def fitted(self) -> Any:
        """The fitted estimator or network that answers, for who looks into it; None: there is nothing to look into."""
        return None

    def recipe_again(self, trainer: Trainer) -> Trainer | None:  # noqa: ARG002 - for those that can
        """The trainer that would make it anew, chance and all, if ``trainer`` is its recipe and chooses nothing."""
        return None

    def training_rows(self) -> int | None:
        """How many rows it was trained on, where it keeps a trace of that."""
        return None

    def gradients(self, x: Rows, y: Ints) -> dict[str, Floats] | None:  # noqa: ARG002 - for those that can
        """Norms (n,) of the gradients of each row's own loss, by name."""
        return None

    def losses_over_training(self, x: Rows, y: Ints, count: int) -> Floats | None:  # noqa: ARG002 - for those that can
        """Losses (n, count) of rows at checkpoints of the training, the finished model last."""
        return None

    def last_layer(self, x: Rows, y: Ints) -> Floats | None:  # noqa: ARG002 - for those that can
        """Numbers (n, 21) of what its last layer does with rows."""
        return None

    def behind(self, mitigation: Callable[[Floats], Floats]) -> Any:  # noqa: ARG002 - for those that can
        """What a service can put in its place, whose answers go through a fitted mitigation; None: nothing."""
        return None

    def write(self, stem: Path) -> Path | None:  # noqa: ARG002 - for those that can
        """Writes it to a file of this name, with an ending of its own, and returns the file."""
        return None


class NamedClasses(ModelAbilities):
    """A model that answers for classes with names."""

    classes: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.classes)


class Change(Protocol):
    """A change of what is trained, which differs between networks and estimators; None where it can't be."""

    def on_network(self, network: Any, /) -> Trainer | None:
        """The recipe of a network, changed."""
        ...

    def on_estimator(self, trainer: Any, /) -> Trainer | None:
        """The recipe of an estimator, changed."""
        ...


class TrainerAbilities:
    """What else a trainer may be able to do: a class that inherits overrides what it can; see `ModelAbilities`."""

    @staticmethod
    def of(trainer: Trainer | None) -> TrainerAbilities:
        """The abilities of any trainer."""
        return trainer if isinstance(trainer, TrainerAbilities) else TrainerAbilities()

    @property
    def gpus(self) -> int:
        """GPUs of this machine, of which the training of a batch takes one; 0: it runs on a core."""
        return 0

    @property
    def gives(self) -> Gives:
        """What its models answer with."""
        return "probabilities"

    @property
    def near(self) -> bool:
        """Whether it must run on this machine, whose disk or network it needs."""
        return False

    @property
    def network(self) -> Any:
        """The `gnomon.models.TorchTrainer` that makes its networks: itself, or the one that it wraps; None: none."""
        return None

    @property
    def of_what(self) -> Any:
        """What a message names by its class in the place of the trainer, such as the estimator in it; None: itself."""
        return None

    @property
    def observable(self) -> frozenset[str]:
        """Names of the observations that can be made of its models."""
        return frozenset()

    @property
    def promised_delta(self) -> float | None:
        """The delta that differentially private training is set to."""
        return None

    def promised_epsilon(self, rows: int, delta: float) -> float | None:  # noqa: ARG002 - for those that can
        """The epsilon that training on so many rows promises at a delta; None: it promises nothing."""
        return None

    def stacking_note(self, x: Rows, n_classes: int) -> str | None:  # noqa: ARG002 - for those that can
        """Whether several models are trained as one stack, and why or why not, for the Record."""
        return None

    def for_labels(self, classes: Sequence[str], labels: tuple[Any, ...] | None) -> Trainer | None:  # noqa: ARG002
        """The trainer for the labels of a data set, where code of the user's gets to see them."""
        return None

    def deciding(self) -> Trainer | None:
        """A trainer of the same models as their labels show them; see `ModelAbilities.deciding`."""
        return None

    def remembering(self, folder: Path) -> Trainer | None:  # noqa: ARG002 - for those that can
        """The same trainer that counts in a folder what each model costs, where it costs something."""
        return None

    def tidy(self) -> None:
        """Removes what is left elsewhere of the models that it trained."""

    def watching(self, x: Rows, y: Ints, count: int) -> Trainer | None:  # noqa: ARG002 - for those that can
        """A trainer of the very same models that also keeps the losses of rows at so many checkpoints."""
        return None

    def changed(self, change: Change) -> Trainer | None:  # noqa: ARG002 - for those that can
        """The trainer with a change of what is trained."""
        return None


class OneByOne(TrainerAbilities):
    """A trainer that makes its models one at a time, by `train_one`."""

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> Model:
        """The model of these rows (positions in ``x``) and this seed."""
        raise NotImplementedError

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> Sequence[Model]:
        """Trains one model per entry of ``rows``, each with its own seed; raises what `train_one` does."""
        return [self.train_one(x, y, n_classes, part, seed) for part, seed in zip(rows, seeds, strict=True)]

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:  # noqa: ARG002 - the protocol's arguments
        """One: as many workers as there are train one each."""
        return 1


class Observation(Protocol):
    """Something that is kept of each trained model next to its answers; pickled to the worker that trains it."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def key(self) -> str:
        """Everything that decides what is observed of a given model that is asked given rows; the store's key."""
        ...

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """The array to keep of one model.

        Args:
            model: a model that was just trained.
            asked: (n, ...) the rows that all models are asked.
            labels: (n,) their class ids.
        """
        ...


@runtime_checkable
class Watching(Protocol):
    """An observation that must be there while a model is trained."""

    def watching(self, trainer: Trainer, asked: Rows, labels: Ints) -> Trainer:
        """A trainer of the very same models that also keeps what the observation needs of the asked rows."""
        ...


Judge: TypeAlias = Callable[[Evidence], Floats]  # scores (n,) of any audited rows


class Attack(Protocol):
    """A frozen record of hyper-parameters that turns evidence into scores: a class inherits from this one."""

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
        return None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) of the audited rows: higher = more likely a member; by default those of what it has learned."""
        judge = self.learn(evidence, rng)
        assert judge is not None, f"{self.name} neither scores nor learns"
        return judge(evidence)

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge | None:  # noqa: ARG002 - for those that do
        """What it learns from the attacker's pool alone: a function that gives the scores of `score`.

        Rehearsals that leave out the same shadow models learn once. None: it learns nothing from the pool alone.
        """
        return None

    def unfit(self, evidence: Evidence) -> str | None:  # noqa: ARG002 - for those that ask
        """Why complete evidence does not suit it (rows that are no images, say), and it is skipped; None if it does."""
        return None

    def notes(self, evidence: Evidence) -> list[str]:  # noqa: ARG002 - for those that ask
        """What the reader of its result must know (classes that were too small, a fall-back), for the Record."""
        return []


def variant(default: Value) -> Value:
    """A field of an attack whose values have names of their own in the registry, so that no plan sets it."""
    return field(default=default, metadata={"variant": True})


def options_of(attack: Attack) -> dict[str, Any]:
    """The options of an attack that a plan may set, and their values."""
    own: Any = attack
    known = [f for f in fields(own) if f.init and not f.metadata.get("variant")] if is_dataclass(own) else []
    return {f.name: getattr(attack, f.name) for f in known}


def why_not(attack: Attack, evidence: Evidence) -> str | None:
    """Why an attack can't run on this evidence, in words; None if it can."""
    return evidence.missing(attack.needs) or attack.unfit(evidence.view(attack.needs))
