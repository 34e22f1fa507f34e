import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.answers import Reveal
from gnomon.stats import signals
from gnomon.stats.signals import LOG_TINY

ALL = [
    signals.scaled_logit,
    signals.loss,
    signals.confidence,
    signals.margin,
    signals.correct,
    signals.entropy,
    signals.modified_entropy,
]
P = np.log([[0.7, 0.2, 0.1]])


def log_softmax(logits):
    logits = np.asarray(logits, dtype=np.float64)
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def random_answers(n, c, scale, seed=0):
    rng = np.random.default_rng(seed)
    return log_softmax(rng.normal(0, scale, (n, c))), rng.integers(0, c, n)


@pytest.mark.parametrize(
    ("signal", "label", "value"),
    [  # Song and Mittal 2021 and Carlini et al. 2022 on p = (0.7, 0.2, 0.1)
        (signals.entropy, 0, 0.801819),
        (signals.entropy, 2, 0.801819),
        (signals.modified_entropy, 0, 0.162167),
        (signals.modified_entropy, 1, 2.140867),
        (signals.scaled_logit, 0, 0.847298),
        (signals.loss, 0, -np.log(0.7)),
        (signals.confidence, 2, 0.1),
        (signals.margin, 0, np.log(3.5)),
        (signals.margin, 1, np.log(2 / 7)),
    ],
)
def test_vectors_of_the_papers(signal, label, value):
    assert signal(P.astype(np.float32), np.array([label]))[0] == pytest.approx(value, abs=1e-6)
    assert signal(P, np.array([label]))[0] == pytest.approx(value, abs=1e-6)


def slow_twins(log_probs, labels):
    """The textbook formulas, one row and one class at a time."""
    rows = []
    for row, y in zip(np.exp(log_probs), labels, strict=True):
        others = [q for i, q in enumerate(row) if i != y]
        rows.append(
            (
                np.log(row[y] / sum(others)),
                -np.log(row[y]),
                row[y],
                np.log(row[y] / max(others)),
                float(row[y] == max(row)),
                -sum(q * np.log(q) for q in row),
                -(1 - row[y]) * np.log(row[y]) - sum(q * np.log(1 - q) for q in others),
            )
        )
    return np.array(rows).T


@pytest.mark.parametrize("c", [2, 3, 10, 101])
def test_agree_with_slow_twins(c):
    log_probs, labels = random_answers(200, c, 2.0, seed=c)
    for signal, expected in zip(ALL, slow_twins(log_probs, labels), strict=True):
        np.testing.assert_allclose(signal(log_probs, labels), expected, rtol=1e-7, atol=1e-9, err_msg=signal.__name__)
        single = signal(log_probs.astype(np.float32), labels)
        np.testing.assert_allclose(single, expected, rtol=1e-4, atol=2e-5, err_msg=signal.__name__)


def test_a_probability_that_rounds_to_one_keeps_its_tail_and_its_rank():
    gaps = np.arange(5, 95, 5)[::-1]  # e**-90 is far below what a float32 next to 1 can say
    log_probs = log_softmax(np.stack([gaps, np.zeros(len(gaps)), np.zeros(len(gaps)) - 3], axis=1)).astype(np.float32)
    assert (log_probs[:10, 0] == 0).all()
    labels = np.zeros(len(gaps), dtype=np.int64)
    phi = gaps - np.log1p(np.exp(-3))
    np.testing.assert_allclose(signals.scaled_logit(log_probs, labels), phi, rtol=1e-6)
    np.testing.assert_allclose(signals.loss(log_probs, labels), np.log1p(np.exp(-phi)), rtol=1e-5)
    for signal in (signals.loss, signals.entropy, signals.modified_entropy):
        assert (np.diff(signal(log_probs, labels)) > 0).all(), signal.__name__
    wrong = np.ones(len(gaps), dtype=np.int64)
    np.testing.assert_allclose(signals.modified_entropy(log_probs, wrong)[:10], 2 * gaps[:10], rtol=0.02)


@pytest.mark.parametrize("c", [2, 3, 1000])
@pytest.mark.parametrize("label", [0, 1])
def test_probabilities_of_exactly_zero_and_one(c, label):
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.eye(1, c)).astype(np.float32)
    y = np.array([label])
    expected = {
        "scaled_logit": (-LOG_TINY, LOG_TINY),
        "loss": (0.0, -LOG_TINY),
        "confidence": (1.0, 0.0),
        "margin": (-LOG_TINY, LOG_TINY),
        "correct": (1.0, 0.0),
        "entropy": (0.0, 0.0),
        "modified_entropy": (0.0, -2 * LOG_TINY),
    }
    for signal in ALL:
        assert signal(log_probs, y)[0] == pytest.approx(expected[signal.__name__][label], abs=1e-12), signal.__name__


def test_hidden_answers_stay_hidden_and_alone():
    log_probs, labels = random_answers(7, 4, 1.0)
    log_probs = log_probs.astype(np.float32)
    clean = {signal: signal(log_probs, labels) for signal in ALL}
    log_probs[[0, 4]] = np.nan
    for signal in ALL:
        values = signal(log_probs, labels)
        assert np.isnan(values).tolist() == [True, False, False, False, True, False, False]
        np.testing.assert_array_equal(values[[1, 2, 3, 5, 6]], clean[signal][[1, 2, 3, 5, 6]])


def test_the_hidden_rest_of_a_top_k_answer_belongs_to_the_other_classes():
    full, _ = random_answers(50, 10, 2.0)
    labels = np.argmax(full, axis=1)
    top = Reveal("top", 1).apply(full.astype(np.float32))
    np.testing.assert_allclose(
        signals.scaled_logit(top, labels), signals.scaled_logit(full, labels), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("reveal", [Reveal("labels"), Reveal("top", 3), Reveal("rounded", 1), Reveal("rounded", 3)])
def test_partial_answers_give_finite_signals(reveal):
    log_probs, labels = random_answers(500, 60, 1.5)  # rounding to one decimal leaves rows of zeros only
    revealed = reveal.apply(log_probs.astype(np.float32))
    for signal in ALL:
        assert np.isfinite(signal(revealed, labels)).all(), signal.__name__


@settings(max_examples=60)
@given(
    n=st.integers(0, 5), c=st.integers(2, 7), scale=st.sampled_from([0.0, 1.0, 30.0, 300.0]), seed=st.integers(0, 99)
)
def test_ranges_shapes_and_untouched_input(n, c, scale, seed):
    log_probs, labels = random_answers(n, c, scale, seed)
    log_probs = log_probs.astype(np.float32)
    before = log_probs.copy()
    bounds = {
        "scaled_logit": (LOG_TINY, -LOG_TINY),
        "margin": (LOG_TINY, -LOG_TINY),
        "loss": (0, -LOG_TINY),
        "entropy": (0, np.log(c) + 1e-6),
        "modified_entropy": (0, -2 * LOG_TINY),
    }
    for signal in ALL:
        values = signal(log_probs, labels)
        low, high = bounds.get(signal.__name__, (0.0, 1.0))
        assert values.shape == (n,)
        assert values.dtype == np.float64
        assert ((values >= low) & (values <= high)).all(), (signal.__name__, values)
    np.testing.assert_array_equal(log_probs, before)


def test_classes_may_be_renamed():
    log_probs, labels = random_answers(100, 6, 3.0)
    names = np.random.default_rng(1).permutation(6)
    renamed = np.empty_like(log_probs)
    renamed[:, names] = log_probs
    for signal in ALL:
        np.testing.assert_allclose(signal(renamed, names[labels]), signal(log_probs, labels), rtol=1e-9, atol=1e-12)
