"""What a study is made of, and what is refused before anything runs."""

from pathlib import Path

import pytest
from tests.studies.test_study import plan_values

from gnomon.core.errors import PlanError, UsageError
from gnomon.studies import make_spec, run_study
from gnomon.studies.spec import lay_out
from gnomon.studies.vary import VariedKey, axis_of


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (axis_of("trainer.epoch", [5]), 'did you mean "epochs"'),
        (axis_of("trainr.epochs", [5]), 'did you mean "trainer"'),
        (axis_of("trainer.epochs", [5, 0]), "expected epochs to be 1 or more, got 0"),
        (axis_of("trainer.epochs", ["many"]), "trainer.epochs"),
        (axis_of("attacks.names", [["shokry"]]), 'did you mean "shokri"'),
        (axis_of("attacks.options", [{"loss": {"depth": 3}}]), "depth"),
        (axis_of("data.source.name", [1]), "data.source.name"),
        (axis_of("mitigations", [["tops3"]]), "top"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_runs(tmp_path: Path, axis: VariedKey, words: str) -> None:
    values = plan_values()
    if axis.key == "attacks.options":
        values["attacks"] = {"names": ["loss"]}
    with pytest.raises((PlanError, UsageError)) as caught:
        run_study(make_spec(values, [axis]), tmp_path / "out")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_more_cells_than_anybody_waits_for_are_refused() -> None:
    axes = [axis_of(f"trainer.params.a{i}", list(range(30))) for i in range(3)]
    with pytest.raises(UsageError, match="27,000 combinations"):
        lay_out(make_spec(plan_values(), axes))
