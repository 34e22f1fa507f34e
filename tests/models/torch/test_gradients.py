import numpy as np
import pytest
import torch

from gnomon.core.errors import DataError, ModelError
from gnomon.models.torch.gradients import white_box
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.networks import cnn, mlp

N, C = 7, 3


def autograd_norms(network, x, y):
    """The slow twin: one record at a time, in float64, by plain backward."""
    network = network.double()
    found = []
    for row, label in zip(torch.tensor(x, dtype=torch.float64), torch.tensor(y), strict=True):
        leaf = row.clone().requires_grad_()
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(leaf[None]), label[None]).backward()
        squares = {n: float((p.grad**2).sum()) for n, p in network.named_parameters()}
        found.append({"parameters": sum(squares.values()) ** 0.5, "input": float(leaf.grad.norm()), **squares})
    return {name: np.array([each[name] for each in found]) for name in found[0]}


def dense(seed=0):
    torch.manual_seed(seed)
    return mlp((5,), C, (8, 6), "tanh", 0.5)


def rows(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, *shape)).astype(np.float32), rng.integers(0, C, N)


def test_norms_equal_autograd():
    x, y = rows(5)
    norms = white_box(TorchModel(dense(), C, device="cpu"), x, y)
    slow = autograd_norms(dense().eval(), x, y)
    for name in ("parameters", "input"):
        np.testing.assert_allclose(norms[name], slow[name], rtol=1e-5)
    first = np.sqrt(slow["0.weight"] + slow["0.bias"])
    np.testing.assert_allclose(norms["layer.0"], first, rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_the_closed_form_of_the_last_layer_equals_autograd(bias):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, C, bias=bias))
    x, y = rows(5)
    norms = white_box(TorchModel(network, C, device="cpu"), x, y)
    slow = autograd_norms(network.eval(), x, y)
    exact = np.sqrt(slow["2.weight"] + slow.get("2.bias", 0.0))
    assert exact.min() > 0.01
    np.testing.assert_allclose(norms["last_layer"], exact, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(norms["layer.2"], norms["last_layer"], rtol=1e-5)


def test_images_and_convolutions():
    torch.manual_seed(0)
    network = cnn((2, 8, 8), C, (6,), "relu", 0.0)
    images, y = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 2), dtype=np.uint8), rows()[1]
    norms = white_box(TorchModel(network, C, layout="image", device="cpu"), images, y)
    slow = autograd_norms(network.eval(), np.moveaxis(images, 3, 1) / 255, y)
    np.testing.assert_allclose(norms["parameters"], slow["parameters"], rtol=1e-4)
    np.testing.assert_allclose(norms["last_layer"], norms["layer.9"], rtol=1e-4)


def test_a_sure_answer_has_a_small_gradient_and_not_none():
    network = torch.nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[25.0], [0.0]]))
    norms = white_box(TorchModel(network, 2, device="cpu"), np.ones((1, 1)), np.array([0]))
    exact = np.sqrt(2.0) / (1 + np.exp(25.0))
    np.testing.assert_allclose(norms["parameters"], exact, rtol=1e-5)
    np.testing.assert_allclose(norms["last_layer"], exact, rtol=1e-5)


class Stubborn(torch.nn.Module):
    """Looks at its values, which ``vmap`` can't follow."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(5, C)

    def forward(self, x):
        return self.layer(x) if float(x.detach().sum()) < 1e9 else self.layer(2 * x)


def test_a_module_that_vmap_cannot_follow_is_taken_row_by_row():
    torch.manual_seed(1)
    stubborn = Stubborn()
    x, y = rows(5)
    norms = white_box(TorchModel(stubborn, C, device="cpu"), x, y)
    plain = white_box(TorchModel(stubborn.layer, C, device="cpu"), x, y)
    for name in ("parameters", "input", "last_layer"):
        np.testing.assert_allclose(norms[name], plain[name], rtol=1e-6)


@pytest.mark.parametrize("outputs", ["log_probabilities", "probabilities"])
def test_modules_that_return_probabilities(outputs):
    last = torch.nn.LogSoftmax(1) if outputs == "log_probabilities" else torch.nn.Softmax(1)
    network = dense()
    x, y = rows(5)
    norms = white_box(TorchModel(torch.nn.Sequential(network, last), C, outputs=outputs, device="cpu"), x, y)
    plain = white_box(TorchModel(network, C, device="cpu"), x, y)
    np.testing.assert_allclose(norms["parameters"], plain["parameters"], rtol=1e-4)
    assert "last_layer" not in norms


def test_blocks_change_nothing(monkeypatch):
    x, y = rows(5)
    whole = white_box(TorchModel(dense(), C, device="cpu"), x, y)
    monkeypatch.setattr("gnomon.models.torch.gradients.BLOCK_NUMBERS", 400)
    for name, norms in white_box(TorchModel(dense(), C, device="cpu"), x, y).items():
        np.testing.assert_allclose(norms, whole[name], rtol=1e-6)


def test_frozen_weights_count_and_the_model_is_left_as_it_was():
    x, y = rows(5)
    network = dense()
    for p in network.parameters():
        p.requires_grad_(False)
    before = [p.clone() for p in network.parameters()]
    norms = white_box(TorchModel(network, C, device="cpu"), x, y)
    np.testing.assert_allclose(norms["parameters"], white_box(TorchModel(dense(), C, device="cpu"), x, y)["parameters"])
    assert all(
        torch.equal(a, b) and p.grad is None
        for a, b, p in zip(before, network.parameters(), network.parameters(), strict=True)
    )


def test_bad_rows_and_labels_are_refused():
    model = TorchModel(dense(), C, device="cpu")
    with pytest.raises(DataError, match="labels must be class ids"):
        white_box(model, np.zeros((2, 5)), np.array([0, 3]))
    with pytest.raises(ModelError, match="cannot be taken"):
        white_box(model, np.zeros((2, 4)), np.array([0, 1]))
