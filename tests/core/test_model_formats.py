"""One table of model formats: what is in it is read, helped with and documented."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from gnomon.core.errors import UsageError
from gnomon.core.model_formats import FORMATS, MODEL_FILES, ModelFormat, format_of
from gnomon.core.plan import TargetPlan
from gnomon.models.files import read_model

SUFFIXES = [suffix for known in FORMATS for suffix in known.suffixes]


def test_no_ending_is_claimed_twice() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert all(format_of(f"m{suffix}") is known for known in FORMATS for suffix in known.suffixes)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.title)
def test_every_format_has_a_reader(known: ModelFormat) -> None:
    assert callable(import_module(f"gnomon.models.readers.{known.reader}").read)


def test_help_plan_and_documentation_name_every_ending() -> None:
    assert TargetPlan.model_fields["model"].description == MODEL_FILES
    plan = Path(__file__).parents[2] / "docs" / "plan.md"
    assert MODEL_FILES in plan.read_text(encoding="utf-8")
    assert all(suffix in MODEL_FILES for suffix in SUFFIXES)


def test_an_unknown_ending_is_refused_with_all_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown kind of model file") as caught:
        read_model(tmp_path / "model.xyz")
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)


@pytest.mark.parametrize("suffix", [s for known in FORMATS if known.trust for s in known.suffixes])
def test_what_runs_code_needs_trust(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=r"runs whatever its maker put in.*--trust"):
        read_model(tmp_path / f"model{suffix}")
