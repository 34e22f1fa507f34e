from pathlib import Path

import pytest

from gnomon.core.errors import PlanError, UsageError
from gnomon.studies.vary import axis_of, named_axis, parse_vary, with_settings


def labels(text: str) -> list[str]:
    return [choice.label for choice in parse_vary(text).choices]


def test_values_are_toml_values_and_bare_words_are_text() -> None:
    axis = parse_vary("k=1,2.5,true,word,'quoted, too',[1, 2],{a = 1}")
    values = [choice.settings[0][1] for choice in axis.choices]
    assert values == [1, 2.5, True, "word", "quoted, too", [1, 2], {"a": 1}]
    assert [choice.number for choice in axis.choices][:3] == [1.0, 2.5, None]


def test_commas_in_brackets_do_not_part_values() -> None:
    assert labels("trainer.hidden=[64],[128, 64],[]") == ["[64]", "[128, 64]", "[]"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trainer.epochs", "expected KEY=VALUE"),
        ("=5", "expected KEY=VALUE"),
        ("k=", "expected KEY=VALUE"),
        ("k=1,,2", "no TOML value"),
        ("k=[1,2", "] is missing"),
        ('k="a', '" is missing'),
        ("k=5,5", "given twice"),
        ("seed=1,2", "repeats"),
        ("name=a,b", "named by what varies"),
    ],
)
def test_what_can_not_be_varied_is_said_in_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_vary(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_stands_for_a_whole_table(tmp_path: Path) -> None:
    (tmp_path / "nn.toml").write_text('kind = "torch"\nepochs = 3\n')
    (tmp_path / "forest.toml").write_text('kind = "sklearn"\n')
    axis = parse_vary(f"trainer=@{tmp_path / 'nn.toml'},@{tmp_path / 'forest.toml'}")
    assert [choice.label for choice in axis.choices] == ["nn", "forest"]
    made = with_settings({"trainer": {"kind": "torch", "epochs": 9}}, axis.choices[1].settings, "plan")
    assert made == {"trainer": {"kind": "sklearn"}}
    with pytest.raises(PlanError, match="no such plan file"):
        parse_vary("trainer=@nowhere.toml")


def test_named_cells_merge_into_the_plan() -> None:
    axis = named_axis("model", [{"name": "a", "trainer": {"epochs": 3}, "shadow": {"count": 2}}], "plan")
    made = with_settings({"trainer": {"epochs": 9, "batch": 7}}, axis.choices[0].settings, "plan")
    assert made == {"trainer": {"epochs": 3, "batch": 7}, "shadow": {"count": 2}}
    with pytest.raises(PlanError, match="needs a name"):
        named_axis("model", [{"trainer": {}}], "plan")


def test_settings_leave_what_they_are_put_into_as_it_was() -> None:
    values = {"a": {"b": [1]}}
    made = with_settings(values, [("a.c", [2])], "plan")
    made["a"]["b"].append(3)
    assert values == {"a": {"b": [1]}}
    with pytest.raises(PlanError, match=r"a\.b\.c"):
        with_settings({"a": {"b": 1}}, [("a.b.c", 2)], "plan")


def test_numbers_are_spelt_short() -> None:
    assert [choice.label for choice in axis_of("k", [0.0, 1e-4, 1000]).choices] == ["0", "0.0001", "1000"]
