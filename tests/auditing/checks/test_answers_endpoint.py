"""Findings on targets that answer the same record otherwise the second time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gnomon.auditing.checks.answers import check_steady
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Rows
from gnomon.core.protocols import ModelAbilities, Twice
from gnomon.models import load_model
from gnomon.models.callable import CallableModel
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import MitigatedModel
from gnomon.models.torch import TorchModel

X = np.zeros((4, 2))


@dataclass
class Answering(ModelAbilities):
    """A model that says what came of asking twice."""

    found: Twice

    def log_probs(self, x: Rows) -> Floats:
        return np.full((len(x), 2), np.log(0.5), dtype=np.float32)

    def asked_twice(self, x: Rows) -> Twice:
        return self.found


def test_other_models_and_steady_answers_are_no_finding() -> None:
    assert check_steady(None, X) == []
    assert check_steady(Answering(Twice(records=4, changed=0)), X) == []


@pytest.mark.parametrize("kept", [False, True])
def test_answers_that_change_are_a_warning_with_their_size(kept: bool) -> None:
    [finding] = check_steady(Answering(Twice(records=4, changed=3, largest=0.125, kept_before=kept)), X)
    assert (finding.code, finding.severity) == ("answers-change", "warning")
    assert finding.title.startswith("3 of 4 records")
    assert "0.12" in finding.title
    assert ("earlier run" in finding.explanation) is kept


def test_a_service_that_did_not_answer_again_is_a_note() -> None:
    [finding] = check_steady(Answering(Twice(records=0, changed=0, failed="status 400")), X)
    assert (finding.code, finding.severity) == ("answers-not-checked", "note")
    assert "status 400" in finding.explanation


@pytest.mark.parametrize("mitigated", [False, True])
def test_functions_are_queried_twice_also_behind_a_mitigation(mitigated: bool) -> None:
    rng = np.random.default_rng(0)
    for draw, codes in ((lambda n: rng.uniform(0.6, 0.9, n), ["answers-change"]), (lambda n: np.full(n, 0.7), [])):
        asked = CallableModel(lambda x, draw=draw: draw(len(x)))
        model = MitigatedModel(asked, Reveal("top", 1).apply) if mitigated else asked
        assert [f.code for f in check_steady(model, X)] == codes


class Drawing(LogisticRegression):
    """A classifier that adds noise when it answers."""

    def predict_proba(self, X: Rows) -> Floats:
        shares: Floats = super().predict_proba(X) + np.random.default_rng().uniform(0, 0.1, (len(X), 1))
        return shares / shares.sum(axis=1, keepdims=True)


class Dropping(torch.nn.Linear):
    """A layer whose dropout goes on when the network answers."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.nn.functional.dropout(rows + 1, 0.5, training=True))


class Bare:
    """A model of a plug-in, which inherits nothing."""

    n_classes = 2

    def log_probs(self, x: Rows) -> Floats:
        first = np.random.default_rng().uniform(0.1, 0.9, len(x))
        return np.log(np.stack([first, 1 - first], axis=1)).astype(np.float32)


def noisy_onnx(place: Path, noise: bool) -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime (extra onnx)")
    make, number = onnx.helper, onnx.TensorProto.FLOAT
    drawn = make.make_node("RandomUniformLike", ["x"], ["u"]) if noise else make.make_node("Identity", ["x"], ["u"])
    graph = make.make_graph(
        [drawn, make.make_node("Add", ["x", "u"], ["z"]), make.make_node("Softmax", ["z"], ["p"])],
        "noise",
        [make.make_tensor_value_info("x", number, ["n", 2])],
        [make.make_tensor_value_info("p", number, ["n", 2])],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8), place)


def test_a_model_that_draws_when_it_answers_is_noticed_whatever_it_is_read_by(tmp_path: Path) -> None:
    for name in ("noisy", "steady"):
        noisy_onnx(tmp_path / f"{name}.onnx", name == "noisy")
    known = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
    pairs = {
        "onnx": [load_model(tmp_path / f"{name}.onnx", ("0", "1")) for name in ("noisy", "steady")],
        "scikit-learn": [SklearnModel(kind().fit(*known), ("0", "1")) for kind in (Drawing, LogisticRegression)],
        "torch": [TorchModel(kind(2, 2), 2) for kind in (Dropping, torch.nn.Linear)],
        "a plug-in": [Bare(), Answering(Twice(records=4))],
    }
    for name, (drawing, steady) in pairs.items():
        for model, codes in ((drawing, ["answers-change"]), (steady, [])):
            assert [f.code for f in check_steady(model, X)] == codes, name
            assert [f.code for f in check_steady(MitigatedModel(model, Reveal("rounded", 5).apply), X)] == codes, name
