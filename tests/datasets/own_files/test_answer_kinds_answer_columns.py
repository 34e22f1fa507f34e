import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import DataError
from gnomon.datasets import read_answers
from gnomon.datasets.own_files.answer_kinds import match_columns

MATCHED = {
    "names": (["b", "a"], ["a", "b"], [1, 0], "name"),
    "whole numbers as fractions": (["2.0", "1.0"], ["1", "2"], [1, 0], "name"),
    "one prefix": (["prob_yes", "prob_no"], ["no", "yes"], [1, 0], "name within"),
    "a prefix that eats into the names": (["prob_cat", "prob_car"], ["car", "cat"], [1, 0], "name within"),
    "one suffix": (["yes_p", "no_p"], ["no", "yes"], [1, 0], "name within"),
    "both": (["P(yes|x)", "P(no|x)"], ["no", "yes"], [1, 0], "name within"),
    "other case": (["probYes", "probNo"], ["no", "yes"], [1, 0], "name within"),
    "spaces as underscores": (["p_very_high", "p_high"], ["high", "very high"], [1, 0], "name within"),
    "a name within another": (["p very high", "q high"], ["high", "very high"], [1, 0], "name within"),
    "unlike prefixes": (["score yes", "likelihood of no"], ["no", "yes"], [1, 0], "name within"),
    "number names": (["p10", "p1", "p2"], ["1", "2", "10"], [1, 2, 0], "name within"),
    "text order": ([f"c_{k}" for k in (0, 1, 10, *range(2, 10))], list("abcdefghijk"),
                   [0, 1, *range(3, 11), 2], "number"),
    "counted from 1": (["class 2", "class 1"], ["no", "yes"], [1, 0], "number"),
    "counted from 0, names from 1": (["0", "1", "2"], ["1", "2", "3"], [0, 1, 2], "number"),
    "zeros in front": (["p01", "p00"], ["no", "yes"], [1, 0], "number"),
    "a constant number": (["v2_c1", "v2_c0"], ["no", "yes"], [1, 0], "number"),
}  # fmt: skip


@pytest.mark.parametrize("name", MATCHED)
def test_columns_find_their_class(name):
    columns, classes, places, rule = MATCHED[name]
    found = match_columns(columns, classes)
    assert found is not None
    assert (found.places.tolist(), found.rule) == (places, rule)


@pytest.mark.parametrize(
    ("columns", "classes"),
    [
        (["a", "b"], ["no", "yes"]),
        (["p_no", "other"], ["no", "yes"]),
        (["no yes", "yes no"], ["no", "yes"]),
        (["know", "eyes"], ["no", "yes"]),
        (["p1", "p3"], ["no", "yes"]),
        (["p1", "q0"], ["no", "yes"]),
        (["1_2", "2_1"], ["no", "yes"]),
        (["p_no"], ["no", "yes"]),
    ],
)
def test_names_that_do_not_say_it_are_not_guessed(columns, classes):
    assert match_columns(columns, classes) is None


def test_any_order_of_named_or_numbered_columns_reads_the_same(tmp_path):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(12), 6)
    classes = [str(k) for k in range(1, 13)]
    for names in ([f"x{k}" for k in range(12)], [f"p[{c}]" for c in classes], classes):
        order = rng.permutation(12)
        pd.DataFrame(p[:, order], columns=[names[k] for k in order]).to_csv(tmp_path / "a.csv", index=False)
        found = read_answers(tmp_path / "a.csv", classes=classes)
        assert np.allclose(np.exp(found.log_probs), p, atol=1e-6)
        assert list(found.columns) == names


def test_an_array_may_name_its_columns(tmp_path):
    p = np.array([[0.7, 0.1, 0.2], [0.1, 0.6, 0.3]])
    np.savez(tmp_path / "a.npz", answers=p[:, [2, 0, 1]], classes=np.array([3.0, 1.0, 2.0]))
    found = read_answers(tmp_path / "a.npz", classes=("1", "2", "3"))
    assert np.allclose(np.exp(found.log_probs), p)
    assert found.rule == "name"
    np.savez(tmp_path / "a.npz", answers=p, classes=np.array(["1", "2"]))
    with pytest.raises(DataError, match=r"expected classes to name each column, got \(2,\)"):
        read_answers(tmp_path / "a.npz", classes=("1", "2", "3"))


@pytest.mark.parametrize(
    ("name", "second"),
    [("prob_yes", 0.3), ("yes", 0.3), ("P(no)", 0.7), ("score", 0.3), ("p", 0.3)],
)
def test_one_column_is_that_of_the_class_it_names_else_of_the_second(tmp_path, name, second):
    pd.DataFrame({name: [0.3]}).to_csv(tmp_path / "a.csv", index=False)
    found = read_answers(tmp_path / "a.csv", classes=("no", "yes"))
    assert np.allclose(np.exp(found.log_probs), [[1 - second, second]])
    assert found.rule == "one column"
    assert name in found.columns
    np.savez(tmp_path / "a.npz", np.array([0.3]))
    assert np.allclose(np.exp(read_answers(tmp_path / "a.npz", classes=("no", "yes")).log_probs), [[0.7, 0.3]])


def test_one_column_with_a_mere_number_or_for_more_classes_is_refused(tmp_path):
    pd.DataFrame({"0": [0.3]}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match='called "0", which may be a class or a mere number'):
        read_answers(tmp_path / "a.csv", classes=("0", "1"))
    with pytest.raises(DataError, match="expected 3 columns, one a class, got 1"):
        read_answers(tmp_path / "a.csv", classes=("0", "1", "2"))
