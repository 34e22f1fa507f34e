"""Writes the documents that are made from the code; ``--check`` fails if one of them is out of date.

python docs/generate.py
python docs/generate.py --check
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import json
import pkgutil
import sys
import textwrap
import tokenize
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TypeGuard, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import gnomon
from gnomon.attacks import ATTACKS
from gnomon.auditing.check_plan import PlanCheck
from gnomon.auditing.decision.rules import MOST
from gnomon.auditing.decision.rules import RULES as RULES_OF_ADVICE
from gnomon.auditing.structure.examine import SETTINGS, WORDS
from gnomon.auditing.verdict.speak import MISSING, RULES
from gnomon.core.documents.annex import Annex
from gnomon.core.documents.comparison import Comparison
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.gate import GateResult
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Appetite
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.study import Study
from gnomon.core.plan import Plan
from gnomon.datasets import SOURCES
from gnomon.mitigations import MITIGATIONS
from gnomon.stats.permutation.joint import LEVEL, TOPS

SUBPACKAGES = (
    "attacks",
    "datasets",
    "defending",
    "mitigations",
    "reproducing",
    "stats",
    "studies",
    "synthesis",
    "testing",
)
FOLDER = Path(__file__).resolve().parent
BANNER = "<!-- Made from the code by docs/generate.py: do not edit. -->\n\n"


def schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a border document; what stands next to a field in the source is its description there."""
    found = model.model_json_schema()
    kinds = {kind.__name__: kind for kind in parts_of(model)}
    for name, part in {model.__name__: found, **found.get("$defs", {})}.items():
        comments = comments_of(kinds[name]) if name in kinds else {}
        for key, value in part.get("properties", {}).items():
            if "description" not in value and key in comments:
                value["description"] = comments[key]
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def parts_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A document's class, and those of all its parts."""
    found, waiting = set(), [model]
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            for field in kind.model_fields.values():
                waiting += [one for one in _types_in(field.annotation) if _is_table(one)]
    return found


def _types_in(annotation: object) -> Iterable[object]:
    yield annotation
    for part in get_args(annotation):
        yield from _types_in(part)


def comments_of(kind: type[BaseModel]) -> dict[str, str]:
    """Comments at the fields of a class and its bases: behind a field, or on the lines right above it."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        source = textwrap.dedent(inspect.getsource(base))
        said = {
            token.start[0]: (token.string.lstrip("# "), token.line.lstrip().startswith("#"))
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
        [tree] = ast.parse(source).body
        assert isinstance(tree, ast.ClassDef)
        for node in tree.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            words = [said[node.end_lineno][0]] if node.end_lineno in said else []
            line = node.lineno - 1
            while not words[1:] and line in said and said[line][1] and node.end_lineno not in said:
                words.insert(0, said[line][0])
                line -= 1
            if words:
                found[node.target.id] = " ".join(words).removeprefix("... ")
    return found


def plan_reference() -> str:
    """Every key of a plan, with its default and what it means."""
    lines = ["# The plan", "", "A plan is a TOML file. Every key has a default unless it says *required*.", ""]
    lines += _sections("top level", "", Plan, set())
    return BANNER + "\n".join(lines) + "\n"


def _sections(title: str, prefix: str, model: type[BaseModel], shown: set[type[BaseModel]]) -> Iterable[str]:
    """One table of the plan and those within it; a table of the same keys as one above stands as a key of its own."""
    shown.add(model)
    every = {name: _table_of(field.annotation) for name, field in model.model_fields.items()}
    tables = {name: table for name, table in every.items() if table is not None and table not in shown}
    yield from (f"## {title}", "", "| key | default | meaning |", "|---|---|---|")
    for name, field in model.model_fields.items():
        if name in tables:
            continue
        default = "*required*" if field.is_required() else f"`{_toml(field.get_default(call_default_factory=True))}`"
        yield f"| `{name}` | {default} | {field.description or ''} |"
    yield ""
    for name, table in tables.items():
        optional = "" if _is_table(model.model_fields[name].annotation) else " (optional)"
        yield from _sections(f"[{prefix}{name}]{optional}", f"{prefix}{name}.", table, shown)


def _table_of(annotation: object) -> type[BaseModel] | None:
    """The table that a key holds, also one that may be left out."""
    options = [annotation, *get_args(annotation)]
    return next((option for option in options if _is_table(option)), None)


def _is_table(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _toml(value: object) -> str:
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value)


def attack_table() -> str:
    """Every attack: name, paper, what it needs to see."""
    lines = ["# Attacks", "", "| name | attack | paper | needs |", "|---|---|---|---|"]
    lines += [f"| `{a.name}` | {a.title} | {a.paper} | {', '.join(sorted(a.needs))} |" for a in ATTACKS]
    return BANNER + "\n".join(lines) + "\n"


DATASETS_FOOT = """
Files are looked for in the local mirror that the environment variable `GNOMON_DATA` names (plain, `.gz`, `.xz` or
`.zip`), then in the cache (`GNOMON_CACHE`, or the platform's folder for caches), then at their home; their pinned
checksum is checked in each place. An interrupted download resumes where it stopped. No file with a wrong
checksum is used, and gnomon redistributes none of these files.

The classes of `purchase100` other than the 100 released ones are made by mini-batch k-means with a fixed seed,
once, and kept in the cache. A mirror may hold a part of `cifar10` and `cifar100` as lossless WebP strips, in an
order of their own: the data set's note, which every report shows, then says so.

A stand-in is a data set under open terms that a study uses in place of another (`--stand-ins`). It keeps its own name:
its values are not those of the other.
"""


def dataset_table() -> str:
    """Every data set: size, classes, terms, and where its files come from."""
    head = ("name", "data set", "rows", "features", "classes", "terms", "stand-in")
    lines = ["# Data sets", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [
        f"| `{s.name}` | {s.title} | {s.rows:,} | {s.features:,} | {', '.join(map(str, s.classes))} | {s.terms} | "
        f"{f'`{s.stand_in}`' if s.stand_in else ''} |"
        for s in SOURCES
    ]
    return BANNER + "\n".join(lines) + "\n" + DATASETS_FOOT


def mitigation_table() -> str:
    """Every mitigation: how a plan writes it, what it acts on."""
    lines = ["# Mitigations", "", "| in a plan | mitigation | paper | acts on | label kept |", "|---|---|---|---|---|"]
    lines += [
        f"| {', '.join(f'`{e}`' for e in m.examples)} | {m.title} | {m.paper} | {m.acts_on} | "
        f"{'yes' if m.keeps_label else 'no'} |"
        for m in MITIGATIONS
    ]
    return BANNER + "\n".join(lines) + "\n"


VERDICTS_HEAD = f"""# Verdicts

A report opens with a verdict. It follows from one test of all attacks together and from the values of one attack, the
*headline attack*.

**The joint test.** Membership is permuted, the scores stay as they are; an attack is *found* where its result
is stronger than the strongest result of any attack in {1 - LEVEL:.0%} of the permutations (min-p with
step-down, Westfall & Young 1993), so that of audits in which no attack has anything to find at most {LEVEL:.0%} find
one. An attack's result is its AUC, two-sided, or the count of members among the {", ".join(map(str, TOPS))}
records that it ranks highest or lowest (as far as these are an eighth of all). Where records belong to persons,
persons change sides, and the AUC by person is a result too ([people](people.md)); copies of a row are one record.
Audited non-members that also stand in the attacker's pool judge each other; the test allows for the chance that this
adds. The verdict is based on black-box attacks only; those that see more are tested as a family of their own, and the
verdict mentions them if only they find something.

**The headline attack** is the one that rehearsals on shadow models chose, unless another that was found is
significantly stronger on the same records (paired, two-sided, corrected) and the rehearsed one does not find
more at a low false-positive rate. If it was chosen on the audited rows, the report says so.

No level promises that a model keeps its records to itself: every value is a lower bound on what a better attack
may find ([sharp edges](sharp-edges.md)). To stop a release at a limit, use [the gate](gate.md): it compares values,
and the level where a limit names it.
"""


def verdict_table() -> str:
    """Every level of a verdict with its conditions, from the table that the code follows."""
    lines = ["| level | when: the first that holds |", "|---|---|"]
    lines += [f"| `{rule.level}` | {rule.words} |" for rule in RULES]
    lines += [
        "",
        "What rules out `none_found`, and makes a verdict `undecided`:",
        "",
        "| code | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{code}` | {words[0].upper()}{words[1:]}. |" for code, words in MISSING.items()]
    return BANNER + VERDICTS_HEAD + "\n" + "\n".join(lines) + "\n"


STRUCTURE_HEAD = """# What the model itself holds

Some models hold their training rows, and whoever gets the file reads them without any attack. Where the model itself is
given (or with `check = true` in `[structure]`, also where it is trained here), an audit looks into it: scikit-learn
estimators, pipelines and ensembles, XGBoost, LightGBM, CatBoost, and networks of torch (stored rows and fitted
numbers). The measures are those that output checkers of research environments ask for; they follow the structural
attack of SACRO-ML.

    gnomon audit --model model.skops --members train.csv --nonmembers test.csv --label y --appetite tre.toml

The appetite is a TOML file; every key has a default. A finding whose code stands in `refuse` is an error: such a model
is not handed out. Other findings are warnings. They stand in a section of their own and leave the verdict of the
attacks alone; [the gate](gate.md) holds them against a limit of their own, `structure<=warning`.
"""


def structure_reference() -> str:
    """Every key of a risk appetite, every measure with its remedy, and every risky parameter."""
    lines = [STRUCTURE_HEAD, "| key of the appetite | default | meaning |", "|---|---|---|"]
    for name, field in Appetite.model_fields.items():
        lines.append(f"| `{name}` | `{_toml(field.get_default())}` | {field.description} |")
    lines += ["", "| code | measure | why it matters | remedy |", "|---|---|---|---|"]
    lines += [f"| `{code}` | {' | '.join(words)} |" for code, words in WORDS.items()]
    lines += ["", "`risky-parameter`: parameters that are known to make a model keep single rows.", ""]
    lines += ["| parameter | of parts with | risky, because | better |", "|---|---|---|---|"]
    lines += [f"| `{s.name}` | {', '.join(f'`{a}`' for a in s.having)} | {s.why} | `{s.better}` |" for s in SETTINGS]
    lines += [
        "",
        "Fitted numbers: two of each inner node of a tree and c - 1 of each leaf (boosting: 1); weights and biases; "
        "dual coefficients of support vectors. Stored rows: an array of the model that has the width of the rows that "
        "reach it, and nearly all of whose rows are training rows. What a kind of model keeps elsewhere is not seen; "
        "parts of which nothing could be read are named in the report.",
    ]
    return BANNER + "\n".join(lines) + "\n"


ADVICE_HEAD = f"""# What to do now: the rules

Every report of an audit says what to do now, right after its verdict: the first {MOST} of these rules that apply, in
this order of weight. A rule applies where a value of the record says so. Where `gnomon defend` has measured its
remedies on the same plan and rows (its folder `RUN-defend` lies next to the run), the report has these numbers; else
it has the command (PLAN is the audit's plan; `gnomon init plan.toml` with the flags of an audit writes one).
Mitigations in training are named only where they change what the model's trainer makes; for a model that is given they
are measured on what its recipe ([trainer], by default the model file's own) makes of the members.
The last column but one is the limit that makes [the gate](gate.md) catch
the finding when it comes back: {{rate}} are limits that this very leak does not meet (a true-positive rate of 5 times
its false-positive rate and, where it shows, an AUC), {{auc}} is `auc<=0.6`.

Where no rule applies the report says so, with the list of what was not tested.
"""


def advice_table() -> str:
    """Every rule of what to do now, from the table that the code follows."""
    lines = ["| rule | applies where | what helps | measured with | what catches it | source |", "|---" * 6 + "|"]
    for rule in RULES_OF_ADVICE:
        tries = ", ".join(f"`{one}`" for one in rule.tries) or "a new audit"
        limit = rule.limit.replace("|", "\\|")
        lines.append(f"| `{rule.code}` | {rule.when} | {rule.remedy} | {tries} | {limit} | {rule.source} |")
    return BANNER + ADVICE_HEAD + "\n" + "\n".join(lines) + "\n"


API_HEAD = """# Public names

`gnomon.__all__` and the names below of the documented subpackages are the public surface. Everything else is
private by convention and may change in any version. Of `gnomon.stats` and `gnomon.testing` the listed modules or
names are public; `help(NAME)` prints the whole description of any of them.
"""


def api_list() -> str:
    """Every public name with the first sentence of its documentation."""
    parts = [API_HEAD, *_names(gnomon)]
    for name in SUBPACKAGES:
        package = importlib.import_module(f"gnomon.{name}")
        parts += _names(package) if getattr(package, "__all__", None) else _modules(package)
    return BANNER + "\n".join(parts)


def _names(package: ModuleType) -> Iterable[str]:
    """A section for one package: its task, and its names."""
    yield from _heading(package)
    public = [name for name in package.__all__ if name != "__version__"]
    yield from (f"| `{name}` | {_kind(getattr(package, name))} |" for name in public)
    yield ""


def _modules(package: ModuleType) -> Iterable[str]:
    yield from _heading(package)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.ispkg:
            loaded = importlib.import_module(module.name)
            yield f"| `{module.name.removeprefix(f'{package.__name__}.')}` | {_first_sentence(loaded)} |"
    yield ""


def _heading(package: ModuleType) -> tuple[str, ...]:
    return f"## {package.__name__}", "", _first_sentence(package), "", "| name | what |", "|---|---|"


def _kind(thing: object) -> str:
    """The first sentence of a class's or function's documentation, or what a constant holds."""
    if isinstance(thing, tuple):
        return f"all {len(thing)} of them, as a tuple"
    return _first_sentence(thing) if callable(thing) else f"a constant: `{thing!r}`"


def _first_sentence(thing: object) -> str:
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def documents() -> dict[str, str]:
    """File name -> content."""
    return {
        "plan.schema.json": schema(Plan),
        "record.schema.json": schema(Record),
        "defence.schema.json": schema(DefenceReport),
        "comparison.schema.json": schema(Comparison),
        "gate.schema.json": schema(GateResult),
        "check.schema.json": schema(PlanCheck),
        "study.schema.json": schema(Study),
        "reproduction.schema.json": schema(Reproduction),
        "annex.schema.json": schema(Annex),
        "plan.md": plan_reference(),
        "attacks.md": attack_table(),
        "datasets.md": dataset_table(),
        "mitigations.md": mitigation_table(),
        "verdicts.md": verdict_table(),
        "structure.md": structure_reference(),
        "advice.md": advice_table(),
        "api.md": api_list(),
    }


def main(arguments: list[str]) -> int:
    """Writes or checks."""
    stale = []
    for name, text in documents().items():
        path = FOLDER / name
        if "--check" in arguments:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
