"""What a plan names is loaded, and the record can say later which files these were."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.inputs.loading import load_inputs, make_trainer, trainer_from
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.plan import TrainerPlan, make_plan
from gnomon.models.function import FunctionTrainer
from gnomon.models.sklearn import SklearnTrainer


def test_the_files_of_the_target_are_named_by_their_digests(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("in", "out"):
        np.savez(tmp_path / f"{name}.npz", x=rng.normal(size=(20, 3)), y=np.arange(20) % 2)
    rows = np.load(tmp_path / "in.npz")
    skops.io.dump(DecisionTreeClassifier().fit(rows["x"], rows["y"]), tmp_path / "model.skops")
    np.savez(tmp_path / "answers.npz", probabilities=np.full((20, 2), 0.5))
    data = {"members": str(tmp_path / "in.npz"), "nonmembers": str(tmp_path / "out.npz")}

    given = make_plan({"data": data, "target": {"model": str(tmp_path / "model.skops")}})
    digest = hashlib.sha256((tmp_path / "model.skops").read_bytes()).hexdigest()
    assert load_inputs(given).files == {"model file (SHA-256)": digest}

    again = make_plan({"data": data, "target": {"model": str(tmp_path / "model.skops"), "train_again": True}})
    anew = load_inputs(again)
    assert (anew.model, anew.files) == (None, {})  # another model than that of the file
    assert isinstance(anew.trainer, SklearnTrainer)

    answers = dict.fromkeys(("member_answers", "nonmember_answers"), str(tmp_path / "answers.npz"))
    exported = make_plan({"data": data, "target": answers, "trainer": {"kind": "none"}})
    digest = hashlib.sha256((tmp_path / "answers.npz").read_bytes()).hexdigest()
    with pytest.raises(PlanError, match="nobody knows how the model was trained"):
        load_inputs(make_plan({"data": data, "target": {**answers, "train_again": True}, "trainer": {"kind": "none"}}))
    found = load_inputs(exported).files
    assert found == {"member answers (SHA-256)": digest, "non-member answers (SHA-256)": digest}


TREE = {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier", "params": {"max_depth": 3}}
DIGITS = {"source": "digits"}
FILES = {"members": "in.csv", "nonmembers": "out.csv", "label": "y"}


def test_a_set_by_name_and_a_recipe_are_loaded_and_nothing_is_split() -> None:
    inputs = load_inputs(make_plan({"data": DIGITS, "trainer": TREE}))
    assert inputs.data.x.shape == (1797, 64)
    assert (inputs.parts, inputs.model, inputs.answers, inputs.own_ids) == (None, None, None, False)
    assert inputs.shadow_trainer is inputs.trainer
    plan = {"data": DIGITS, "trainer": TREE, "shadow": {"recipe": {**TREE, "params": {}}}}
    guessed = load_inputs(make_plan(plan))
    assert guessed.shadow_trainer.recipe() != guessed.trainer.recipe()


@pytest.fixture
def tables(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    for name, start in (("in", 0), ("out", 10)):
        frame = pd.DataFrame({"a": np.arange(start, start + 10), "y": ["no", "yes"] * 5})
        frame.to_csv(f"{name}.csv", index=False)
        np.savez(f"{name}.npz", answers=np.tile([0.25, 0.75], (10, 1)))


@pytest.mark.usefixtures("tables")
def test_answers_stand_at_their_rows() -> None:
    target = {"member_answers": "in.npz", "nonmember_answers": "out.npz"}
    inputs = load_inputs(make_plan({"data": FILES, "target": target, "trainer": {"kind": "none"}}))
    assert inputs.answers is not None
    np.testing.assert_allclose(np.exp(inputs.answers), np.tile([0.25, 0.75], (20, 1)), rtol=1e-6)
    assert (len(inputs.tables), inputs.trainer) == (2, None)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"data": DIGITS, "target": {"member_answers": "in.npz"}}, "a model of your own needs data.members"),
        ({"data": FILES, "target": {"member_answers": "in.npz"}}, "belong together"),
        ({"data": FILES, "target": {"model": "m.skops", "callable": "a:b"}}, "model or callable, not both"),
        ({"data": FILES}, "give target.model, target.endpoint, target.callable, the answers files, or a recipe"),
        ({"data": DIGITS, "trainer": {"kind": "clone"}}, '"clone" needs target.model'),
    ],
)
def test_keys_that_clash_get_one_line(values: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        load_inputs(make_plan(values))


@pytest.mark.parametrize(
    ("kind", "words"), [("sklearn", "trainer.estimator is missing"), ("function", "trainer.function is missing")]
)
def test_a_recipe_without_its_name(kind: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        make_trainer(TrainerPlan(kind=kind), None, trust=True)


def test_python_may_give_a_trainer_a_table_or_a_word() -> None:
    made = trainer_from(TREE, None)
    assert isinstance(made, SklearnTrainer)
    assert made.estimator.max_depth == 3
    own = FunctionTrainer(print, {})
    assert trainer_from(own, None) is own
    assert trainer_from(None, None) is None
    with pytest.raises(UsageError, match='did you mean "clone"'):
        trainer_from("clon", None)
    with pytest.raises(UsageError, match="got int"):
        trainer_from(3, None)
