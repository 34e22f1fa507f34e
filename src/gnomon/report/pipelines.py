"""What a build pipeline reads: a gate's result as JUnit, SARIF and Markdown, a comparison as Markdown.

JUnit has no standard; what is written here is valid by both schemas that are in use, that of Jenkins' xUnit plug-in
(junit-10.xsd) and that of Ant's reports (JUnit.xsd), and is what GitLab and `junitparser` read.
SARIF is version 2.1.0 (OASIS, 2020): a limit is a rule, and each attack that does not meet it is a result.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from xml.etree import ElementTree

from gnomon.core import VERSION
from gnomon.core.documents.comparison import AttackChange, Comparison, FigureChange
from gnomon.core.documents.gate import GateResult, Held, Limit
from gnomon.core.documents.read_write import document_text
from gnomon.core.errors import UsageError, did_you_mean, one_line
from gnomon.report.formatting import clean, count, number, points, share

GateFormat = Literal["text", "json", "junit", "sarif", "github"]
SUFFIXES: Mapping[str, GateFormat] = MappingProxyType(
    {".txt": "text", ".json": "json", ".xml": "junit", ".sarif": "sarif", ".md": "github"}
)
ENDINGS = {
    0: "All limits are met",
    1: "A limit is not met",
    3: "An attack did not run",
    4: "A limit is unresolved: these records can’t tell",
}
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DID_NOT_RUN = "attack-did-not-run"


def render_gate(result: GateResult, format: GateFormat, place: Path) -> str:
    """A gate's result as text in one format.

    Args:
        result: what `gnomon.gate` returned.
        format: ``"text"``, ``"json"``, ``"junit"``, ``"sarif"`` or ``"github"`` (Markdown for a job's summary).
        place: the run's folder or file, to which SARIF's results point.

    Raises:
        UsageError: an unknown format.
    """
    writers: dict[str, Callable[[], str]] = {
        "text": lambda: "".join(f"{one_line(line)}\n" for line in result.lines),
        "json": lambda: document_text(result),
        "junit": lambda: junit(result),
        "sarif": lambda: sarif(result, place),
        "github": lambda: gate_summary(result),
    }
    if format not in writers:
        raise UsageError(f'expected a format of the gate, got "{format}"{did_you_mean(format, writers)}')
    return writers[format]()


def gate_format_of(path: Path) -> GateFormat:
    """The format that a file's suffix asks for.

    Raises:
        UsageError: a suffix that no format has.

    >>> gate_format_of(Path("gate.sarif"))
    'sarif'
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path}: no result of a gate has this suffix{did_you_mean(suffix, SUFFIXES)}")
    return SUFFIXES[suffix]


def junit(result: GateResult) -> str:
    """A test case for each limit and attack: not met is a failure, unresolved and did not run are errors.

    A limit that is no error (severity warning, note) and is not met is a skipped case, which stops nothing.
    """
    name, made = f"gnomon gate: {_xml(result.run)}", result.created[:19]
    suite = ElementTree.Element("testsuite", id="0", package="gnomon", name=name, timestamp=made, time="0")
    suite.set("hostname", "localhost")  # Ant's schema wants one, and this word where it does not matter
    ElementTree.SubElement(suite, "properties")
    for one in result.held:
        what = " ".join(filter(None, [one.subject, one.limit.text]))
        case = ElementTree.SubElement(suite, "testcase", classname="gnomon.gate", name=_xml(what), time="0")
        message = _xml(_with_reason(one))
        if one.state != "met" and one.limit.severity != "error":
            ElementTree.SubElement(case, "skipped", message=f"{one.limit.severity}: {message}")
        elif one.state == "not met":
            ElementTree.SubElement(case, "failure", type="limit-not-met", message=message).text = message
        elif one.state == "unresolved":
            ElementTree.SubElement(case, "error", type="limit-unresolved", message=message).text = message
    for missing in result.missing:
        case = ElementTree.SubElement(
            suite, "testcase", classname="gnomon.gate", name=f"{_xml(missing.attack)} ran", time="0"
        )
        kind = "skipped" if missing.allowed else "error"
        entry = ElementTree.SubElement(case, kind, message=_xml(missing.reason))
        if not missing.allowed:
            entry.set("type", DID_NOT_RUN)
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    ElementTree.SubElement(suite, "system-out").text = "\n".join(map(_xml, result.lines))
    ElementTree.SubElement(suite, "system-err")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _with_reason(one: Held) -> str:
    return f"{one.line}. Why this limit: {one.limit.reason}" if one.limit.reason else one.line


def _xml(text: str) -> str:
    """Text without what XML 1.0 can't hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", clean(text))


def sarif(result: GateResult, place: Path) -> str:
    """A log of one run: limits are rules; what is not met, unresolved or did not run is a result.

    Limits that are met give no result: code scanning shows every result as an alert. What is unresolved has the kind
    "open" and therefore the level "none", as the standard wants it.
    """
    uri = (place if place.suffix else place / "record.json").as_posix()
    limits = list(dict.fromkeys(one.limit for one in result.held))
    rules = [_rule(limit) for limit in limits]
    results = [
        _result(
            limits.index(one.limit),
            rules[limits.index(one.limit)]["id"],
            ("fail", one.limit.severity) if one.state == "not met" else ("open", "none"),
            _with_reason(one),
            (one.limit.text, one.subject),
            uri,
        )
        for one in result.held
        if one.state != "met"
    ]
    closed = [one for one in result.missing if not one.allowed]
    if closed:
        words = "An attack that failed or lacked evidence shows nothing"
        rules.append({"id": DID_NOT_RUN, "name": "AttackDidNotRun", "shortDescription": {"text": words}})
        results += [
            _result(
                len(rules) - 1,
                DID_NOT_RUN,
                ("fail", "error"),
                f"{one.attack} did not run: {one.reason}",
                (DID_NOT_RUN, one.attack),
                uri,
            )
            for one in closed
        ]
    run = {
        "tool": {"driver": {"name": "gnomon", "version": VERSION, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "exitCode": result.code}],
        "automationDetails": {"id": f"gnomon-gate/{clean(result.run)}/"},
        "results": results,
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(limit: Limit) -> dict[str, Any]:
    told = f"The whole interval of {limit.words} must lie at or below {limit.bound}"
    if limit.figure == "structure":
        told = f"No finding on what the model itself holds may be worse than: {limit.bound}"
    if limit.figure == "verdict":
        told = f"The level of the verdict must not be above {limit.bound}"
    rule: dict[str, Any] = {
        "id": limit.text,
        "name": "Limit",
        "shortDescription": {"text": told},
        "defaultConfiguration": {"level": limit.severity},
    }
    return rule | ({"fullDescription": {"text": clean(limit.reason)}} if limit.reason else {})


def _result(
    index: int, rule: str, judged: tuple[str, str], text: str, same_as: tuple[str, str], uri: str
) -> dict[str, Any]:
    """One result; ``same_as`` is what makes it the same finding in a later run."""
    digest = hashlib.sha256("\0".join(same_as).encode()).hexdigest()
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "kind": judged[0],
        "level": judged[1],
        "message": {"text": clean(text)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(uri)}, "region": {"startLine": 1}}},
        ],
        "partialFingerprints": {"gnomonLimit/v1": digest},
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def gate_summary(result: GateResult) -> str:
    """Markdown for the summary of a job: the answer, and a row for each limit and attack."""
    lines = [f"### gnomon gate: {_cell(result.run)}", "", f"**{ENDINGS[result.code]}** (exit code {result.code}).", ""]
    lines += ["| limit | attack | value | interval | answer | why this limit |", "|---|---|---|---|---|---|"]
    order = {"not met": 0, "unresolved": 1, "met": 2}
    for one in sorted(result.held, key=lambda held: order[held.state]):
        numbers = ("", "")
        if one.estimate is not None:
            numbers = f"{one.estimate.value:.3g}", f"{one.estimate.low:.3g} to {one.estimate.high:.3g}"
        answer = one.state if one.state == "met" or one.limit.severity == "error" else _soft(one)
        row = (f"`{one.limit.text}`", one.subject, *numbers, answer, one.limit.reason)
        lines.append(f"| {' | '.join(map(_cell, row))} |")
    if result.missing:
        lines += ["", "Did not run:", ""]
        lines += [
            f"- {_cell(one.attack)}: {_cell(one.reason)}{' (allowed)' if one.allowed else ''}" for one in result.missing
        ]
    return "\n".join(lines) + "\n"


def _soft(one: Held) -> str:
    return f"{one.state} ({one.limit.severity}: passes)"


def comparison_summary(comparison: Comparison) -> str:
    """Markdown for a pull request: before, after, and the difference with its interval, attack by attack."""
    names = comparison.first, comparison.second
    paired = {
        "same rows": "Compared record by record: both runs audited the same records in the same roles.",
        "common rows": "Compared record by record, on the records that both runs audited in the same role: "
        f"{count(comparison.paired_members)} members, {count(comparison.paired_nonmembers)} non-members.",
        "none": "The runs share too few records: intervals are compared with each other, which finds large differences "
        "only.",
    }[comparison.pairing]
    lines = [
        f"### gnomon diff: {_cell(names[0].name)}, then {_cell(names[1].name)}",
        "",
        f"**{_cell(comparison.headline)}** {paired}",
        "",
        "| attack | value | before | after | difference | interval | change |",
        "|---|---|---|---|---|---|---|",
    ]
    order = {"worse": 0, "mixed": 1, "better": 2, "within noise": 3, "not comparable": 4}
    for attack in sorted(comparison.attacks, key=lambda one: order[one.change]):
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in _rows(attack)]
    lines += ["", f"Intervals of all attacks hold together with {comparison.confidence:.0%} confidence."]
    if comparison.differences:
        lines += ["", "<details><summary>What else is different</summary>", ""]
        lines += [f"- {_cell(line)}" for line in comparison.differences]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _rows(attack: AttackChange) -> list[tuple[str, ...]]:
    if not attack.figures:
        return [(attack.title, "", "", "", "", "", attack.reason or attack.change)]
    return [(attack.title, figure.figure, *_numbers(figure)) for figure in attack.figures]


def _numbers(figure: FigureChange) -> tuple[str, ...]:
    if figure.first is None or figure.second is None or figure.difference is None:
        return "", "", "", "", figure.refused or figure.change
    area = figure.figure == "AUC"
    spell: Callable[[float], str] = number if area else share
    gap: Callable[[float], str] = number if area else points
    spread, unit = figure.retrained or figure.difference, "" if area else " points"
    sign = "+" if spread.value >= 0 else ""
    interval = f"{gap(spread.low)} to {gap(spread.high)}{unit}"
    return spell(figure.first), spell(figure.second), f"{sign}{gap(spread.value)}{unit}", interval, figure.change


def _cell(text: str) -> str:
    """Text in a Markdown table: nothing in it is Markdown or HTML, but for code that we put there."""
    plain = clean(text)
    if re.fullmatch("`[^`]*`", plain):
        return plain.replace("|", "\\|")
    plain = re.sub(r"([\\|`*_\[\]#])", r"\\\1", plain).replace("\n", " ")
    return plain.replace("<", "&lt;").replace(">", "&gt;")
