"""What the user's own code reads decides a recipe's key: in each pair of recipes one file differs, so the keys must."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from gnomon.auditing.inputs.loading import make_trainer
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.plan import TrainerPlan, make_plan
from gnomon.models.function import FunctionTrainer
from gnomon.models.recipe_hash import describe
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.user_code import user_code
from gnomon.studies.cells import cell_key

TRAIN = "def train(x, y, n_classes, seed, **params):\n    return {}\n"
OWN = (
    "from sklearn.base import BaseEstimator, ClassifierMixin\n{}\n"
    "class Own(ClassifierMixin, {}):\n"
    "    def fit(self, x, y): return self\n"
    "    def predict_proba(self, x): return RATE\n"
)
STEP = (
    "from sklearn.base import BaseEstimator, TransformerMixin\nfrom helper_uc import RATE\n"
    "class Step(TransformerMixin, BaseEstimator):\n"
    "    def fit(self, x, y=None): return self\n"
    "    def transform(self, x): return x * RATE\n"
)


@dataclass(frozen=True)
class Pair:
    """Files of a recipe, and one of them with another content."""

    files: dict[str, str]
    edit: str
    to: str = "RATE = 2\ndef help(*_): return RATE\nclass Base: rate = RATE\n"
    kind: str = "function"
    options: dict[str, Any] = field(default_factory=dict)


HELPER = "RATE = 1\ndef help(*_): return RATE\nclass Base: rate = RATE\n"
LAZY = TRAIN.format("0").replace("    return", "    {}\n    return")


def entry(code: str, **others: str) -> dict[str, str]:
    return {"entry_uc.py": code, "helper_uc.py": HELPER, **{k.replace("__", "/") + ".py": v for k, v in others.items()}}


def package(code: str, **inside: str) -> dict[str, str]:
    files = {"entry_uc.py": code, "pack_uc/__init__.py": "", "pack_uc/sub.py": HELPER, "pack_uc/deep/__init__.py": ""}
    return files | {f"pack_uc/{name}.py": text for name, text in inside.items()}


EDIT_SUB = "pack_uc/sub.py"
ESTIMATOR = {"kind": "sklearn", "estimator": "entry_uc:Own"}
PAIRS = {
    "a constant of another module": Pair(entry("from helper_uc import RATE\n" + TRAIN.format("RATE")), "helper_uc.py"),
    "a helper of another module": Pair(entry("import helper_uc as h\n" + TRAIN.format("h.help()")), "helper_uc.py"),
    "a base class of another module": Pair(
        entry("from helper_uc import Base\nclass Made(Base): ...\n" + TRAIN.format("Made()")), "helper_uc.py"
    ),
    "the module itself": Pair(entry(TRAIN.format("1")), "entry_uc.py", TRAIN.format("2")),
    "a submodule": Pair(package("import pack_uc.sub\n" + TRAIN.format("pack_uc.sub.RATE")), EDIT_SUB),
    "a submodule by its package": Pair(package("from pack_uc import sub\n" + TRAIN.format("sub.RATE")), EDIT_SUB),
    "the package around": Pair(
        package("import pack_uc.sub\n" + TRAIN.format("pack_uc.sub.RATE")), "pack_uc/__init__.py", "from . import sub\n"
    ),
    "a relative import": Pair(
        package("from pack_uc.one import RATE\n" + TRAIN.format("RATE"), one="from .sub import RATE\n"), EDIT_SUB
    ),
    "a relative import of a module": Pair(
        package("from pack_uc.one import sub\n" + TRAIN.format("sub"), one="from . import sub\n"), EDIT_SUB
    ),
    "a relative import of the package above": Pair(
        package("import pack_uc.deep.two\n" + TRAIN.format("0"), **{"deep/two": "from ..sub import RATE\n"}), EDIT_SUB
    ),
    "a star import": Pair(
        package("from pack_uc import *\n" + TRAIN.format("sub.RATE"), __init__='__all__ = ["sub"]\n'), EDIT_SUB
    ),
    "an import within the function": Pair(entry(LAZY.format("from helper_uc import RATE")), "helper_uc.py"),
    "an import within a helper": Pair(
        entry("import middle_uc\n" + TRAIN.format("middle_uc.get()"),
              middle_uc="def get():\n    import helper_uc\n    return helper_uc.RATE\n"), "helper_uc.py"
    ),
    "import_module": Pair(
        entry("import importlib\n" + LAZY.format("importlib.import_module('helper_uc')")), "helper_uc.py"
    ),
    "__import__": Pair(entry(LAZY.format("__import__('helper_uc')")), "helper_uc.py"),
    "import_module of a relative name": Pair(
        package("import pack_uc.one\n" + TRAIN.format("0"),
                one="from importlib import import_module\ndef get(): return import_module('.sub', __package__)\n"),
        EDIT_SUB,
    ),
    "a chain of modules": Pair(
        entry("import a_uc\n" + TRAIN.format("0"), a_uc="import b_uc\n", b_uc="import c_uc\n",
              c_uc="import helper_uc\n"),
        "helper_uc.py",
    ),
    "modules in a circle": Pair(
        entry("import a_uc\n" + TRAIN.format("0"), a_uc="import b_uc\n", b_uc="import a_uc, helper_uc\n"),
        "helper_uc.py",
    ),
    "a folder without __init__": Pair(
        {"entry_uc.py": "import space_uc.sub\n" + TRAIN.format("0"), "space_uc/sub.py": HELPER}, "space_uc/sub.py"
    ),
    "an import that may fail": Pair(
        entry("try:\n    import helper_uc\nexcept ImportError:\n    pass\n" + TRAIN.format("0")), "helper_uc.py"
    ),
    "a decorator of another module": Pair(
        entry("from wrap_uc import wrap\n@wrap\n" + TRAIN.format("0"),
              wrap_uc="import functools, helper_uc\ndef wrap(f):\n    @functools.wraps(f)\n"
              "    def inner(*a, **k): return helper_uc.RATE\n    return inner\n"), "helper_uc.py"
    ),
    "a partial of another module's function": Pair(
        entry("import functools, helper_uc\ntrain = functools.partial(helper_uc.help, 3)\n"), "helper_uc.py"
    ),
    "an object that is called": Pair(
        entry("from helper_uc import Base\nclass Train(Base):\n    def __call__(self, *_): ...\ntrain = Train()\n"),
        "helper_uc.py",
    ),
    "a compiled extension": Pair(
        entry(LAZY.format("import native_uc")) | {f"native_uc{EXTENSION_SUFFIXES[0]}": "ELF 1"},
        f"native_uc{EXTENSION_SUFFIXES[0]}", "ELF 2",
    ),
    "a file that it reads": Pair(
        entry(TRAIN.format("open('rates.csv').read()")) | {"rates.csv": "1"}, "rates.csv", "2",
        options={"files": ["rates.csv"]},
    ),
    "the second of several files": Pair(
        entry(TRAIN.format("0")) | {"a.csv": "1", "b.csv": "1"}, "b.csv", "2", options={"files": ["a.csv", "b.csv"]}
    ),
    "an estimator's constant": Pair(
        entry(OWN.format("from helper_uc import RATE", "BaseEstimator")), "helper_uc.py", kind="sklearn"
    ),
    "an estimator's base class": Pair(
        entry("from base_uc import Root, RATE\n" + OWN.format("", "Root"),
              base_uc="from sklearn.base import BaseEstimator\nfrom helper_uc import RATE\n"
              "class Root(BaseEstimator): rate = RATE\n"), "helper_uc.py", kind="sklearn"
    ),
    "a step of a pipeline": Pair(
        entry(OWN.format("RATE = 1", "BaseEstimator"), step_uc=STEP), "helper_uc.py", kind="pipeline"
    ),
    "a file that an estimator reads": Pair(
        entry(OWN.format("RATE = 1", "BaseEstimator")) | {"rates.csv": "1"}, "rates.csv", "2", kind="sklearn",
        options={"files": ["rates.csv"]},
    ),
    "a network's constant": Pair(
        entry("from torch import nn\nfrom helper_uc import RATE\n"
              "def build(shape, c): return nn.Linear(shape[0] * RATE, c)\n"), "helper_uc.py", kind="torch"
    ),
    "a network's layers": Pair(
        entry("from layers_uc import Layer\ndef build(shape, c): return Layer(shape[0], c)\n",
              layers_uc="from torch import nn\nimport helper_uc\nclass Layer(nn.Linear): rate = helper_uc.RATE\n"),
        "helper_uc.py", kind="torch",
    ),
    "a network that is a class": Pair(
        entry("from base_uc import Net as build\n",
              base_uc="from torch import nn\nfrom helper_uc import RATE\nclass Net(nn.Module): rate = RATE\n"),
        "helper_uc.py", kind="torch",
    ),
    "a file that a network reads": Pair(
        entry("from torch import nn\ndef build(shape, c): return nn.Linear(shape[0], c)\n") | {"w.npy": "1"},
        "w.npy", "2", kind="torch", options={"files": ["w.npy"]},
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget()


def forget() -> None:
    """Python holds none of these modules, as in a new process."""
    for name in list(sys.modules):
        if "_uc" in name:
            del sys.modules[name]
    importlib.invalidate_caches()


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def table(pair: Pair) -> dict[str, Any]:
    named = {
        "function": {"kind": "function", "function": "entry_uc:train"},
        "torch": {"kind": "torch", "module": "entry_uc:build", "device": "cpu"},
    }
    return {**named.get(pair.kind, ESTIMATOR), **pair.options}


def recipe_of(pair: Pair) -> str:
    trainer = make_trainer(TrainerPlan(**table(pair)), None, trust=True)
    if pair.kind == "pipeline":
        own = importlib.import_module("entry_uc").Own()
        trainer = SklearnTrainer(make_pipeline(importlib.import_module("step_uc").Step(), own))
    assert trainer is not None
    return json.dumps(trainer.recipe())


@pytest.mark.parametrize("what", PAIRS)
def test_another_recipe_is_another_key(what: str) -> None:
    pair = PAIRS[what]
    if pair.kind == "torch":
        pytest.importorskip("torch")
    write(pair.files)
    write({"other_uc.py": "RATE = 1\n"})
    plan = make_plan({"data": {"source": "digits"}, "trainer": table(pair)})
    guess = make_plan({"data": {"source": "digits"}, "shadow": {"recipe": table(pair)}})

    def keys() -> list[str]:
        forget()
        return [cell_key(plan), cell_key(guess), recipe_of(pair)]

    before = keys()
    write({"other_uc.py": "RATE = 2\n"})
    assert keys() == before
    write({pair.edit: pair.to})
    after = keys()
    stale = [
        one for one, (a, b) in zip(("study", "guess", "store"), zip(before, after, strict=True), strict=True) if a == b
    ]
    assert stale == (["study", "guess"] if what == "a step of a pipeline" else [])  # no plan names its modules
    write({pair.edit: pair.files[pair.edit]})
    assert keys() == before


def in_script(code: str) -> Any:
    """The function ``train`` of a script, as ``python script.py`` would define it."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, "script_uc.py", "exec"), space)
    return space["train"]


SCRIPTS = {
    "a constant": "RATE = {}\ndef train(*_): return RATE\n",
    "a list": "RATES = [{}]\ndef train(*_): return RATES\n",
    "an array": "import numpy as np\nRATES = np.full(3, {})\ndef train(*_): return RATES\n",
    "a constant within a function within": "RATE = {}\ndef train(*_):\n    def f(): return RATE\n    return f\n",
    "a neighbour of a neighbour": "def c(): return {}\ndef b(): return c()\ndef train(*_): return b()\n",
    "neighbours in a circle": "def b(): return train() + {}\ndef train(*_): return b()\n",
    "a method": "class A:\n    def get(self): return {}\ndef train(*_): return A().get()\n",
    "a default": "def b(rate={}): return rate\ndef train(*_): return b()\n",
    "what a method uses": "RATE = {}\nclass A:\n    def get(self): return RATE\ndef train(*_): return A()\n",
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_what_a_script_s_function_uses_counts(what: str) -> None:
    one, two, again = (describe(in_script(SCRIPTS[what].format(rate))) for rate in (1, 2, 1))
    assert json.dumps(one) == json.dumps(again) != json.dumps(two)


@pytest.mark.parametrize("how", ["from helper_uc import help", "import helper_uc\nhelp = helper_uc.help"])
def test_what_a_script_imports_counts(how: str) -> None:
    write({"helper_uc.py": HELPER})
    train = in_script(f"{how}\ndef train(*_): return help()\n")
    before = describe(train)
    write({"helper_uc.py": HELPER.replace("RATE = 1", "RATE = 2")})
    assert describe(train) == before, "the module that was imported is the old one"
    forget()
    assert describe(in_script(f"{how}\ndef train(*_): return help()\n")) != before


def test_the_recipe_says_what_was_covered_and_what_can_t_be_known() -> None:
    code = (
        "import os, requests, ctypes, helper_uc\nimport numpy as np, importlib\n"
        + TRAIN.format("np.load(os.environ['PLACE']), importlib.import_module(seed), eval('1')")
    )  # fmt: skip
    write({**entry(code), "helper_uc.py": "import sklearn\n"})
    found = user_code(["entry_uc"])
    assert set(found.modules) == {"entry_uc", "helper_uc"}
    assert set(found.packages) >= {"numpy", "sklearn"}
    assert "1." in found.packages["sklearn"]
    assert found.unseen == (
        "entry_uc can reach the network",
        "entry_uc imports a module whose name is computed",
        "entry_uc reads files; those that decide anything belong in trainer.files",
        "entry_uc reads the environment",
        "entry_uc runs code that is made while it runs",
        "entry_uc runs other processes or native code",
    )
    write(entry("import helper_uc\n" + TRAIN.format("open(x)")))
    function = FunctionTrainer(importlib.import_module("entry_uc").train).recipe()["function"]
    assert function["covers"] == ["entry_uc", "helper_uc"]
    assert function["unseen"] == ["entry_uc reads files; those that decide anything belong in trainer.files"]


def test_python_s_and_installed_modules_are_not_the_user_s() -> None:
    write(entry("import json, numpy, sklearn.tree, gnomon\n" + TRAIN.format("0")))
    found = user_code(["entry_uc", "json", "numpy", "gnomon.models", "missing_uc", "__main__"])
    assert list(found.modules) == ["entry_uc"]
    assert set(found.packages) == {"numpy", "sklearn"}


def test_nothing_is_imported_to_be_read() -> None:
    write({"entry_uc.py": "import pack_uc.sub\nraise SystemExit\n", "pack_uc/__init__.py": "raise SystemExit\n"})
    write({"pack_uc/sub.py": "raise SystemExit\n"})
    assert list(user_code(["entry_uc"]).modules) == ["entry_uc", "pack_uc", "pack_uc.sub"]


def test_a_trainer_of_the_user_s_own_counts_with_its_code(tmp_path: Path) -> None:
    from gnomon.core.data.dataset import make_dataset
    from gnomon.engines.local import LocalEngine
    from gnomon.shadow.pool import ShadowPool
    from gnomon.store.arrays import ArrayStore

    code = (
        "import numpy as np\nfrom helper_uc import RATE\nfrom gnomon.models.callable import CallableModel\n"
        "class Own:\n"
        "    def recipe(self): return {'kind': 'own'}\n"
        "    def batch_size(self, x, c, size): return 1\n"
        "    def train(self, x, y, c, rows, seeds):\n"
        "        return [CallableModel(lambda x: np.full((len(x), c), 1 / c), n_classes=c) for _ in rows]\n"
    )
    write(entry(code))
    data = make_dataset(np.arange(20.0)[:, None], np.arange(20) % 2)

    def fresh() -> list[bool]:
        own = importlib.import_module("entry_uc").Own()
        pool = ShadowPool(ArrayStore(tmp_path / "store"), LocalEngine(1), own)
        return pool.answers(data, [np.arange(9)], np.arange(20), [1]).fresh

    assert fresh() == [True]
    assert fresh() == [False]
    write({"helper_uc.py": HELPER.replace("1", "2")})
    assert fresh() == [False], "what was imported runs"
    forget()
    assert fresh() == [True]


def test_an_edit_after_the_import_is_one_line_or_leaves_the_key() -> None:
    write({**entry("import helper_uc\n" + TRAIN.format("helper_uc.RATE"))})
    train = importlib.import_module("entry_uc").train
    write({"helper_uc.py": HELPER.replace("RATE = 1", "RATE = 2")})
    with pytest.raises(ModelError, match=r"helper_uc \(RATE\): what was imported is not what stands in the file now"):
        FunctionTrainer(train).recipe()
    importlib.reload(sys.modules["helper_uc"])
    recipe = FunctionTrainer(train).recipe()
    assert user_code(["entry_uc"]).edited == ()
    write({"helper_uc.py": HELPER.replace("RATE = 1", "RATE = 3")})
    assert FunctionTrainer(train).recipe() == recipe, "what runs is what was imported"
    assert user_code(["entry_uc"]).edited == ("helper_uc",)
    importlib.reload(sys.modules["helper_uc"])
    assert FunctionTrainer(train).recipe() != recipe
    sys.modules["helper_uc"].RATE = 7  # type: ignore[attr-defined]
    assert FunctionTrainer(train).recipe() != recipe


def test_no_answers_are_kept_by_a_process_that_holds_other_code(tmp_path: Path) -> None:
    from gnomon.shadow.pool import Asked, Work, train_batch
    from gnomon.store.arrays import ArrayStore

    rates = "import numpy as np, helper_uc\ndef train(x, y, c, seed): return lambda x: np.full((len(x), c), 1 / c)\n"
    write(entry(rates))
    keys = user_code(["entry_uc"]).modules
    write({"helper_uc.py": HELPER.replace("RATE = 1", "RATE = 2")})  # before a worker imports it
    trainer, store = FunctionTrainer(importlib.import_module("entry_uc").train), ArrayStore(tmp_path / "store")
    x, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    given = (trainer, x, y, 2, Asked(x, y, ()), [Work(np.arange(4), 0, ("ab12",), may_fail=True)])
    with pytest.raises(UsageError, match="helper_uc: was edited since it was imported"):
        train_batch(*given, keys, keep=store.put)
    assert not store.holds("ab12")
    train_batch(*given, user_code(["entry_uc"]).modules, keep=store.put)
    assert store.holds("ab12")


def test_an_audit_says_that_a_file_was_edited(tmp_path: Path) -> None:
    import gnomon

    code = "from sklearn.tree import DecisionTreeClassifier as T\n"
    code += "def train(x, y, c, seed): return T(max_depth=RATE, random_state=seed).fit(x, y)\n"
    write({"entry_uc.py": f"RATE = 3\n{code}"})
    train = importlib.import_module("entry_uc").train
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(240, 4)), rng.integers(0, 2, 240)

    def codes() -> list[str]:
        outcome = gnomon.audit(
            members=(x[:120], y[:120]),
            nonmembers=(x[120:], y[120:]),
            trainer=FunctionTrainer(train),
            shadows=0,
            attacks=["loss"],
            workers=1,
        )
        return [finding.code for finding in outcome.record.findings]

    assert "code-edited" not in codes()
    write({"entry_uc.py": f"RATE = 4\n{code}"})
    assert "code-edited" in codes()
