import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gnomon.runs.folder import toml_text

text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | text
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))
words = st.from_regex(r"[a-z_]{1,6}", fullmatch=True)


@given(st.dictionaries(words, scalars | st.lists(values, max_size=3) | st.dictionaries(text, values, max_size=3)))
def test_what_is_written_is_read_again(plan: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(plan)) == plan


def test_none_is_left_out() -> None:
    assert tomllib.loads(toml_text({"a": None, "b": {"c": None, "d": {"e": None}}})) == {"b": {"d": {}}}
