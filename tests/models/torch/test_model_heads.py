"""Networks with one output, a sigmoid or a softmax at their end, next to the same network in two columns."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import gnomon  # noqa: E402
from gnomon.cli.app import run  # noqa: E402
from gnomon.models.torch import TorchModel, TorchTrainer  # noqa: E402
from gnomon.models.torch.model import fit_head, is_widened, reads_whole  # noqa: E402
from gnomon.models.torch.networks import build_seeded  # noqa: E402

RNG = np.random.default_rng(0)
X, Z = (RNG.normal(size=(80, 3)).astype(np.float32) for _ in range(2))
Y, V = ((a[:, 0] + RNG.normal(size=80) > 0).astype(int) for a in (X, Z))


def one_logit(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], 8), nn.Tanh(), nn.Linear(8, 1))


def one_probability(shape, n_classes):
    network = nn.Sequential(nn.Linear(shape[0], 1), nn.Sigmoid())
    nn.init.constant_(network[0].weight, 2.0)  # far apart, as of a model that has learned something
    return network


def two_shares(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], n_classes), nn.Softmax(1))


def two_logs(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], n_classes), nn.LogSoftmax(1))


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x):
        return self.layer(x)[:, 0]


@pytest.mark.parametrize("make", [lambda: one_logit((3,), 2), Flat], ids=["column", "vector"])
def test_one_logit_is_that_of_the_second_class(make):
    network = make().eval()
    with torch.no_grad():
        odds = network(torch.tensor(X)).reshape(-1).double().numpy()
    model = TorchModel(network, 2, device="cpu")
    assert not model.one_column
    assert np.allclose(np.exp(model.log_probs(X))[:, 1], 1 / (1 + np.exp(-odds)), atol=1e-6)
    assert model.one_column
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    assert np.array_equal(again.log_probs(X), model.log_probs(X))
    assert {"parameters", "input"} <= set(model.gradients(X, Y))


def test_one_probability_is_that_of_the_second_class_and_a_hook_is_put_once():
    network = one_probability((3,), 2).eval()
    with torch.no_grad():
        share = network(torch.tensor(X)).reshape(-1).numpy()
    names = list(network.state_dict())
    model = TorchModel(network, 2, outputs="probabilities", device="cpu")
    assert np.allclose(np.exp(model.log_probs(X))[:, 1], share, atol=1e-6)
    fit_head(network, 2, "probabilities")
    assert len(network._forward_hooks) == 1
    assert list(network.state_dict()) == names


@pytest.mark.parametrize("stack", ["always", "never"])
def test_one_logit_is_trained_as_the_binary_cross_entropy_trains_it(stack):
    trainer = TorchTrainer(
        module=one_logit, epochs=3, optimizer="sgd", learning_rate=0.3, batch=80, device="cpu", stack=stack
    )
    models = trainer.train(X, Y, 2, [np.arange(80), np.arange(80)], [5, 6])
    own = build_seeded(lambda: one_logit((3,), 2), 5)
    step = torch.optim.SGD(own.parameters(), lr=0.3)
    for _ in range(3):
        step.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(own(torch.tensor(X))[:, 0], torch.tensor(Y).float())
        loss.backward()
        step.step()
    with torch.no_grad():
        odds = own(torch.tensor(X))[:, 0].double().numpy()
    assert np.allclose(np.exp(models[0].log_probs(X))[:, 1], 1 / (1 + np.exp(-odds)), atol=1e-4)
    assert is_widened(models[0].network)


def test_networks_that_end_in_a_softmax_are_trained_and_asked_on_its_logarithm():
    shares = TorchTrainer(module=two_shares, outputs="probabilities", epochs=5, device="cpu")
    logs = TorchTrainer(module=two_logs, epochs=5, device="cpu")
    [a], [b] = (t.train(X, Y, 2, [np.arange(80)], [1]) for t in (shares, logs))
    assert np.allclose(a.log_probs(X), b.log_probs(X), atol=1e-4)
    assert shares.recipe() != TorchTrainer(module=two_shares, epochs=5, device="cpu").recipe()


def test_probabilities_that_are_taken_for_logits_are_a_finding():
    torch.manual_seed(0)
    rows = (X, Y), (Z, V)
    for make, outputs, wanted in (
        (two_shares, "logits", True),
        (one_probability, "logits", True),
        (two_shares, "probabilities", False),
        (two_logs, "logits", False),
        (one_logit, "logits", False),
    ):
        model = TorchModel(make((3,), 2), 2, outputs=outputs, device="cpu")
        plan = {"preflight": {"override": ["labels-mismatch"]}}
        record = gnomon.audit(model, *rows, attacks=("loss",), workers=1, plan=plan).record
        assert ("outputs-are-probabilities" in {f.code for f in record.findings}) is wanted, (make, outputs)


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.known, self.last = nn.Embedding(10, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.known(x % 10).mean(1))


def words(shape, n_classes):
    return Words()


def test_tokens_stay_whole_above_what_float32_tells_apart():
    x = np.array([[2**24 + 1, 3], [2**24, 3]])
    assert reads_whole(Words())
    first, second = TorchModel(Words(), 2, device="cpu").log_probs(x)
    assert not np.allclose(first, second)
    y = np.array([0, 1] * 10)
    trainer = TorchTrainer(module=words, epochs=60, learning_rate=0.05, device="cpu")
    [model] = trainer.train(np.tile(x, (10, 1)), y, 2, [np.arange(20)], [0])
    assert model.log_probs(x).argmax(axis=1).tolist() == [0, 1]
    assert (model.gradients(x, np.array([0, 1]))["input"] == 0).all()


def test_one_logit_from_a_file_of_weights_on_the_command_line_and_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_net_of_one.py").write_text(
        "from torch import nn\n\n\ndef net(shape, n_classes):\n"
        "    return nn.Sequential(nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))\n"
    )
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
    step = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(60):
        step.zero_grad()
        out = network(torch.tensor(X))[:, 0]
        nn.functional.binary_cross_entropy_with_logits(out, torch.tensor(Y).float()).backward()
        step.step()
    torch.save({"epoch": 3, "model": {f"module.{k}": v for k, v in network.state_dict().items()}}, "m.pt")
    np.savez("in.npz", x=X, y=Y)
    np.savez("out.npz", x=Z, y=V)
    (tmp_path / "plan.toml").write_text(
        '[data]\nmembers = "in.npz"\nnonmembers = "out.npz"\n[target]\nmodel = "m.pt"\n'
        '[trainer]\nkind = "torch"\nmodule = "own_net_of_one:net"\nepochs = 5\ndevice = "cpu"\n'
        '[shadow]\ncount = 4\n[attacks]\nnames = ["loss", "lira"]\n'
    )
    try:
        assert run(["audit", "plan.toml", "--trust", "--workers", "1", "--to", "run"]) == 0
    finally:
        sys.modules.pop("own_net_of_one", None)
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    same = gnomon.audit(TorchModel(network, 2, device="cpu"), (X, Y), (Z, V), attacks=("loss",), workers=1).record
    assert record["attacks"][0]["auc"]["value"] == same.attacks[0].auc.value
    assert record["attacks"][1]["status"] == "ok"
    assert '"the one column" is class "1"' in record["answers_map"]["sentence"]
    [said] = [f for f in record["findings"] if f["code"] == "model-as-read"]
    assert 'began with "module.", which was left out' in said["explanation"]
