"""The gate's truth table, and that nothing without evidence looks open."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from tests.report.audit.test_canaries import shown
from tests.report.sample_records import leaking

from gnomon.auditing.results.figures import estimate, tpr_points
from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.core.documents.record import AttackResult, AtThreshold, Estimate, Finding, Record, TprAtFpr
from gnomon.core.errors import UsageError
from gnomon.runs.gate import did_not_run, gate, hold, summed_up
from gnomon.runs.limits import parse_limit
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc

AT = Estimate(value=0.6, low=0.55, high=0.65)
SIDE = Estimate(value=0.5, low=0.4, high=0.6)


def attack(name: str = "lira", **changes: Any) -> AttackResult:
    values: dict[str, Any] = {
        "name": name,
        "title": name,
        "paper": "",
        "status": "ok",
        "auc": Estimate(value=0.7, low=0.65, high=0.75),
        "advantage": Estimate(value=0.3, low=0.2, high=0.4),
        "at_threshold": AtThreshold(
            threshold=0.0, calibrated="shadow", accuracy=AT, precision=None, recall=SIDE, fpr=SIDE
        ),
        "tpr_at_fpr": [
            TprAtFpr(fpr=0.01, tpr=Estimate(value=0.2, low=0.15, high=0.25), false_positives=3),
            TprAtFpr(fpr=0.001, tpr=None, refused="too few non-members (have 400, need 1,000)"),
        ],
    }
    return AttackResult(**{**values, **changes})


def record(*attacks: AttackResult, **changes: object) -> Record:
    return leaking().model_copy(update={"attacks": list(attacks or [attack()]), "findings": [], **changes})


def code(made: Record, *limits: str, **options: Any) -> int:
    return gate(made, [parse_limit(text) for text in limits], **options).code


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        # the whole interval below: met; above: not met; on both sides: unresolved; the ends themselves
        ("auc<=0.76", 0),
        ("auc<=0.75", 0),
        ("auc<=0.7499", 4),
        ("auc<=0.7", 4),
        ("auc<=0.65", 4),
        ("auc<=0.6499", 1),
        ("lira.auc <= 0.8", 0),
        ("advantage<=0.4", 0),
        ("advantage<=0.3", 4),
        ("advantage<=0.1", 1),
        ("accuracy<=0.65", 0),
        ("accuracy<=0.6", 4),
        ("accuracy<=0.5", 1),
        ("tpr@0.01<=0.25", 0),
        ("tpr@0.01<=0.2", 4),
        ("tpr@1e-2<=0.1", 1),
        ("tpr@0.001<=0.9", 4),  # refused
    ],
)
def test_the_exit_code_follows_the_interval(limit: str, expected: int) -> None:
    assert code(record(), limit) == expected


@pytest.mark.parametrize(
    ("figure", "changes"),
    [
        ("auc", {"auc": Estimate(value=0.08, low=0.05, high=0.12)}),
        (
            "accuracy",
            {
                "at_threshold": attack().at_threshold.model_copy(
                    update={"accuracy": Estimate(value=0.1, low=0.05, high=0.2)}
                )
            },
        ),  # type: ignore[union-attr]
        ("advantage", {"advantage": Estimate(value=-0.8, low=-0.9, high=-0.7)}),
    ],
)
def test_scores_below_guessing_are_a_leak_too(figure: str, changes: dict[str, Any]) -> None:
    swapped = record(attack(**changes))
    assert code(swapped, f"{figure}<=0.6") == 1
    assert code(swapped, f"{figure}<=0.96") == 0
    assert "below guessing" in gate(swapped, [parse_limit(f"{figure}<=0.6")]).lines[0]


def test_an_interval_around_guessing_is_mirrored_at_its_farther_end() -> None:
    made = record(attack(auc=Estimate(value=0.48, low=0.38, high=0.58)))
    assert [code(made, f"auc<={limit}") for limit in (0.63, 0.62, 0.61, 0.5)] == [0, 0, 4, 4]


def test_reversed_scores_meet_no_limit_on_the_true_positive_rate() -> None:
    few = [TprAtFpr(fpr=0.01, tpr=Estimate(value=0.0, low=0.0, high=0.01))]
    assert code(record(attack(tpr_at_fpr=few)), "tpr@0.01<=0.1") == 0
    swapped = record(attack(tpr_at_fpr=few, auc=Estimate(value=0.08, low=0.05, high=0.12)))
    assert code(swapped, "tpr@0.01<=0.1") == 4


@pytest.mark.parametrize("place", ["value", "low", "high"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_passes(place: str, number: float) -> None:
    broken = Estimate(value=0.5, low=0.5, high=0.5).model_copy(update={place: number})
    assert code(record(attack(auc=broken)), "auc<=0.9") == 4
    assert code(record(attack(tpr_at_fpr=[TprAtFpr(fpr=0.01, tpr=broken)])), "tpr@0.01<=0.9") == 4


def test_a_missing_number_never_passes() -> None:
    bare = attack("gap", auc=None, advantage=None, at_threshold=None, tpr_at_fpr=[])
    for limit in ("auc<=0.9", "advantage<=0.9", "accuracy<=0.9", "tpr@0.01<=0.9"):
        assert code(record(attack(), bare), limit) == 4
    assert code(record(attack(auc=Estimate(value=0.5, low=0.6, high=0.4))), "auc<=0.9") == 4


def idle(name: str, status: str, skipped: str | None) -> AttackResult:
    return AttackResult(name=name, title=name, paper="", status=status, reason="why", skipped=skipped)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "skipped", "expected"),
    [
        ("failed", None, 3),
        ("skipped", "evidence", 3),
        ("skipped", None, 3),  # nobody knows why
        ("skipped", "plan", 0),
        ("skipped", "unfit", 0),
    ],
)
def test_an_attack_that_should_have_run_closes_the_gate(status: str, skipped: str | None, expected: int) -> None:
    made = record(attack(), idle("rmia", status, skipped))
    assert code(made, "auc<=0.9") == expected
    assert code(made, "auc<=0.9", allow_missing=["rmia"]) == 0
    lines = gate(made, [parse_limit("auc<=0.9")]).lines
    assert ("did not run: rmia (why)" in lines) == (expected == 3)


def test_each_attack_must_be_named_that_may_be_missing() -> None:
    made = record(attack(), idle("rmia", "failed", None), idle("lira_offline", "skipped", "evidence"))
    assert code(made, "auc<=0.9", allow_missing=["rmia"]) == 3
    assert code(made, "auc<=0.9", allow_missing=["rmia", "lira_offline"]) == 0
    with pytest.raises(UsageError, match='no attack "rmai"'):
        code(made, "auc<=0.9", allow_missing=["rmai"])


@pytest.mark.parametrize(
    ("limits", "missing", "expected"),
    [
        (["auc<=0.6", "tpr@0.001<=0.1"], True, 1),  # not met, unresolved, missing
        (["tpr@0.001<=0.1"], True, 3),  # unresolved, missing
        (["auc<=0.9"], True, 3),
        (["auc<=0.9", "tpr@0.001<=0.1"], False, 4),
        (["auc<=0.9", "auc<=0.6"], False, 1),
        (["auc<=0.9", "tpr@0.01<=0.3"], False, 0),
    ],
)
def test_not_met_comes_before_missing_and_missing_before_unresolved(
    limits: list[str], missing: bool, expected: int
) -> None:
    made = record(attack(), *([idle("rmia", "failed", None)] if missing else []))
    assert code(made, *limits) == expected


def test_one_attack_above_the_limit_is_enough() -> None:
    quiet = attack("gap", auc=Estimate(value=0.5, low=0.48, high=0.52))
    assert code(record(quiet, attack()), "auc<=0.6") == 1
    assert code(record(quiet, attack()), "gap.auc<=0.6") == 0
    assert summed_up(hold(record(quiet, attack()), parse_limit("auc<=0.7"))) == "unresolved"


@pytest.mark.parametrize("overridden", [True, False])
def test_a_record_with_an_error_meets_nothing(overridden: bool) -> None:
    error = Finding(
        code="members-overlap", title="", severity="error", explanation="", remedy="", overridden=overridden
    )
    made = record(findings=[error])
    assert code(made, "auc<=0.9") == 4
    assert "members-overlap" in gate(made, [parse_limit("auc<=0.9")]).lines[0]
    assert code(made, "auc<=0.6") == 1
    assert code(record(findings=[error.model_copy(update={"severity": "warning"})]), "auc<=0.9") == 0
    invalid = leaking().verdict.model_copy(update={"level": "invalid"})
    assert code(record(verdict=invalid), "auc<=0.9") == 4


def test_an_attack_that_is_named_and_did_not_run_resolves_nothing() -> None:
    made = record(attack(), idle("rmia", "skipped", "plan"))
    assert code(made, "rmia.auc<=0.9") == 4
    assert code(record(idle("rmia", "skipped", "plan")), "auc<=0.9") == 4


@pytest.mark.parametrize(
    "limit",
    [
        "auc", "auc<0.5", "acu<=0.5", "tpr<=x", "tpr<=0.1", "auc.low<=0.6", "tpr@0.01.value<=1", "lira.shadow<=1",
        "auc<=1.1", "auc<=0.4", "accuracy<=0.49", "advantage<=-0.1", "tpr@0<=0.5", "tpr@1.5<=0.5", "auc<=1e999",
        "verdict<=leaks", "verdict<=undecided", "verdict<=0.5", "lira.verdict<=leaks_some",
        "epsilon<=-1", "auc<=nan", "auc<=0.5.5", "lira.epsilon<=1",
    ],
)  # fmt: skip
def test_a_limit_that_means_nothing_is_refused(limit: str) -> None:
    with pytest.raises(UsageError, match=r"expected|no number|no single attack"):
        parse_limit(limit)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("tpr@0.02<=0.1", r"put it into statistics\.fprs"),
        ("rmia.auc<=0.5", 'no attack "rmia"'),
        ("epsilon<=1", r"put \[canaries\]"),
    ],
)
def test_a_limit_that_checks_nothing_must_not_look_open(limit: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        gate(record(), [parse_limit(limit)])


@pytest.mark.parametrize(
    ("limit", "promised", "expected"),
    [
        ("epsilon<=1.9", None, 1),  # the bound is 1.987
        ("epsilon<=2", None, 4),  # a bound from below shows no limit to be met
        ("epsilon<=2", 1.999, 0),
        ("epsilon<=2", 2.5, 4),
        ("epsilon<=1.9", 1.8, 1),  # a promise that is refuted
        ("epsilon<=5", None, 4),  # above the most that these canaries could show
    ],
)
def test_canaries_refute_and_only_a_promise_meets(limit: str, promised: float | None, expected: int) -> None:
    made = shown(promised=promised).model_copy(update={"attacks": [attack()], "findings": []})
    assert code(made, limit) == expected


def measured(gap: float, n: int, seed: int) -> Record:
    rng = np.random.default_rng(seed)
    inside, outside = rng.normal(gap, 1, n), rng.normal(0, 1, n)
    made = attack(auc=estimate(auc(inside, outside)), tpr_at_fpr=tpr_points(inside, outside, [0.01], 0.95))
    data = leaking().data.model_copy(update={"members": n, "nonmembers": n})
    return record(made, data=data)


@pytest.mark.parametrize(("limit", "value"), [("auc<=0.73", 0.76), ("auc<=0.79", 0.76), ("tpr@0.01<=0.15", 0.0925)])
def test_so_many_records_as_the_gate_names_resolve_the_limit(limit: str, value: float) -> None:
    held = [hold(measured(1.0, 400, seed), parse_limit(limit))[0] for seed in range(30)]
    near = min((h for h in held if h.state == "unresolved"), key=lambda h: abs(h.estimate.value - value))  # type: ignore[union-attr]
    named = int(near.line.split("some ")[1].split(" audited members")[0].replace(",", ""))
    assert named > 400
    states = [hold(measured(1.0, named, seed), parse_limit(limit))[0].state for seed in range(100, 124)]
    assert states.count("unresolved") <= 11  # a true 20 % of 24 shows more in 0.1 % of cases


def test_so_many_records_as_the_gate_names_resolve_a_rate_near_its_limit() -> None:
    """Intervals of rates shrink slower than with the square root of the number: the threshold is of few records."""
    gap, true, runs = 0.4456, 0.03, 400
    held = [hold(measured(gap, 400, seed), parse_limit("tpr@0.01<=0.05"))[0] for seed in range(30)]
    near = min((h for h in held if h.state == "unresolved"), key=lambda h: abs(h.estimate.value - true))  # type: ignore[union-attr]
    named = int(near.line.split("some ")[1].split(" audited members")[0].replace(",", ""))
    rng = np.random.default_rng(0)
    samples = [(rng.normal(gap, 1, named), rng.normal(0, 1, named)) for _ in range(runs)]
    open_ = sum(tpr_at_fpr(*sides, 0.01).tpr.high > 0.05 for sides in samples)  # type: ignore[union-attr]
    assert open_ <= binom.ppf(0.999, runs, 0.2)


def test_a_refusal_names_the_non_members_that_it_takes() -> None:
    line = gate(record(), [parse_limit("tpr@0.001<=0.1")]).lines[0]
    assert "1,000 audited non-members give a first value" in line


def test_the_command_returns_the_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = record(attack(), idle("rmia", "failed", None), idle("shokri", "skipped", "evidence"))
    write_record(made, tmp_path / "record.json")
    assert run(["gate", str(tmp_path), "auc<=0.9"]) == 3
    assert "--allow-missing rmia,shokri" in capsys.readouterr().out
    allowed = ["--allow-missing", "rmia,shokri"]
    assert [
        run(["gate", str(tmp_path), limit, *allowed]) for limit in ("auc<=0.9", "auc<=0.7", "auc<=0.6", "auc<=2")
    ] == [0, 4, 1, 2]
    assert [a.name for a in did_not_run(made)] == ["rmia", "shokri"]


@pytest.mark.parametrize(
    ("level", "some", "none"),
    [("none_found", 0, 0), ("leaks_some", 0, 1), ("leaks", 1, 1), ("undecided", 4, 4), ("invalid", 4, 4)],
)
def test_a_level_can_be_a_limit(level: str, some: int, none: int) -> None:
    verdict = leaking().verdict.model_copy(update={"level": level, "missing": ["no-shadows"]})
    made = record(verdict=verdict)
    assert code(made, "verdict<=leaks_some") == some
    assert code(made, "verdict<=none_found") == none
    line = gate(made, ["verdict<=leaks_some"]).lines[0]
    assert ("no-shadows" in line) == (level in ("undecided", "invalid"))
    assert some == 4 or level in line


def test_the_default_limits_hear_of_a_leak_of_a_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2 % of 5,000 members known by heart: an advantage of 0.02, which alone met the default."""
    small = attack(advantage=Estimate(value=0.02, low=0.01, high=0.03), auc=Estimate(value=0.52, low=0.51, high=0.53))
    write_record(record(small), tmp_path / "record.json")
    assert run(["gate", str(tmp_path)]) == 1
    assert "not met: verdict: leaks, limit leaks_some" in capsys.readouterr().out
    assert run(["gate", str(tmp_path), "advantage<=0.1"]) == 0
