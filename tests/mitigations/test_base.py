"""How a strength is read and written, and which parameters of an estimator a bound reaches."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.mitigations.trainers import TRAINERS

from gnomon.core.errors import UsageError
from gnomon.mitigations.base import InTraining, OfAnswers, Range, bounded
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.trainer import TorchTrainer


@dataclass(frozen=True)
class Half(OfAnswers):
    """A mitigation with a number that has a default."""

    name: ClassVar[str] = "half"
    title: ClassVar[str] = "Half"
    examples: ClassVar[tuple[str, ...]] = ("half",)
    range: ClassVar[Range | None] = Range("share", above=0, most=1)

    share: float = 0.5


@dataclass(frozen=True)
class Slower(InTraining):
    """A mitigation that halves the learning rate of networks."""

    name: ClassVar[str] = "slower"
    title: ClassVar[str] = "Slower"
    examples: ClassVar[tuple[str, ...]] = ("slower",)

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """Half as fast."""
        return TorchTrainer(learning_rate=network.learning_rate / 2)


@pytest.mark.parametrize(
    ("bounds", "fits", "fails"),
    [
        (Range("k", whole=True, least=2), ("2", "17"), ("1", "2.5", "", "two", "1e3")),
        (Range("t", above=0), ("1e-9", "3"), ("0", "-1", "nan", "inf", "")),
        (Range("r", above=0, most=0.9), ("0.9", "0.1"), ("0.91", "0")),
        (Range("l", least=0), ("0", "1e4"), ("-0.1", "-inf")),
    ],
)
def test_a_range_takes_what_lies_in_it_and_names_the_rest(
    bounds: Range, fits: tuple[str, ...], fails: tuple[str, ...]
) -> None:
    for text in fits:
        assert bounds.read(text, "m") == float(text)
    for text in fails:
        with pytest.raises(UsageError, match=f'mitigation "m": {bounds.what} must be') as caught:
            bounds.read(text, "m")
        assert ("got none" in str(caught.value)) == (not text)


def test_a_default_is_taken_where_no_number_is_given_and_the_label_reads_back() -> None:
    assert Half.parse("").label == "half:0.5"
    assert Half.parse("0.25") == Half(0.25)
    assert Slower.parse("").label == "slower"
    with pytest.raises(UsageError, match='"slower" has no strength, got "2"'):
        Slower.parse("2")


def test_a_trainer_of_another_kind_is_refused_by_name() -> None:
    assert Slower().suits(TRAINERS["network"])
    assert Slower().apply(TorchTrainer(learning_rate=0.2), None) == TorchTrainer(learning_rate=0.1)
    assert not Slower().suits(TRAINERS["tree"])
    with pytest.raises(UsageError, match='mitigation "slower": DecisionTreeClassifier cannot do that'):
        Slower().apply(TRAINERS["tree"], None)


def test_a_bound_reaches_a_parameter_wherever_it_stands() -> None:
    nested = SklearnTrainer(make_pipeline(StandardScaler(), AdaBoostClassifier(DecisionTreeClassifier(max_depth=9))))
    made = bounded(nested, "max_depth", lambda old: min(old or math.inf, 4))
    assert made is not None
    assert made.estimator.get_params()["adaboostclassifier__estimator__max_depth"] == 4
    assert nested.estimator.get_params()["adaboostclassifier__estimator__max_depth"] == 9
    assert bounded(nested, "bandwidth", lambda _: 1) is None
