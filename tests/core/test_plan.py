import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from gnomon.cli.app import run
from gnomon.core.documents.schema import Names, PlanTable
from gnomon.core.errors import PlanError
from gnomon.core.plan import Plan, check_name, make_plan, name_of, plan_in, read_plan

GOOD = {"data": {"source": "baskets"}}


def test_a_minimal_plan_has_defaults() -> None:
    plan = make_plan(GOOD)
    assert (plan.view, plan.shadow.count, plan.trainer.kind) == ("auditor", 16, "clone")


OWN = {"members": "in.csv", "nonmembers": "out.csv"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": {"source": "baskets"}, "sede": 3}, r'unknown key "sede" \(did you mean "seed"\?\)'),
        ({"data": {"source": "baskets"}, "trainer": {"epoch": 3}}, r'"trainer.epoch" \(did you mean "epochs"\?\)'),
        ({"data": {"source": "baskets"}, "shadow": {"recipe": {"epoch": 3}}}, r'did you mean "epochs"'),
        ({}, '"data" is missing'),
        ({"data": {"csv": 3}}, r"data\.csv: expected a table such as \{ key = 1 \}, got 3"),
        ({"data": {"csv": {"missing": "NA"}}}, r"data\.csv\.missing: expected a list such as .*, got 'NA'"),
        ({"data": {"csv": {"thousands": ".", "decimal": "."}}}, r"data\.csv: thousands = \"\.\" can't group"),
        ({"data": {}}, 'expected either source = "NAME" or the files'),
        ({"data": {**OWN, "train_size": 200}}, "train_size does nothing here: files hold the rows"),
        ({"data": {**OWN, "rows": 200}}, "rows does nothing here"),
        ({"data": {**OWN, "classes": 3}}, "classes does nothing here"),
        ({"data": {"source": "digits", "label": "y"}}, "label does nothing here: the data set has its own rows"),
        ({"data": {"source": "digits", "pool": "p.csv"}}, "pool does nothing here"),
        ({"data": {"source": "digits", "csv": {"decimal": ","}}}, "csv does nothing here"),
        ({"data": {"members": "a.csv"}}, "expected both files"),
        ({"data": {"source": "baskets", "members": "a.csv", "nonmembers": "b.csv"}}, "expected either"),
        ({**GOOD, "shadow": {"count": -1}}, "shadow.count: .*greater than or equal to 0, got -1"),
        ({**GOOD, "statistics": {"fprs": [0.1, 1e-300]}}, "fprs.1: .*greater than or equal to 0.000001, got 1e-300"),
        ({**GOOD, "statistics": {"fprs": [float("nan")]}}, "fprs.0: .*, got nan"),
        ({**GOOD, "statistics": {"fprs": [0.1, 0.01, 0.10]}}, r"statistics.fprs: 0.1 stands there twice"),
        ({**GOOD, "statistics": {"slices": ["class", "class"]}}, "slices: 'class' stands there twice; name it once"),
        ({**GOOD, "shadow": {"source": ["real", "noisy", "real"]}}, "'real' stands there twice"),
        ({**GOOD, "attacks": {"queries": ["mirror", "mirror"]}}, "'mirror' stands there twice"),
        ({**GOOD, "preflight": {"override": ["a-b", "a-b"]}}, "'a-b' stands there twice"),
        ({**GOOD, "mitigations": ["top3", "labels", "top3"]}, "'top3' stands there twice"),
        (
            {**GOOD, "trainer": {"kind": "command", "train": "a", "predict": "b", "files": ["a.R", "a.R"]}},
            "'a.R' stands",
        ),
        ({**GOOD, "statistics": {"confidence": 1 - 1e-16}}, "confidence: .*less than or equal to 0.999999, got"),
        (
            {**GOOD, "trainer": {"dropout": 1.0}},
            "trainer.dropout: expected dropout to be at least 0 and below 1, got 1.0",
        ),
        ({**GOOD, "view": "owner"}, "view: .*'adversary' or 'auditor'"),
        ({**GOOD, "seed": "x"}, "seed: .*integer"),
        ({**GOOD, "attacks": {"queries": ["turn:90"]}}, r'attacks.queries.0: expected "mirror".*got "turn:90"'),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError, match=message) as caught:
        make_plan(values)
    assert "\n" not in str(caught.value)


def test_paths_are_relative_to_the_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('[data]\nmembers = "in.csv"\nnonmembers = "/x/out.csv"\n')
    plan = read_plan(tmp_path / "plan.toml")
    assert plan.data.members == str(tmp_path / "in.csv")
    assert plan.data.nonmembers == "/x/out.csv"


@pytest.mark.parametrize(("text", "message"), [("a = [", "not valid TOML"), (None, "no such plan file")])
def test_a_plan_that_cannot_be_read(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "plan.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PlanError, match=message):
        read_plan(path)


def _fields(section: type[PlanTable], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for key, field in section.model_fields.items():
        inner = [a for a in (field.annotation, *get_args(field.annotation)) if isinstance(a, type)]
        tables = [a for a in inner if issubclass(a, PlanTable)]
        if tables:
            yield from _fields(tables[0], f"{path}{key}.")
        else:
            yield f"{path}{key}", field


def test_every_key_whose_description_speaks_of_a_file_is_marked_as_one() -> None:
    spoken = {
        key
        for key, field in _fields(Plan)
        if re.search(r"\bfile of\b|\bmodel file\b|\bfiles that\b", str(field.description or ""))
    }
    marked = {key for key, field in _fields(Plan) if Names("file") in _marks(field)}
    assert spoken == marked
    assert "canaries.file" in marked


def _marks(field: FieldInfo) -> list[object]:
    parts = [field.annotation, *get_args(field.annotation)]
    return [*field.metadata, *(mark for part in parts for mark in getattr(part, "__metadata__", ()))]


def test_paths_of_all_files_are_relative_to_the_plan(tmp_path: Path) -> None:
    values = {
        "data": {"members": "a.csv", "nonmembers": "b.csv", "pool": "/c.csv"},
        "shadow": {"marginals": "m.json"},
        "canaries": {"kind": "own", "file": "own.csv"},
    }
    plan = plan_in(tmp_path, values, "plan")
    assert dict(plan.named("file")) == {
        "data.members": str(tmp_path / "a.csv"),
        "data.nonmembers": str(tmp_path / "b.csv"),
        "data.pool": "/c.csv",
        "shadow.marginals": str(tmp_path / "m.json"),
        "canaries.file": str(tmp_path / "own.csv"),
    }
    assert plan.data.model_fields_set == {"members", "nonmembers", "pool"}
    assert plan.trainer == make_plan({"data": {"source": "digits"}}).trainer


BAD_NAMES = ["../../escaped", "/tmp/escaped", "..", ".", "", "~/x", "a/b", "a\\b", "a\0b", "a b", ".hidden", "x" * 101]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_leads_nowhere_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"name = {json.dumps(name)}\n[data]\nsource = 'digits'\n"
    folder = tmp_path / "deep" / "inside"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(text)
    monkeypatch.chdir(folder)
    commands = (
        ["audit", "plan.toml"],
        ["study", "plan.toml"],
        ["defend", "plan.toml", "--try", "top1"],
        ["audit", "--source", "digits", f"--name={name}"],
    )
    for command in commands:
        assert run(command) == 2
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["plan.toml"]
    assert not (folder / "runs").exists()


def test_a_plans_file_gives_a_name_that_can_be_one() -> None:
    for stem in ("my plan", ".hidden", "-", "..", "x" * 300, "ünïcode", "a\x1bb"):
        check_name(name_of(Path(f"{stem}.toml")))


@pytest.mark.parametrize(
    "target",
    [{}, {"model": "m.skops"}, {"endpoint": "http://localhost:8080/v2/models/m", "protocol": "oip"}],
    ids=["trained here", "file", "endpoint"],
)
@pytest.mark.parametrize(
    "trainer",
    [
        {"kind": "sklearn", "estimator": "tree:DecisionTreeClassifier"}, {"kind": "torch", "epochs": 3},
        {"kind": "command", "train": "fit", "predict": "answer"}, {"kind": "service", "address": "http://localhost:1"},
    ],
    ids=lambda table: table["kind"],
)  # fmt: skip
def test_a_plan_with_all_its_defaults_written_out_is_the_same_plan(
    target: dict[str, Any], trainer: dict[str, Any]
) -> None:
    plan = make_plan({"data": {"source": "digits"}, "target": target, "trainer": trainer})
    assert make_plan(plan.model_dump(mode="json")) == plan
