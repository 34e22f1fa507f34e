"""Weights of torch networks: the recipe describes the network, the file fills it."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

pytest.importorskip("torch")

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use
from gnomon.models.readers.weights import read
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch import TorchTrainer
from gnomon.models.torch.model import save_weights

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
RECIPE = TorchTrainer(hidden=(5,), epochs=1, device="cpu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    [model] = RECIPE.train(X, np.arange(30) % 3, 3, [np.arange(20)], [1])
    save_weights(model, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_weights_answer_as_the_network_did(file: Path) -> None:
    [model] = RECIPE.train(X, np.arange(30) % 3, 3, [np.arange(20)], [1])
    read_back = read(file, False).model(Use(("a", "b", "c"), x=X, recipe=RECIPE))
    np.testing.assert_array_equal(read_back.log_probs(X), model.log_probs(X))


def test_without_the_network_there_is_one_line(file: Path) -> None:
    words = r"weights\.safetensors: a file of weights needs the network in \[trainer\]"
    for recipe in (None, SklearnTrainer(DecisionTreeClassifier())):
        with pytest.raises(UsageError, match=words):
            read(file, False).model(Use(("a", "b", "c"), x=X, recipe=recipe))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of TorchScript
@pytest.mark.parametrize("kind", ["script", "exported", "exported for 5 rows"])
def test_a_program_is_a_model_by_itself_with_trust(tmp_path: Path, kind: str) -> None:
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1)).eval()
    place = tmp_path / ("m.pt" if kind == "script" else "m.pt2")
    if kind == "script":
        torch.jit.save(torch.jit.trace(network, torch.as_tensor(X)), place)
    else:
        given, shapes = torch.as_tensor(X[:5]), ({0: torch.export.Dim("rows")},)
        any_number = {"dynamic_shapes": shapes} if kind == "exported" else {}
        torch.export.save(torch.export.export(network, (given,), **any_number), place)
    use = Use(("a", "b", "c"), x=X)
    with pytest.raises(UsageError, match=r"m\.pt2?: a TorchScript or exported program, .*give --trust"):
        read_model(place).model(use)
    model = read_model(place, trust=True).model(use)
    np.testing.assert_allclose(np.exp(model.log_probs(X[:7])), network(torch.as_tensor(X[:7])).detach(), atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of TorchScript
@pytest.mark.parametrize("name", ["m.pt", "m.pt2"])
def test_a_program_of_two_inputs_is_one_line(tmp_path: Path, name: str) -> None:
    import torch

    network, given = torch.nn.Bilinear(2, 2, 3), (torch.zeros(5, 2), torch.zeros(5, 2))
    if name == "m.pt":
        torch.jit.save(torch.jit.trace(network, given), tmp_path / name)
    else:
        torch.export.save(torch.export.export(network, given), tmp_path / name)
    with pytest.raises(ModelError, match=r"m\.pt2?: it takes 2 inputs \(.*, .*\), .* give a function that parts them"):
        read_model(tmp_path / name, trust=True).model(Use(("a", "b", "c"), x=X))
