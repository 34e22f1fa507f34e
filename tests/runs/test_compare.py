"""Two runs on scores of known truth: worse, better, within noise, and what must not be compared."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.report.sample_records import leaking

from gnomon.auditing.outcome import Outcome
from gnomon.core.documents.record import AttackResult, Estimate, Finding, TprAtFpr
from gnomon.core.documents.record_parts import RatePoint, Rehearsal, Repeats, RepeatSpread
from gnomon.core.errors import DataError
from gnomon.runs.compare import compare
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc

N = 600
FPRS = (0.1, 0.01)


def outcome(
    gap: float,
    seed: int,
    *,
    base: int | None = None,
    member: np.ndarray | None = None,
    ids: Any = None,
    name: str = "loss",
    scores: bool = True,
    rehearsals: tuple[float, ...] = (),
    level: str = "leaks",
    added: np.ndarray | float = 0.0,
) -> Outcome:
    """A run whose attack scores members N(gap, 1) and others N(0, 1), in part the same for runs of one ``base``."""
    member = np.arange(N) < N // 2 if member is None else member
    own = np.random.default_rng(seed).normal(size=len(member))
    shared = own if base is None else np.random.default_rng(base).normal(size=len(member))
    values = gap * member + np.sqrt(0.9) * shared + np.sqrt(0.1) * own if base is not None else gap * member + own
    values = values + added
    sides = values[member], values[~member]
    area, rates = auc(*sides), [tpr_at_fpr(*sides, f).tpr for f in FPRS]
    result = AttackResult(
        name=name,
        title=name,
        paper="",
        status="ok",
        auc=Estimate(value=area.value, low=area.low, high=area.high),
        tpr_at_fpr=[
            TprAtFpr(fpr=f, tpr=None if t is None else Estimate(value=t.value, low=t.low, high=t.high))
            for f, t in zip(FPRS, rates, strict=True)
        ],
        rehearsals=[Rehearsal(auc=a, tpr_at_fpr=[RatePoint(fpr=0.1, tpr=a)]) for a in rehearsals],
        scores_file=f"scores/{name}.npy",
    )
    sample = leaking()
    record = sample.model_copy(
        update={
            "attacks": [result],
            "verdict": sample.verdict.model_copy(update={"attack": name, "level": level}),
            "data": sample.data.model_copy(
                update={"members": int(member.sum()), "nonmembers": int(len(member) - member.sum())}
            ),
        }
    )
    if not scores:
        return Outcome(record, {}, [], [])
    names = [str(i) for i in (range(len(member)) if ids is None else ids)]
    return Outcome(record, {name: values}, names, member.tolist())


def test_an_overfitted_model_is_worse_and_the_other_way_round_better() -> None:
    early, over = outcome(0.5, 0, base=9), outcome(1.5, 1, base=9)
    assert compare(early, over).change == "worse"
    assert compare(over, early).change == "better"
    assert compare(early, over).pairing == "same rows"


def test_a_run_against_itself_is_within_noise() -> None:
    run = outcome(1.0, 0)
    found = compare(run, run)
    assert found.change == "within noise"
    assert [f.difference.value for f in found.overall.figures if f.difference] == [0.0] * 3
    assert found.differences == []


@pytest.mark.parametrize("kind", ["paired", "apart", "sides changed", "records only"])
def test_noise_is_rarely_taken_for_a_change(kind: str) -> None:
    runs, flagged = 40, 0
    for seed in range(runs):
        rng = np.random.default_rng(1000 + seed)
        settings: dict[str, Any] = {"base": seed} if kind == "paired" else {"ids": range(N, 2 * N)}
        if kind == "sides changed":
            settings = {"base": seed, "member": rng.permutation(N) < N // 2}
        first = outcome(1.0, 2 * seed, base=settings.get("base"), scores=kind != "records only")
        second = outcome(1.0, 2 * seed + 1, **settings, scores=kind != "records only")
        flagged += compare(first, second).change != "within noise"
    assert flagged <= 5, f"{flagged} of {runs}: more than 5 % allow for"


def test_what_retraining_changes_is_no_change() -> None:
    first, second = outcome(1.0, 0, base=9), outcome(1.25, 1, base=9)
    assert compare(first, second).change == "worse"
    spread = (0.7, 0.8, 0.75, 0.85)
    found = compare(outcome(1.0, 0, base=9, rehearsals=spread), outcome(1.25, 1, base=9, rehearsals=spread))
    assert found.change == "within noise"
    area = found.overall.figures[0]
    assert area.difference is not None
    assert area.retrained is not None
    # pooled variance of the rehearsals: 4 / 6 of 0.003125 each, twice; Student's t with 6 degrees at 1 - 0.05 / 6
    half = 3.2875 * np.sqrt(2 * 2 * 4 * 0.003125 / 6)
    assert area.retrained.low == pytest.approx(
        area.difference.value - np.hypot(half, area.difference.value - area.difference.low), abs=0.004
    )


def test_an_attack_of_one_run_only_is_not_compared() -> None:
    found = compare(outcome(1.0, 0), outcome(1.0, 1, name="gap"))
    assert {a.name: (a.change, a.reason) for a in found.attacks} == {
        "loss": ("not comparable", "in the second run: was not run"),
        "gap": ("not comparable", "in the first run: was not run"),
    }


def test_nothing_follows_from_an_invalid_run() -> None:
    assert compare(outcome(0.0, 0, level="invalid"), outcome(2.0, 1)).change == "not comparable"


def test_too_few_nonmembers_are_refused_and_leave_the_rest() -> None:
    member = np.arange(60) < 30
    found = compare(outcome(0.0, 0, member=member), outcome(3.0, 1, member=member))
    assert [f.refused is None for f in found.overall.figures] == [True, True, False]
    assert found.change == "worse"


def test_files_that_do_not_belong_together_are_refused() -> None:
    run = outcome(1.0, 0)
    broken = Outcome(run.record, {"loss": run.scores["loss"][:-1]}, run.ids, run.member)
    with pytest.raises(DataError, match="599 scores of loss, 600 ids"):
        compare(run, broken)
    for units, what in (
        ({"groups": ["a", "b"]}, "persons of 2 rows"),
        ({"copies": np.zeros(2, np.int64)}, "copies of 2"),
    ):
        with pytest.raises(DataError, match=what):
            compare(replace(run, **units), run)  # type: ignore[arg-type]


def test_one_model_before_and_after_needs_no_room_for_retraining() -> None:
    spread = (0.5, 0.9, 0.6, 0.95)
    before, after = outcome(0.8, 0, base=9, rehearsals=spread), outcome(0.3, 1, base=9, rehearsals=spread)
    assert compare(before, after).change == "within noise"
    assert compare(before, after, same_model=True).change == "better"
    assert "one model" in " ".join(compare(before, after, same_model=True).sentences)


def test_a_run_differs_from_itself_by_exactly_nothing() -> None:
    run = outcome(0.8, 0, rehearsals=(0.5, 0.9, 0.6, 0.95))
    run = replace(run, record=run.record.model_copy(update={"provenance": stamped(run, {"target_answers": "a"})}))
    found = compare(run, run)
    assert found.sentences[0].endswith("difference +0.000 (+0.000 to +0.000).")
    assert all(f.retrained is None for f in found.overall.figures)


def with_attacks(*runs: Outcome, strongest: str | None = None) -> Outcome:
    """One run with the attacks of several, which audited the same rows."""
    results = [a for run in runs for a in run.record.attacks]
    verdict = runs[0].record.verdict.model_copy(update={"attack": strongest or results[0].name})
    record = runs[0].record.model_copy(update={"attacks": results, "verdict": verdict})
    scores = {name: values for run in runs for name, values in run.scores.items()}
    return Outcome(record, scores, runs[0].ids, runs[0].member)


def test_each_attack_is_held_against_itself_and_not_against_the_other_runs_strongest() -> None:
    runs = [
        with_attacks(outcome(0.3, s, base=9, name="gap"), outcome(1.5, s + 5, base=8), strongest=strongest)
        for s, strongest in ((0, "gap"), (1, "loss"))
    ]
    assert compare(*runs).change == "within noise"
    assert compare(*runs, adaptive=True).change == "worse"


def test_the_attack_that_changed_speaks_whichever_was_the_strongest() -> None:
    first = with_attacks(outcome(0.3, 0, base=9, name="gap"), outcome(0.5, 1, base=8))
    second = with_attacks(outcome(0.3, 2, base=9, name="gap"), outcome(1.5, 3, base=8))
    found = compare(first, second)
    assert (found.change, found.overall.name) == ("worse", "loss")
    assert [a.change for a in found.attacks] == ["within noise", "worse"]
    assert "of 2 that ran in both runs, 1 find more in the second model, 0 find less" in " ".join(found.sentences)


def test_many_attacks_make_no_change_of_noise() -> None:
    member, runs, flagged = np.arange(60) < 30, 20, 0
    for seed in range(runs):
        pair = [
            with_attacks(*(outcome(0.8, 100 * seed + 2 * i + side, member=member, name=f"a{i}") for i in range(4)))
            for side in (0, 1)
        ]
        flagged += compare(*pair).change != "within noise"
    assert flagged <= 5, f"{flagged} of {runs}: a true 5 % shows more in 0.03 % of cases"


def test_later_attacks_are_tested_at_the_step_down_level() -> None:
    def known(auc: float, half: float, name: str) -> Outcome:
        run = outcome(0.0, 0, name=name, scores=False)
        figures = {"auc": Estimate(value=auc, low=auc - half, high=auc + half), "tpr_at_fpr": []}
        return Outcome(
            run.record.model_copy(update={"attacks": [run.record.attacks[0].model_copy(update=figures)]}), {}, [], []
        )

    # The second attack's difference of 0.105 is 1.05 times the sum of both half widths: too little at 97.5 %, which
    # takes 1.14 times, enough at 95 %, once the first attack has been told apart.
    first = with_attacks(known(0.6, 0.01, "sure"), known(0.6, 0.05, "close"))
    second = with_attacks(known(0.9, 0.01, "sure"), known(0.705, 0.05, "close"))
    assert [a.change for a in compare(first, second).attacks] == ["worse", "worse"]
    still = with_attacks(known(0.6, 0.01, "sure"), known(0.705, 0.05, "close"))
    assert [a.change for a in compare(first, still).attacks] == ["within noise", "within noise"]


@pytest.mark.parametrize("overridden", [True, False])
def test_a_run_with_an_error_is_not_compared(overridden: bool) -> None:
    error = Finding(
        code="labels-mismatch", title="", severity="error", explanation="", remedy="", overridden=overridden
    )
    sound, broken = outcome(0.3, 0, base=9), outcome(1.5, 1, base=9)
    broken = Outcome(broken.record.model_copy(update={"findings": [error]}), broken.scores, broken.ids, broken.member)
    for pair, which in (((sound, broken), "second"), ((broken, sound), "first")):
        found = compare(*pair)
        assert found.change == "not comparable"
        (line,) = found.sentences
        assert f"the {which} run has errors that make its values doubtful (labels-mismatch)" in line


def test_swapped_tables_are_neither_better_nor_worse() -> None:
    right, swapped = outcome(1.5, 0), outcome(-1.5, 1)
    for pair in ((right, swapped), (swapped, right), (swapped, swapped)):
        found = compare(*pair)
        assert found.change == "not comparable"
        assert "members and non-members swapped?" in found.sentences[0]


def test_scores_a_little_below_guessing_by_chance_are_compared() -> None:
    runs = [with_attacks(*(outcome(0.0, 40 * side + i, name=f"a{i}") for i in range(20))) for side in (0, 1)]
    assert any(a.auc is not None and a.auc.high < 0.51 for r in runs for a in r.record.attacks)
    assert compare(*runs).change == "within noise"


def test_without_repeats_it_speaks_of_two_models() -> None:
    spread = (0.7, 0.8, 0.75, 0.85)
    for rehearsals in ((), spread):
        words = compare(outcome(1.0, 0, rehearsals=rehearsals), outcome(1.0, 1, rehearsals=rehearsals)).sentences[-1]
        assert "compares two models, not two recipes" in words
    values = RepeatSpread(fpr=None, values=[0.7, 0.72, 0.74], mean=None, deviation=None, lowest=0.7, highest=0.74)
    runs = []
    for seed in (0, 1):
        run = outcome(1.0, seed, base=9)
        repeats = Repeats(targets=3, auc=values)
        attack = run.record.attacks[0].model_copy(update={"repeats": repeats})
        runs.append(Outcome(run.record.model_copy(update={"attacks": [attack]}), run.scores, run.ids, run.member))
    assert "repeated targets" in compare(*runs).sentences[-1]


def test_one_model_that_is_audited_twice_is_not_two_models() -> None:
    runs = [outcome(1.0, seed, base=9) for seed in (0, 1)]
    told = []
    for digests in ({"target_answers": "a"}, {"target_answers": "a"}), ({"target_answers": "a"}, {"data": "a"}):
        made = [
            replace(run, record=run.record.model_copy(update={"provenance": stamped(run, digest)}))
            for run, digest in zip(runs, digests, strict=True)
        ]
        told.append(compare(*made).sentences[-1])
    assert told[0].startswith("Both runs audited the same model")
    assert "two models" in told[1]


def stamped(run: Outcome, digests: dict[str, str]) -> Any:
    return run.record.provenance.model_copy(update={"fingerprints": digests})


def test_an_attack_that_broke_in_the_second_run_is_named() -> None:
    first = with_attacks(outcome(1.0, 0, base=9), outcome(1.0, 2, base=9, name="lira"))
    broken = AttackResult(name="lira", title="LiRA", paper="", status="failed", reason="broke")
    second = outcome(1.0, 1, base=9)
    second = replace(second, record=second.record.model_copy(update={"attacks": [*second.record.attacks, broken]}))
    found = compare(first, second)
    assert (found.change, found.lost) == ("within noise", ["lira"])
    assert any("what lira would find in the second model" in s for s in found.sentences)
    assert compare(second, first).lost == []


@pytest.mark.parametrize("paired", [True, False])
def test_differences_of_records_that_judge_each_other_are_wider(paired: bool) -> None:
    first, second = outcome(0.5, 0, base=9), outcome(0.5, 1, base=9, ids=None if paired else range(N, 2 * N))
    attack = first.record.attacks[0].model_copy(update={"wider": 2.0})
    judging = replace(first, record=first.record.model_copy(update={"attacks": [attack]}))
    plain, wide = (
        [f.difference.high - f.difference.low for f in compare(one, second).attacks[0].figures if f.difference]
        for one in (first, judging)
    )
    assert wide[0] > (1.9 if paired else 1.4) * plain[0]
    assert wide[1] > 1.1 * plain[1]
