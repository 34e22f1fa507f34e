"""What is read out of each kind of model is what one counts by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from gnomon.auditing.structure.examine import examine
from gnomon.core.documents.record_parts import Appetite, StructureFacts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] + 0.5 * RNG.normal(size=60) > 0).astype(int)


def seen(model: Any, rows: Any = X, answers: Any = None, **appetite: Any) -> tuple[dict[str, float], set[str]]:
    facts = look(model, rows, answers, **appetite)
    return {v.code: v.value for v in facts.values}, {f.code for f in facts.findings}


def look(model: Any, rows: Any = X, answers: Any = None, **appetite: Any) -> StructureFacts:
    return examine(model, rows, answers, Appetite(**appetite))


def test_neighbours_keep_every_row() -> None:
    values, findings = seen(KNeighborsClassifier(3, weights="distance").fit(X, Y))
    assert values == {"stored-rows": 60}
    facts = look(KNeighborsClassifier(3, weights="distance").fit(X, Y))
    assert findings == {"stored-rows", "risky-parameter"}
    assert [f.title for f in facts.findings if f.code == "risky-parameter"] == [
        "KNeighborsClassifier: weights='distance'",
        "KNeighborsClassifier: n_neighbors=3",
    ]
    assert next(f for f in facts.findings if f.code == "stored-rows").severity == "error"


def test_a_gaussian_process_keeps_every_row_and_a_linear_model_none() -> None:
    assert seen(GaussianProcessClassifier().fit(X, Y))[0]["stored-rows"] == 60
    values, findings = seen(LogisticRegression().fit(X, Y))
    assert values == {"stored-rows": 0, "few-degrees-of-freedom": 56}
    assert findings == set()
    assert "risky-parameter" in seen(LogisticRegression(C=1e6).fit(X, Y))[1]


def test_answers_that_few_rows_share() -> None:
    answers = np.array([[0.5, 0.5]] * 4 + [[0.25, 0.75]] * 3)
    values, findings = seen(LogisticRegression().fit(X, Y), X, answers)
    assert values["unique-answers"] == 3
    assert "unique-answers" in findings
    assert "unique-answers" not in seen(LogisticRegression().fit(X, Y), X, answers, same_answers=3)[1]


@pytest.mark.parametrize("bytes_", [False, True])
def test_a_network_that_keeps_rows_in_a_buffer_is_found_out(bytes_: bool) -> None:
    torch = pytest.importorskip("torch")
    rows = (np.abs(X[:12]) * 50).astype(np.uint8) if bytes_ else X[:12]

    class Prototypes(torch.nn.Module):
        def __init__(self, kept: np.ndarray) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)
            self.register_buffer("kept", torch.from_numpy(kept.astype(np.float32)))

    scaled = (rows / 255).astype(np.float32) if bytes_ else rows
    values, findings = seen(Prototypes(scaled), rows)
    assert values["stored-rows"] == 12
    assert "stored-rows" in findings
    assert values["few-degrees-of-freedom"] == 12 - 8
    assert seen(Prototypes(RNG.normal(size=(12, 3))), rows)[0]["stored-rows"] == 0
    assert seen(torch.nn.Linear(3, 12), rows)[0]["stored-rows"] == 0


def test_images_that_a_network_keeps_are_rows_too() -> None:
    torch = pytest.importorskip("torch")
    images = RNG.normal(size=(5, 4, 4)).astype(np.float32)
    network = torch.nn.Flatten()
    network.register_buffer("seen", torch.from_numpy(images.copy()))
    assert seen(network, images)[0]["stored-rows"] == 5


def test_what_cannot_be_read_is_named() -> None:
    class Oracle:
        def predict_proba(self, rows: Any) -> Any:
            return np.full((len(rows), 2), 0.5)

    facts = look(Oracle())
    assert facts.not_read == ["Oracle"]
