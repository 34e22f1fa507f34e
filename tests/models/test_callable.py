import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import Model
from gnomon.models import CallableModel


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


Z = np.random.default_rng(0).normal(size=(25, 4)) * 3


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [("probabilities", softmax(Z)), ("logits", Z + 7), ("log_probabilities", np.log(softmax(Z)))],
)
@pytest.mark.parametrize("batch", [1, 7, 25, 100])
def test_answers_are_the_same_in_every_batch_size(outputs, answer, batch):
    sizes = []

    def function(rows):
        sizes.append(len(rows))
        return answer[rows[:, 0]]

    model = CallableModel(function, outputs, batch=batch)
    logs = model.log_probs(np.arange(25)[:, None])
    assert logs.dtype == np.float32
    assert np.allclose(logs, np.log(softmax(Z)), atol=1e-5)
    assert max(sizes) <= batch
    assert sum(sizes) == 25
    assert model.n_classes == 4
    assert isinstance(model, Model)


def test_zero_and_one_stay_exact():
    model = CallableModel(lambda _: np.array([[0.0, 1.0]]))
    assert model.log_probs(np.zeros((1, 1))).tolist() == [[-np.inf, 0.0]]
    sure = CallableModel(lambda _: np.array([[0.0, 60.0]]), "logits")
    assert sure.log_probs(np.zeros((1, 1)))[0, 0] == pytest.approx(-60)


def test_data_frames_reach_the_function_as_data_frames():
    frame = pd.DataFrame({"p": [0.1, 0.9, 0.5], "town": ["a", "b", "c"]})
    model = CallableModel(lambda rows: np.stack([rows["p"], 1 - rows["p"]], axis=1), batch=2)
    assert np.allclose(np.exp(model.log_probs(frame))[:, 0], frame["p"])


def test_the_number_of_classes_is_known_when_given_or_answered():
    with pytest.raises(ModelError, match="give n_classes"):
        _ = CallableModel(lambda x: x).n_classes
    assert CallableModel(lambda x: x, n_classes=3).n_classes == 3
    assert CallableModel(lambda x: x, n_classes=3).log_probs(np.zeros((0, 2))).shape == (0, 3)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((4, 2), 0.4), "sum to 1"),
        (np.array([[0.5, 0.5]] * 3 + [[np.nan, 1.0]]), "row 3"),
        (np.full(4, 1.5), r"lie in \[0, 1\]"),
        (np.full((4, 1), np.nan), "row 0"),
        (np.full((3, 2), 0.5), r"got \(3, 2\)"),
        (np.full((4, 3), 1 / 3), r"expected probabilities of shape \(4, 2\), got \(4, 3\)"),
        (1.0, r"got \(\)"),
        ([[1.0], [0.5, 0.5]], "expected an array|failed"),
        (np.array([["a", "b"]] * 4), "expected numbers, got <U1"),
    ],
)
def test_bad_answers_are_refused(answer, message):
    with pytest.raises((ModelError, ValueError), match=message) as caught:
        CallableModel(lambda _: answer, n_classes=2).log_probs(np.zeros((4, 1)))
    assert isinstance(caught.value, ModelError)


def test_rows_are_named_by_their_place_in_all_rows_not_in_the_batch():
    model = CallableModel(lambda x: np.where(x == 5, np.nan, [[0.5, 0.5]]), batch=2)
    with pytest.raises(ModelError, match="row 5"):
        model.log_probs(np.arange(8)[:, None])


def test_a_failing_function_and_misuse_are_named():
    def broken(rows):
        raise RuntimeError("no connection")

    with pytest.raises(ModelError, match=r"broken failed on rows of shape \(2, 1\): RuntimeError: no connection"):
        CallableModel(broken).log_probs(np.zeros((2, 1)))
    with pytest.raises(UsageError, match='did you mean "logits"'):
        CallableModel(broken, "logit")
    with pytest.raises(UsageError, match="expected a function"):
        CallableModel(3)
    with pytest.raises(UsageError, match="batch"):
        CallableModel(broken, batch=0)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        ("probabilities", [0.0, 0.25, 1.0]),
        ("logits", [-np.inf, np.log(1 / 3), np.inf]),
        ("log_probabilities", [-np.inf, np.log(0.25), 0.0]),
    ],
)
def test_one_number_a_row_is_that_of_the_second_of_two_classes(shape, outputs, answer):
    given = np.clip(answer, -800, 800) if outputs == "logits" else np.array(answer)
    model = CallableModel(lambda x: given.reshape(shape), outputs, n_classes=2)
    assert np.allclose(np.exp(model.log_probs(np.zeros((3, 1)))), [[1, 0], [0.75, 0.25], [0, 1]])
    assert model.one_column
    with pytest.raises(ModelError, match=r"expected .* of shape \(3, 4\).* for two classes only"):
        CallableModel(lambda x: given.reshape(shape), outputs, n_classes=4).log_probs(np.zeros((3, 1)))
