"""A whole bench on a small data set: complete, resumable, honest about what it chose on what."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.killed import run_and_kill
from tests.studies.worlds import SMALL, small_plan

from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.cli.app import run as command_line
from gnomon.core.documents.defence import DefenceReport, MitigationResult
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.plan import Plan, TargetPlan, read_plan
from gnomon.defending.combinations import PLAIN, read_tries
from gnomon.defending.run import defend, mitigated, shared_plan, with_baselines
from gnomon.defending.search import read_until
from gnomon.report import render
from gnomon.runs.folder import add_bench, read_outcome

TRIES = "labels,temperature20,top2+round1,dp:8"


def run(folder: Path, tries: str = TRIES, plan: Plan | None = None, **more: object) -> DefenceReport:
    settings = read_tries(tries, sweeping="limit" in more)
    return defend(plan or small_plan(), settings, folder, Settings(workers=1), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def bench(folder: Path) -> DefenceReport:
    return run(folder)


def named(bench: DefenceReport, label: str) -> MitigationResult:
    return next(o for o in bench.results if o.label == label)


def marks(folder: Path) -> dict[str, int]:
    return {f.parent.name: f.stat().st_mtime_ns for f in folder.glob("audits/*/finished.json")}


def test_every_attack_stands_in_every_column(bench: DefenceReport) -> None:
    done = [o for o in bench.results if o.status == "ok"]
    assert [o.label for o in done] == ["none", "labels", "temperature20", "top2+round1"]
    for option in done:
        assert [leak.attack for leak in option.attacks] == ["gap", "loss", "lira", "noise_robustness"]
        assert all(leak.auc and leak.advantage and leak.tpr_at_fpr[0].tpr for leak in option.attacks)
        assert option.strongest is not None
        assert option.strongest.exposed is not None
        assert option.utility is not None
        assert option.cost is not None
        assert option.label_only is not None
        assert (option.naive is None) == (option.adaptive is None) == (option.label == "none")


def test_what_the_trainer_cannot_do_is_one_line_and_the_rest_goes_on(bench: DefenceReport) -> None:
    for label in ("dp:8", "dp:noise=0.2"):
        option = named(bench, label)
        assert option.status == "not applicable"
        assert "DecisionTreeClassifier cannot do that; in training it can do" in (option.reason or "")
        assert "\n" not in (option.reason or "\n")
    assert "dp:8" in " ".join(bench.advice.sentences)


def test_figures_are_those_of_the_audits_beside_it(bench: DefenceReport, folder: Path) -> None:
    option = named(bench, "labels")
    outcome = read_outcome(folder / str(option.folder))
    assert [leak.auc for leak in option.attacks] == [a.auc for a in outcome.record.attacks]
    assert outcome.record.plan["mitigations"] == ["labels"]
    right = outcome.scores["gap"][~np.asarray(outcome.member)]
    assert option.utility is not None
    assert option.utility.accuracy.value == pytest.approx(right.mean())
    assert option.utility.answer_size == 1.0


def test_what_keeps_every_label_loses_no_accuracy(bench: DefenceReport) -> None:
    for label in ("labels", "temperature20"):
        use = named(bench, label).utility
        assert use is not None
        assert use.change is not None
        assert (use.change.low, use.change.high) == (0.0, 0.0)


def test_the_exposed_are_chosen_without_the_audited_model(bench: DefenceReport, folder: Path) -> None:
    assert bench.exposed is not None
    assert bench.exposed.rows == 44
    outcome = read_outcome(folder / "audits" / "none")
    assert outcome.exposure is not None
    top = np.argsort(-outcome.exposure, kind="stable")[:44]
    assert bench.exposed.members == np.asarray(outcome.member)[top].sum()
    assert "not queried" in bench.exposed.chosen_by


def test_answers_are_mitigated_without_training_and_without_knowing_by_name(bench: DefenceReport, folder: Path) -> None:
    knowing, naive = (read_outcome(folder / "audits" / name).record for name in ("labels", "labels-naive"))
    again = read_plan(folder / "audits" / "labels" / "plan.toml")
    assert (again.name, again.mitigations) == ("small--labels", ("labels",))
    assert knowing.shadows is not None
    assert knowing.shadows.trained == 0
    assert knowing.plan["shadow"]["mitigated"]
    assert not naive.plan["shadow"]["mitigated"]
    assert [a.name for a in naive.attacks] == ["gap", "loss", "lira"]


def test_a_second_run_audits_nothing_and_says_the_same(bench: DefenceReport, folder: Path) -> None:
    before = marks(folder)
    again = run(folder)
    assert marks(folder) == before
    assert len(before) == 7
    assert again.results == bench.results
    assert again.advice == bench.advice


def test_a_lost_audit_is_made_again_from_the_store(bench: DefenceReport, folder: Path) -> None:
    (folder / "audits" / "temperature20" / "finished.json").unlink()
    before = marks(folder)
    again = run(folder)
    assert {name for name, at in marks(folder).items() if before.get(name) != at} == {"temperature20"}
    record = read_outcome(folder / "audits" / "temperature20").record
    assert record.shadows is not None
    assert record.shadows.trained == 0
    assert [o.strongest for o in again.results] == [o.strongest for o in bench.results]


def test_it_renders(bench: DefenceReport) -> None:
    for format in ("html", "md", "terminal", "json"):
        assert "top2+round1" in render(bench, format).replace("\\", "")


def test_another_plan_is_another_audit(bench: DefenceReport, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = marks(copy)
    other = run(copy, "labels", small_plan(seed=1), naive=False)
    assert other.results[0].strongest != bench.results[0].strongest
    assert {name for name, at in marks(copy).items() if before[name] != at} == {"none", "labels"}


def test_killed_it_goes_on_where_it_stopped(bench: DefenceReport, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(TOML)
    command = ["defend", str(plan), "--try", "labels", "--no-naive", "--workers", "1", "--to", str(tmp_path / "bench")]
    run_and_kill("gnomon.defending.results:audit_plan", 2, *command)
    finished = marks(tmp_path / "bench")
    assert list(finished) == ["none"]
    assert not (tmp_path / "bench" / "defence.json").exists()
    assert command_line(command) == 0
    after = marks(tmp_path / "bench")
    assert {name: after[name] for name in finished} == finished
    made = DefenceReport.model_validate_json((tmp_path / "bench" / "defence.json").read_text())
    assert named(made, "labels").attacks == named(bench, "labels").attacks


TOML = """
name = "small"
[data]
source = "digits"
rows = 600
train_size = 220
nonmember_size = 220
reference_size = 60
[trainer]
kind = "sklearn"
estimator = "sklearn.tree:DecisionTreeClassifier"
params = {max_depth = 9}
[shadow]
count = 6
[attacks]
names = ["loss", "lira"]
rehearsals = 2
[attacks.options.noise_robustness]
copies = 3
[statistics]
fprs = [0.1]
"""


def test_strengths_are_searched_until_a_leakage_is_met(bench: DefenceReport, folder: Path) -> None:
    pytest.importorskip("optuna")
    found = run(folder, "top:1..9", naive=False, limit=read_until("lira.auc<=0.99"), trials=3)
    (search,) = found.searches
    assert len(search.trials) == 3
    assert all(t.meets for t in search.trials)
    assert found.results[1].label == search.chosen
    assert found.results[1].meets
    missed = run(folder, "top:1..9", naive=False, limit=read_until("lira.auc<=0.5"), trials=3)
    assert missed.searches[0].chosen is None
    assert missed.results[1].meets is False
    assert missed.advice.choice is None


def test_a_limit_without_a_figure_stops_before_any_mitigation(folder: Path) -> None:
    with pytest.raises(UsageError, match="no attack of this record was measured"):
        run(folder, "top:1..9", limit=read_until("tpr@0.0001<=0.1"))


def test_the_plan_of_a_bench_keeps_label_only_attacks_and_drops_what_it_need_not_pay_for() -> None:
    plan = small_plan(statistics={"slices": ["class"]}, target={"repeats": 3})
    shared = shared_plan(plan)
    assert shared.attacks.names == ("gap", "loss", "lira", "noise_robustness")
    assert (shared.attacks.ladder, shared.target.repeats, shared.statistics.slices) == (False, 1, ())
    silent = shared_plan(small_plan(target={"query_budget": 0}))
    assert "noise_robustness" not in (silent.attacks.names or ())
    everything = shared_plan(small_plan(attacks={})).attacks.names or ()
    assert "shokri" in everything
    assert not {"boundary", "nasr", "gradient_norm"} & set(everything)


def test_a_plans_own_mitigations_stay_on() -> None:
    plan = small_plan(mitigations=["top5"])
    (setting,) = read_tries("labels", sweeping=False)
    assert mitigated(plan, PLAIN, knows=True).mitigations == ("top5",)
    assert mitigated(plan, setting, knows=False).mitigations == ("top5", "labels")  # type: ignore[arg-type]


def test_no_bench_of_differential_privacy_without_the_vacuous_one() -> None:
    def labels(text: str) -> list[str]:
        return [t.label for t in with_baselines(read_tries(text, sweeping=False)) if not hasattr(t, "low")]

    assert labels("top3,dp:8") == ["top3", "dp:8", "dp:noise=0.2"]
    assert labels("dp:noise=0.2,dp:8") == ["dp:noise=0.2", "dp:8"]
    assert labels("top3") == ["top3"]


def test_a_plain_model_that_cannot_be_audited_ends_it(tmp_path: Path) -> None:
    broken = {**SMALL, "data": {"source": "digits", "train_size": 5000}}
    with pytest.raises((PlanError, UsageError)):
        run(tmp_path, "labels", small_plan(**broken))


def test_advice_on_a_run_of_the_same_plan_has_the_numbers_of_this_bench(bench: DefenceReport, tmp_path: Path) -> None:
    record = audit_plan(small_plan(), tmp_path / "run", Settings(workers=1)).record
    assert record.decision is not None
    advised = record.decision.to_do[0].model_copy(update={"tries": ["labels", "temperature5", "leaf:20"]})
    record = record.model_copy(update={"decision": record.decision.model_copy(update={"to_do": [advised]})})
    found = add_bench(record, bench).decision
    assert found is not None
    measured = {one.label: one for todo in found.to_do for one in todo.measured}
    assert set(measured) == {"labels", "temperature20"}, "another strength of what is advised counts too"
    plain, labels = named(bench, "none"), named(bench, "labels")
    assert plain.strongest is not None and labels.strongest is not None
    assert measured["labels"].before == plain.strongest.leak.at(bench.fpr)
    assert measured["labels"].after == labels.strongest.leak.at(bench.fpr)
    assert "By how much: labels" in render(add_bench(record, bench), "md")


def test_a_model_that_is_given_is_trained_again_where_mitigations_act_in_training() -> None:
    plan = small_plan().model_copy(update={"target": TargetPlan(model="m.skops")})
    leaf, labels, both = read_tries("leaf:20,labels,leaf:20+labels", sweeping=False)
    again = [mitigated(plan, one, knows=True).target.train_again for one in (PLAIN, leaf, labels, both)]  # type: ignore[arg-type]
    assert again == [False, True, False, True]
    assert not mitigated(small_plan(), leaf, knows=True).target.train_again  # type: ignore[arg-type]  # it is trained here
