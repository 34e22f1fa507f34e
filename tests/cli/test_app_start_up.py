"""What a quick command imports: names of modules, because a timing would depend on the machine."""

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.runs.saved import save_outcome
from tests.runs.test_compare import outcome

import gnomon

HEAVY = (
    "sklearn",
    "skops",
    "scipy.stats",
    "torch",
    "pandas",
    "matplotlib",
    "jinja2",
    "optuna",
    "opacus",
    "onnxruntime",
)
PRINT_MODULES = "import sys\nprint('imported', *sys.modules)"


def imported(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has after running the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{PRINT_MODULES}"], capture_output=True, text=True, check=True
    )
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "imported"
    return set(last[1:])


def commands(*lines: tuple[str, ...]) -> str:
    """One after the other: what none of them imports is not there after the last."""
    return (
        f"from gnomon.cli.app import run\nfor words in {lines!r}:\n    assert run(list(words)) in (0, 1, 3, 4), words"
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("runs")
    save_outcome(outcome(0.3, 0, base=9), folder / "early")
    save_outcome(outcome(1.5, 1, base=9), folder / "over")
    return str(folder / "early"), str(folder / "over")


def test_importing_the_package_imports_none_of_what_it_depends_on() -> None:
    assert imported("import gnomon").isdisjoint({*HEAVY, "numpy", "pydantic", "rich", "joblib"})


def test_help_and_lists_import_nothing_heavy() -> None:
    lines = ("audit", "--help"), ("list", "attacks"), ("list", "datasets")
    assert imported(commands(*lines)).isdisjoint(HEAVY)


def test_help_of_all_commands_imports_none_of_them() -> None:
    assert imported(commands(("--help",))).isdisjoint(
        {*HEAVY, "numpy", "pydantic", "gnomon.cli.audit", "gnomon.cli.gate"}
    )


def test_gate_diff_and_report_of_finished_runs_import_nothing_heavy(runs: tuple[str, str]) -> None:
    early, over = runs
    lines = ("gate", early, "auc<=0.6"), ("diff", early, over), ("report", early)
    assert imported(commands(*lines)).isdisjoint(HEAVY)


def test_a_worker_that_trains_a_torch_stack_imports_no_scikit_learn(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    task = tmp_path / "task.pickle"
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    trainer = gnomon.TorchTrainer(hidden=(4,), epochs=1)
    train = partial(trainer.train, x, np.arange(20) % 2, 2, [np.arange(9)] * 2, [1, 2])
    task.write_bytes(pickle.dumps(train))
    modules = imported(f"import pickle\nassert len(pickle.load(open({str(task)!r}, 'rb'))()) == 2")
    assert "torch" in modules
    assert modules.isdisjoint(set(HEAVY) - {"torch"})


def test_an_audit_without_a_network_imports_no_torch() -> None:
    code = """
import numpy as np
import gnomon
from sklearn.naive_bayes import GaussianNB
x = np.random.default_rng(0).normal(size=(200, 3))
y = (x[:, 0] > 0).astype(int)
halves = (x[:100], y[:100]), (x[100:], y[100:])
for target, answers in ((GaussianNB().fit(*halves[0]), None), (None, tuple(np.eye(2)[side[1]] for side in halves))):
    gnomon.audit(target, *halves, answers=answers, trainer="clone" if target else None, shadows=4,
                 attacks=("loss", "lira"), workers=1)
"""
    assert "torch" not in imported(code)


def test_all_but_the_networks_works_where_torch_is_not_installed() -> None:
    code = """
import importlib, pkgutil, sys
import gnomon
for found in pkgutil.walk_packages(gnomon.__path__, "gnomon."):
    if not found.name.startswith("gnomon.models.torch.") and found.name != "gnomon.__main__":
        importlib.import_module(found.name)
assert "torch" not in sys.modules
sys.modules["torch"] = None  # as where it is not installed
from gnomon.core.errors import MissingExtraError
try:
    gnomon.TorchTrainer
except MissingExtraError as error:
    assert "pip install " in str(error), error
    assert "'torch" in str(error), error
else:
    raise AssertionError("a network without torch")
"""
    assert "gnomon.mitigations.trainers" in imported(code)
