"""Rows of a report against each other: the frontier, and when a mitigation counts as one that leaks less."""

import pytest
from tests.report.sample_defences import PLAIN, option

from gnomon.core.documents.comparison import Change
from gnomon.defending.results import effect_of, mark_frontier

FREE = option("l2:0.001", 0.08, 0.68, 0.61, "better", loss=(-0.02, 0.005), acts_on="training")
DEAR = option("dp:8", 0.011, 0.505, 0.41, "better", loss=(-0.24, -0.18), acts_on="training", frontier=True)


def test_the_frontier_is_what_nothing_beats_in_both() -> None:
    better_in_both = option("dropout:0.5", 0.05, 0.66, 0.65, "better")
    marked = {o.label: o.frontier for o in mark_frontier([PLAIN, FREE, DEAR, better_in_both], 0.01)}
    assert marked == {"none": False, "l2:0.001": False, "dp:8": True, "dropout:0.5": True}


def test_equals_are_on_the_frontier_together() -> None:
    assert all(o.frontier for o in mark_frontier([PLAIN, PLAIN.model_copy(update={"label": "top3"})], 0.01))


@pytest.mark.parametrize(
    ("changes", "leak", "effect"),
    [
        ({"better"}, 0.1, "better"),
        ({"better"}, 0.25, "mixed"),  # the AUC fell, the true-positive rate did not
        ({"better", "within noise"}, 0.1, "within noise"),  # one of the two attackers keeps up
        ({"mixed", "within noise"}, 0.1, "mixed"),
        ({"not comparable", "better"}, 0.1, "not comparable"),
        ({"worse", "not comparable"}, 0.1, "worse"),
        ({"within noise"}, 0.3, "within noise"),
    ],
)
def test_a_mitigation_leaks_less_only_to_both_attackers_and_by_the_value_of_the_page(
    changes: set[Change], leak: float, effect: Change
) -> None:
    assert effect_of(changes, leak, plain=0.25) == effect
