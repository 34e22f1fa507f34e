"""The mitigation dp: what a plan's text becomes, and what it makes of a trainer."""

import pytest
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.errors import UsageError
from gnomon.mitigations import DP, apply_in_training, make_mitigation
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.dp import DPTrainer
from gnomon.models.torch.trainer import TorchTrainer

TORCH = TorchTrainer(hidden=(8,), epochs=3)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("dp:8", DP(epsilon=8.0)),
        ("dp0.5", DP(epsilon=0.5)),
        ("dp:noise=0.2", DP(noise=0.2)),
        ("dp:noise=0:clip=2", DP(noise=0.0, clip=2.0)),
        ("dp:3:delta=1e-6:clip=0.1", DP(epsilon=3.0, delta=1e-6, clip=0.1)),
    ],
)
def test_a_strength_is_epsilon_or_noise(text: str, made: DP) -> None:
    assert make_mitigation(text) == made
    assert made.apply(TORCH, None) == DPTrainer(TORCH, made.epsilon, made.noise, made.delta, made.clip)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dp", "epsilon must be a number > 0, got none"),
        ("dp:0", "epsilon must be a number > 0"),
        ("dp:-8", "epsilon must be a number > 0"),
        ("dp:8:noise=1", "either epsilon or noise"),
        ("dp:clip=1", "either epsilon or noise"),
        ("dp:8:clop=1", r'expected dp:EPSILON or dp:noise=SIGMA, then :clip=C, :delta=D, got "dp:8:clop=1"'),
        ("dp:8:clip=1:clip=2", "expected dp:EPSILON"),
        ("dp:noise=lots", "noise must be a number"),
        ("dp:8:clip=0", "clip"),
        ("dp:8:delta=2", "delta"),
    ],
)
def test_anything_else_is_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        make_mitigation(text)
    assert "\n" not in str(caught.value)


def test_only_torch_recipes_have_gradients_of_rows() -> None:
    with pytest.raises(UsageError, match="cannot do that; in training it can do depth, leaf"):
        apply_in_training(make_mitigation("dp:8"), SklearnTrainer(DecisionTreeClassifier()), None)
    with pytest.raises(UsageError, match="set epochs instead"):
        make_mitigation("dp:8").apply(TorchTrainer(patience=3), None)
