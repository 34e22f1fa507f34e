"""What begins like a formula is text in a spreadsheet; everything else stays as it is."""

import pytest

from gnomon.runs.folder import cell, first_changed


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n-x", "-1e5x", "+-1", "＝1"]
)
def test_formulas_get_an_apostrophe(text: str) -> None:
    shown = cell(text)
    assert isinstance(shown, str)
    assert shown.startswith("'")
    assert shown[1:].split() == text.split()
    assert cell(shown) == shown


@pytest.mark.parametrize(
    "value", ["", "a", "-", "=", "-5", "+5.25", "-1e-5", "user@example", "a=b", -1.5, 3, None, True]
)
def test_other_values_stay(value: object) -> None:
    assert cell(value) is value or cell(value) == value
    assert first_changed([value]) is None
