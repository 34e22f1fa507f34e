"""Counts what a reader of the source has to go through.

python scripts/count_code.py
python scripts/count_code.py --ref COMMIT     (another commit, through git archive)

Every number is read from the syntax tree; nothing is imported. What each row means:

- code lines: lines that hold code; no blank lines, comments and docstrings.
- files used by one other: modules (no packages' `__init__`) that exactly one other module of the package imports.
- modules without a test: those with code of their own for which no `tests/**/test_NAME.py` or `test_NAME_*.py` exists.
- imports inside functions: imports of our own modules that stand in a function.
- import cycles: groups of modules that import each other in a ring, imports for type checkers left out.
- flat packages: packages with more than 15 modules next to each other, `__init__` not counted.
- files of an audit: modules that a reader opens who follows `gnomon audit` from the command to the written report:
  from the command on, every function or class that is called by name is opened, and its own calls are followed.
  Methods are not followed, and the libraries are taken at their word (attacks, data sets, models, mitigations, made
  rows, statistics): what counts is the road through commands, audit, shadow pool, report and core.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FLAT = 15
SHORT = 60
PACKAGE = "gnomon"
ROAD = ("cli", "auditing", "runs", "report", "shadow", "store", "engines", "core")  # that `walk` follows


@dataclass(frozen=True)
class Module:
    """A file of the source: its dotted name, text and tree."""

    name: str
    text: str
    tree: ast.Module
    is_package: bool


def read_modules(source: Path) -> dict[str, Module]:
    """All modules under ``source`` by their dotted names."""
    found = {}
    for file in sorted((source / PACKAGE).rglob("*.py")):
        parts = file.relative_to(source).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = file.read_text(encoding="utf-8")
        found[name] = Module(name, text, ast.parse(text), is_package)
    return found


def code_lines(module: Module) -> int:
    """Lines that hold code."""
    prose: set[int] = set()
    held: set[int] = set()
    for node in ast.walk(module.tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and body
            and ast.get_docstring(node) is not None
        ):
            prose |= set(range(body[0].lineno, body[0].end_lineno + 1))
    for number, line in enumerate(module.text.splitlines(), 1):
        if line.strip() and not line.strip().startswith("#"):
            held.add(number)
    return len(held - prose)


def own_imports(tree: ast.AST, names: set[str], *, typing: bool = True) -> Iterator[tuple[str, str, ast.ImportFrom]]:
    """What is imported of our own: module, name as bound here, and where."""
    for node in _statements(tree, typing=typing):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if full in names else node.module), alias.asname or alias.name, node


def _statements(tree: ast.AST, *, typing: bool) -> Iterator[ast.AST]:
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        if isinstance(node, ast.If) and not typing and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def import_graph(modules: dict[str, Module], *, typing: bool = True) -> dict[str, set[str]]:
    """For each module the modules that it imports."""
    names = set(modules)
    return {
        name: {target for target, _, _ in own_imports(module.tree, names, typing=typing)} - {name}
        for name, module in modules.items()
    }


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other."""
    reach = {name: _reachable(name, graph) for name in graph}
    groups = {tuple(sorted(other for other in reach[name] if name in reach[other])) for name in graph}
    return [list(group) for group in groups if len(group) > 1]


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    seen, waiting = set(), [start]
    while waiting:
        for target in graph.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def takes_plan(module: Module) -> int:
    """Functions with a parameter whose type is the whole `Plan`."""
    functions = (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef))
    count = 0
    for function in functions:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        kinds = [ast.unparse(a.annotation) for a in arguments if a.annotation is not None]
        count += any(kind in ("Plan", "Plan | None") for kind in kinds)
    return count


def untested(modules: dict[str, Module], tests: Path) -> list[str]:
    """Modules with code of their own and no test file of their name."""
    files = {file.stem for file in tests.rglob("test_*.py")}
    missing = []
    for name, module in modules.items():
        defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in module.tree.body)
        base = f"test_{name.rpartition('.')[2].strip('_')}"
        if defines and not module.is_package and base not in files and not any(f.startswith(base + "_") for f in files):
            missing.append(name)
    return missing


def walk(modules: dict[str, Module]) -> set[str]:
    """Modules that a reader opens who follows `gnomon audit` to the written report."""
    tables = {name: _Names(module, set(modules)) for name, module in modules.items()}
    start = next(
        (m, "audit") for m in ("gnomon.cli.audit", "gnomon.cli.app") if m in modules and "audit" in tables[m].defined
    )
    seen: set[tuple[str, str]] = set()
    waiting = [start]
    while waiting:
        place, name = waiting.pop()
        if (place, name) in seen or place not in tables or place.split(".")[1] not in ROAD:
            continue
        table = tables[place]
        if name in table.imported:
            waiting.append(table.imported[name])
            continue
        if name not in table.defined:
            continue
        seen.add((place, name))
        for used in table.defined[name]:
            head, _, rest = used.partition(".")
            if head in table.imported:
                target, original = table.imported[head]
                waiting.append((target, rest.partition(".")[0]) if original == "" else (target, original))
            elif head in table.defined:
                waiting.append((place, head))
    return {place for place, name in seen if not modules[place].is_package}


class _Names:
    """What a module defines and imports, and what each definition calls."""

    def __init__(self, module: Module, names: set[str]) -> None:
        self.imported: dict[str, tuple[str, str]] = {}
        for target, bound, node in own_imports(module.tree, names, typing=False):
            original = next(a.name for a in node.names if (a.asname or a.name) == bound)
            whole = f"{node.module}.{original}" == target
            self.imported[bound] = (target, "" if whole else original)
        self.defined: dict[str, set[str]] = {}
        for node in module.tree.body:
            for name in _bound(node):
                self.defined[name] = set() if isinstance(node, ast.ClassDef) else set(_called(node))


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _called(node: ast.AST) -> Iterator[str]:
    """Names, and names in modules, that code calls."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            yield part.func.id
        elif (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and isinstance(part.func.value, ast.Name)
        ):
            yield f"{part.func.value.id}.{part.func.attr}"


def count(root: Path) -> list[tuple[str, int, str]]:
    """Rows of the table: what, how many, and the first of them."""
    modules = read_modules(root / "src")
    plain = {name: module for name, module in modules.items() if not module.is_package}
    graph = import_graph(modules)
    users: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph.items():
        for target in targets:
            users[target].add(name)
    classes = Counter(n.name for m in modules.values() for n in m.tree.body if isinstance(n, ast.ClassDef))
    twice = sorted(name for name, times in classes.items() if times > 1)
    single = [name for name in plain if len(users[name]) == 1]
    short = [name for name, module in plain.items() if len(module.text.splitlines()) < SHORT]
    inside = [
        f"{name}:{node.lineno}"
        for name, module in modules.items()
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef)
        for _, _, node in own_imports(function, set(modules))
    ]
    sizes = Counter(name.rpartition(".")[0] for name in plain)
    flat = sorted(f"{package} ({size})" for package, size in sizes.items() if size > FLAT)
    rings = cycles(import_graph(modules, typing=False))
    plans = {name: takes_plan(module) for name, module in modules.items() if takes_plan(module)}
    missing = untested(modules, root / "tests")
    opened = sorted(walk(modules))
    return [
        ("code lines", sum(code_lines(module) for module in modules.values()), ""),
        ("files", len(modules), ""),
        (f"files under {SHORT} lines", len(short), _some(short)),
        ("files used by one other", len(single), _some(single)),
        ("class names that exist twice or more", len(twice), _some(twice)),
        ("functions that take the whole Plan", sum(plans.values()), f"in {len(plans)} files"),
        ("modules without a test file of their name", len(missing), _some(missing)),
        ("imports of our own inside functions", len(inside), _some(inside)),
        ("import cycles", len(rings), _some([" <-> ".join(ring) for ring in rings])),
        (f"packages of more than {FLAT} modules", len(flat), _some(flat)),
        ("files of an audit, from command to report", len(opened), ""),
    ]


def _some(names: list[str], most: int = 4) -> str:
    short = [name.removeprefix(f"{PACKAGE}.") for name in names]
    return ", ".join(short[:most]) + (", ..." if len(short) > most else "")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Counts what a reader of the source has to go through.")
    parser.add_argument("--ref", help="a commit; default the files as they are")
    chosen = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    if chosen.ref is None:
        rows = count(root)
    else:
        archive = subprocess.run(
            ["git", "archive", chosen.ref, "src", "tests"], cwd=root, check=True, capture_output=True
        )
        with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
            rows = count(Path(folder))
    width = max(len(what) for what, _, _ in rows)
    for what, number, first in rows:
        print(f"{what:<{width}}  {number:>6,}  {first}".rstrip())


if __name__ == "__main__":
    main()
