"""Each finding on answers has a fixture that triggers it and one that must not."""

import numpy as np
import pytest

from gnomon.auditing.checks.answers import check_shadows, check_target
from gnomon.core.documents.record import Estimate, ModelFacts, ShadowFacts

TARGET = ModelFacts(train_size=200, train_accuracy=0.9, test_accuracy=0.6, train_loss=0.3, test_loss=1.2)


def test_a_model_that_answers_the_same_to_everybody() -> None:
    same = np.tile(np.log(np.array([[0.2, 0.8]], np.float32)), (10, 1))
    assert [f.code for f in check_target(same)] == ["constant-answers"]
    same[0] = np.log([0.3, 0.7])
    assert check_target(same) == []


def shadow(train: float, test: float, size: int = 200) -> ShadowFacts:
    return ShadowFacts(
        count=4,
        size=size,
        source="real",
        train_accuracy=Estimate(value=train, low=train, high=train),
        test_accuracy=Estimate(value=test, low=test, high=test),
    )


def losses(train: float, test: float, factor: float = 1.0) -> tuple[Estimate, Estimate]:
    """Of shadow models that lie within a factor of each other."""
    own, other = (Estimate(value=mean, low=mean / factor, high=mean * factor) for mean in (train, test))
    return own, other


def test_shadows_like_the_target_are_fine() -> None:
    assert check_shadows(TARGET, shadow(0.92, 0.58), losses(0.28, 1.3)) == []


def test_a_loss_between_those_of_the_shadows_is_like_them() -> None:
    """Plain trees pay for each wrong answer with more than the mean loss of all others."""
    assert check_shadows(TARGET, shadow(0.9, 0.6), losses(0.3, 4.8, factor=5)) == []
    assert len(check_shadows(TARGET, shadow(0.9, 0.6), losses(0.3, 4.8, factor=1.5))) == 1


@pytest.mark.parametrize(
    ("facts", "of", "words"),
    [
        (shadow(0.6, 0.58), (0.3, 1.2), "training accuracy"),
        (shadow(0.9, 0.4), (0.3, 1.2), "test accuracy"),
        (shadow(0.9, 0.6, size=100), (0.3, 1.2), "100 training rows against 200"),
        (shadow(0.9, 0.6), (0.02, 1.2), "training loss"),
    ],
)
def test_shadows_unlike_the_target_are_named(facts: ShadowFacts, of: tuple[float, float], words: str) -> None:
    findings = check_shadows(TARGET, facts, losses(*of))
    assert [f.code for f in findings] == ["shadows-unlike-target"]
    assert words in findings[0].title
