"""What a bench recommends in clear cases, and that it says so where nothing was shown."""

import pytest
from tests.report.sample_defences import PLAIN, leak, option

from gnomon.core.documents.comparison import Change
from gnomon.core.documents.defence import MitigationResult
from gnomon.defending.advice import advise


def same(first: str, second: str) -> Change:
    return "within noise"


def differ(first: str, second: str) -> Change:
    return "worse"


def said(*options: MitigationResult, rival=differ, fpr: float | None = 0.01) -> tuple[str | None, str]:  # type: ignore[no-untyped-def]
    advice = advise([PLAIN, *options], rival, fpr, 0.95)
    return advice.choice, " ".join([advice.headline, *advice.sentences])


FREE = option("l2:0.001", 0.08, 0.68, 0.61, "better", loss=(-0.02, 0.005), acts_on="training")
DEAR = option("dp:8", 0.011, 0.505, 0.41, "better", loss=(-0.24, -0.18), acts_on="training", frontier=True)
NOTHING = option("top3", 0.24, 0.79, 0.62, "within noise")


def test_a_mitigation_that_helps_for_free_is_recommended_with_what_it_may_cost_and_leaves() -> None:
    choice, text = said(NOTHING, FREE)
    assert choice == "l2:0.001"
    assert "no loss of accuracy was shown" in text
    assert "at most 2.0 points" in text
    assert "8.0% of the members (7.0 to 9.0)" in text
    assert "on the plain model the strongest has 25.0%" in text
    assert "does not make the model safe" in text
    assert "No difference to the plain model was shown for top3" in text


def test_where_nothing_helps_for_free_the_price_is_said() -> None:
    choice, text = said(NOTHING, DEAR)
    assert choice == "dp:8"
    assert "at a price" in text
    assert "18.0 to 24.0 points of accuracy" in text
    assert "within chance" in text


def test_a_dear_one_that_leaks_less_stands_beside_the_free_one() -> None:
    choice, text = said(FREE, DEAR)
    assert choice == "l2:0.001"
    assert "A lower value costs more accuracy: dp:8 (21.0 points)" in text


def test_no_difference_is_said_plainly_and_not_taken_for_a_proof() -> None:
    choice, text = said(NOTHING, option("round1", 0.23, 0.79, 0.62, "within noise"))
    assert choice is None
    assert text.startswith("No difference shown")
    assert "any of the 2 mitigations" in text
    assert "does not prove" in text


def test_where_nothing_leaks_there_is_nothing_to_lower() -> None:
    quiet = option("none", 0.01, 0.505, 0.6, None, loss=None, acts_on="nothing")
    advice = advise([quiet, NOTHING], differ, 0.01, 0.95)
    assert (advice.answer, advice.choice) == ("nothing to lower", None)
    assert "next to nothing on the plain model" in advice.headline


@pytest.mark.parametrize(
    "plain",
    [
        option("none", 0.2, 0.505, 0.6, None, loss=None, acts_on="nothing"),  # a few members, which the AUC hides
        option("none", 0.01, 0.3, 0.6, None, loss=None, acts_on="nothing"),  # members below others
    ],
)
def test_a_leak_that_an_auc_above_guessing_does_not_show_is_no_next_to_nothing(plain: MitigationResult) -> None:
    advice = advise([plain, NOTHING], same, 0.01, 0.95)
    assert advice.answer == "no difference"


@pytest.mark.parametrize(
    ("effects", "meets", "answer"),
    [
        (["better"], None, "helps"),
        (["better"], False, "target missed"),
        (["worse", "within noise"], None, "none helps"),
        (["within noise", "within noise"], None, "no difference"),
        ([None], None, "nothing audited"),
    ],
)
def test_the_answer_in_a_word(effects: list[Change | None], meets: bool | None, answer: str) -> None:
    rows = [NOTHING.model_copy(update={"effect": effect, "meets": meets}) for effect in effects]
    assert advise([PLAIN, *rows], same, 0.01, 0.95).answer == answer


def test_what_lowers_one_value_is_not_said_to_lower_none() -> None:
    _, text = said(NOTHING.model_copy(update={"effect": "mixed"}))
    assert "lowers all values of what attackers learn" in text
    assert "significantly less by one value, but not by all" in text
    assert "lowers what attackers learn" in said(NOTHING.model_copy(update={"effect": "worse"}))[1]


@pytest.mark.parametrize("plain", [PLAIN, option("none", 0.01, 0.505, 0.6, None, loss=None, acts_on="nothing")])
def test_where_nothing_could_be_audited_nothing_is_said_to_hold(plain: MitigationResult) -> None:
    refused = NOTHING.model_copy(update={"status": "not applicable", "effect": None, "change": None})
    advice = advise([plain, refused], differ, 0.01, 0.95)
    assert advice.choice is None
    assert "could be audited" in advice.headline
    assert "helps" not in advice.headline
    assert not any("confidence" in s for s in advice.sentences)
    assert any("Not applicable here: top3" in s for s in advice.sentences)


def test_a_naive_figure_that_flatters_is_shown_up() -> None:
    _, text = said(option("temperature5", 0.25, 0.8, 0.62, "within noise", naive=0.04))
    assert "temperature5 (4.0%, in truth 25.0%)" in text


def test_labels_alone_are_said_to_be_labels_alone() -> None:
    labels = option("labels", 0.02, 0.65, 0.62, "better", size=1, attack="gap")
    choice, text = said(labels, FREE)
    assert choice == "labels"
    assert "nothing but a label" in text
    assert "keep some, l2:0.001 leaks least" in text
    assert "Every predicted label stays" in text


def test_labels_alone_that_are_stronger_by_area_are_not_passed_over() -> None:
    assert "reads labels alone" not in said(FREE)[1]
    strong = FREE.model_copy(update={"label_only": leak("noise_robustness", 0.0, 0.89)})
    assert "robustness to noise: 0.890, against 0.680" in said(strong)[1]


def test_ties_are_named() -> None:
    other = option("dropout:0.9", 0.09, 0.69, 0.61, "better", loss=(-0.01, 0.01), acts_on="training")
    assert "dropout:0.9 does as well" in said(FREE, other, rival=same)[1]
    assert "as well, as far" not in said(FREE, other, rival=differ)[1]


def test_a_mitigation_that_makes_it_worse_is_named() -> None:
    choice, text = said(option("bad", 0.4, 0.9, 0.62, "worse"))
    assert choice is None
    assert "With bad the model leaks more than without." in text
    assert "No difference shown" not in text


def test_a_wanted_leakage_that_is_missed_is_no_recommendation() -> None:
    choice, text = said(FREE.model_copy(update={"meets": False}))
    assert choice is None
    assert "reaches the wanted leakage" in text


def test_plain_shadows_that_serve_better_are_named() -> None:
    adaptive = NOTHING.strongest
    assert adaptive is not None
    stronger = FREE.strongest.model_copy(update={"plain_shadows": True}) if FREE.strongest else None
    _, text = said(NOTHING.model_copy(update={"adaptive": adaptive, "strongest": stronger}))
    assert "top3 (24.0%, with plain ones 8.0%)" in text
