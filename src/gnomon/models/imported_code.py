"""Whether a module of the user's that Python holds is still what stands in its file.

A function that was imported stays as it was when its file is edited, as in a notebook. The file is never run to find
out: its code is compiled, and compared with the functions, methods, defaults and plain constants that Python holds, and
with the bytecode that Python wrote when it imported the module.
"""

from __future__ import annotations

import ast
import inspect
import marshal
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

CONSTANTS = (bool, int, float, complex, str, bytes, tuple, list, set, dict)
MUTABLE = (list, set, dict)
HEADER_BYTES = 16  # of a file of bytecode: magic number, flags, time and size of the source
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def first_change(module: ModuleType, content: bytes) -> str | None:
    """What differs between a module that was imported and the content of its file now; None if nothing is seen to.

    A constant that is computed is compared by way of the bytecode alone, so not where Python writes none. What a module
    itself sets anew while it runs does not count.

    Args:
        module: imported from a file of source by Python itself; others are not compared.
        content: of the file.

    Returns:
        The name in the module, or "its code".
    """
    spec = module.__spec__
    if spec is None or type(spec.loader) is not SourceFileLoader or getattr(spec, "_initializing", False):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # of their code, which says so when it runs
            tree = ast.parse(content)
            code = compile(content, str(spec.origin), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "its code"
    changed = next(_Comparison(tree, code).changes(tree.body, vars(module)), None)
    return "its code" if changed is None and _bytecode_differs(spec.cached, str(spec.origin), code) else changed


def code_content(code: CodeType) -> list[Any]:
    """What a piece of code does, without the lines that it stands in."""
    return [code.co_code.hex(), [_constant(c) for c in code.co_consts], list(code.co_names), list(code.co_varnames)]


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return code_content(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)  # a set's order is by chance


def _bytecode_differs(cached: str | None, origin: str, code: CodeType) -> bool:
    """Whether the bytecode of the last import is of an older source, and of another one than this."""
    try:
        written, source = Path(cached or "").read_bytes(), Path(origin).stat()
        flags, made, size = (int.from_bytes(written[i : i + 4], "little") for i in (4, 8, 12))
        if (
            written[:4] != MAGIC_NUMBER
            or flags != 0
            or (made, size) == (int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF)
        ):
            return False
        imported = marshal.loads(written[HEADER_BYTES:])  # noqa: S302 - Python ran it at the import
    except (OSError, ValueError, EOFError, TypeError):
        return False
    return isinstance(imported, CodeType) and code_content(imported) != code_content(code)


class _Comparison:
    """A file's tree and code, to be compared with what Python holds of it."""

    def __init__(self, tree: ast.Module, code: CodeType) -> None:
        found = list(_codes(code))
        twice = Counter(one.co_qualname for one in found)
        self.codes = {one.co_qualname: code_content(one) for one in found if twice[one.co_qualname] == 1}
        nodes = list(ast.walk(tree))
        self.state = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        self.state |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load)}
        parts = [node.value for node in nodes if isinstance(node, (ast.Attribute, ast.Subscript))]
        self.used = {part.id for part in parts if isinstance(part, ast.Name)}

    def changes(
        self, body: Sequence[ast.stmt], held: Mapping[str, Any], path: str = "", decorated: bool = False
    ) -> Iterator[str]:
        """Names in a module or a class whose value is another one than the file gives them.

        Args:
            body: of the module or class.
            held: what Python holds of it.
            path: what stands before a name in there.
            decorated: whether a decorator may have changed all of it.
        """
        bound = Counter(name for node in body for name in _bound(node))
        for node in body:
            name = next(_bound(node), "")
            if bound[name] != 1 or name in self.state:
                continue
            value, qualname = held.get(name), path + name
            if isinstance(node, DEFINITIONS):
                free = decorated or bool(node.decorator_list)
                differs = self._function_differs(node, value, qualname, free)
            elif isinstance(node, ast.ClassDef):
                differs = False
                if isinstance(value, type):
                    yield from self.changes(node.body, vars(value), f"{qualname}.", bool(node.decorator_list))
            else:
                differs = name in held and self._constant_differs(node, name, value)
            if differs:
                yield qualname

    def _function_differs(self, node: Definition, held: Any, qualname: str, free: bool) -> bool:
        found = _function_in(held)
        if found is None or found.__code__.co_qualname != qualname:
            return not free
        if qualname in self.codes and code_content(found.__code__) != self.codes[qualname]:
            return True
        given = [*(found.__defaults__ or ()), *(found.__kwdefaults__ or {}).values()]
        written = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
        return len(given) != len(written) or any(map(_differs, written, given))

    def _constant_differs(self, node: ast.stmt, name: str, value: Any) -> bool:
        if isinstance(value, MUTABLE) and name in self.used:
            return False
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            return _differs(node.value, value)
        return isinstance(node, ast.AnnAssign) and node.value is not None and _differs(node.value, value)


def _differs(node: ast.expr, value: Any) -> bool:
    """Whether a plain value is another one than stands there; what is computed, None or empty there is not compared."""
    try:
        written = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    if type(value) not in CONSTANTS or written is None or (isinstance(written, MUTABLE) and not written):
        return False
    return repr(written) != repr(value) if not isinstance(written, set) else bool(written != value)


def _function_in(held: Any) -> FunctionType | None:
    """The function as it was written: behind a property, a class method, `functools.wraps`."""
    inner = getattr(held, "__func__", getattr(held, "fget", held))
    try:
        inner = inspect.unwrap(inner)
    except (ValueError, AttributeError):
        return None
    return inner if isinstance(inner, FunctionType) else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds or unbinds where it stands, not within a function or class."""
    if isinstance(node, (*DEFINITIONS, ast.ClassDef)):
        yield node.name
        return
    if isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.Lambda):
            yield from _bound(inner)
