"""What a report says of a one-run audit: the bound, the most that could be shown, and what it may be used for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.report import sample_records

from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import CanaryFacts, CanaryTrial
from gnomon.report import render
from gnomon.report.audit.canaries import canaries


def shown(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "kind": "mislabelled",
        "canaries": 500,
        "included": 243,
        "guesses": 150,
        "right": 141,
        "epsilon": 1.987,
        "ceiling": 4.321,
        "delta": 1e-5,
        "confidence": 0.95,
        "trials": [
            CanaryTrial(guesses=50, right=49, epsilon=1.5),
            CanaryTrial(guesses=150, right=141, epsilon=1.987),
            CanaryTrial(guesses=500, right=260, epsilon=0.0),
        ],
        "train_size": 1243,
        "test_accuracy": 0.612,
        "tested": 800,
        "file": "canaries.csv",
    }
    facts = CanaryFacts(**{**values, **changes})
    return sample_records.leaking().model_copy(update={"canaries": facts})


@pytest.mark.parametrize("form", ["html", "md", "terminal"])
def test_every_report_shows_the_bound_and_the_most_that_could_be_shown(form: str) -> None:
    text = " ".join(render(shown(), form).split())
    assert "epsilon is at least 1.987 at delta 1e-05: 141 of 150 guesses were right" in text.replace("1e\\-05", "1e-05")
    assert "With every guess right, these canaries would have shown 4.321, and never more." in text


@pytest.mark.parametrize("form", ["html", "md"])
def test_long_reports_say_what_may_be_converted(form: str) -> None:
    text = " ".join(render(shown(), form).split())
    assert "Only these guesses may be turned into an epsilon" in text
    assert "500 canaries (real rows that are not trained on otherwise, each with a wrong label)" in text
    assert "243 are in" in text
    assert "61.2%" in text


def test_no_bound_is_no_promise() -> None:
    section = canaries(shown(epsilon=0.0))
    assert section is not None
    assert "no epsilon above 0 is shown" in section.sentences[0]
    assert any("no promise of privacy" in note for note in section.notes)
    positive = canaries(shown())
    assert positive is not None
    assert not any("no promise of privacy" in note for note in positive.notes)


def test_a_promise_stands_beside_the_bound() -> None:
    kept, broken, none = (canaries(shown(promised=p)) for p in (8.0, 1.0, None))
    assert kept is not None and broken is not None and none is not None
    assert "promises 8.000 at most" in kept.sentences[-1] and "do not refute" in kept.sentences[-1]
    assert "which the canaries refute" in broken.sentences[-1]
    assert not any("promise" in line for line in none.sentences)


def test_a_record_without_canaries_has_no_such_section() -> None:
    assert canaries(sample_records.leaking()) is None
    assert "anaries" not in render(sample_records.leaking(), "md")
