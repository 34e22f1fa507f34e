"""Plug-ins: attacks, mitigations and readers of model files that other packages bring.

A package names them as entry points (``gnomon.attacks``, ``gnomon.mitigations``, ``gnomon.readers``), or a plan names
one as ``module:Class``. What is installed is found in the packages' metadata, and nothing of it is imported before a
plan names it and the user trusts it: importing runs the package's code. Objects by import path are imported only where
the user trusts the code; scikit-learn's classifiers always.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Literal

from gnomon.core.arrays import fingerprint
from gnomon.core.documents.record import PlugInFacts
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.models.recipe_hash import describe
from gnomon.models.user_code import user_code


def import_object(path: str, trust: bool = False) -> Any:
    """The object that a path ``module:name`` leads to.

    Args:
        path: such as ``mymodels.forest:predict``.
        trust: importing runs the module's code, so it is refused without this.

    Raises:
        UsageError: not trusted, not of this form, or not there.

    >>> import_object("math:sqrt", trust=True)(4)
    2.0
    """
    module_name, colon, name = path.partition(":")
    if not (colon and module_name and name):
        raise UsageError(f'expected a path such as mymodels.forest:predict, got "{path}"')
    if not trust:
        raise UsageError(f"{path} would run the code of the module {module_name}; give --trust to allow it")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises
        raise UsageError(f"{path}: the module cannot be imported ({type(error).__name__}: {error})") from error
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in dir(found) if not known.startswith("_")]
            raise UsageError(f'{path}: no "{part}" there{did_you_mean(part, public[:200])}')
        found = getattr(found, part)
    return found


@cache
def public_classifiers() -> dict[str, type[Any]]:
    """scikit-learn's public classifiers by name: what a plan may name without being trusted."""
    from sklearn.utils import all_estimators

    return dict(all_estimators(type_filter="classifier"))


def estimator_from_path(path: str, params: Mapping[str, Any] | None = None, trust: bool = False) -> Any:
    """An unfitted classifier by its import path.

    Args:
        path: ``module:Class``. Without ``trust`` it is looked up in scikit-learn's list of public classifiers, and
            nothing is imported by its name: a name that a plan holds must not be able to run code.
        params: keyword arguments.
        trust: import code from elsewhere too.

    Raises:
        UsageError: no such class, not a classifier, an unknown parameter, or code that is not trusted.

    >>> estimator_from_path("sklearn.ensemble:RandomForestClassifier", {"n_estimators": 5})
    RandomForestClassifier(n_estimators=5)
    >>> estimator_from_path("os:system")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: os:system would run code that is not scikit-learn's; give --trust to allow it
    """
    cls = import_object(path, trust=True) if trust else _public_classifier(path)
    params = dict(params or {})
    known: list[str] = getattr(cls, "_get_param_names", list)()
    for name in params:
        if known and name not in known:
            raise UsageError(f'{path} has no parameter "{name}"{did_you_mean(name, known)}')
    try:
        return cls(**params)
    except Exception as error:
        raise UsageError(f"{path} cannot be made with {params}: {' '.join(str(error).split())[:300]}") from error


def _public_classifier(path: str) -> type[Any]:
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise UsageError(f'expected a path such as sklearn.ensemble:RandomForestClassifier, got "{path}"')
    if module.split(".")[0] != "sklearn":
        raise UsageError(f"{path} would run code that is not scikit-learn's; give --trust to allow it")
    found = public_classifiers().get(name)
    if found is None or not f"{found.__module__}.".startswith(f"{module}."):
        raise UsageError(
            f"{path}: scikit-learn has no public classifier of this name{did_you_mean(name, public_classifiers())}; "
            "give --trust to use anything else"
        )
    return found


Kind = Literal["attacks", "mitigations", "readers"]
PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class PlugIn:
    """Something that a package brings, not imported yet.

    Attributes:
        kind: what it is.
        name: of the entry point; for a reader the ending of the files that it reads, without the dot. For one that is
            named by its path, the path.
        path: ``module:Class``.
        package: the distribution that it comes from; None where it is named by its path.
        version: of the distribution.
    """

    kind: Kind
    name: str
    path: str
    package: str | None = None
    version: str | None = None

    def load(self, *, trust: bool) -> Any:
        """The class, function or object itself.

        Raises:
            UsageError: not trusted, or not there.
        """
        return import_object(self.path, trust)

    def content(self) -> list[Any]:
        """What decides what it does, as far as that can be read without importing it: for keys."""
        found = user_code([self.path.partition(":")[0]])
        return [self.path, self.package, self.version, found.modules, found.packages]


def installed(kind: Kind) -> list[PlugIn]:
    """What installed packages bring, by name; imports nothing.

    Raises:
        UsageError: two packages claim one name.
    """
    found: dict[str, PlugIn] = {}
    for entry in sorted(metadata.entry_points(group=f"gnomon.{kind}"), key=lambda e: (e.name, e.value)):
        dist = entry.dist
        name, version = (None, None) if dist is None else (dist.name, dist.version)
        made = PlugIn(kind, entry.name.lower(), entry.value.replace(" ", ""), name, version)
        other = found.setdefault(made.name, made)
        if other.path != made.path:
            raise UsageError(
                f'{kind}: "{made.name}" is claimed by {other.package} and by {made.package}; uninstall one, or name '
                "module:Class"
            )
    return list(found.values())


def find_plugin(kind: Kind, text: str) -> tuple[PlugIn, str] | None:
    """The plug-in that a plan's text names, and what stands behind the name; None if it names none.

    Args:
        kind: where to look.
        text: a name or a path; a mitigation's strength may follow it, with a colon or without.
    """
    for plugin in sorted(installed(kind), key=lambda p: -len(p.name)):
        rest = behind_name(text, plugin.name)
        if rest is not None:
            return plugin, rest
    path = PATH.match(text)
    if path is None or text[path.end() : path.end() + 1] not in ("", ":"):
        return None
    return PlugIn(kind, path[0], path[0]), text[path.end() + 1 :]


def behind_name(text: str, name: str) -> str | None:
    """What stands behind a name in a plan's text, without a colon; None where the text does not begin with the name.

    >>> behind_name("top:3", "top"), behind_name("top", "top"), behind_name("topmost", "top")
    ('3', '', None)
    """
    rest = text.removeprefix(name)
    return rest.removeprefix(":") if text.startswith(name) and (not rest or rest[0] in ":+-.0123456789") else None


def reader_for(name: str) -> PlugIn | None:
    """The plug-in that reads files of this name, by their ending."""
    endings = [p for p in installed("readers") if name.lower().endswith(f".{p.name}")]
    return max(endings, key=lambda p: len(p.name), default=None)


def make(found: Any) -> Any:
    """An object of a class, or the object itself.

    Raises:
        UsageError: a class that can't be made without arguments.
    """
    if not isinstance(found, type):
        return found
    try:
        return found()
    except TypeError as error:
        raise UsageError(f"{found.__module__}:{found.__qualname__} cannot be made without arguments: {error}") from None


def check_name(name: object, taken: Callable[[str], bool], where: str, plugin: PlugIn | None = None) -> None:
    """Refuses a name that can't stand in plans, limits and file names, that is gnomon's own or not its entry point's.

    Raises:
        UsageError: such a name.
    """
    if plugin is not None and plugin.package is not None and name != plugin.name:
        raise UsageError(
            f'{plugin.package}: the entry point "{plugin.name}" leads to something that is called {name!r}'
        )
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise UsageError(f"{where}: expected a name of lower-case letters, digits and _, got {name!r}")
    if taken(name):
        raise UsageError(f'{where}: the name "{name}" is gnomon\'s own; take another')


def facts_of(kind: Kind, name: str, thing: Any, plugin: PlugIn | None) -> PlugInFacts:
    """What the record says of a plug-in: where it is from, and a digest that changes with its source.

    Args:
        kind: what it is.
        name: as results call it.
        thing: the object, or a reader's function.
        plugin: where it was found; None for an object that was given in Python.
    """
    cls = thing if isinstance(thing, type) or (callable(thing) and hasattr(thing, "__qualname__")) else type(thing)
    path = f"{cls.__module__}:{cls.__qualname__}" if plugin is None else plugin.path
    return PlugInFacts(
        kind=kind,
        name=name,
        path=path,
        package=None if plugin is None else plugin.package,
        version=None if plugin is None else plugin.version,
        source=fingerprint(describe(thing)),
    )
