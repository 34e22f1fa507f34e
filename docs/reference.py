"""Pages of the site that are made from the code's own tables: findings and errors by code, documents, commands."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.auditing.structure.examine import WORDS
from gnomon.cli.app import app
from gnomon.core import errors

ROOT = Path(__file__).resolve().parents[1]
EXIT_CODES = """| code | meaning |
|---|---|
| 0 | done; of the gate: all limits are met; of `verify`: all files fit |
| 1 | of the gate: a limit is not met; of `verify`: a file does not fit; of `check`: the audit would stop |
| 2 | one line on standard error: what was expected, what came, what to do |
| 3 | of the gate: an attack did not run |
| 4 | of the gate: a limit is unresolved |
| 130, 143 | stopped by Ctrl-C or by a signal; the same command goes on |
"""
DOCUMENTS = {
    "record": "The record of an audit (`record.json`): what a report, a gate and an annex are made of.",
    "annex": "The annex of an audit (`gnomon report RUN --annex edpb --to annex.json`).",
    "gate": "The result of a gate (`gnomon gate RUN ... --json`).",
    "comparison": "Two runs compared (`gnomon diff A B --json`).",
    "defence": "Mitigations compared (`defence.json` of `gnomon defend`).",
    "study": "Many audits (`study.json`).",
    "reproduction": "A paper's experiments (`reproduction.json`).",
    "check": "A plan that was checked (`gnomon check PLAN --json`).",
}


@dataclass(frozen=True)
class FindingWords:
    """What the source says of one finding; values that depend on the audit are "…"."""

    code: str
    severity: str
    title: str
    explanation: str
    remedy: str


def findings() -> list[FindingWords]:
    """Every finding that the source can make, by code."""
    made = [one for path in sorted((ROOT / "src" / "gnomon").rglob("*.py")) for one in _findings_of(path)]
    made += [FindingWords(code, "warning, or as the risk appetite says", *words) for code, words in WORDS.items()]
    return sorted(dict.fromkeys(made), key=lambda one: (one.code, one.title))


def _findings_of(path: Path) -> Iterator[FindingWords]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"):
            continue
        given = {one.arg: one.value for one in node.keywords if one.arg is not None}
        code = given.get("code")
        if isinstance(code, ast.Constant):
            names = ("title", "severity", "explanation", "remedy")
            told = {name: re.sub(r"(…[.…]*)+", "…", _words(given.get(name), constants)) for name in names}
            yield FindingWords(str(code.value), told["severity"], told["title"], told["explanation"], told["remedy"])


def _words(node: ast.expr | None, constants: dict[str, ast.expr]) -> str:
    """An expression's text, with what is known at run time only left open."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_words(part, constants) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _words(left, constants) + _words(right, constants)
        case ast.IfExp(body=body, orelse=other):
            return f"{_words(body, constants)} or {_words(other, constants)}"
        case ast.Name(id=name) if name in constants:
            return _words(constants[name], constants)
    return "…"


def findings_page() -> str:
    """Findings by code, the tree of errors, exit codes."""
    lines = [
        "# Errors and findings by code",
        "",
        "A **finding** says what an audit's reader must know: an *error* withdraws the verdict, a *warning* weakens "
        "it, a *note* explains. An **error** of the program ends a command with one line. Dots stand for what a run "
        "fills in. "
        "What rules out `none_found` has codes of its own ([verdicts](verdicts.md)), and so has advice "
        "([what to do now](advice.md)).",
        "",
        "## Findings",
        "",
    ]
    for one in findings():
        lines += [f"### `{one.code}`", "", f"*{one.severity}* · {one.title}", ""]
        lines += [one.explanation, ""] if _tells(one.explanation) else []
        lines += [f"**What to do.** {one.remedy}", ""] if _tells(one.remedy) else []
    tree = inspect.getdoc(errors) or ""
    return "\n".join([*lines, "## Errors", "", "```text", tree, "```", "", "## Exit codes", "", EXIT_CODES])


def _tells(text: str) -> bool:
    """Whether words are left where values of a run were taken out."""
    return re.search(r"\w\w", text) is not None


def documents_page() -> str:
    """Every field of every JSON document, from its schema."""
    lines = ["# Documents", "", "Each is JSON with a `version`; its schema is next to its heading.", ""]
    for name, told in DOCUMENTS.items():
        whole = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))
        lines += [f"## {name}", "", f"{told} [JSON schema]({name}.schema.json).", ""]
        lines += _fields(whole)
        for part, inner in sorted(whole.get("$defs", {}).items()):
            if inner.get("properties"):
                lines += [f"### {name}: {part}", "", *_paragraph(inner.get("description")), *_fields(inner)]
    return "\n".join(lines) + "\n"


def _paragraph(text: str | None) -> list[str]:
    return [" ".join(text.split()), ""] if text else []


def _fields(table: dict[str, Any]) -> list[str]:
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for name, value in table.get("properties", {}).items():
        told = " ".join(str(value.get("description", "")).split()).replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| `{name}` | {_kind(value)} | {told} |")
    return [*lines, ""]


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"])
    if "enum" in value or "const" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    kind = str(value.get("type", "any"))
    return f"list of {_kind(value['items'])}" if kind == "array" and "items" in value else kind


def commands_page() -> str:
    """The help of every command."""
    return str(app.generate_docs(output_format="markdown", recursive=True, heading_level=1))
