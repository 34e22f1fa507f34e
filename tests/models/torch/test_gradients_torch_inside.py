"""Numbers of a last layer: equal to a loop over records, and the same however the units are numbered."""

import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.errors import ModelError
from gnomon.models.observations import Inside
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.gradients import INSIDE_ROWS, LEVELS, inside_features, white_box
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.trainer import TorchTrainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype(np.float32)
Y = RNG.integers(0, 4, 40)


def network(classes: int = 4, width: int = 7) -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, width), torch.nn.Tanh(), torch.nn.Linear(width, classes))


def by_hand(module: torch.nn.Sequential, row: np.ndarray, label: int) -> list[float]:
    """One record by autograd and plain loops."""
    with torch.no_grad():
        h = module[:-1](torch.tensor(row)[None]).double()[0].numpy()
    weight = module[-1].weight.detach().double().numpy()
    out = module(torch.tensor(row)[None]).double()
    loss = torch.nn.functional.cross_entropy(out, torch.tensor([label]))
    gradient, bias = torch.autograd.grad(loss, [module[-1].weight, module[-1].bias])
    both = np.column_stack([gradient.numpy(), bias.numpy()])
    z, others = out.detach().numpy()[0], [c for c in range(out.shape[1]) if c != label]
    columns = sorted((float(np.linalg.norm(both[c])) for c in others), reverse=True)[:3]
    cosines = [float(h @ w / np.linalg.norm(h) / np.linalg.norm(w)) for w in weight]
    return [
        float(loss.detach()), float(np.linalg.norm(both)), float(np.linalg.norm(bias)), float(np.linalg.norm(h)),
        *columns, *[0.0] * (3 - len(columns)),
        z[label], max(z[c] for c in others), z.mean(), float(np.log(np.exp(z).sum())),
        cosines[label], max(cosines[c] for c in others), *np.quantile(h, LEVELS), h.mean(),
    ]  # fmt: skip


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_numbers_are_those_of_a_loop_over_records(classes: int) -> None:
    module, labels = network(classes), Y % classes
    found = inside_features(TorchModel(module, classes, device="cpu"), X, labels)
    assert (found.shape, found.dtype) == ((40, 21), np.float32)
    for row, label, numbers in zip(X, labels, found, strict=True):
        np.testing.assert_allclose(numbers, by_hand(module, row, int(label)), rtol=1e-4, atol=1e-6)


def test_the_gradient_is_that_of_the_closed_form() -> None:
    model = TorchModel(network(), 4, device="cpu")
    np.testing.assert_allclose(inside_features(model, X, Y)[:, 1], white_box(model, X, Y)["last_layer"], rtol=1e-5)


def test_units_in_another_order_give_the_same_numbers() -> None:
    module, other = network(), network()
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        other[0].weight.copy_(module[0].weight[order])
        other[0].bias.copy_(module[0].bias[order])
        other[2].weight.copy_(module[2].weight[:, order])
    both = [inside_features(TorchModel(one, 4, device="cpu"), X, Y) for one in (module, other)]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-4, atol=1e-5)


def test_a_record_that_is_known_by_heart_keeps_a_gradient() -> None:
    module = network()
    with torch.no_grad():
        module[2].bias.copy_(torch.tensor([80.0, 0.0, 0.0, 0.0]))
    found = inside_features(TorchModel(module, 4, device="cpu"), X, np.zeros(40, np.int64))
    assert (found[:, :3] > 0).all()
    assert np.isfinite(found).all()


def test_blocks_of_rows_do_not_matter() -> None:
    x, y = np.tile(X, (INSIDE_ROWS // 20, 1)), np.tile(Y, INSIDE_ROWS // 20)
    model = TorchModel(network(), 4, device="cpu")
    found = inside_features(model, x, y)
    np.testing.assert_allclose(found[-40:], inside_features(model, X, Y), rtol=1e-4, atol=1e-5)


def test_a_network_that_ends_otherwise_is_taken_by_its_outputs() -> None:
    module = torch.nn.Sequential(network(), torch.nn.Tanh())
    found = inside_features(TorchModel(module, 4, device="cpu"), X, Y)
    z = module(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(found[:, 3], np.linalg.norm(z, axis=1), rtol=1e-5)
    assert (found[:, 11:13] == 0).all()
    probabilities = TorchModel(torch.nn.Sequential(network(), torch.nn.Softmax(1)), 4, "probabilities", device="cpu")
    losses = -probabilities.log_probs(X)[range(40), Y]
    np.testing.assert_allclose(inside_features(probabilities, X, Y)[:, 0], losses, rtol=1e-5)


def test_only_torch_networks_can_be_looked_into() -> None:
    trainer = SklearnTrainer(DecisionTreeClassifier())
    assert Inside.name not in trainer.observable
    assert Inside.name in TorchTrainer().observable
    with pytest.raises(ModelError, match="expected a torch network"):
        Inside().of(trainer.train(X, Y, 4, [np.arange(40)], [0])[0], X, Y)
