"""`gnomon init`: questions, or flags, become a plan as TOML, with the keys that most plans come to as comments."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from cyclopts import Parameter

from gnomon.auditing.check_plan import check_plan
from gnomon.auditing.settings import NOTHING
from gnomon.cli.check import STOPS, told
from gnomon.cli.shared import Trusting, show_part
from gnomon.core.documents.record_parts import ReleasePlan
from gnomon.core.documents.schema import PlanTable
from gnomon.core.errors import UsageError, one_line
from gnomon.core.model_formats import MODEL_FILES, is_address
from gnomon.core.plan import AttacksPlan, DataPlan, Plan, ShadowPlan, StatisticsPlan, TargetPlan, name_of, plan_in
from gnomon.core.system import write_text

Given = Mapping[str, Mapping[str, str | None]]
WIDTH = 100
RECIPE = """[trainer]
# the recipe of the target and of its shadow models: any public classifier of scikit-learn, or kind = "torch"
kind = "sklearn"
estimator = "sklearn.ensemble:RandomForestClassifier"
params = { n_estimators = 100 }
"""
TABLES: Mapping[str, type[PlanTable]] = MappingProxyType(
    {
        "data": DataPlan,
        "target": TargetPlan,
        "release": ReleasePlan,
        "shadow": ShadowPlan,
        "attacks": AttacksPlan,
        "statistics": StatisticsPlan,
    }
)
# what is offered as a comment where it is not given, with an example
OFFERED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "data": {"pool": "more.csv", "id": "record_id", "group": "person"},
        "source": {"rows": 10000, "train_size": 2000},  # in [data], for a data set by name
        "target": {"reveals": "labels"},
        "release": {"context": "api-scores", "purpose": "sorts letters in two hospitals", "unit": "person"},
        "shadow": {"count": 64},
        "attacks": {"names": ["lira", "rmia", "loss"], "queries": ["noise:0.1"]},
        "statistics": {"slices": ["class"], "confidence": 0.99},
    }
)


def plan_text(given: Given, to: Path) -> str:
    """The text of a plan.

    Args:
        given: table -> key -> value; None is left out. Paths are relative to the current folder, and become relative to
            the plan's.
        to: where the plan will lie.
    """
    folder = to.resolve().parent
    values: dict[str, dict[str, Any]] = {
        table: {key: value for key, value in entries.items() if value} for table, entries in given.items()
    }
    for title, entries in values.items():
        files = dict(TABLES[title].model_construct(**entries).named("file"))
        entries.update({key: os.path.relpath(name, folder) for key, name in files.items() if not is_address(name)})
    source = "source" in values.get("data", {})
    lines = [
        "# Written by gnomon init. All keys: docs/plan.md",
        f"# gnomon check {one_line(str(to))}     checks it in seconds",
        f"# gnomon audit {one_line(str(to))}     carries it out",
        *_key(Plan, "name", name_of(to)),
        *_key(Plan, "seed", 0),
        *_key(Plan, "view", "auditor"),
    ]
    for name, table in TABLES.items():
        if name == "target" and source:
            lines += ["", RECIPE.rstrip()]
        offered = OFFERED["source"] if name == "data" and source else OFFERED[name]
        lines += ["", f"[{name}]", *_table(table, values.get(name, {}), offered)]
    return "\n".join(lines) + "\n"


def _table(table: type[PlanTable], values: Mapping[str, Any], offered: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        yield from _key(table, key, value)
    for key, value in offered.items():
        if key not in values:
            yield from _key(table, key, value, offered=True)


def _key(table: type[PlanTable], key: str, value: Any, *, offered: bool = False) -> Iterator[str]:
    """A key with its description above it; ``offered``: commented out."""
    about = table.model_fields[key].description or ""
    yield from textwrap.wrap(about, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
    written = json.dumps(value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # the one that JSON leaves and TOML refuses
    yield f"{'# ' if offered else ''}{key} = {written}"


HAVE = {"1": "a model in a file", "2": "a model's answers in files", "3": "no model yet: one is trained here"}


def ask(read: Callable[[str], str]) -> Given:
    """What somebody has, from their answers.

    Args:
        read: puts a question and returns the answer.
    """
    question = "\n".join(("What do you have?", *(f"  {key}  {words}" for key, words in HAVE.items()), ""))
    have = ""
    while have not in HAVE:
        have, question = read(f"{question}{', '.join(HAVE)}: ").strip(), ""
    data: dict[str, str | None] = {}
    target: dict[str, str | None] = {}
    if have == "3":
        data["source"] = _needed(read, "Data set by name (gnomon list datasets)")
        return {"data": data, "target": target}
    if have == "1":
        target["model"] = _needed(read, MODEL_FILES[0].upper() + MODEL_FILES[1:])
    data["members"] = _needed(read, "File of the rows that the model was trained on (csv, parquet, npz)")
    data["nonmembers"] = _needed(read, "File of rows that it was not trained on, from the same source")
    data["label"] = read("Name of the label column [y]: ").strip() or None
    data["group"] = read("Name of the column with the person or household of a row [none]: ").strip() or None
    if have == "2":
        target["member_answers"] = _needed(read, "File of the model's answers for the members")
        target["nonmember_answers"] = _needed(read, "File of its answers for the non-members")
    target["reveals"] = read("What the model reveals: full, labels, top:K, rounded:D [full]: ").strip() or None
    return {"data": data, "target": target}


def _needed(read: Callable[[str], str], question: str) -> str:
    answer = ""
    while not answer:
        answer = read(f"{question}: ").strip()
    return answer


def _answer(question: str) -> str:
    """What is typed behind a question; only the plan's JSON goes to standard output."""
    try:
        if sys.stdin.isatty():
            print(question, end="", file=sys.stderr, flush=True)
            return input()
    except EOFError:
        print(file=sys.stderr)
    raise UsageError(
        "no answer: give --members and --nonmembers with --model or with --member-answers and --nonmember-answers, or "
        "--source"
    )


def init(
    to: Path = Path("plan.toml"),
    /,
    *,
    model: Annotated[str | None, Parameter(help=MODEL_FILES)] = None,
    members: str | None = None,
    nonmembers: str | None = None,
    member_answers: str | None = None,
    nonmember_answers: str | None = None,
    source: str | None = None,
    label: str | None = None,
    group: str | None = None,
    reveals: str | None = None,
    trusted: Trusting = NOTHING,
    json: bool = False,
) -> int:
    """Writes a plan with comments, and checks it: from flags, or from answers to questions where none are given.

    Args:
        to: plan file to write; it must not exist yet.
        model: a model file.
        members: file of rows that the model was trained on (csv, parquet, npz).
        nonmembers: file of rows that it was not trained on.
        member_answers: file of the model's probabilities for the members, if the model itself is not available.
        nonmember_answers: the same for the non-members.
        source: a data set by name: a model is trained on it here (gnomon list datasets).
        label: name of the label column.
        group: name of the column with the person or household of a row.
        reveals: what the model reveals: full, labels, top:K, rounded:D.
        trusted: what to trust.
        json: print what the plan comes to as JSON, as gnomon check does.
    """
    if to.exists():
        raise UsageError(f"{to}: exists already; name another file, or remove it")
    given: Given = {
        "data": {"source": source, "members": members, "nonmembers": nonmembers, "label": label, "group": group},
        "target": {
            "model": model,
            "member_answers": member_answers,
            "nonmember_answers": nonmember_answers,
            "reveals": reveals,
        },
    }
    if not any(value for table in given.values() for value in table.values()):
        given = ask(_answer)
    text = plan_text(given, to)
    here = Path.cwd()  # the plan's own folder may not be there yet
    plan = plan_in(here, tomllib.loads(plan_text(given, here / to.name)), str(to))
    found = check_plan(plan, trusted)
    write_text(to, text)
    if json:
        show_part(found)
        return STOPS if found.stops else 0
    told(found)
    print(f"\nplan: {to}\nnext: gnomon audit {to} --to runs/{plan.name}")
    return STOPS if found.stops else 0
