"""``kill -9`` at any moment loses at most the batch in flight, and the results are the same bits."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from gnomon.auditing.api import Settings, audit_plan
from gnomon.auditing.outcome import Outcome
from gnomon.core.plan import Plan, make_plan, read_plan

PLAN = """
view = "adversary"
[data]
source = "digits"
train_size = 400
[trainer]
kind = "sklearn"
estimator = "sklearn.ensemble:RandomForestClassifier"
params = { n_estimators = 60 }
[shadow]
count = 24
size = 400
[attacks]
names = ["gap", "confidence", "lira_offline"]
rehearsals = 1
"""


def stored(folder: Path) -> int:
    return len(list(folder.rglob("*.json")))


def carried_out(plan: Plan, folder: Path) -> Outcome:
    return audit_plan(plan, folder, Settings(workers=1))


def test_a_killed_run_goes_on_where_it_stopped_and_gives_the_same_bits(tmp_path: Path) -> None:
    plan_file, killed = tmp_path / "plan.toml", tmp_path / "killed"
    plan_file.write_text(PLAN)
    command = [sys.executable, "-m", "gnomon", "audit", str(plan_file), "--to", str(killed), "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while stored(killed) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    finished = stored(killed)
    assert 5 <= finished < 25
    assert not (killed / "record.json").exists()

    plan = read_plan(plan_file)
    resumed, undisturbed = carried_out(plan, killed), carried_out(plan, tmp_path / "undisturbed")
    assert resumed.record.shadows is not None
    assert resumed.record.shadows.reused >= finished - 1, "the target's answers are one of them"
    assert resumed.record.shadows.trained + resumed.record.shadows.reused == 24
    assert resumed.ids == undisturbed.ids
    for name, scores in undisturbed.scores.items():
        np.testing.assert_array_equal(resumed.scores[name], scores)
    again = carried_out(plan, killed)
    assert again.record.shadows is not None
    assert again.record.shadows.trained == 0


def test_another_recipe_in_the_same_folder_never_gets_the_first_ones_shadows(tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.toml"
    plan_file.write_text(PLAN)
    plan = read_plan(plan_file)
    small = plan.model_copy(update={"shadow": plan.shadow.model_copy(update={"count": 4})})
    carried_out(small, tmp_path / "run")
    other = make_plan(
        small.model_dump() | {"trainer": small.trainer.model_dump() | {"params": {"n_estimators": 60, "max_depth": 3}}}
    )
    found = carried_out(other, tmp_path / "run").record.shadows
    assert found is not None
    assert (found.trained, found.reused) == (4, 0)
