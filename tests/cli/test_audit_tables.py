"""Tables as people have them: the same values through the command line with real files and through Python."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.cli.app import run
from gnomon.core.plan import read_plan

N = 90
ATTACKS = "gap,loss,lira_offline"


def parts(thing: Any) -> tuple[Any, Any]:
    return (thing.iloc[:N], thing.iloc[N:]) if hasattr(thing, "iloc") else (thing[:N], thing[N:])


def numbers(seed: int = 0, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(2 * N, 3)).round(3), columns=["a", "b", "c"])
    kind = np.where(frame["a"] + rng.normal(size=2 * N) > 0, "yes", "no")
    return frame.mask(rng.random((2 * N, 3)) < missing).assign(kind=kind)


def texts() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    words = np.array(["fever", "cough", "rash", "ache", "chill", "sore", "dizzy", "faint", "none", "pain"])
    kind = rng.integers(0, 2, 2 * N)
    drawn = [" ".join(words[np.minimum(9, rng.integers(0, 8, 6) + 2 * k)]) for k in kind]
    return pd.DataFrame({"note": drawn, "kind": np.where(kind, "ill", "well")})


def by_command(folder: Path, *words: str, to: str = "run") -> dict[str, Any]:
    """The record of `gnomon audit` with files in.* and out.* in a folder."""
    options = ["--shadows", "2", "--workers", "1", "--attacks", ATTACKS, "--to", to]
    assert run(["audit", *words, *options]) == 0
    found: dict[str, Any] = json.loads((folder / to / "record.json").read_text())
    return found


def by_call(model: Any, x: Any, y: Any, **options: Any) -> Any:
    (x_in, x_out), (y_in, y_out) = parts(x), parts(y)
    return gnomon.audit(
        model, (x_in, y_in), (x_out, y_out), shadows=2, workers=1, attacks=ATTACKS.split(","), **options
    ).record


def same_values(record: dict[str, Any], called: Any) -> None:
    found, wanted = ({a["name"]: a["auc"]["value"] for a in r["attacks"]} for r in (record, called.model_dump()))
    assert found == wanted
    assert len(wanted) == 3
    assert record["target"]["train_accuracy"] == called.target.train_accuracy
    assert record["verdict"]["level"] == called.verdict.level


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(frame: pd.DataFrame, suffix: str, **options: Any) -> list[str]:
    for name, part in zip(("in", "out"), parts(frame), strict=True):
        if suffix == ".npz":
            x = part.drop(columns="kind").to_numpy(dtype=float)
            np.savez(f"{name}.npz", x=x, y=part["kind"].to_numpy(dtype=str))
        elif suffix == ".parquet":
            part.to_parquet(f"{name}.parquet")
        else:
            part.to_csv(f"{name}{suffix}", **({"index": False} | options))
    label = [] if suffix == ".npz" else ["--label", "kind"]
    return ["--model", "m.skops", "--members", f"in{suffix}", "--nonmembers", f"out{suffix}", *label]


TREES = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2, early_stopping=False, random_state=0)
TREE = DecisionTreeClassifier(random_state=0, max_depth=4)
MEND = make_pipeline(SimpleImputer(), DecisionTreeClassifier(random_state=0, max_depth=4))


@pytest.mark.parametrize(
    ("recipe", "suffix"), [(TREES, ".csv"), (MEND, ".parquet"), (TREE, ".npz")], ids=["csv", "parquet", "npz"]
)
def test_missing_numbers_that_the_model_takes_are_audited_as_they_are(folder: Path, recipe: Any, suffix: str) -> None:
    frame = numbers(missing=0.15)
    x = frame.drop(columns="kind") if suffix != ".npz" else frame.drop(columns="kind").to_numpy()
    model = recipe.fit(parts(x)[0], frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    record = by_command(folder, *write(frame, suffix))
    same_values(record, by_call(model, x, frame["kind"]))
    assert not [f for f in record["findings"] if f["severity"] == "error"]


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_a_model_that_takes_no_missing_numbers_says_so_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    frame = numbers(missing=0.15)
    x = frame.drop(columns="kind") if suffix == ".csv" else frame.drop(columns="kind").to_numpy()
    model = LogisticRegression().fit(np.nan_to_num(x) if suffix == ".npz" else x.fillna(0), frame["kind"])
    skops.io.dump(model, "m.skops")
    assert run(["audit", *write(frame, suffix), "--to", "run"]) == 2
    said = capsys.readouterr().err
    with pytest.raises(gnomon.GnomonError, match="LogisticRegression takes no missing numbers, but column") as caught:
        by_call(model, x, frame["kind"])
    assert str(caught.value) in " ".join(said.split())
    assert not (folder / "run" / "record.json").exists()


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_rows_are_audited_from_npz_and_in_python_and_stay_sparse(folder: Path, kind: Callable[..., Any]) -> None:
    frame = texts()
    x = scipy.sparse.csr_array(TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit_transform(frame["note"]))
    seen: list[str] = []

    class Watching(MultinomialNB):
        def fit(self, x: Any, y: Any) -> Any:
            seen.append(type(x).__name__)
            return super().fit(x, y)

    model = MultinomialNB(alpha=1e-3).fit(x[:N], frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    for name, rows, labels in zip(("in", "out"), parts(x), parts(frame["kind"]), strict=True):
        scipy.sparse.save_npz(f"{name}.npz", kind(rows))
        with np.load(f"{name}.npz") as arrays:
            np.savez(f"{name}.npz", **dict(arrays), y=labels.to_numpy(dtype=str))
    record = by_command(folder, "--model", "m.skops", "--members", "in.npz", "--nonmembers", "out.npz")
    same_values(record, by_call(model, x, frame["kind"]))
    (x_in, x_out), (y_in, y_out) = parts(x), parts(frame["kind"])
    watched = Watching(alpha=1e-3).fit(x_in, y_in)
    gnomon.audit(watched, (kind(x_in), y_in), (kind(x_out), y_out), shadows=2, workers=1, attacks=["loss"])
    assert len(seen) == 3
    assert all(name.startswith("csr") for name in seen)


def test_a_sparse_file_without_labels_is_told_how_to_get_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scipy.sparse.save_npz("in.npz", scipy.sparse.csr_array(np.eye(4)))
    skops.io.dump(MultinomialNB().fit(np.eye(4), [0, 1, 0, 1]), "m.skops")
    assert run(["audit", "--model", "m.skops", "--members", "in.npz", "--nonmembers", "in.npz"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    how = 'numpy.savez("in.npz", **numpy.load("in.npz"), y=labels)'
    assert how in said
    exec(how, {"numpy": np, "labels": np.array([0, 1, 0, 1])})
    assert len(np.load("in.npz")["y"]) == 4


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_one_column_of_text_reaches_a_pipeline_that_begins_with_a_vectoriser(folder: Path, suffix: str) -> None:
    frame = texts()
    model = make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB(alpha=1e-3))
    model.fit(list(frame["note"][:N]), frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    record = by_command(folder, *write(frame, suffix))
    given = frame["note"] if suffix == ".csv" else list(frame["note"])
    same_values(record, by_call(model, given, frame["kind"]))


def test_a_function_of_a_text_pipeline_gets_texts() -> None:
    frame = texts()
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(frame["note"][:N], frame["kind"][:N] == "well")
    whole = by_call(model, frame["note"], (frame["kind"] == "well").astype(int), trainer=None)
    called = by_call(model.predict_proba, frame["note"], (frame["kind"] == "well").astype(int), trainer=None)
    assert whole.target.train_accuracy == called.target.train_accuracy


def test_semicolons_decimal_commas_and_an_index_column_change_nothing(folder: Path) -> None:
    frame = numbers()
    model = DecisionTreeClassifier(random_state=0, max_depth=4).fit(frame[["a", "b", "c"]][:N], frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    record = by_command(folder, *write(frame, ".csv", sep=";", decimal=",", index=True))
    same_values(record, by_call(model, frame[["a", "b", "c"]], frame["kind"]))
    said = record["data"]["note"]
    assert "semicolons between fields, decimal commas, without the counting column Unnamed: 0" in said
    assert read_plan("run/plan.toml").data.members == str(folder / "in.csv")  # an audit by flags leaves its plan


def test_what_is_not_found_out_can_be_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers()
    model = DecisionTreeClassifier(random_state=0, max_depth=4).fit(frame[["a", "b", "c"]][:N], frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    write(frame.rename(columns={"c": "größe"}), ".csv", sep="~", decimal=",", encoding="latin-1")
    model = DecisionTreeClassifier(random_state=0, max_depth=4).fit(
        frame[["a", "b", "c"]][:N].rename(columns={"c": "größe"}), frame["kind"][:N]
    )
    skops.io.dump(model, "m.skops")
    plan = '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "kind"\n[target]\nmodel = "m.skops"\n'
    Path("plain.toml").write_text(plan)
    assert run(["audit", "plain.toml"]) == 2
    assert "in.csv" in capsys.readouterr().err
    Path("said.toml").write_text(plan + '[data.csv]\nseparator = "~"\ndecimal = ","\nencoding = "latin-1"\n')
    record = by_command(folder, "said.toml")
    same_values(record, by_call(model, frame[["a", "b", "c"]].rename(columns={"c": "größe"}), frame["kind"]))


def test_codes_keep_their_zeros_and_stay_text_in_all_files(folder: Path) -> None:
    frame = numbers().assign(code=["007", "7", "012"] * (2 * N // 3))[["code", "a", "kind"]]
    frame.loc[N:, "code"] = np.where(frame["code"][N:] == "7", "7", "120")  # no zero leads in the other file
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), DecisionTreeClassifier(random_state=0))
    model.fit(frame[["code", "a"]][:N], frame["kind"][:N])
    skops.io.dump(model, "m.skops")
    words = [*write(frame, ".csv"), "--override", "distribution-shift", "--override", "unseen-models-tell"]
    record = by_command(folder, *words)
    override = {"preflight": {"override": ["distribution-shift", "unseen-models-tell"]}}
    same_values(record, by_call(model, frame[["code", "a"]], frame["kind"], plan=override))
    assert "leading zeros kept, as text, in code" in record["data"]["note"]
