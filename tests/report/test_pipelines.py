"""What pipelines read. JUnit is read back by junitparser; the rules of its schema and of SARIF's are tables here."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.report.payloads import PAYLOADS, steering
from tests.report.sample_records import HOSTILE
from tests.runs.test_compare import outcome
from tests.runs.test_gate import attack, idle, record

from gnomon.core.documents.gate import GateResult
from gnomon.core.errors import UsageError
from gnomon.report.pipelines import (
    GateFormat,
    comparison_summary,
    gate_format_of,
    gate_summary,
    junit,
    render_gate,
    sarif,
)
from gnomon.runs.compare import compare
from gnomon.runs.gate import gate
from gnomon.runs.limits import parse_limit

LIMITS = [
    parse_limit("auc<=0.6", reason="the board's\x1b[31m limit | <b>"),  # not met
    parse_limit("auc<=0.7"),  # unresolved
    parse_limit("auc<=0.9"),  # met
    parse_limit("advantage<=0.1", severity="warning"),
    parse_limit("tpr@0.001<=0.1", severity="note"),
]
# What Jenkins' junit-10.xsd and Ant's JUnit.xsd both allow: element -> attributes that Ant's wants, others, children
JUNIT: dict[str, tuple[set[str], set[str], str]] = {
    "testsuites": (set(), set(), "(testsuite )*"),
    "testsuite": (
        {"name", "tests", "failures", "errors", "timestamp", "hostname", "time", "package", "id"},
        {"skipped"},
        "properties (testcase )*system-out system-err ",
    ),
    "properties": (set(), set(), ""),
    "testcase": ({"name", "time", "classname"}, set(), "(skipped |error |failure )?"),
    "failure": ({"type"}, {"message"}, ""),
    "error": ({"type"}, {"message"}, ""),
    "skipped": (set(), {"type", "message"}, ""),
    "system-out": (set(), set(), ""),
    "system-err": (set(), set(), ""),
}
# sarif-schema-2.1.0.json, the objects that are written: keys that must be there, others that may
SARIF: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"invocations", "automationDetails", "results"}),
    "driver": ({"name"}, {"version", "rules", "informationUri"}),
    "rule": ({"id"}, {"name", "shortDescription", "fullDescription", "defaultConfiguration"}),
    "invocation": ({"executionSuccessful"}, {"exitCode"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "kind", "level", "locations", "partialFingerprints"}),
}
KINDS = ("notApplicable", "pass", "fail", "review", "open", "informational")


@pytest.fixture
def result() -> GateResult:
    made = record(attack(), idle("rmia", "failed", None), idle("shokri", "skipped", "evidence"), name=f"a {HOSTILE}")
    return gate(made, LIMITS, allow_missing=["shokri"])


def check_junit(element: ElementTree.Element) -> None:
    needed, allowed, children = JUNIT[element.tag]
    assert needed <= set(element.attrib) <= needed | allowed, element.tag
    assert re.fullmatch(children, "".join(f"{child.tag} " for child in element)), element.tag
    if element.tag == "testsuite":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.attrib["timestamp"])
        assert all(element.attrib[name].isdigit() for name in ("tests", "failures", "errors", "skipped", "time", "id"))
    for child in element:
        check_junit(child)


def test_junit_keeps_to_the_schema_and_is_read_by_junitparser(result: GateResult) -> None:
    junitparser = pytest.importorskip("junitparser")
    text = junit(result)
    check_junit(root := ElementTree.fromstring(text))
    printed = str(root.findtext("testsuite/system-out")).splitlines()
    assert "met: lira auc = 0.7 (0.65 to 0.75), limit 0.9" in printed, "what is met is printed, too"
    [suite] = junitparser.JUnitXml.fromstring(text.encode())
    cases = {case.name: [type(r).__name__ for r in case.result] for case in suite}
    assert cases == {
        "lira auc<=0.6": ["Failure"],
        "lira auc<=0.7": ["Error"],
        "lira auc<=0.9": [],
        "lira advantage<=0.1": ["Skipped"],
        "lira tpr@0.001<=0.1": ["Skipped"],
        "rmia ran": ["Error"],
        "shokri ran": ["Skipped"],
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 1, 2, 3)
    assert next(case.result[0].message for case in suite).endswith("the board's\ufffd[31m limit | <b>")


def keys(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    needed, allowed = SARIF[kind]
    assert needed <= set(thing) <= needed | allowed, kind
    return thing


def test_sarif_keeps_to_the_schema(result: GateResult) -> None:
    log = keys(json.loads(sarif(result, Path("runs/my run"))), "log")
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    keys(run, "run")
    rules = [keys(rule, "rule") for rule in keys(run["tool"]["driver"], "driver")["rules"]]
    assert len({rule["id"] for rule in rules}) == len(rules)
    [invocation] = run["invocations"]
    assert keys(invocation, "invocation")["exitCode"] == result.code == 1
    for one in run["results"]:
        keys(one, "result")
        assert one["kind"] in KINDS
        assert (one["level"] == "none") == (one["kind"] != "fail"), "only what failed has a level"
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert set(one["message"]) == {"text"}
        [place] = one["locations"]
        assert place == {
            "physicalLocation": {
                "artifactLocation": {"uri": "runs/my%20run/record.json"},
                "region": {"startLine": 1},
            }
        }


def test_sarif_has_a_result_for_each_limit_that_is_not_met(result: GateResult) -> None:
    [run] = json.loads(sarif(result, Path("record.json")))["runs"]
    found = [(one["ruleId"], one["kind"], one["level"]) for one in run["results"]]
    assert found == [
        ("auc<=0.6", "fail", "error"),
        ("auc<=0.7", "open", "none"),
        ("advantage<=0.1", "fail", "warning"),
        ("tpr@0.001<=0.1", "open", "none"),
        ("attack-did-not-run", "fail", "error"),
    ]
    marks = [one["partialFingerprints"]["gnomonLimit/v1"] for one in run["results"]]
    assert len(set(marks)) == len(marks)
    again = json.loads(sarif(gate(record(), LIMITS), Path("elsewhere")))["runs"][0]["results"]
    assert again[0]["partialFingerprints"]["gnomonLimit/v1"] == marks[0]


def test_the_summary_answers_first_and_nothing_in_it_is_html(result: GateResult) -> None:
    text = gate_summary(result)
    assert "**A limit is not met** (exit code 1)." in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split(" | ")[4] for row in rows] == [
        "not met", "not met (warning: passes)", "unresolved", "unresolved (note: passes)", "met",
    ]  # fmt: skip
    assert all(row.replace("\\|", "").count("|") == 7 for row in rows)
    assert "<script" not in text
    assert "<b>" not in text
    assert "- shokri: why (allowed)" in text


def test_what_looks_like_code_is_code_to_its_end() -> None:
    name = "`a` <img src=x onerror=alert(1)> [b](javascript:c) `"
    for said in ("`a` <img src=x>", name, "`<b>` | `"):
        made = record(attack(), name=said)
        text = gate_summary(gate(made, [parse_limit("auc<=0.6", reason=said)]))
        assert "<img" not in text
        assert "[b](" not in text
        assert all(row.replace("\\|", "").count("|") == 7 for row in text.splitlines() if row.startswith("| `auc"))


@pytest.mark.parametrize("format", ["text", "json", "junit", "sarif", "github"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_gets_through_a_gate(payload: str, format: GateFormat) -> None:
    failed = idle("rmia", "failed", None).model_copy(update={"reason": payload})
    made = record(attack(), failed, name=f"a {payload}")
    result = gate(made, [parse_limit("auc<=0.6", reason=payload), parse_limit("auc<=0.7", severity="note")])
    text = render_gate(result, format, Path(f"runs/{payload}".replace("\0", "")))
    assert not steering(text)
    if format == "junit":
        check_junit(ElementTree.fromstring(text))
    elif format in ("json", "sarif"):
        json.loads(text)
    elif format == "github":
        assert not re.search(r"<(?!br)[a-z/!]", text)


@pytest.mark.parametrize(("ending", "format"), [("txt", "text"), ("xml", "junit"), ("json", "json"), ("md", "github")])
def test_a_suffix_chooses_the_format(result: GateResult, ending: str, format: str) -> None:
    assert gate_format_of(Path(f"x.{ending}")) == format
    assert render_gate(result, format, Path("x"))  # type: ignore[arg-type]
    assert GateResult.model_validate_json(render_gate(result, "json", Path("x"))) == result


def test_an_unknown_format_is_refused(result: GateResult) -> None:
    with pytest.raises(UsageError, match=r'no result of a gate has this suffix \(did you mean ".sarif"'):
        gate_format_of(Path("x.sarf"))
    with pytest.raises(UsageError, match='expected a format of the gate, got "xml"'):
        render_gate(result, "xml", Path("x"))  # type: ignore[arg-type]


def test_a_comparison_is_a_table_of_before_after_and_difference() -> None:
    made = compare(outcome(0.3, 0, base=9), outcome(1.5, 1, base=9))
    text = comparison_summary(made)
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    [area] = [row for row in rows if row[1] == "AUC"]
    figure = made.attacks[0].figures[0]
    assert figure.first is not None
    assert figure.difference is not None
    assert area[2] == f"{figure.first:.3f}"
    assert area[4] == f"+{figure.difference.value:.3f}"
    assert area[6] == "worse"
    assert "record by record" in text


def test_runs_that_cannot_be_compared_say_so() -> None:
    first, second = outcome(0.3, 0), outcome(0.3, 1)
    bare = second.record.model_copy(update={"attacks": [idle("loss", "failed", None)]})
    text = comparison_summary(compare(first, type(second)(bare, {}, [], [])))
    assert "| loss |" in text.lower() or "cannot be compared" in text
    assert "failed: why" in text
