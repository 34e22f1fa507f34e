"""Functions are compiled where numba is installed, and are what they were where it is not."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnomon.core import compiled as module
from gnomon.core.compiled import can_compile, compiled


def double(number: float) -> float:
    return 2.0 * number


def test_a_compiled_function_gives_what_it_gave() -> None:
    assert compiled(double)(3.5) == 7.0
    assert (compiled(double) is not double) == can_compile()


def test_settings_in_the_working_folder_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They could name a folder of pickles, which numba would load."""
    pytest.importorskip("numba", reason="needs numba (extra fast)")
    pytest.importorskip("yaml", reason="numba reads settings with PyYAML")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {tmp_path}/pickles\n")
    assert compiled(double)(3.5) == 7.0
    assert not (tmp_path / "pickles").exists()


def test_without_numba_a_function_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert compiled(double) is double


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def njit(function: object, *, cache: bool = False, **_: object) -> object:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return function

    monkeypatch.setattr(module, "find_spec", lambda _: SimpleNamespace())
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(njit=njit, reload_config=lambda: None))
    monkeypatch.setattr(module, "import_module", importlib.import_module)
    assert compiled(double) is double
    assert asked == [True, False]
