"""What shadows answered: revealed in part, hidden where they were trained, cut to some rows and some shadows."""

import numpy as np
import pytest

from gnomon.core import answers as module
from gnomon.core.answers import Reveal, ShadowAnswers

M, N, C = 5, 12, 3


def shadows(*, paired: bool = False, hide: bool = False) -> ShadowAnswers:
    rng = np.random.default_rng(0)
    raw = np.log(rng.dirichlet(np.ones(C), size=(M, 2 * N))).astype(np.float32)
    member, rows = rng.random((M, N)) < 0.5, rng.permutation(2 * N)[:N]
    seen = {"loss": [-answers[:, :1] for answers in raw]}
    usable = np.ones((M, N), bool)
    return ShadowAnswers(raw, rows, rng.integers(0, C, N), member, usable, hide, paired=paired, observed=seen)


@pytest.mark.parametrize(
    ("reveal", "wanted", "words"),
    [
        (Reveal("full"), [0.61, 0.3, 0.09], "the full probability vector"),
        (
            Reveal("full", margins=True),
            [0.61, 0.3, 0.09],
            "the margin of each class (there are no probabilities)",
        ),
        (Reveal("labels"), [1.0, 0.0, 0.0], "the predicted label only"),
        (Reveal("top", 2), [0.61, 0.3, 0.0], "the top 2 probabilities"),
        (Reveal("rounded", 1), [0.6, 0.3, 0.1], "probabilities rounded to 1 decimals"),
    ],
)
def test_what_is_revealed(reveal: Reveal, wanted: list[float], words: str) -> None:
    answers = np.log(np.array([[0.61, 0.3, 0.09]], np.float32))
    np.testing.assert_allclose(np.exp(reveal.apply(answers))[0], wanted, atol=1e-6)
    stacked = reveal.apply(np.stack([answers, answers]))
    np.testing.assert_allclose(np.exp(stacked), np.broadcast_to(wanted, (2, 1, 3)), atol=1e-6)
    assert str(reveal) == words


@pytest.mark.parametrize("k", [1, 3, 6, 9])
def test_of_equal_probabilities_the_first_classes_are_revealed(k: int) -> None:
    with np.errstate(divide="ignore"):
        answers = np.log(np.random.default_rng(0).integers(0, 4, (200, 6)) / 4).astype(np.float32)
    kept = np.argsort(-answers, axis=1, kind="stable")[:, :k]
    wanted = np.full_like(answers, -np.inf)
    np.put_along_axis(wanted, kept, np.take_along_axis(answers, kept, axis=1), axis=1)
    np.testing.assert_array_equal(Reveal("top", k).apply(answers), wanted)
    first = Reveal("labels").apply(answers)
    assert (first.argmax(axis=1) == kept[:, 0]).all() and (np.isfinite(first).sum(axis=1) == 1).all()


def test_blocks_signals_and_single_shadows_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    some = shadows(hide=True)
    monkeypatch.setattr(module, "BLOCK_BYTES", 4 * M * C * 5)  # blocks of five rows: the last is shorter
    blocks = list(some.blocks())
    assert [part.stop - part.start for part, _ in blocks] == [5, 5, 2]
    whole = np.concatenate([block for _, block in blocks], axis=1)
    for i in range(M):
        np.testing.assert_array_equal(whole[i], some.of_shadow(i))
    np.testing.assert_array_equal(np.isnan(whole).all(axis=2), some.member)
    np.testing.assert_array_equal(some.signal(lambda logs, labels: logs[:, 0]), whole[:, :, 0])
    np.testing.assert_array_equal(np.isnan(some.observation("loss", 2)[:, 0]), some.member[2])


def test_leaving_one_out_leaves_its_partner_out_where_shadows_are_paired() -> None:
    lone, paired = shadows(), shadows(paired=True)
    np.testing.assert_array_equal(lone.without(1).member, lone.member[[0, 2, 3, 4]])
    np.testing.assert_array_equal(paired.without(1).member, paired.member[2:])
    np.testing.assert_array_equal(paired.without(4).member, paired.member[:4])


def test_some_shadows_on_some_rows_are_the_same_answers() -> None:
    some = shadows()
    part = some.only([3, 0]).at(np.array([7, 2]))
    assert (part.n_shadows, part.n_classes) == (2, C)
    np.testing.assert_array_equal(part.of_shadow(0), some.of_shadow(3)[[7, 2]])
    np.testing.assert_array_equal(part.observation("loss", 1), some.observation("loss", 0)[[7, 2]])
    np.testing.assert_array_equal(part.member, some.member[[3, 0]][:, [7, 2]])
    assert some.first(2).n_shadows == 2
    assert some.first(99).n_shadows == M
    assert some.observed_only(frozenset()).observed == {}
