"""Audits that once called a leaking model quiet, or said something else that was not so: what they say now.

Each case is small and real: a model is trained, audited as a user would, and one line tells the exit code or the level,
the headline's attack, the strongest attack of the audit and the findings.

    python benchmarks/verdict_cases.py
    python benchmarks/verdict_cases.py --only gate
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.datasets import load_digits, make_blobs, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.core.errors import GnomonError
from gnomon.models.sklearn import SklearnTrainer

Side = tuple[Any, Any]
WIDTH = 150  # of what a command printed
N = 500
FEW = ("gap", "loss", "reference", "lira", "lira_offline", "rmia", "calibrated")
QUICK: dict[str, Any] = {"attacks": {"ladder": False, "rehearsals": 2}}
LABELS_ONLY = QUICK | {"target": {"reveals": "labels", "query_budget": 100_000}}
AUDIT = "audit --members in.csv --nonmembers out.csv --label label --workers 1 --shadows 6 --to run "
ANSWERS = "--member-answers in_answers.csv --nonmember-answers out_answers.csv"


def sides(n: int = N, columns: int = 10, informative: int = 5, flip: float = 0.2, seed: int = 0) -> tuple[Side, Side]:
    return halves(
        make_classification(2 * n, columns, n_informative=informative, n_redundant=0, flip_y=flip, random_state=seed)
    )


def halves(table: Side) -> tuple[Side, Side]:
    (x, y), n = table, len(table[0]) // 2
    return (x[:n], y[:n]), (x[n:], y[n:])


def told(record: dict[str, Any]) -> str:
    """The level, who speaks, the strongest attack, and the findings."""
    verdict, areas = record["verdict"], {a["name"]: a["auc"]["value"] for a in record["attacks"] if a["auc"]}
    speaks = f", {verdict['attack']} {areas[verdict['attack']]:.3f}" if verdict["attack"] else ""
    most = max(areas, key=lambda name: abs(areas[name] - 0.5))
    accuracy = record["target"]["train_accuracy"], record["target"]["test_accuracy"]
    findings = ", ".join(f"`{f['code']}`" for f in record["findings"] if f["severity"] != "note")
    return f"{verdict['level']}{speaks} | {accuracy[0]:.2f} / {accuracy[1]:.2f}; {most} {areas[most]:.3f} | {findings}"


def audited(target: Any, members: Side, others: Side, **settings: Any) -> str:
    """An audit from Python; a refusal is told as well."""
    asked: dict[str, Any] = {"workers": 1, "shadows": 6, "attacks": FEW, "plan": QUICK} | settings
    try:
        outcome: Any = gnomon.audit(target, members, others, **asked)
    except GnomonError as error:
        return stopped(str(error))
    return told(getattr(outcome, "record", outcome).model_dump())


def stopped(words: str) -> str:
    return f"stopped | | {words.splitlines()[0].removeprefix('gnomon: ')[:WIDTH]}"


def command(folder: Path, words: str) -> tuple[int, str]:
    """Exit code and the last line of a command."""
    done = subprocess.run([sys.executable, "-m", "gnomon", *words.split()], cwd=folder, capture_output=True, text=True)
    lines = [line.strip() for line in (done.stderr if done.returncode == 2 else done.stdout).splitlines()]
    return done.returncode, next((line for line in reversed(lines) if line), "")


def gated(folder: Path, limit: str) -> str:
    code, last = command(folder, f"gate run {limit}")
    return f"exit {code} | | {last[:WIDTH]}"


def write(folder: Path, members: Side, others: Side, answers: Callable[[Any], pd.DataFrame] | None = None) -> None:
    for name, (x, y) in (("in", members), ("out", others)):
        rows = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).assign(label=y)
        rows.to_csv(folder / f"{name}.csv", index=False)
        if answers is not None:
            answers(x).to_csv(folder / f"{name}_answers.csv", index=False)


def audited_files(folder: Path, words: str) -> str:
    """An audit by the command line."""
    code, last = command(folder, AUDIT + words)
    return stopped(last) if code else told(json.loads((folder / "run" / "record.json").read_text(encoding="utf-8")))


def forest_and_stumps(_: Path) -> str:
    members, others = sides()
    model = RandomForestClassifier(30, random_state=0).fit(*members)
    return audited(model, members, others, trainer=SklearnTrainer(DecisionTreeClassifier(max_depth=1)), attacks=None)


def overfitted_regression(_: Path) -> str:
    members, others = sides(60, 12, 4, 0.1, seed=1)
    model = LogisticRegression(C=1e3, max_iter=5000).fit(*members)
    return audited(model, members, others, trainer="clone")


def behind(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], str]:
    def run(_: Path) -> str:
        members, others = sides()
        network = MLPClassifier((32,), max_iter=150, random_state=0)
        model = network.fit(*members)
        return audited(lambda x: change(model.predict_proba(x)), members, others, trainer=SklearnTrainer(network))

    return run


def cooled(given: np.ndarray) -> np.ndarray:
    root = np.clip(given, 1e-12, 1) ** (1 / 20)
    return np.asarray(root / root.sum(axis=1, keepdims=True))


def one_hot(given: np.ndarray) -> np.ndarray:
    return np.asarray(np.eye(given.shape[1])[given.argmax(axis=1)])


def neighbour_digits(_: Path) -> str:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    members, others = halves((x[order], y[order]))
    model = KNeighborsClassifier(1).fit(*members)
    return audited(model, members, others, trainer="clone", attacks=(*FEW, "noise_robustness"), plan=LABELS_ONLY)


def neighbour_blobs(_: Path) -> str:
    members, others = halves(make_blobs(1780, 10, centers=5, random_state=0))
    model = KNeighborsClassifier(1).fit(*members)
    return audited(model, members, others, trainer="clone", attacks=(*FEW, "noise_robustness"), plan=LABELS_ONLY)


def swap(folder: Path, words: str = "") -> str:
    members, others = sides()
    skops.io.dump(DecisionTreeClassifier(random_state=0).fit(*members), folder / "m.skops")
    write(folder, others, members)
    return audited_files(folder, "--model m.skops --attacks gap,loss,lira" + words)


def forgot_too_well(_: Path) -> str:
    members, others = sides(flip=0.02)
    model = RandomForestClassifier(30, random_state=0).fit(*others)
    forgotten = {row.tobytes() for row in members[0][::3]}

    def unlearned(x: np.ndarray) -> np.ndarray:
        given = model.predict_proba(x)
        turn = np.array([row.tobytes() in forgotten for row in np.asarray(x)])
        return np.asarray(np.where(turn[:, None], given[:, ::-1], given))

    return audited(unlearned, members, others, trainer=None)


def columns_in_text_order(folder: Path) -> str:
    members, others = halves(make_blobs(2 * N, 12, centers=12, cluster_std=4.0, random_state=0))
    model = RandomForestClassifier(30, random_state=0).fit(*members)
    names = [f"prediction_{i}" for i in range(12)]
    write(folder, members, others, lambda x: pd.DataFrame(model.predict_proba(x), columns=names)[sorted(names)])
    return audited_files(folder, ANSWERS)


def weights_of_classes(kind: Any) -> Callable[[Path], str]:
    """Labels 1, 2, 3, of which 2 has a weight: counted from 0 it would be that of another class."""

    def run(_: Path) -> str:
        x, y = make_blobs(2 * N, 4, centers=3, cluster_std=6.0, random_state=0)
        members, others = halves((x, y + 1))
        model = kind.set_params(class_weight={2: 10}).fit(*members)
        outcome: Any = gnomon.audit(model, members, others, shadows=6, attacks=FEW, workers=1, plan=QUICK)
        record = getattr(outcome, "record", outcome)
        said = f"shadow models are right on {record.shadows.train_accuracy.value:.2f} of their rows"
        return f"{told(record.model_dump())} {said}"

    return run


def by_heart(n: int, few: int) -> Callable[[Path], str]:
    """A model that answers as trained on other rows, but for the few members that it knows by heart."""

    def run(_: Path) -> str:
        x, y = make_classification(3 * n, 10, n_informative=5, n_redundant=0, flip_y=0.2, random_state=0)
        model = LogisticRegression().fit(x[2 * n :], y[2 * n :])
        known = {row.tobytes(): int(label) for row, label in zip(x[:few], y[:few], strict=True)}

        def answers(rows: np.ndarray) -> np.ndarray:
            given = model.predict_proba(rows)
            for i, row in enumerate(np.asarray(rows)):
                if row.tobytes() in known:
                    given[i] = np.where(np.arange(2) == known[row.tobytes()], 1 - 1e-6, 1e-6)
            return np.asarray(given)

        return audited(answers, *halves((x[: 2 * n], y[: 2 * n])), trainer=None)

    return run


def risk_of_overfitted_shadows(_: Path) -> str:
    members, others = sides(700, 12, 6)
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(*members)
    outcome = gnomon.audit(
        model,
        members,
        others,
        trainer=SklearnTrainer(RandomForestClassifier(20, random_state=0)),
        shadows=6,
        attacks=("loss",),
        workers=1,
        plan=QUICK | {"preflight": {"override": ["shadows-unlike-target"]}},
    )
    record: Any = getattr(outcome, "record", outcome)
    bands = [b for b in record.risk.bands if b.members + b.nonmembers > 20]
    top, error = bands[-1], record.risk.calibration_error
    findings = ", ".join(f"`{f.code}`" for f in record.findings if f.severity != "note")
    said = f"states {top.stated:.2f}, comes true {top.true:.2f}, error {getattr(error, 'value', error):.3f}"
    return f"{said} | | {findings}"


def blind(column: Callable[[np.random.Generator, int, bool], Sequence[str]]) -> Callable[[Path], str]:
    """A column that tells the sides apart, as text."""

    def run(_: Path) -> str:
        rng, (members, others) = np.random.default_rng(0), sides(300)
        model = LogisticRegression().fit(*members)
        frames = [
            (pd.DataFrame(x, columns=[f"x{i}" for i in range(10)]).assign(told=column(rng, len(x), inside)), y)
            for (x, y), inside in ((members, True), (others, False))
        ]

        def answers(frame: pd.DataFrame) -> np.ndarray:
            return np.asarray(model.predict_proba(frame.drop(columns="told").to_numpy()))

        return audited(answers, *frames, trainer=None)

    return run


def days(pattern: str) -> Callable[[np.random.Generator, int, bool], Sequence[str]]:
    def column(rng: np.random.Generator, n: int, inside: bool) -> Sequence[str]:
        drawn = pd.Timestamp("2023-01-01" if inside else "2023-07-01") + pd.to_timedelta(rng.integers(0, 180, n), "D")
        return list(drawn.strftime(pattern))

    return column


def counters(rng: np.random.Generator, n: int, inside: bool) -> Sequence[str]:
    return [f"P{number}x" for number in rng.permutation(n) + (1000 if inside else 1000 + n)]


def odd_or_even(rng: np.random.Generator, n: int, inside: bool) -> Sequence[str]:
    return [f"s{2 * number + inside}" for number in rng.integers(0, 50, n)]


def style(rng: np.random.Generator, n: int, inside: bool) -> Sequence[str]:
    return ["note: " + ("blood pressure high" if inside else "BP high") + f" {i}" for i in rng.integers(0, 99, n)]


def gate_on_a_wide_interval(folder: Path) -> str:
    members, others = sides(1300)
    skops.io.dump(RandomForestClassifier(30, random_state=0).fit(*members), folder / "m.skops")
    write(folder, members, others)
    audited_files(folder, "--model m.skops --attacks lira")
    return gated(folder, "tpr@0.001<=0.01")


def gate_without_shadow_attacks(folder: Path) -> str:
    members, others = sides()
    model, names = LogisticRegression().fit(*members), ["prediction_0", "prediction_1"]
    write(folder, members, others, lambda x: pd.DataFrame(model.predict_proba(x), columns=names))
    audited_files(folder, f"{ANSWERS} --attacks gap,lira,rmia")
    return gated(folder, "auc<=0.6")


def gate_on_swapped_tables(folder: Path) -> str:
    told = swap(folder)
    if told.startswith("stopped"):
        swap(folder, " --override tables-swapped?")
    return gated(folder, "auc<=0.6")


CASES: dict[str, Callable[[Path], str]] = {
    "random forest, shadows are stumps": forest_and_stumps,
    "logistic regression, C = 1e3, 60 + 60 rows, its own clone": overfitted_regression,
    "network behind temperature 20, plain shadows": behind(cooled),
    "network behind one-hot answers, plain shadows": behind(one_hot),
    "1-NN on digits, labels only": neighbour_digits,
    "1-NN on separated blobs, labels only": neighbour_blobs,
    "tree, tables swapped": swap,
    "gate auc<=0.6 on them, the tables confirmed": gate_on_swapped_tables,
    "a model that forgot its members too well": forgot_too_well,
    "answers' columns in text order": columns_in_text_order,
    "class_weight={2: 10} on labels 1, 2, 3": weights_of_classes(LogisticRegression(max_iter=500)),
    "the same, a forest with leaves of 5": weights_of_classes(
        RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
    ),
    "100 of 2,000 members by heart": by_heart(2000, 100),
    "40 of 4,000 members by heart": by_heart(4000, 40),
    "100 of 5,000 members by heart": by_heart(5000, 100),
    "risk where shadows overfit and the target does not": risk_of_overfitted_shadows,
    "sides half a year apart, dd.mm.yyyy": blind(days("%d.%m.%Y")),
    "sides half a year apart, m/d/yyyy": blind(days("%-m/%-d/%Y")),
    "a counter in a text": blind(counters),
    "odd against even categories": blind(odd_or_even),
    "another style behind one prefix": blind(style),
    "gate tpr@0.001<=0.01, interval far above": gate_on_a_wide_interval,
    "gate auc<=0.6, attacks with shadows skipped": gate_without_shadow_attacks,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    wanted = parser.parse_args().only
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| case | level, speaks | accuracy in / out; strongest attack | findings, or what was printed |")
    print("|---|---|---|---|")
    for name, run in CASES.items():
        if wanted in name:
            with tempfile.TemporaryDirectory() as folder:
                print(f"| {name} | {run(Path(folder))} |", flush=True)


if __name__ == "__main__":
    main()
