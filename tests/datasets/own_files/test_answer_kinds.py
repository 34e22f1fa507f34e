import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnomon.cli.app import run
from gnomon.core.answers import Reveal
from gnomon.core.errors import GnomonError
from gnomon.datasets import read_answers

CLASSES = ("no", "perhaps", "yes", "sure")
N = 60


def whole(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(4, 0.7), N)


def largest(p: np.ndarray, k: int) -> np.ndarray:
    return np.exp(Reveal("top", k).apply(np.log(p)))


SHOWN = {
    "whole": (lambda p: p, "full", "", 0.0),
    "per cent": (lambda p: 100 * p, "full", "in per cent", 1e-9),
    "whole per cent": (lambda p: np.round(100 * p), "rounded:2", "in per cent, read as rounded:2", 0.0051),
    "two decimals": (lambda p: np.round(p, 2), "rounded:2", "read as rounded:2", 0.0051),
    "one decimal": (lambda p: np.round(p, 1), "rounded:1", "read as rounded:1", 0.051),
    "the largest three": (lambda p: largest(p, 3), "top:3", "read as top:3", 1e-6),
    "the largest": (lambda p: largest(p, 1), "top:1", "read as top:1", 1e-6),
    "the largest two in per cent": (lambda p: 100 * largest(p, 2), "top:2", "in per cent, read as top:2", 1e-6),
    "the largest two, others empty": (
        lambda p: np.where(largest(p, 2) > 0, p, np.nan), "top:2", "read as top:2", 1e-6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize(("show", "reveals", "said", "near"), SHOWN.values(), ids=SHOWN)
def test_answers_are_read_as_what_they_are(tmp_path, show, reveals, said, near, suffix):
    place, shown = tmp_path / f"a{suffix}", show(whole())
    if suffix == ".csv":
        pd.DataFrame(shown, columns=list(CLASSES)).to_csv(place, index=False)
    else:
        np.savez(place, answers=shown, classes=CLASSES)
    table = read_answers(place, classes=CLASSES)
    assert (table.reveals, table.said) == (reveals, said)
    wanted = largest(whole(), int(reveals[4:])) if reveals.startswith("top") else whole()
    assert np.abs(np.exp(table.log_probs) - wanted).max() <= near + 1e-6


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p * 0.5,  # three quarters of nothing
        lambda p: p - 0.1,
        lambda p: 30 * p,
        lambda p: np.where(np.arange(N)[:, None] < 3, np.nan, p),  # a row of which nothing is known
        lambda p: np.where(p == p[:1], np.nan, p),  # one row with nothing, others whole
    ],
)
def test_what_is_none_of_these_is_refused_in_one_line(tmp_path, spoil):
    pd.DataFrame(spoil(whole()), columns=list(CLASSES)).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(GnomonError, match=r"a\.csv") as caught:
        read_answers(tmp_path / "a.csv", classes=CLASSES)
    assert "\n" not in str(caught.value)


def test_predicted_labels_are_answers(tmp_path):
    labels = np.array(CLASSES)[whole().argmax(axis=1)]
    pd.DataFrame({"prediction": labels}).to_csv(tmp_path / "a.csv", index=False)
    np.savez(tmp_path / "a.npz", labels)
    pd.DataFrame({"prediction": whole().argmax(axis=1)}).to_csv(tmp_path / "b.csv", index=False)
    for name, classes in (("a.csv", CLASSES), ("a.npz", CLASSES), ("b.csv", ("0", "1", "2", "3"))):
        table = read_answers(tmp_path / name, classes=classes)
        assert (table.reveals, table.said) == ("labels", "predicted labels only")
        assert (table.log_probs.argmax(axis=1) == whole().argmax(axis=1)).all()
    pd.DataFrame({"prediction": [*labels[:-1], "maybe"]}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(GnomonError):
        read_answers(tmp_path / "a.csv", classes=CLASSES)


def test_one_column_may_be_in_per_cent(tmp_path):
    share = whole()[:, 0]
    for name in ("prob_yes", "score"):
        pd.DataFrame({name: 100 * share}).to_csv(tmp_path / "a.csv", index=False)
        table = read_answers(tmp_path / "a.csv", classes=("no", "yes"))
        assert (table.reveals, table.said) == ("full", "in per cent")
        assert np.exp(table.log_probs[:, 1]) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("kind", ["the largest three", "labels"])
def test_an_audit_of_such_files_says_what_they_reveal(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, seed in (("in", 0), ("out", 1)):
        p = whole(seed)
        y = np.array(CLASSES)[[rng.choice(4, p=row) for row in p]]
        pd.DataFrame(rng.normal(size=(N, 2)), columns=["a", "b"]).assign(y=y).to_csv(f"{name}.csv", index=False)
        shown = pd.DataFrame({"p": np.array(CLASSES)[p.argmax(axis=1)]}) if kind == "labels" else None
        shown = pd.DataFrame(SHOWN[kind][0](p), columns=list(CLASSES)) if shown is None else shown
        shown.assign(y=y).to_csv(f"{name}_answers.csv")  # with an index column and the true labels, as people export
    words = ["audit", "--members", "in.csv", "--nonmembers", "out.csv", "--label", "y", "--to", "run"]
    assert run([*words, "--member-answers", "in_answers.csv", "--nonmember-answers", "out_answers.csv"]) == 0
    record = json.loads(Path("run/record.json").read_text())
    assert record["plan"]["target"]["reveals"] == ("labels" if kind == "labels" else "top:3")
    assert ("label only" if kind == "labels" else "top 3") in record["threat_model"]["reveals"]
    assert "They are " in record["answers_map"]["sentence"]
