"""Mutated plans, flags, tables, answers and records: each is carried out, or refused in one line with exit code 2.

GNOMON_FUZZ=3000 tries more, GNOMON_FUZZ_SEED=7 others; a failure names its seed and number, and the files stay.
"""

import contextlib
import copy
import io
import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.naive_bayes import GaussianNB
from tests.report.payloads import PAYLOADS

from gnomon.cli.app import run
from gnomon.core.errors import UsageError

TRIES = int(os.environ.get("GNOMON_FUZZ", "300"))
SEED = int(os.environ.get("GNOMON_FUZZ_SEED", "0"))
SECONDS = 60
EXIT_CODES = (0, 1, 2, 3, 4)
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 7, 0.5, -0.0, 1e-300, 1e308, float("nan"), float("inf"), 2**31, 2**63, 10**30,
    "", " ", "a", "0", "1e5", "nan", "none", "true", "..", "../x", "/", "~", "x" * 5000, "é", "診断", [], [[]], [0],
    ["a", "a"], {}, {"a": 1}, {"": {}}, "in.csv", "out.csv", "m.skops", "digits", "loss", "lira", "top:3", "labels",
    "utils._testing:check_output", "os:system", "http://localhost:1/x", *PAYLOADS,
]  # fmt: skip
WORDS: list[Any] = [
    "auditor", "adversary", "gap", "loss", "confidence", "full", "labels", "top:1", "rounded:2", "logits", "clone",
    "none", "sklearn", "class", "real", "noisy", ["gap", "loss"], ["class"], [0.1, 0.5], [], {}, 4, 9, 20, 0.2,
]  # fmt: skip
TARGETED: dict[str, Any] = {
    "data": {"members": "in.csv", "nonmembers": "out.csv", "label": "y"},
    "shadow": {"count": 0},
}
ANSWERS = {"member_answers": "in-answers.npz", "nonmember_answers": "out-answers.npz"}
BASES: list[dict[str, Any]] = [
    {**TARGETED, "target": dict(ANSWERS), "attacks": {"names": ["gap"]}},
    {**TARGETED, "target": {"model": "m.skops"}, "attacks": {"names": ["gap"]}, "trainer": {"kind": "none"}},
    {
        "data": {"source": "digits", "rows": 60, "train_size": 20, "nonmember_size": 20},
        "trainer": {
            "kind": "sklearn",
            "estimator": "sklearn.naive_bayes:GaussianNB",
            "params": {"var_smoothing": 1e-3},
        },
        "shadow": {"count": 2, "source": "real"},
        "attacks": {"names": ["gap"], "rehearsals": 1, "ladder": False},
        "statistics": {"fprs": [0.1], "confidence": 0.9},
    },
]
FLAGS = {
    "audit": ["--to", "--model", "--members", "--nonmembers", "--pool", "--label", "--id", "--group", "--source",
              "--member-answers", "--nonmember-answers", "--view", "--reveals", "--attacks", "--name", "--seed",
              "--override"],
    "study": ["--vary", "--repeats", "--to"],
    "defend": ["--try", "--apply", "--until", "--trials", "--to"],
    "synth": ["--to", "--source", "--marginals-to"],
    "gate": ["--allow-missing", "--limits", "--from", "--slack", "--to", "--format"],
    "report": ["--to"],
    "diff": ["--to"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files, and a finished run."""
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(0)
    sides = {}
    for side in ("in", "out"):
        y = np.tile([0, 1], 20)
        sides[side] = pd.DataFrame(rng.normal(size=(40, 2)) + y[:, None], columns=["a", "b"]).assign(y=y)
    model = GaussianNB().fit(sides["in"][["a", "b"]], sides["in"]["y"])
    for side, frame in sides.items():
        frame.to_csv(folder / f"{side}.csv", index=False)
        frame.to_parquet(folder / f"{side}.parquet", index=False)
        np.savez(folder / f"{side}.npz", x=frame[["a", "b"]].to_numpy(), y=frame["y"].to_numpy())
        answers = model.predict_proba(frame[["a", "b"]])
        np.savez(folder / f"{side}-answers.npz", answers=answers)
        pd.DataFrame(answers, columns=["0", "1"]).to_csv(folder / f"{side}-answers.csv", index=False)
    skops.io.dump(model, folder / "m.skops")
    (folder / "plan.toml").write_text(toml(BASES[0]))
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        assert run(["audit", "plan.toml", "--to", "run"]) == 0
    return folder


def toml(values: dict[str, Any]) -> str:
    """Tables as TOML, as far as TOML has words for what is in them."""

    def spelt(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {spelt(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(spelt, value)) + "]"
        if isinstance(value, float):
            return str(value)
        return '""' if value is None else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    return "".join(f"{json.dumps(key)} = {spelt(value)}\n" for key, value in values.items())


def mutated_tree(value: Any, rng: random.Random) -> Any:
    """JSON with one to three of its parts replaced, by something alike or not, dropped, doubled or added."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        places = list(_places(value))
        if not places:
            return rng.choice(ODD)
        holder, key = rng.choice(places)
        how = rng.random()
        if how < 0.4:
            alike = [one for one in (*WORDS, *ODD) if type(one) is type(holder[key])]
            holder[key] = copy.deepcopy(rng.choice(alike or ODD))
        elif how < 0.6:
            holder[key] = copy.deepcopy(rng.choice(ODD))
        elif how < 0.75:
            del holder[key]
        elif how < 0.85 and isinstance(holder, dict):
            holder[rng.choice(["x", str(key)[:-1], *PAYLOADS])] = holder[key]
        elif isinstance(holder[key], (int, float)):
            holder[key] = holder[key] * rng.choice([-1, 0, 2, 0.5, 1e9])
        else:
            holder[key] = [holder[key]]
    return value


def mutated_table(file: Path, rng: random.Random) -> None:
    """A file of rows or answers with cells, names, rows or types changed; or with its bytes changed."""
    if rng.random() < 0.3:
        file.write_bytes(mutated_bytes(file.read_bytes(), rng))
    elif file.suffix == ".npz":
        with np.load(file) as archive:
            arrays = dict(archive)
        name = rng.choice(list(arrays))
        changed = _changed_array(arrays.pop(name), rng)
        np.savez(file, **{**arrays, rng.choice([name, name, name, "x", "ids", "classes"]): changed})
    else:
        frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
        column = rng.choice(list(frame.columns))
        how = rng.randrange(6)
        if how < 2:
            frame[column] = frame[column].astype(object)
            frame.loc[rng.randrange(len(frame)), column] = str(rng.choice(ODD))
        elif how == 2:
            frame = frame.rename(columns={column: str(rng.choice(ODD))})
        elif how == 3:
            frame = frame.sample(rng.choice([0, 1, 39, 40]), random_state=rng.randrange(9))
        elif how == 4:
            frame[column] = rng.choice([0, 1, 0.5, "a", None])
        else:
            frame = frame.drop(columns=column)
        frame = frame.astype({name: str for name in frame if frame[name].dtype == object})
        frame.to_csv(file, index=False) if file.suffix == ".csv" else frame.to_parquet(file)


def _changed_array(array: Any, rng: random.Random) -> Any:
    how = rng.randrange(6)
    if how == 0:
        made = array.astype(float)
        made.flat[rng.randrange(made.size)] = rng.choice([np.nan, np.inf, -1.0, 0.0, 1e308, 5e-324])
        return made
    if how == 1:
        return array.astype(rng.choice(["f2", "u1", "i8", "c8", "U4", "?", ">f8"]))
    if how == 2:
        return array[: rng.choice([0, 1, 39])]
    if how == 3:
        return array[..., None]
    return array[::-1] if how == 4 else np.zeros_like(array)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled, or something odd put in."""
    made = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        a, b = sorted(rng.randrange(len(made) + 1) for _ in range(2))
        b = min(b, a + rng.choice([1, 3, 40, 4000]))
        how = rng.randrange(6)
        if how == 0 and a < len(made):
            made[a] ^= 1 << rng.randrange(8)
        elif how == 1:
            del made[a:b]
        elif how == 2:
            made[a:a] = made[a:b] * rng.choice([1, 2, 30])
        elif how == 3:
            made[a:a] = str(rng.choice(ODD)).encode("utf-8", "replace")
        elif how == 4:
            made[a:b] = bytes(b - a)
        else:
            del made[a:]
    return bytes(made)


def a_plan(good: Path, rng: random.Random) -> list[str]:
    base = rng.choice(BASES)
    if rng.random() < 0.7:
        text = toml(tree) if isinstance(tree := mutated_tree(base, rng), dict) else str(tree)
        Path("plan.toml").write_text(text, encoding="utf-8", errors="replace")
    else:
        Path("plan.toml").write_bytes(mutated_bytes(toml(base).encode(), rng))
    further = {"audit": [], "study": ["--repeats", "1"], "defend": ["--try", "top1"], "synth": ["--to", "x.npz"]}
    command = rng.choice(["audit", "audit", "study", "defend", "synth", "check"])
    to = ["--to", "out"] if command in ("audit", "study", "defend") else []
    return [command, "plan.toml", *further.get(command, []), *to]


def some_flags(good: Path, rng: random.Random) -> list[str]:
    command = rng.choice(list(FLAGS))
    words = [command]
    words += {"gate": ["run"], "report": ["run"], "diff": ["run", "run"]}.get(
        command, ["plan.toml"] * rng.randint(0, 1)
    )
    for flag in rng.sample(FLAGS[command], rng.randint(1, min(3, len(FLAGS[command])))):
        words += [flag, *([str(rng.choice(ODD))] if rng.random() < 0.9 else [])]
    if rng.random() < 0.2:
        words.insert(rng.randint(1, len(words)), str(rng.choice(ODD)))
    return [word.replace("\0", "") for word in words if word != "--help"]  # no argument holds a NUL


def a_table(good: Path, rng: random.Random) -> list[str]:
    suffix = rng.choice([".csv", ".csv", ".parquet", ".npz"])
    side = rng.choice(["in", "out"])
    mutated_table(Path(f"{side}{suffix}"), rng)
    words = ["audit", "--members", f"in{suffix}", "--nonmembers", f"out{suffix}", "--label", "y"]
    answers = ["--member-answers", "in-answers.npz", "--nonmember-answers", "out-answers.npz"]
    return [*words, *answers, "--attacks", "gap", "--to", "out"]


def some_answers(good: Path, rng: random.Random) -> list[str]:
    suffix = rng.choice([".csv", ".npz"])
    mutated_table(Path(f"{rng.choice(['in', 'out'])}-answers{suffix}"), rng)
    words = [
        "audit",
        "--members",
        "in.csv",
        "--nonmembers",
        "out.csv",
        "--label",
        "y",
        "--attacks",
        "gap",
        "--to",
        "out",
    ]
    return [*words, "--member-answers", f"in-answers{suffix}", "--nonmember-answers", f"out-answers{suffix}"]


def a_record(good: Path, rng: random.Random) -> list[str]:
    record = json.loads((good / "run" / "record.json").read_text())
    if rng.random() < 0.75:
        text = json.dumps(mutated_tree(record, rng)).encode("utf-8", "replace")
    else:
        text = mutated_bytes(json.dumps(record).encode(), rng)
    name = rng.choice(["record.json", "record.json", "defence.json", "study.json", "reproduction.json"])
    Path(name).write_bytes(text)
    to = ["--to", f"x{rng.choice(['.html', '.md', '.json', '.txt'])}"] if rng.random() < 0.4 else []
    return rng.choice([["report", name, *to], ["gate", name], ["diff", name, "run", *to], ["diff", "run", name]])


KINDS: tuple[tuple[Callable[[Path, random.Random], list[str]], float], ...] = (
    (a_plan, 0.3), (some_flags, 0.2), (a_table, 0.15), (some_answers, 0.15), (a_record, 0.2),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "share"), KINDS, ids=[kind.__name__ for kind, _ in KINDS])
def test_mutations_are_carried_out_or_refused_in_one_line(
    kind: Callable[[Path, random.Random], list[str]], share: float, made: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    failures, codes = [], Counter[int | None]()
    for number in range(round(share * TRIES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in made.iterdir():
            if file.is_file():
                (folder / file.name).write_bytes(file.read_bytes())
        (folder / "run").symlink_to(made / "run")
        monkeypatch.chdir(folder)
        words = kind(made, random.Random(f"{SEED} {kind.__name__} {number}"))
        problem, code = tried(words)
        codes[code] += 1
        if problem:
            failures.append(f"seed {SEED}, {kind.__name__} {number}, {' '.join(map(repr, words))[:300]}: {problem}")
        elif number:
            for file in sorted(folder.rglob("*"), reverse=True):
                file.unlink() if file.is_symlink() or file.is_file() else file.rmdir()
    assert not failures, f"{len(failures)} failures\n" + "\n".join(failures)
    print(kind.__name__, dict(codes))
    assert codes[2] > 0.2 * codes.total()
    assert codes.total() - codes[2] >= 0.01 * codes.total(), "some must come through"


def test_a_traceback_and_a_second_line_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        print("a line of its own", file=sys.stderr)
        raise (ValueError if path.name == "crash" else UsageError)("no")

    monkeypatch.setattr("gnomon.cli.report.read_any", broken)
    assert tried(["report", "crash"])[0].startswith("ValueError: no (test_app_fuzz.py:")
    assert tried(["report", "twice"])[0].startswith("expected one line, got ['a line of its own', 'gnomon: no']")
    monkeypatch.setattr("gnomon.cli.report.read_any", lambda _: spin())
    monkeypatch.setattr(f"{__name__}.SECONDS", 1)
    assert tried(["report", "slow"])[0].startswith("TooLate: not done in 1 s")


def spin() -> None:
    while True:
        pass


def tried(words: list[str]) -> tuple[str, int | None]:
    """What is wrong with how a command line was answered, or nothing; and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({where.filename.rpartition('/')[2]}:{where.lineno})", None
    finally:
        signal.alarm(0)
    lines = err.getvalue().splitlines()
    if code not in EXIT_CODES:
        return f"exit code {code}", code
    if code == 2 and (len(lines) != 1 or not lines[0].startswith("gnomon: ")):
        return f"expected one line, got {lines[:3]}", code
    return "", code


class TooLate(BaseException):
    """Nothing that catches errors of files or of users catches it."""


def _too_late(*_: object) -> None:
    raise TooLate(f"not done in {SECONDS} s")
