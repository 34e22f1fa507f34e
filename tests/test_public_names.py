import ast
import importlib
from pathlib import Path

import pytest

import gnomon


def _typed_homes() -> dict[str, str]:
    """What a type checker is shown: each public name and the module that it is imported from."""
    tree = ast.parse(Path(gnomon.__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: str(node.module)
        for node in ast.walk(blocks[0])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_public_names_are_all_there_is_and_sorted() -> None:
    assert gnomon.__all__ == sorted(gnomon.__all__)
    assert set(_typed_homes()) == set(gnomon.__all__) - {"__version__"}


def test_a_name_at_run_time_is_the_one_that_type_checkers_see() -> None:
    for name, home in _typed_homes().items():
        assert getattr(gnomon, name) is getattr(importlib.import_module(home), name)


def test_subpackages_are_imported_on_use_and_other_names_refused() -> None:
    assert gnomon.testing.yield_checks is importlib.import_module("gnomon.testing").yield_checks
    with pytest.raises(AttributeError, match="'gnomon' has no attribute 'audt'"):
        _ = gnomon.audt
    assert set(gnomon.__all__) <= set(dir(gnomon))


def test_every_public_name_is_documented() -> None:
    undocumented = [n for n in gnomon.__all__ if n != "__version__" and not (getattr(gnomon, n).__doc__ or "").strip()]
    assert undocumented == []
