"""Objects by import path: only where the user trusts the code; scikit-learn's classifiers always."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from gnomon.core.errors import UsageError, did_you_mean


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
