"""The user's own modules that a recipe reaches: all that it imports, and they import, down to installed packages.

Modules are found and read, never imported, so that code can be compared before anybody trusts it. A module is the
user's own if it is neither Python's, nor installed in site-packages, nor gnomon's. One that Python has imported counts
as it was when it was first looked at, since that is what runs, however its file is edited later.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

from gnomon.models.imported_code import first_change

LIBS = frozenset(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
INSTALLED = frozenset({"site-packages", "dist-packages"})
BY_NAME = frozenset({"import_module", "__import__"})
RUNS_TEXT = frozenset({"exec", "eval", "compile"})  # as they stand: model.eval() and re.compile() are others
RUNS_FILES = frozenset({"run_path", "run_module", "spec_from_file_location"})
READS = frozenset(
    {"open", "fromfile", "genfromtxt", "imread", "load", "load_file", "loadtxt", "memmap", "read_bytes", "read_text"}
    | {f"read_{kind}" for kind in ("csv", "excel", "feather", "hdf", "json", "parquet", "pickle", "sql", "table")}
)
NETWORK = frozenset({"aiohttp", "boto3", "ftplib", "http", "httpx", "requests", "socket", "urllib", "urllib3"})
NATIVE = frozenset({"cffi", "ctypes", "multiprocessing", "subprocess"})
ENVIRONMENT = frozenset({"environ", "getenv"})
FIRST_LOOK = "_gnomon_source"  # attribute of an imported module's spec


@dataclass(frozen=True)
class UserCode:
    """What a recipe's code consists of.

    Attributes:
        modules: digests of the files of the user's own modules, by module.
        packages: versions of the installed packages that they import.
        unseen: what else may decide what comes out and is in no digest, in words, with the module that does it.
        unknown: modules that were imported and are not what stands in their files, with what differs first: nobody
            knows the source of what runs.
        edited: modules whose files were edited since they were first looked at: what runs is the older source.
    """

    modules: dict[str, str]
    packages: dict[str, str]
    unseen: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


def user_code(names: Iterable[str]) -> UserCode:
    """The user's own code behind modules, transitively.

    Imports anywhere in a file count, also those within functions, relative ones, and `importlib.import_module` of a
    name that stands there.

    Args:
        names: of modules; those that are not the user's own, or are not there, are left out.
    """
    importlib.invalidate_caches()  # a module may have been written a moment ago
    modules: dict[str, str] = {}
    packages, unseen, seen, unknown, edited = set[str](), set[str](), set[str](), set[str](), set[str]()
    waiting = list(names)
    while waiting:
        for name in _with_parents(waiting.pop()):
            if name in seen:
                continue
            seen.add(name)
            spec = _find(name)
            if spec is None or not is_own(spec):
                top = name.partition(".")[0]
                packages |= {top} if spec is not None and top != "gnomon" and _is_installed(spec) else set()
                break
            found = _loaded_content(name, spec)
            content = found.content
            if content is None:  # a namespace package has no file
                continue
            unknown |= {f"{name} ({found.change})"} if found.change is not None else set()
            edited |= {name} if found.edited else set()
            modules[name] = hashlib.blake2b(content, digest_size=16).hexdigest()
            imports, hidden = _read(
                content, name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
            )
            unseen |= {f"{name} {what}" for what in hidden}
            waiting += imports
    versions = {name: _version(name) for name in sorted(packages)}
    sets = (tuple(sorted(one)) for one in (unseen, unknown, edited))
    return UserCode(dict(sorted(modules.items())), versions, *sets)


def is_own(spec: ModuleSpec) -> bool:
    """Whether a module is the user's own."""
    if spec.origin in ("built-in", "frozen") or spec.name.partition(".")[0] in ("gnomon", "__main__"):
        return False
    return not _is_installed(spec) and not any(
        Path(place).is_relative_to(lib) for place in _places(spec) for lib in LIBS
    )


def _is_installed(spec: ModuleSpec) -> bool:
    return any(INSTALLED & set(Path(place).parts) for place in _places(spec))


def _places(spec: ModuleSpec) -> list[str]:
    return [spec.origin] if spec.origin is not None else list(spec.submodule_search_locations or ())


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:i]) for i in range(1, len(parts) + 1))


def _find(name: str) -> ModuleSpec | None:
    """Where a module would come from, without importing it or the packages around it."""
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(loaded, ModuleSpec) and loaded.name == name:
        return loaded
    path = None
    parent = name.rpartition(".")[0]
    if parent:
        around = _find(parent)
        if around is None or around.submodule_search_locations is None:
            return None
        path = list(around.submodule_search_locations)
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (ImportError, AttributeError, ValueError):
            continue
        if spec is not None:
            return spec
    return None


@dataclass(frozen=True)
class _Loaded:
    """The source of a module: what runs if it was imported, otherwise what stands in its file."""

    content: bytes | None
    change: str | None = None  # what differs between what runs and the file, at the first look
    edited: bool = False  # the file, since the first look


def _loaded_content(name: str, spec: ModuleSpec) -> _Loaded:
    content, module = _content(spec), sys.modules.get(name)
    if module is None or module.__spec__ is not spec:
        return _Loaded(content)
    first: bytes | None = getattr(spec, FIRST_LOOK, None)
    if first is not None:
        return _Loaded(first, edited=content != first)
    change = None if content is None else first_change(module, content)
    if change is None:
        setattr(spec, FIRST_LOOK, content)  # there it ends with this import: a reload makes another spec
    return _Loaded(content, change)


def _content(spec: ModuleSpec) -> bytes | None:
    if spec.origin is None or not spec.has_location:
        return None
    try:
        return Path(spec.origin).read_bytes()
    except OSError:
        get_source = getattr(spec.loader, "get_source", None)  # out of an archive
        text = get_source(spec.name) if get_source is not None else None
        return None if text is None else str(text).encode()


@lru_cache(maxsize=4096)
def _read(content: bytes, package: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a file imports, and what of it can't be seen."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of their code, which says so when it runs
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a C extension, or a file of bytecode
        return (), ("is compiled: what it loads is not known",)
    found, unseen = list[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            found += [base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")]
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            found += [f"{package}.{name}" for name in _texts(node.value)]  # "import *" loads these submodules
        elif isinstance(node, ast.Call):
            _note_call(node, package, found, unseen)
        elif isinstance(node, (ast.Attribute, ast.Name)) and _called(node) in ENVIRONMENT:
            unseen.add("reads the environment")
    tops = {name.partition(".")[0] for name in found}
    unseen |= {"can reach the network"} if tops & NETWORK else set()
    unseen |= {"runs other processes or native code"} if tops & NATIVE else set()
    return tuple(dict.fromkeys(name for name in found if name)), tuple(sorted(unseen))


def _note_call(node: ast.Call, package: str, found: list[str], unseen: set[str]) -> None:
    called = _called(node.func)
    if called in BY_NAME:
        names = _texts(node.args[0]) if node.args else []
        found += [_absolute(name.lstrip("."), len(name) - len(name.lstrip(".")), package) for name in names]
        unseen |= set() if names else {"imports a module whose name is computed"}
    elif called in RUNS_FILES or (called in RUNS_TEXT and isinstance(node.func, ast.Name)):
        unseen.add("runs code that is made while it runs")
    elif called in READS:
        unseen.add("reads files; those that decide anything belong in trainer.files")


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.expr) -> list[str]:
    """The texts that stand there: one, or those of a list."""
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def _absolute(name: str, level: int, package: str) -> str:
    if level == 0:
        return name
    base = ".".join(package.split(".")[: len(package.split(".")) - level + 1])
    return f"{base}.{name}" if base and name else base or name


@cache
def _version(top: str) -> str:
    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        names = _distributions().get(top, ())
        return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(names))) or "unknown"


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())
