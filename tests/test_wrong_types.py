"""Every public function names an argument of a wrong type in one line, in place of an error from deep inside."""

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from tests.report.sample_records import leaking

import gnomon
from gnomon.core.errors import GnomonError

FUNCTIONS = [name for name in gnomon.__all__ if inspect.isfunction(getattr(gnomon, name))]


@pytest.mark.parametrize("wrong", [3, None, object()], ids=["number", "none", "object"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_first_argument_is_one_line(name: str, wrong: Any) -> None:
    function = getattr(gnomon, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    others = {"folder": "runs/x", "limits": ["auc<=0.6"], "path": "x.html", "y": [0, 1], "console": None}
    rest = {p.name: others.get(p.name, "html") for p in needed[1:]}
    with pytest.raises(GnomonError) as error:
        function(wrong, **rest)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


CALLS: dict[str, Callable[[], Any]] = {
    "read_record": lambda: gnomon.read_record("no/such/run"),
    "read_outcome": lambda: gnomon.read_outcome("no/such/run"),
    "read_plan": lambda: gnomon.read_plan("no/such/plan.toml"),
    "gate, not a list": lambda: gnomon.gate(leaking(), "auc<=0.6"),
    "gate, a number": lambda: gnomon.gate(leaking(), [0.6]),  # type: ignore[list-item]
    "gate, nothing": lambda: gnomon.gate(leaking(), []),
    "gate, missing": lambda: gnomon.gate(leaking(), ["auc<=1"], allow_missing="lira"),
    "write_record, no path": lambda: gnomon.write_record(leaking(), 3),  # type: ignore[arg-type]
    "write_report, no path": lambda: gnomon.write_report(leaking(), None),  # type: ignore[arg-type]
    "audit, no pair": lambda: gnomon.audit(None, [[1.0], [2.0], [3.0]], ([[1.0]], [1])),  # type: ignore[arg-type]
    "audit, x alone": lambda: gnomon.audit(None, 3, ([[1.0]], [1])),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", CALLS)
def test_other_wrong_arguments_are_one_line_too(name: str) -> None:
    with pytest.raises(GnomonError) as error:
        CALLS[name]()
    assert "\n" not in str(error.value)


def test_limits_may_be_words() -> None:
    record = leaking()
    words = gnomon.gate(record, ["auc<=0.6"])
    assert words == gnomon.gate(record, [gnomon.parse_limit("auc<=0.6")])
    assert words.code == 1


def test_an_outcome_stands_for_its_record() -> None:
    record = leaking()
    outcome = gnomon.Outcome(record, {}, [], [])
    assert gnomon.render(outcome, "json") == gnomon.render(record, "json")
    assert gnomon.gate(outcome, ["auc<=0.6"]) == gnomon.gate(record, ["auc<=0.6"])
    assert outcome.attacks == record.attacks
    assert outcome.provenance == record.provenance
    assert pickle.loads(pickle.dumps(outcome)).record == record  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError, match="no_such_part"):
        _ = outcome.no_such_part
