"""What a record says of people: what it may leave out, and what it refuses."""

import pytest
from pydantic import ValidationError

from gnomon.core.documents.record_parts import FdrAccusations, RiskFacts, SliceResult, Slicing
from gnomon.core.documents.schema import Estimate

ERROR = Estimate(value=0.01, low=0.0, high=0.02)
RISK = {
    "attack": "lira",
    "rehearsals": 4,
    "basis": "shadows",
    "calibration_error": ERROR,
    "mean_members": 0.8,
    "mean_nonmembers": 0.2,
    "shadow_error": ERROR,
    "shadow_p_value": 0.5,
}


def test_risk_names_what_it_was_learned_on() -> None:
    assert RiskFacts(**RISK).reason is None
    withheld = RiskFacts(**{**RISK, "basis": "withheld", "calibration_error": None, "reason": "too few persons"})
    assert RiskFacts.model_validate_json(withheld.model_dump_json()) == withheld
    with pytest.raises(ValidationError, match="basis"):
        RiskFacts(**{**RISK, "basis": "guesses"})


def test_a_slice_with_too_few_rows_has_no_value_and_is_still_listed() -> None:
    slices = [SliceResult(name="a", members=1, nonmembers=0, auc=None)]
    made = Slicing(name="class", attack="lira", level=0.99, intervals=2, slices=slices)
    assert Slicing.model_validate_json(made.model_dump_json()).slices[0].auc is None
    with pytest.raises(ValidationError, match="auc"):
        SliceResult(name="a", members=1, nonmembers=0)  # type: ignore[call-arg] # it may not be forgotten


def test_accusations_say_their_share_and_sample() -> None:
    with pytest.raises(ValidationError, match="calibration"):
        FdrAccusations(fdr=0.1, accused=3, members=3, candidates=9)  # type: ignore[call-arg]
