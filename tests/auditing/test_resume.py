"""``kill -9`` at any moment loses at most the batch in flight, and the results are the same bits."""

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.killed import run_and_kill

from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.core.plan import Plan, make_plan, read_plan

PLAN = """
view = "adversary"
[data]
source = "digits"
train_size = 200
[trainer]
kind = "sklearn"
estimator = "sklearn.ensemble:RandomForestClassifier"
params = { n_estimators = 5 }
[shadow]
count = 8
size = 200
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
    command = ("audit", str(plan_file), "--to", str(killed), "--workers", "1")
    run_and_kill("gnomon.store.arrays:_write_atomically", 12, *command)  # the sixth answers lack their note
    assert stored(killed) == 5, "of the target and of four shadow models"
    assert not (killed / "record.json").exists()

    plan = read_plan(plan_file)
    resumed, undisturbed = carried_out(plan, killed), carried_out(plan, tmp_path / "undisturbed")
    assert resumed.record.shadows is not None
    assert (resumed.record.shadows.trained, resumed.record.shadows.reused) == (4, 4)
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
    small = plan.model_copy(update={"shadow": plan.shadow.model_copy(update={"count": 2})})
    carried_out(small, tmp_path / "run")
    other = make_plan(
        small.model_dump() | {"trainer": small.trainer.model_dump() | {"params": {"n_estimators": 5, "max_depth": 3}}}
    )
    found = carried_out(other, tmp_path / "run").record.shadows
    assert found is not None
    assert (found.trained, found.reused) == (2, 0)


def test_another_helper_of_the_users_own_never_gets_the_first_ones_shadows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names = ("entry_of_test_resume", "helper_of_test_resume")
    Path(f"{names[0]}.py").write_text(
        "import numpy as np\n"
        f"from {names[1]} import sharpness\n"
        "def train(x, y, n_classes, seed):\n"
        "    rows = [x[y == k] if (y == k).any() else x for k in range(n_classes)]\n"
        "    means = np.array([part.mean(axis=0) for part in rows])\n"
        "    def answer(rows):\n"
        "        gaps = ((rows[:, None] - means) ** 2).sum(axis=2)\n"
        "        logits = np.exp(-sharpness() * (gaps - gaps.min(axis=1, keepdims=True)))\n"
        "        return logits / logits.sum(axis=1, keepdims=True)\n"
        "    return answer\n"
    )
    plan = make_plan(
        {
            "data": {"source": "digits", "rows": 400, "train_size": 100},
            "trainer": {"kind": "function", "function": f"{names[0]}:train"},
            "shadow": {"count": 6},
            "attacks": {"names": ["loss"], "rehearsals": 0, "ladder": False},
        }
    )
    losses = []
    for rate, trained in ((0.001, 6), (0.01, 6), (0.001, 0)):
        Path(f"{names[1]}.py").write_text(f"def sharpness(): return {rate}\n")
        for name in names:
            sys.modules.pop(name, None)
        found = audit_plan(plan, tmp_path / "run", Settings(workers=1, trust=True)).record
        assert found.shadows is not None
        assert (found.shadows.trained, found.shadows.reused) == (trained, 6 - trained)
        assert found.recipe["function"]["covers"] == list(names)
        losses.append(found.target.train_loss)
    assert losses[0] == losses[2] != losses[1]
