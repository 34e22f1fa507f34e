"""Objects by import path: only where the user trusts the code."""

from __future__ import annotations

import importlib
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
