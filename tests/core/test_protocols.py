"""What an attack can do that says nothing of it, which options a plan may set, and what is a model or a trainer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, Model, Trainer, Watching, options_of, variant, why_not

EVIDENCE = Evidence(np.zeros(3, np.int64), 2, np.log(np.full((3, 2), 0.5)))


@dataclass(frozen=True)
class Plain(Attack):
    """As little as an attack can be."""

    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain"
    paper: ClassVar[str] = "Nobody 2020"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers"})
    depth: int = 3
    online: bool = variant(True)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> np.ndarray:
        """Zeros."""
        return np.zeros(len(evidence))


@dataclass(frozen=True)
class Choosy(Plain):
    """Suits nothing, and says what it was shown."""

    def unfit(self, evidence: Evidence) -> str | None:
        """Always."""
        return f"labels {'there' if evidence.labels is not None else 'gone'}, rows {evidence.x is not None}"


def test_defaults_of_an_attack() -> None:
    attack = Plain()
    assert (attack.threshold, attack.unfit(EVIDENCE), attack.notes(EVIDENCE)) == (None, None, [])


def test_a_plan_may_set_options_and_no_variant() -> None:
    assert options_of(Plain(depth=5, online=False)) == {"depth": 5}


def test_an_attack_is_kept_from_evidence_that_it_lacks_or_does_not_suit() -> None:
    assert why_not(Plain(), EVIDENCE) is None
    assert "answers" in str(why_not(Plain(), Evidence(EVIDENCE.labels, 2)))
    rich = Evidence(EVIDENCE.labels, 2, EVIDENCE.answers, x=np.zeros((3, 1)))
    assert why_not(Choosy(), rich) == "labels there, rows False"  # it is shown what it declared, and nothing else


def test_whoever_has_the_methods_is_a_model_or_a_trainer() -> None:
    class Answers:
        n_classes = 2

        def log_probs(self, x: object) -> object:
            return x

    class Recipe:
        def train(self) -> None: ...

        def recipe(self) -> None: ...

        def batch_size(self) -> None: ...

    assert isinstance(Answers(), Model)
    assert isinstance(Recipe(), Trainer)
    assert not isinstance(Answers(), Trainer | Watching)
    assert not isinstance(Recipe(), Model)
