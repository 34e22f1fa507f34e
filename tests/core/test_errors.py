"""The tree of errors, and the hint for a misspelt word."""

import inspect

import pytest

from gnomon.core import errors
from gnomon.core.errors import GnomonError, MissingExtraError, did_you_mean


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


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert str(MissingExtraError("pandas", "data", "reading a.csv")) == (
        "reading a.csv needs pandas, which is not installed: pip install 'gnomon[data]'"
    )
