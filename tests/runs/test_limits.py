"""Limits in words and in files: what is written is read back, and what means nothing is refused."""

from pathlib import Path

import pytest

from gnomon.core.documents.gate import Limit
from gnomon.core.errors import UsageError
from gnomon.runs.limits import Limits, parse_limit, read_limits, written

TEXT = """
allow_missing = ["rmia"]
[[limits]]
limit = "tpr@0.01<=0.05"
severity = "warning"
reason = 'asked for by "review", 2026'
[[limits]]
limit = "auc <= 0.6"
"""


def file(folder: Path, text: str) -> Path:
    (folder / "limits.toml").write_text(text, encoding="utf-8")
    return folder / "limits.toml"


def test_a_file_gives_limits_with_severity_and_reason(tmp_path: Path) -> None:
    found = read_limits(file(tmp_path, TEXT))
    assert found.allow_missing == ("rmia",)
    first, second = found.limits
    assert (first.fpr, first.most, first.severity, first.reason) == (
        0.01,
        0.05,
        "warning",
        'asked for by "review", 2026',
    )
    assert (second.figure, second.severity, second.reason) == ("auc", "error", "")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    limits = Limits(
        (
            parse_limit("auc<=0.6", severity="note", reason='a "quoted"\nreason — \\ é'),
            parse_limit("lira.tpr@0.1<=0.2"),
        ),
        ("rmia",),
    )
    found = read_limits(file(tmp_path, written(limits, ["made by hand\nnot code = 1"])))
    assert [one.text for one in found.limits] == [one.text for one in limits.limits]
    assert found.limits[0].reason == 'a "quoted" reason — \\ é'
    assert found.allow_missing == limits.allow_missing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[limits]]\nlimt = 'auc<=0.6'", 'unknown key "limits.0.limt" (did you mean "limit"?)'),
        ("limit = 'auc<=0.6'", 'unknown key "limit" (did you mean "limits"?)'),
        ("", '"limits" is missing'),
        ("[[limits]]\nseverity = 'note'", '"limits.0.limit" is missing'),
        ("[[limits]]\nlimit = 'auc<=2'", "expected a number from 0.5 to 1 for auc, got 2"),
        (
            "[[limits]]\nlimit = 'auc<=0.6'\nseverity = 'fatal'",
            "severity: input should be 'error', 'warning' or 'note'",
        ),
        ("[[limits]", "not valid TOML"),
        (f"limits = {'[' * 5000}{']' * 5000}", "cannot be read (maximum recursion depth"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    place = file(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_limits(place)
    assert str(error.value).startswith(f"{place}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end here")
def test_a_file_without_an_end_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a file of limits, got more than"):
        read_limits("/dev/zero")


def test_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file of limits"):
        read_limits(tmp_path / "none.toml")


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(UsageError, match='expected severity error, warning or note, got "fatal"'):
        parse_limit("auc<=0.6", severity="fatal")  # type: ignore[arg-type]


def test_a_limit_is_named_after_its_figure() -> None:
    limit: Limit = parse_limit("tpr@1e-2<=0.05")
    assert limit.words == "tpr@0.01"
