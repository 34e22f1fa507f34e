"""Findings on targets that answer the same record otherwise the second time."""

from dataclasses import dataclass

import numpy as np
import pytest

from gnomon.auditing.checks.answers import check_steady
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Rows
from gnomon.core.protocols import ModelAbilities, Twice
from gnomon.models.callable import CallableModel
from gnomon.models.target import MitigatedModel

X = np.zeros((4, 2))


@dataclass
class Answering(ModelAbilities):
    """A model that says what came of asking twice."""

    found: Twice

    def log_probs(self, x: Rows) -> Floats:
        return np.full((len(x), 2), np.log(0.5), dtype=np.float32)

    def asked_twice(self, x: Rows) -> Twice:
        return self.found


def test_other_models_and_steady_answers_are_no_finding() -> None:
    assert check_steady(None, X) == []
    assert check_steady(Answering(Twice(records=4, changed=0)), X) == []


@pytest.mark.parametrize("kept", [False, True])
def test_answers_that_change_are_a_warning_with_their_size(kept: bool) -> None:
    [finding] = check_steady(Answering(Twice(records=4, changed=3, largest=0.125, kept_before=kept)), X)
    assert (finding.code, finding.severity) == ("answers-change", "warning")
    assert finding.title.startswith("3 of 4 records")
    assert "0.12" in finding.title
    assert ("earlier run" in finding.explanation) is kept


def test_a_service_that_did_not_answer_again_is_a_note() -> None:
    [finding] = check_steady(Answering(Twice(records=0, changed=0, failed="status 400")), X)
    assert (finding.code, finding.severity) == ("answers-not-checked", "note")
    assert "status 400" in finding.explanation


@pytest.mark.parametrize("mitigated", [False, True])
def test_functions_are_queried_twice_also_behind_a_mitigation(mitigated: bool) -> None:
    rng = np.random.default_rng(0)
    for draw, codes in ((lambda n: rng.uniform(0.6, 0.9, n), ["answers-change"]), (lambda n: np.full(n, 0.7), [])):
        asked = CallableModel(lambda x, draw=draw: draw(len(x)))
        model = MitigatedModel(asked, Reveal("top", 1).apply) if mitigated else asked
        assert [f.code for f in check_steady(model, X)] == codes
