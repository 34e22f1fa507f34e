import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import DataError, ModelError, UsageError
from gnomon.datasets import read_answers
from gnomon.datasets.own_files.answer_files import answers_in_memory

P = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
CLASSES = ("10", "2", "cat")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_answers_are_read_as_log_probabilities(tmp_path, suffix):
    place = tmp_path / f"answers{suffix}"
    if suffix == ".npz":
        np.savez(place, whatever=P)
    else:
        frame = pd.DataFrame(P, columns=["p0", "p1", "p2"])
        frame.to_csv(place, index=False) if suffix == ".csv" else frame.to_parquet(place)
    logs = read_answers(place, classes=CLASSES, rows=2).log_probs
    assert logs.dtype == np.float32
    assert np.allclose(np.exp(logs), P)
    assert logs[1, 0] == -np.inf


def test_columns_that_bear_class_names_are_put_into_the_classes_order(tmp_path):
    pd.DataFrame(P[:, [1, 2, 0]], columns=["2", "cat", "10"]).to_csv(tmp_path / "a.csv", index=False)
    assert np.allclose(np.exp(read_answers(tmp_path / "a.csv", classes=CLASSES).log_probs), P)


def test_logits_and_log_probabilities_are_declared(tmp_path):
    np.savez(tmp_path / "a.npz", answers=np.array([[0.0, np.log(3)]]), other=P)
    assert np.allclose(np.exp(read_answers(tmp_path / "a.npz", "logits").log_probs), [[0.25, 0.75]])
    np.savez(tmp_path / "b.npz", np.log([[0.25, 0.75]]))
    assert np.allclose(np.exp(read_answers(tmp_path / "b.npz", "log_probabilities").log_probs), [[0.25, 0.75]])
    with pytest.raises(UsageError, match='did you mean "logits"'):
        read_answers(tmp_path / "a.npz", "logit")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("p0,p1,p2\n" + 30 * "0.5,0.4,0.1\n" + "0.5,0.4,0.2\n", ModelError, "sum to 1"),
        ("p0,p1,p2\n0.5,0.3,0.2\n0.5,,0.1\n", ModelError, "NaN"),
        ("p0,p1,p2\n1.5,-0.5,0\n", ModelError, r"lie in \[0, 1\]"),
        ("a,b,c\n0.5,0.5,0\n", DataError, 'a, b, c do not say which class .* for example "prob_10"'),
        ("a,b\n0.5,0.5\n", DataError, "expected 3 columns"),
        ("a,b,c\nx,y,z\n", DataError, '"a" holds "x"'),
        ("a,b,c\n", DataError, "holds nothing|at least one row"),
        ("0.5,0.25,0.25\n0.5,0.4,0.1\n", DataError, "first line is numbers"),
        ("10,2,c\n0.5,0.4,0.1\n", DataError, 'no column for the class "cat"'),
        ("10,2,cat,id\n0.5,0.4,0.1,1\n", DataError, 'column "id" bears no class name'),
    ],
)
def test_bad_answers_are_refused(tmp_path, text, error, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(error, match=message):
        read_answers(tmp_path / "a.csv", classes=CLASSES)


def test_their_number_is_checked(tmp_path):
    np.savez(tmp_path / "a.npz", P)
    with pytest.raises(DataError, match="expected 3 rows, one for each audited row, got 2"):
        read_answers(tmp_path / "a.npz", rows=3)
    np.savez(tmp_path / "b.npz", a=P, b=P)
    with pytest.raises(DataError, match='no array "answers"'):
        read_answers(tmp_path / "b.npz")
    with pytest.raises(DataError, match="no such file"):
        read_answers(tmp_path / "c.npz")


def write_with_ids(place, ids, answers):
    frame = pd.DataFrame(answers, columns=["p0", "p1", "p2"]).assign(who=ids)
    if place.suffix == ".npz":
        np.savez(place, answers=answers, who=ids)
    else:
        frame.to_csv(place, index=False) if place.suffix == ".csv" else frame.to_parquet(place)


@pytest.mark.parametrize("kind", [int, str, "text"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_answers_are_put_into_the_rows_order_by_their_ids(tmp_path, suffix, kind):
    rng = np.random.default_rng(0)
    ids = np.arange(30) * 7
    wanted = np.array([f"row {i}" for i in ids]) if kind == "text" else ids.astype(kind)
    answers = rng.dirichlet(np.ones(3), 30)
    order = rng.permutation(30)
    write_with_ids(tmp_path / f"a{suffix}", wanted[order], answers[order])
    found = read_answers(tmp_path / f"a{suffix}", classes=CLASSES, rows=30, id="who", ids=wanted.astype(str))
    assert found.by_ids
    assert np.allclose(np.exp(found.log_probs), answers)
    assert not read_answers(tmp_path / f"a{suffix}", classes=CLASSES, rows=30, id="who").by_ids
    with pytest.raises(DataError, match=r'there is none for "210" \(30 of 30 rows\); are the files of answers swapped'):
        read_answers(tmp_path / f"a{suffix}", classes=CLASSES, rows=30, id="who", ids=(ids + 210).astype(str))


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_an_id_that_stands_twice_or_not_at_all_is_named(tmp_path, suffix):
    write_with_ids(tmp_path / f"a{suffix}", np.array([5, 5]), P)
    with pytest.raises(DataError, match='the id "5" stands there 2 times'):
        read_answers(tmp_path / f"a{suffix}", classes=CLASSES, rows=2, id="who", ids=np.array(["5", "6"]))
    write_with_ids(tmp_path / f"a{suffix}", np.array([5, 7]), P)
    with pytest.raises(DataError, match=r'none for "6" \(1 of 2 rows\)'):
        read_answers(tmp_path / f"a{suffix}", classes=CLASSES, rows=2, id="who", ids=np.array(["5", "6"]))


def test_ids_must_be_as_many_as_answers_and_none_empty(tmp_path):
    np.savez(tmp_path / "a.npz", answers=P, ids=np.arange(3))
    with pytest.raises(DataError, match="expected an id for each answer"):
        read_answers(tmp_path / "a.npz", ids=np.array(["0", "1"]))
    (tmp_path / "a.csv").write_text("who,p0,p1,p2\n1,0.5,0.25,0.25\n,0.5,0.25,0.25\n")
    with pytest.raises(DataError, match='column "who" is empty in row 1'):
        read_answers(tmp_path / "a.csv", id="who", ids=np.array(["0", "1"]))
    with pytest.raises(DataError, match="must be the one that data"):
        (tmp_path / "b.csv").write_text("who,10,2,cat\n1,0.5,0.25,0.25\n")
        read_answers(tmp_path / "b.csv", classes=CLASSES)


@pytest.mark.parametrize("beside", ["predict", ".pred_class"])
def test_predicted_and_true_labels_next_to_a_column_a_class_are_left_out(tmp_path, beside):
    frame = pd.DataFrame({beside: ["yes", "no"], "no": [0.2, 0.7], "yes": [0.8, 0.3], "actual": ["yes", "yes"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = read_answers(tmp_path / "a.csv", "probabilities", ("no", "yes"))
    assert np.allclose(np.exp(found.log_probs), [[0.2, 0.8], [0.7, 0.3]])
    ids = pd.DataFrame({"predict": [1, 0], "p0": [0.2, 0.7], "p1": [0.8, 0.3]})  # as H2O writes numbers as classes
    assert np.allclose(np.exp(answers_in_memory("a", ids, ("0", "1"), 2).log_probs[:, 1]), [0.8, 0.3])
    hard = pd.DataFrame({"0": [0, 1], "1": [1, 0]})  # whole numbers that are probabilities
    assert answers_in_memory("a", hard, ("0", "1"), 2).log_probs.argmax(axis=1).tolist() == [1, 0]


def test_per_cent_may_bear_their_sign_and_other_text_is_shown(tmp_path):
    pd.DataFrame({"no": ["20.0%", "70 %"], "yes": ["80.0%", "30%"]}).to_csv(tmp_path / "a.csv", index=False)
    found = read_answers(tmp_path / "a.csv", classes=("no", "yes"))
    assert np.allclose(np.exp(found.log_probs), [[0.2, 0.8], [0.7, 0.3]])
    assert found.said == "in per cent"
    ranks = pd.DataFrame({"top1": [0.7, 0.5], "top2": [0.2, 0.4], "top3": [0.1, 0.1]})
    with pytest.raises(DataError, match=r"top1, top2, top3 are ranks, which do not say whose"):
        answers_in_memory("a", ranks, CLASSES, 2)
    true = pd.DataFrame({"true": ["2", "cat"], "p": [0.9, 0.1]})
    with pytest.raises(DataError, match=r"numbers down to 0\.1, and the largest of 3 probabilities is 0\.333 or more"):
        answers_in_memory("a", true, CLASSES, 2)
    with pytest.raises(DataError, match=r'one column of numbers a class, but "no" holds "low"'):
        answers_in_memory("a", pd.DataFrame({"no": ["low", "high"], "yes": [0.8, 0.3]}), ("no", "yes"), 2)
