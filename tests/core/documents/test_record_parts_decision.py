"""[release] of a plan, and a decision as JSON."""

import pytest
from pydantic import ValidationError
from tests.report.sample_records import leaking

from gnomon.auditing.decision.decide import with_decision
from gnomon.core.documents.record_parts import Decision, ReleasePlan


def test_a_release_is_optional_and_its_words_are_fixed() -> None:
    assert ReleasePlan() == ReleasePlan(context=None, purpose=None, unit=None)
    with pytest.raises(ValidationError, match="api-labels"):
        ReleasePlan(context="api")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="person"):
        ReleasePlan(unit="household")  # type: ignore[arg-type]


def test_a_decision_survives_its_file() -> None:
    decision = with_decision(leaking(), None, ()).decision
    assert decision is not None
    assert decision.to_do
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    with pytest.raises(ValidationError, match="strength"):
        Decision.model_validate({**decision.model_dump(), "strength": "certain"})
