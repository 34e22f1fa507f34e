"""What decides the outcome of a recipe, as JSON: parameters, class paths, and hashes of source code.

The store's key holds it, so the rule is: what can't be told apart is refused, never guessed. A stale shadow model
would make a leaking target look safe. The source of the user's own classes and functions is that of all modules of
theirs that are reached (``covers``); what else such code may read is named (``unseen``).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gnomon.core.arrays import fingerprint, is_frame
from gnomon.core.errors import ModelError
from gnomon.models.imported_code import code_content
from gnomon.models.user_code import UserCode, user_code

DEEPEST = 12
PLAIN = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset, np.ndarray, np.generic)
NO_EFFECT = ("n_jobs", "verbose")  # parameters that decide how fast and how loud, not what comes out


def describe(value: Any, depth: int = 0) -> Any:
    """A value as JSON that differs whenever the value does something else.

    Arrays and data frames become fingerprints, functions and classes of the user's own a path with a hash of their
    source, objects their class and their attributes.

    Raises:
        ModelError: the value can't be told apart from others of its kind.

    >>> describe({"depth": 3, "weights": (0.5, None)})
    {'depth': 3, 'weights': [0.5, None]}
    """
    if depth > DEEPEST:
        raise ModelError(f"a parameter of type {type(value).__name__} is nested too deeply to be told apart")
    if isinstance(value, np.generic):
        return describe(value.item(), depth + 1)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for NaN and infinity
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray) or is_frame(value):
        return {"fingerprint": fingerprint(value)}
    if isinstance(value, Mapping):
        return {str(key): describe(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(describe(item, depth + 1)) for item in value)
    if isinstance(value, (bytes, PurePath, np.dtype, slice, range)):
        return str(value)
    if isinstance(value, np.random.RandomState):
        return {"state": describe(value.get_state(legacy=False), depth + 1)}
    if isinstance(value, np.random.Generator):
        return {"state": describe(value.bit_generator.state, depth + 1)}
    if isinstance(value, ModuleType):
        version = str(getattr(value, "__version__", ""))
        return {"module": value.__name__, "version": version, **_own_source({value.__name__})}
    if isinstance(value, type):
        return describe_class(value)
    return _describe_callable_or_object(value, depth)


def describe_class(cls: type) -> dict[str, Any]:
    """A class by its path; with the version of its package, and with a hash of its source if it has none."""
    found = {"class": f"{cls.__module__}:{cls.__qualname__}", **_origin(cls)}
    return found | _script_code(cls) if cls.__module__ == "__main__" else found


def describe_function(function: Any, depth: int = 0) -> dict[str, Any]:
    """A function by its path, a hash of its source, its defaults and what it encloses."""
    name = getattr(function, "__qualname__", None) or function.__name__
    found: dict[str, Any] = {
        "function": f"{getattr(function, '__module__', None) or 'numpy'}:{name}",
        **_origin(function),
    }
    if not isinstance(function, FunctionType):
        return found
    found["code"] = fingerprint(code_content(function.__code__))  # two lambdas of one module differ here only
    if function.__defaults__ or function.__kwdefaults__:
        found["defaults"] = describe([function.__defaults__, function.__kwdefaults__], depth + 1)
    if function.__closure__:
        names = function.__code__.co_freevars
        cells = dict(zip(names, function.__closure__, strict=True))
        found["encloses"] = {
            name: describe(cell.cell_contents, depth + 1)
            for name, cell in cells.items()
            if cell.cell_contents is not function
        }
    return found | _script_code(function) if function.__module__ == "__main__" else found


def _describe_callable_or_object(value: Any, depth: int) -> Any:
    if isinstance(value, functools.partial):
        return {"partial": describe([value.func, value.args, value.keywords], depth + 1)}
    if isinstance(value, MethodType):
        return {"method": describe_function(value.__func__, depth), "of": describe(value.__self__, depth + 1)}
    if isinstance(value, (FunctionType, BuiltinFunctionType, np.ufunc)):
        return describe_function(value, depth)
    if hasattr(value, "get_params"):
        return {**describe_class(type(value)), "params": describe(value.get_params(deep=False), depth + 1)}
    if hasattr(value, "rvs") and hasattr(value, "dist"):  # scipy.stats.randint(2, 9), of which searches draw
        law = describe(value.dist._updated_ctor_param(), depth + 1)
        given = {"law": law, "args": describe([value.args, value.kwds], depth + 1)}
        return {**describe_class(type(value)), "of": describe_class(type(value.dist)), **given}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {**describe_class(type(value)), "fields": describe(fields, depth + 1)}
    try:
        made = value.__reduce_ex__(2)  # how a copy would be made: everything that the object holds
    except TypeError as error:
        raise ModelError(
            f"a parameter of type {type(value).__module__}.{type(value).__qualname__} cannot be told apart from "
            f"others ({error}); give plain values (numbers, text, lists, arrays)"
        ) from error
    content = [list(part) if hasattr(part, "__next__") else part for part in made] if isinstance(made, tuple) else made
    return {**describe_class(type(value)), "content": describe(content, depth + 1)}


def _origin(thing: Any) -> dict[str, Any]:
    """The version of the package that a class or function comes from, or a hash of its source."""
    module = getattr(thing, "__module__", None) or "numpy"  # a ufunc of older numpy bears no module
    top = module.partition(".")[0]
    version = getattr(sys.modules.get(top), "__version__", None)
    if top in ("sklearn", "numpy", "scipy") and version:
        return {"version": str(version)}
    own = _own_source(_modules_of(thing))
    if own:
        return own
    if top in sys.stdlib_module_names and top != "__main__":
        return {"version": f"python {sys.version_info.major}.{sys.version_info.minor}"}
    found = {"source": _source_hash(thing)}
    return found | ({"version": str(version)} if isinstance(version, str) else {})


def _modules_of(thing: Any) -> set[str]:
    """Modules that a class with its bases, or a function with what wraps it, is written in."""
    if isinstance(thing, type):
        return {base.__module__ for base in thing.__mro__}
    around = getattr(thing, "__globals__", {}).get("__name__")  # a decorator's, where it hands on the function's name
    return {name for name in (getattr(thing, "__module__", None), around) if isinstance(name, str)}


def _own_source(modules: set[str]) -> dict[str, Any]:
    """Hash of all modules of the user's own behind these, and which; empty if there are none."""
    found = user_code(modules)
    check_known(found)
    if not found.modules:
        return {}
    packages = {"packages": found.packages} if found.packages else {}
    unseen = {"unseen": list(found.unseen)} if found.unseen else {}
    return {"source": fingerprint(found.modules), "covers": list(found.modules), **packages, **unseen}


def check_known(code: UserCode) -> None:
    """Refuses code whose source is not known.

    Raises:
        ModelError: a module was edited after it was imported, or something in it was set.
    """
    if code.unknown:
        raise ModelError(
            f"{', '.join(code.unknown)}: what was imported is not what stands in the file now, which other processes "
            "would run; restart Python or reload the module, and pass what you set in it as a parameter"
        )


def modules_behind(recipe: Any) -> set[str]:
    """The user's own modules that a recipe says it covers.

    >>> sorted(modules_behind({"function": {"covers": ["mine", "mine.parts"]}, "params": [{"covers": ["others"]}]}))
    ['mine', 'mine.parts', 'others']
    """
    parts = recipe.values() if isinstance(recipe, Mapping) else recipe if isinstance(recipe, list) else ()
    own = set(recipe.get("covers", ())) if isinstance(recipe, Mapping) else set()
    return own.union(*map(modules_behind, parts))


def _source_hash(thing: Any) -> str:
    """Hash of the module that a thing is written in: a function calls its neighbours, so they count too.

    In a script or a notebook only the thing itself counts, so that an edit of another line trains nothing again.
    """
    module = inspect.getmodule(thing)
    try:
        if module is not None and module.__name__ != "__main__":
            return fingerprint(inspect.getsource(module))
        return fingerprint(inspect.getsource(thing))
    except (OSError, TypeError) as error:
        code = getattr(thing, "__code__", None)
        if code is not None:
            return fingerprint(code_content(code))
        if getattr(module, "__version__", None) or getattr(module, "__file__", None):
            return fingerprint([getattr(module, "__name__", ""), str(getattr(module, "__version__", ""))])
        raise ModelError(
            f"the source of {getattr(thing, '__qualname__', thing)} cannot be found, so a changed recipe would go "
            "unnoticed; put it into a module"
        ) from error


def _script_code(thing: Any) -> dict[str, Any]:
    """What a function or class of a script or notebook uses of what stands around it, and what that uses in turn."""
    found: dict[str, Any] = {}
    waiting = [thing]
    while waiting:
        part = waiting.pop()
        space = _space_of(part)
        for name in sorted(_names_used(part)):
            if name in found or name not in space or space[name] is thing:
                continue
            value = space[name]
            if isinstance(value, (FunctionType, type)) and value.__module__ == "__main__":
                code = {"code": fingerprint([code_content(code) for code in _codes(value)])}
                values = [getattr(value, "__defaults__", None), getattr(value, "__kwdefaults__", None)]
                found[name] = {**code, "defaults": describe(values)} if any(values) else code
                waiting.append(value)
                continue
            try:
                found[name] = describe(value)
            except ModelError:
                found[name] = {"unseen": f"{type(value).__module__}:{type(value).__qualname__}"}
    if isinstance(thing, type):
        plain = {k: v for k, v in vars(thing).items() if not k.startswith("__") and isinstance(v, PLAIN)}
        bases = [describe_class(base) for base in thing.__mro__[1:] if base.__module__ == "__main__"]
        return {"globals": found, "attributes": describe(plain), "bases": bases}
    return {"globals": found}


def _space_of(thing: Any) -> dict[str, Any]:
    """Where a function, or the methods of a class, look up names."""
    parts = [thing] if isinstance(thing, FunctionType) else _functions(thing)
    return parts[0].__globals__ if parts else {}


def _functions(cls: type) -> list[FunctionType]:
    parts = [getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(cls).values()]
    return [part for part in parts if isinstance(part, FunctionType)]


def _codes(thing: Any) -> list[CodeType]:
    """The code of a function, or of everything that a class defines."""
    return [part.__code__ for part in (_functions(thing) if isinstance(thing, type) else [thing])]


def _names_used(thing: Any) -> set[str]:
    """Names that a function or a class's methods, and functions within them, look up outside."""
    names, waiting = set[str](), _codes(thing)
    while waiting:
        code = waiting.pop()
        names |= set(code.co_names)
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names


def describe_files(files: Sequence[str]) -> dict[str, Any]:
    """Files that a recipe's code reads, by their names and content, whatever folder they are in; empty without any.

    Raises:
        ModelError: a file that can't be read.
    """
    found = []
    for file in files:
        try:
            with Path(file).open("rb") as content:
                found.append([Path(file).name, hashlib.file_digest(content, "blake2b").hexdigest()[:32]])
        except OSError as error:
            raise ModelError(f"{file}: a file of the recipe cannot be read ({error.strerror or error})") from None
    return {"files": found} if found else {}


def describe_estimator(estimator: Any) -> dict[str, Any]:
    """A scikit-learn estimator by its class and its deep parameters, as far as they decide what comes out."""
    params: dict[str, Any] = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        last = name.rpartition("__")[2]
        if last in NO_EFFECT:
            continue
        if last == "random_state":
            params[name] = "from the seed"
        elif hasattr(value, "get_params") and not isinstance(value, type):
            params[name] = describe_class(type(value))  # its parameters stand beside it, by their deep names
        elif last in ("steps", "transformers", "estimators", "transformer_list"):
            params[name] = [_describe_step(step) for step in value]
        else:
            params[name] = describe(value)
    return {**describe_class(type(estimator)), "params": params}


def _describe_step(step: Any) -> Any:
    """A named step without its estimator: that one stands beside it, by its name."""
    return describe([part for part in step if not hasattr(part, "get_params")] if isinstance(step, tuple) else step)
