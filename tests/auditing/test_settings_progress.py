"""Who is told how far an audit is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from gnomon.auditing.api import audit
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings, Silent
from gnomon.core.plan import make_plan

PLAN = {
    "data": {"source": "breast_cancer", "train_size": 100, "rows": 260},
    "trainer": {"kind": "sklearn", "estimator": "sklearn.naive_bayes:GaussianNB"},
    "shadow": {"count": 2},
    "attacks": {"names": ["gap"], "rehearsals": 0, "ladder": False},
    "preflight": {"override": ["distribution-shift"]},
}


def test_every_stage_is_told_and_counts_to_its_end(tmp_path: Path) -> None:
    stages: dict[str, int | None] = {}
    steps: dict[str, int] = {}

    class Listener:
        def stage(self, title: str, total: int | None) -> Callable[[int], None]:
            stages[title], steps[title] = total, 0
            return lambda done: steps.__setitem__(title, steps[title] + done)

    told = audit_plan(make_plan(PLAN), tmp_path / "told", Settings(workers=1), progress=Listener())
    assert 3 in stages.values(), "the target and two shadow models"
    assert {title: steps[title] for title in stages} == stages
    silent = audit_plan(make_plan(PLAN), tmp_path / "silent", Settings(workers=1), progress=Silent())
    assert told.record.verdict == silent.record.verdict
    assert Silent().stage("models", None)(3) is None


def test_an_audit_prints_nothing_unless_asked(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    model = GaussianNB().fit(x[:100], y[:100])
    audit(model, (x[:100], y[:100]), (x[100:], y[100:]), shadows=4, attacks=("gap", "loss"), workers=2)
    assert capfd.readouterr() == ("", "")
