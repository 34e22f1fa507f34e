"""A plan as commented TOML: what is given stands as a key, with paths as the plan's folder sees them."""

import tomllib
from pathlib import Path

import pytest

from gnomon.cli.init import OFFERED, plan_text
from gnomon.core.documents.record_parts import ReleasePlan


def test_paths_become_relative_to_the_plan_and_nothing_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "data": {"members": "in.csv", "nonmembers": "deep/out.csv", "label": 'the "label" of mine', "id": None},
        "target": {"model": "m.skops"},
    }
    text = plan_text(given, Path("plans/mine.toml"))
    values = tomllib.loads(text)
    assert values["name"] == "mine"
    assert values["data"] == {
        "members": str(Path("..", "in.csv")),
        "nonmembers": str(Path("..", "deep", "out.csv")),
        "label": 'the "label" of mine',
    }
    assert values["target"] == {"model": str(Path("..", "m.skops"))}
    assert "trainer" not in values
    assert "\n# id = " in text
    for key, value in OFFERED["release"].items():  # without it reports hold the audit against no release
        assert f'\n# {key} = "{value}"' in text
    assert ReleasePlan.model_validate(OFFERED["release"]).context == "api-scores"


def test_a_set_by_name_gets_a_recipe_and_its_own_offers() -> None:
    text = plan_text({"data": {"source": "digits"}}, Path("plan.toml"))
    values = tomllib.loads(text)
    assert values["data"] == {"source": "digits"}
    assert values["trainer"]["kind"] == "sklearn"
    assert all(f"\n# {key} = " in text for key in OFFERED["source"])
    assert not any(f"\n# {key} = " in text for key in OFFERED["data"])
