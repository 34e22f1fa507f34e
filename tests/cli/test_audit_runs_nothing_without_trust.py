"""A plan is data: without --trust, nothing that stands in it becomes an import, a call or a pickle."""

import pickle
from pathlib import Path

import pytest

from gnomon.cli.app import run

SHELL = """["sh", "-c", "touch ran"]"""
ROWS = """
[data]
source = "digits"
train_size = 100
[shadow]
count = 2
"""
BAYES = """
[trainer]
kind = "sklearn"
estimator = "sklearn.naive_bayes:GaussianNB"
"""
FILES = """
[data]
members = "in.csv"
nonmembers = "out.csv"
label = "y"
"""
COMMAND = """
[{table}]
kind = "command"
train = "sh -c 'touch ran' {{rows}} {{model}}"
predict = "sh -c 'touch ran' {{rows}} {{model}} {{answers}}"
"""
PLANS = {
    "attacks.options": ROWS
    + BAYES
    + f"""
[attacks.options.shokri]
classifier = "utils._testing:check_output"
params = {{ args = {SHELL} }}
""",
    "trainer.estimator": ROWS
    + f"""
[trainer]
kind = "sklearn"
estimator = "sklearn.utils._testing:check_output"
params = {{ args = {SHELL} }}
""",
    "trainer.estimator elsewhere": ROWS + '[trainer]\nkind = "sklearn"\nestimator = "spy:Runs"\n',
    "trainer.module": ROWS + '[trainer]\nkind = "torch"\nmodule = "spy:Runs"\n',
    "trainer.function": ROWS + '[trainer]\nkind = "function"\nfunction = "spy:Runs"\n',
    "shadow.recipe.estimator": ROWS + '[shadow.recipe]\nkind = "sklearn"\nestimator = "spy:Runs"\n' + BAYES,
    "shadow.recipe.module": ROWS + '[shadow.recipe]\nkind = "torch"\nmodule = "spy:Runs"\n' + BAYES,
    "shadow.recipe.function": ROWS + '[shadow.recipe]\nkind = "function"\nfunction = "spy:Runs"\n' + BAYES,
    "trainer.train": ROWS + COMMAND.format(table="trainer"),
    "shadow.recipe.train": ROWS + COMMAND.format(table="shadow.recipe") + BAYES,
    "target.callable": FILES + '[target]\ncallable = "spy:Runs"\n',
    "target.model": FILES + '[target]\nmodel = "m.pkl"\n',
}


class Touch:
    """A pickle of this runs a command when it is loaded."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("spy.py").write_text("from pathlib import Path\nPath('ran').touch()\nclass Runs: pass\n")
    for name in ("in.csv", "out.csv"):
        Path(name).write_text("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    Path("m.pkl").write_bytes(pickle.dumps(Touch()))
    return tmp_path


@pytest.mark.parametrize("command", ["audit", "study", "defend"])
@pytest.mark.parametrize("key", PLANS)
def test_a_plan_runs_nothing_without_trust(folder: Path, key: str, command: str, capsys: pytest.CaptureFixture[str]):
    Path("plan.toml").write_text(PLANS[key])
    further = {"audit": [], "study": ["--vary", "data.train_size=100,120"], "defend": ["--try", "top1"]}[command]
    assert run([command, "plan.toml", "--to", "out", *further]) != 0
    assert "Traceback" not in capsys.readouterr().err
    assert not Path("ran").exists()
