"""An attack, a mitigation and a reader of another package in whole audits, from a plan and from Python."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.plugin import plugin as plugin

from gnomon.attacks import Shokri
from gnomon.auditing.api import audit
from gnomon.auditing.inputs.plugins import PlugIns, load_plugins, named
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.cli.app import run
from gnomon.core.documents.read_write import read_record
from gnomon.core.errors import GnomonError, PlanError, UsageError
from gnomon.core.plan import Plan, make_plan
from gnomon.studies.cells import cell_key
from gnomon.testing import yield_checks

RNG = np.random.default_rng(5)
X = RNG.normal(size=(240, 4)).astype(np.float32)
Y = (X[:, 0] + RNG.normal(size=240) > 0).astype(int)
IN, OUT = (X[:120], Y[:120]), (X[120:], Y[120:])


def plan(folder: Path, **attacks: object) -> Plan:
    for name, (x, y) in (("in", IN), ("out", OUT)):
        np.savez(folder / f"{name}.npz", x=x, y=y)
    model = LogisticRegression().fit(*IN)
    weights = np.concatenate([-model.coef_ / 2, model.coef_ / 2])
    intercept = np.concatenate([-model.intercept_ / 2, model.intercept_ / 2])
    (folder / "m.linear").write_text(
        json.dumps({"weights": weights.tolist(), "intercept": intercept.tolist()}), encoding="utf-8"
    )
    values = {
        "data": {"members": str(folder / "in.npz"), "nonmembers": str(folder / "out.npz")},
        "target": {"model": str(folder / "m.linear")},
        "trainer": {"kind": "none"},
        "attacks": {"names": ["margin", "loss"], **attacks},
        "mitigations": ["ceiling:0.9"],
    }
    return make_plan(values)


def test_all_three_run_from_a_plan_and_stand_in_the_record(plugin: Path, tmp_path: Path) -> None:
    made = plan(tmp_path, options={"margin": {"power": 2.0}})
    outcome = audit_plan(made, tmp_path / "run", Settings(workers=1, trust=True))
    found = {a.name: a for a in outcome.record.attacks}
    assert found["margin"].status == "ok"
    assert found["margin"].options == {"power": 2.0}
    assert [(p.kind, p.name, p.package, p.version) for p in outcome.record.plugins] == [
        ("attacks", "margin", "gnomon-margin", "0.1.0"),
        ("mitigations", "ceiling:0.9", "gnomon-margin", "0.1.0"),
        ("readers", "linear", "gnomon-margin", "0.1.0"),
    ]
    assert [m.label for m in outcome.record.mitigations] == ["ceiling:0.9"]
    # no answer above the ceiling: no margin above that of 0.9 against 0.1, squared
    assert outcome.scores["margin"].max() <= np.log(9) ** 2 + 1e-4
    assert outcome.scores["loss"].max() <= np.log(0.9) + 1e-5


def test_without_trust_nothing_of_it_runs(plugin: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gnomon_margin\.attack; give --trust"):
        audit_plan(plan(tmp_path), tmp_path / "run", Settings(workers=1))
    bare = plan(tmp_path).model_copy(update={"attacks": plan(tmp_path, names=["loss"]).attacks, "mitigations": ()})
    with pytest.raises(UsageError, match=r"gnomon_margin\.reader; give --trust"):
        audit_plan(bare, tmp_path / "run", Settings(workers=1))


def test_the_command_line_takes_paths_too(plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = """
[data]
members = "in.npz"
nonmembers = "out.npz"
[target]
model = "m.linear"
reader = "gnomon_margin.reader:read"
[trainer]
kind = "none"
[attacks]
names = ["gnomon_margin.attack:Margin"]
[attacks.options.margin]
power = 3.0
"""
    Path("p.toml").write_text(text, encoding="utf-8")
    assert run(["audit", "p.toml", "--to", "r", "--workers", "1"]) == 2
    assert run(["check", "p.toml", "--trust"]) == 0
    assert run(["audit", "p.toml", "--to", "r", "--workers", "1", "--trust", "--json"]) == 0
    record = read_record("r")
    assert [(a.name, a.options) for a in record.attacks] == [("margin", {"power": 3.0})]
    assert record.plugins[0].path == "gnomon_margin.attack:Margin"
    assert run(["gate", "r", "margin.auc<=0.9"]) in (0, 4)


def test_objects_in_python_run_as_they_are(plugin: Path) -> None:
    from gnomon_margin.attack import Margin

    model = LogisticRegression().fit(*IN)
    made = audit(model, IN, OUT, shadows=2, attacks=(Margin(power=2.0), "loss", Shokri(hidden=8)), workers=1)
    assert {a.name: a.options.get("power", a.options.get("hidden")) for a in made.attacks} == {
        "margin": 2.0,
        "loss": None,
        "shokri": 8,
    }
    assert set(made.scores) == {"margin", "loss", "shokri"}
    assert made.record.plan["attacks"]["options"] == {"shokri": {"hidden": 8}}
    assert [p.name for p in made.record.plugins] == ["margin"]


def test_the_template_keeps_the_contract(plugin: Path) -> None:
    from gnomon_margin.attack import Margin

    for check in yield_checks(Margin()):
        check.run()


def test_a_finished_audit_is_another_one_when_the_plugin_changes(plugin: Path, tmp_path: Path) -> None:
    made = plan(tmp_path)
    keys = {cell_key(made)}
    for name in ("attack", "mitigation", "reader"):
        place = plugin / "gnomon_margin" / f"{name}.py"
        place.write_text(place.read_text(encoding="utf-8") + "\nCHANGED = True\n", encoding="utf-8")
        keys.add(cell_key(made))
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("attacks", "words"),
    [
        ("loss", "expected a list of names or attacks"),
        ([3], "expected an attack, an object of a class that inherits"),
        (["loss", "loss"], '"loss" stands there twice'),
        (["los"], 'did you mean "loss"'),
    ],
)
def test_wrong_attacks_are_one_line(attacks: object, words: str) -> None:
    with pytest.raises(GnomonError, match=words):
        audit(LogisticRegression().fit(*IN), IN, OUT, shadows=0, attacks=attacks, workers=1)  # type: ignore[arg-type]


def test_all_of_gnomon_s_own_run_where_none_is_named() -> None:
    made = make_plan({"data": {"source": "digits"}})
    assert len(PlugIns().selected(made.attacks)) > 30
    with pytest.raises(UsageError, match='no attack is called "lirra"'):
        PlugIns().selected(make_plan({**made.model_dump(), "attacks": {"options": {"lirra": {}}}}).attacks)
    with pytest.raises(PlanError, match="twice"):
        PlugIns().selected(make_plan({**made.model_dump(), "attacks": {"names": ["gap", "gap"]}}).attacks)
    assert load_plugins(made, trust=False) == PlugIns()


def test_names_alone_stay_names() -> None:
    assert named(["loss", "gap"]) == ({"names": ["loss", "gap"]}, ())
