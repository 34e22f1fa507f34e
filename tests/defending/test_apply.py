"""What is written for a service answers as the audited model does, for every mitigation; nothing is half-written."""

import functools
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from tests.studies.worlds import small_plan

from gnomon.auditing.settings import Trust
from gnomon.cli.app import run
from gnomon.core.errors import DataError, GnomonError, ModelError, UsageError
from gnomon.core.generations import seal
from gnomon.core.plan import Plan, make_plan
from gnomon.defending.apply import apply_mitigation, load_service, make_owned
from gnomon.defending.combinations import Combination, read_tries
from gnomon.defending.run import mitigated
from gnomon.mitigations import MITIGATIONS
from gnomon.mitigations.serving import serve
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import MitigatedModel

TORCH = {"kind": "torch", "hidden": [8], "epochs": 10, "device": "cpu", "dropout": 0.1}


def combination(text: str) -> Combination:
    (one,) = read_tries(text, sweeping=False)
    assert isinstance(one, Combination)
    return one


def torch_plan() -> Plan:
    pytest.importorskip("torch")
    data = {"source": "digits", "rows": 400, "train_size": 120, "nonmember_size": 120, "reference_size": 100}
    return small_plan(trainer=TORCH, data=data)


def probabilities(model: Any, rows: Any) -> Any:
    return np.exp(model.log_probs(rows))


@pytest.mark.parametrize("kind", ["torch", "sklearn"])
@pytest.mark.parametrize("text", [next((e for e in m.examples if "noise=" in e), m.examples[0]) for m in MITIGATIONS])
def test_every_mitigation_comes_back_as_it_was_audited(text: str, kind: str, tmp_path: Path) -> None:
    plan = torch_plan() if kind == "torch" else small_plan()
    if text.startswith("dp"):
        pytest.importorskip("opacus")
    try:
        audited = make_owned(mitigated(plan, combination(text), knows=True))
    except UsageError as error:
        assert "can do" in str(error) or "expected" in str(error)  # what this trainer can't do
        return
    apply_mitigation(plan, combination(text), tmp_path / "service")
    loaded = load_service(tmp_path / "service")
    rows = audited.prepared.data.x[audited.prepared.roles.nonmembers[:50]]
    np.testing.assert_allclose(probabilities(loaded, rows), probabilities(audited.model, rows), atol=1e-5)


def test_a_given_model_is_kept_and_its_answers_go_through_the_mitigation(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 4)), rng.integers(0, 3, 80)
    for name, rows in (("in", slice(0, 40)), ("out", slice(40, 80))):
        np.savez(tmp_path / f"{name}.npz", x=x[rows], y=y[rows])
    fitted = LogisticRegression().fit(x[:40], y[:40])
    skops.io.dump(fitted, tmp_path / "m.skops")
    files = {"members": str(tmp_path / "in.npz"), "nonmembers": str(tmp_path / "out.npz")}
    plan = make_plan({"data": files, "target": {"model": str(tmp_path / "m.skops")}})
    made = apply_mitigation(plan, combination("top1"), tmp_path / "service")
    assert (made.model, made.recipe) == ("model.skops", {})
    shown = probabilities(load_service(tmp_path / "service"), x)
    full = probabilities(SklearnModel(fitted, ("0", "1", "2")), x)
    assert ((shown > 0).sum(axis=1) == 1).all()
    np.testing.assert_allclose(shown.max(axis=1), full.max(axis=1), atol=1e-6)
    service = load_service(tmp_path / "service")
    assert isinstance(service, MitigatedModel)
    np.testing.assert_allclose(serve(service).predict_proba(x), shown, atol=1e-6)
    again = apply_mitigation(plan, combination("l2:0.1"), tmp_path / "other")  # its recipe trains it on the members
    assert again.recipe
    penalised = LogisticRegression(C=1 / (40 * 0.1)).fit(x[:40], y[:40])
    own = SklearnModel(penalised, ("0", "1", "2"))
    np.testing.assert_allclose(probabilities(load_service(tmp_path / "other"), x), probabilities(own, x), atol=1e-5)


def test_no_training_row_lies_in_the_folder(tmp_path: Path) -> None:
    apply_mitigation(torch_plan(), combination("labels"), tmp_path / "service")
    assert sorted(f.name for f in (tmp_path / "service").iterdir()) == [
        "answers.json",
        "manifest.json",
        "model.safetensors",
        "service.json",
    ]
    assert sum(f.stat().st_size for f in (tmp_path / "service").iterdir()) < 20_000


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        apply_mitigation(small_plan(), combination("labels"), tmp_path / "service")


def reseal(folder: Path) -> None:
    """As the maker of a crafted folder would."""
    (folder / "manifest.json").unlink()
    seal(folder, "service")


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a folder that gnomon defend --apply wrote"):
        load_service(tmp_path)
    apply_mitigation(small_plan(), combination("labels"), tmp_path / "service")
    for name in ("answers.json", "model.skops", "service.json"):
        file = tmp_path / "service" / name
        content = file.read_bytes()
        for damage in (content[:100], b"", bytes(len(content)), content[:50] + b"x" + content[51:]):
            file.write_bytes(damage)
            with pytest.raises(DataError, match=rf"{name}: is damaged"):
                load_service(tmp_path / "service")
        file.write_bytes(content)
    load_service(tmp_path / "service")
    (tmp_path / "service" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json"):
        load_service(tmp_path / "service")


class Touch:
    """A pickle of this runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


NETWORK = {"module": "spy_of_test_apply:Runs", "hidden": [8], "activation": "tanh", "dropout": 0.0}
CRAFTED: dict[str, tuple[dict[str, Any], str]] = {
    "a module": ({"network": NETWORK}, "spy_of_test_apply:Runs would run .* give --trust"),
    "a pickle": ({"model": "model.pkl"}, "runs whatever its maker put in"),
    "another file": ({"model": "../service/model.skops"}, "expected a folder that"),
    "an unknown key": ({"network": {**NETWORK, "objective": "spy_of_test_apply:Runs"}}, "expected a folder that"),
    "answers in skops": ({"answers": "answers.skops"}, "answers.skops: "),
    "answers of no mitigation": ({"answers": "crafted.json"}, 'no fitted mitigation .of the kind "os:system"'),
}


@pytest.mark.parametrize("what", CRAFTED)
def test_a_crafted_folder_runs_nothing(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    if what == "a module":
        pytest.importorskip("torch")
    folder = tmp_path / "service"
    apply_mitigation(small_plan(), combination("labels"), folder)
    Path("spy_of_test_apply.py").write_text("from pathlib import Path\nPath('ran').touch()\nclass Runs: pass\n")
    (folder / "model.pkl").write_bytes(pickle.dumps(Touch()))
    skops.io.dump(functools.partial(os.system, "touch ran"), folder / "answers.skops")
    (folder / "crafted.json").write_text('{"made": "InOrder", "maps": [{"made": "os:system", "command": "touch ran"}]}')
    service = json.loads((folder / "service.json").read_text())
    (folder / "service.json").write_text(json.dumps({**service, **CRAFTED[what][0]}))
    reseal(folder)
    with pytest.raises(GnomonError, match=CRAFTED[what][1]) as caught:
        load_service(folder)
    assert "\n" not in str(caught.value)
    assert not Path("ran").exists()


def test_with_trust_a_network_of_the_users_own_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_network_of_test_apply.py").write_text(
        "from torch import nn\n"
        "def build(shape, n_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0], n_classes))\n"
    )
    trainer = {"kind": "torch", "module": "own_network_of_test_apply:build", "epochs": 1, "device": "cpu"}
    plan = torch_plan().model_copy(update={"trainer": small_plan(trainer=trainer).trainer})
    apply_mitigation(plan, combination("top2"), tmp_path / "service", Trust(trust=True))
    assert load_service(tmp_path / "service", trust=True).n_classes == 10
    with pytest.raises(UsageError, match="give --trust"):
        load_service(tmp_path / "service")


def test_a_network_larger_than_its_weights_is_refused_before_it_is_made(tmp_path: Path) -> None:
    plan = torch_plan()
    apply_mitigation(plan, combination("top2"), tmp_path / "service")
    file = tmp_path / "service" / "service.json"
    service = json.loads(file.read_text())
    service["network"]["hidden"] = [10**6, 10**6]  # four terabytes
    file.write_text(json.dumps(service))
    reseal(tmp_path / "service")
    with pytest.raises(ModelError, match=r"weights are not of this network|has shape"):
        load_service(tmp_path / "service")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--apply", "labels,top3"], "expected one mitigation"),
        (["--apply", "top0"], ">= 1"),
        (["--apply", "labels", "--try", "top3"], "not both"),
        (["--apply", "l2:1"], "cannot do that"),
    ],
)
def test_on_the_command_line_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[data]\nsource = "digits"\ntrain_size = 100\n[trainer]\nkind = "sklearn"\n'
                    'estimator = "sklearn.tree:DecisionTreeClassifier"\n')  # fmt: skip
    assert run(["defend", str(plan), *arguments, "--to", str(tmp_path / "service")]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(said) == 1
    assert words in said[0]
    assert [f.name for f in tmp_path.iterdir()] == ["plan.toml"]


def test_on_the_command_line_it_says_how_to_load_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[data]\nsource = "digits"\ntrain_size = 100\n[trainer]\nkind = "sklearn"\n'
                    'estimator = "sklearn.tree:DecisionTreeClassifier"\n')  # fmt: skip
    assert run(["defend", str(plan), "--apply", "depth:3+top2", "--to", str(tmp_path / "service")]) == 0
    assert "load_service" in capsys.readouterr().out
    model = load_service(tmp_path / "service")
    assert isinstance(model.model, SklearnModel)  # type: ignore[attr-defined]
    assert model.model.estimator.max_depth == 3  # type: ignore[attr-defined]
