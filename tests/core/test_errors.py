"""The tree of errors, and the hint for a misspelt word."""

import inspect
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from gnomon.core import errors
from gnomon.core.errors import GnomonError, MissingExtraError, did_you_mean, requirements_of


def test_every_error_has_the_root_that_the_command_line_catches_and_stands_in_the_tree() -> None:
    found = {
        name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
    }
    assert len(found) >= 9
    for name, kind in found.items():
        assert issubclass(kind, GnomonError)
        assert name in (errors.__doc__ or "")
        if kind is not GnomonError:
            parent = kind.__bases__[0]
            lines = (errors.__doc__ or "").splitlines()
            depth = [next(line.index(one) for line in lines if one in line) for one in (parent.__name__, name)]
            assert depth[0] < depth[1], f"{name} stands under {parent.__name__}"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("epoch", ' (did you mean "epochs"?)'),
        ("", " (known: batch, epochs)"),
        ("quite something else", " (known: batch, epochs)"),
    ],
)
def test_a_close_word_is_offered_and_otherwise_the_list(word: str, hint: str) -> None:
    assert did_you_mean(word, iter(["epochs", "batch"])) == hint


class Declared:
    """The metadata of an installation."""

    LINES = (
        "numpy>=1.26",
        "pandas>=2.1; extra == 'data'",
        'pillow>=10; extra == "data"',
        "xgboost-cpu<3,>=2; (sys_platform != 'darwin') and extra == 'automl'",
        "xgboost<3,>=2; (sys_platform == 'darwin') and extra == 'automl'",
    )

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metadata, "requires", lambda _: list(self.LINES))


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Declared(monkeypatch)
    assert str(MissingExtraError("pandas", "data", "reading a.csv")) == (
        "reading a.csv needs pandas, which is not installed: pip install 'pandas>=2.1' 'pillow>=10'"
    )
    assert str(MissingExtraError("catboost", "catboost", "it")).endswith("pip install 'catboost'")


@pytest.mark.parametrize(("platform", "wanted"), [("darwin", "xgboost<3,>=2"), ("linux", "xgboost-cpu<3,>=2")])
def test_a_remedy_is_that_of_the_platform(monkeypatch: pytest.MonkeyPatch, platform: str, wanted: str) -> None:
    Declared(monkeypatch)
    monkeypatch.setattr(sys, "platform", platform)
    assert requirements_of("automl") == [wanted]


def test_run_from_its_source_a_remedy_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert str(MissingExtraError("optuna", "search", "a search")).endswith("pip install 'optuna'")


def test_no_message_says_that_gnomon_can_be_had_from_an_index() -> None:
    source = Path(errors.__file__).parents[1]
    guilty = [file for file in source.rglob("*.py") if re.search(r"pip install '?gnomon", file.read_text("utf-8"))]
    assert guilty == []
