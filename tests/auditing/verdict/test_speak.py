"""Every level has facts that give it, and no sentence claims more than an interval or the joint test shows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.auditing.verdict.leak import Heard, leak_size
from gnomon.auditing.verdict.speak import MISSING, RULES, VerdictFacts, conclude, decide, speak
from gnomon.core.documents.record import (
    AttackResult,
    AtThreshold,
    Estimate,
    Finding,
    JointResult,
    ModelFacts,
    TprAtFpr,
    Verdict,
)
from gnomon.core.documents.record_parts import FdrAccusations, GroupResult, Rehearsal
from gnomon.stats.permutation.joint import JointTest

TARGET = ModelFacts(train_size=100, train_accuracy=1.0, test_accuracy=0.6, train_loss=0.1, test_loss=1.0)
LARGE = JointTest((), 0.002, 0.01, 2000, 2000)
SMALL = JointTest((), 0.002, 0.05, 60, 60)


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high)


def rule(accuracy: tuple[float, float, float], calibrated: str = "shadow") -> AtThreshold:
    some = estimate(0.5, 0.4, 0.6)
    return AtThreshold.model_validate(
        {"threshold": 0.0, "calibrated": calibrated, "accuracy": estimate(*accuracy), "precision": some, "recall": some}
        | {"fpr": some}
    )


def result(
    area: tuple[float, float, float], *points: tuple[float, float, float, float], **changes: object
) -> AttackResult:
    made = AttackResult(
        name="lira",
        title="LiRA",
        paper="Carlini et al. 2022",
        status="ok",
        needs=["answers", "shadows"],
        auc=estimate(*area),
        tpr_at_fpr=[TprAtFpr(fpr=f, tpr=estimate(v, a, b), false_positives=1) for f, v, a, b in points]
        + [TprAtFpr(fpr=0.0001, tpr=None, refused="too few non-members (have 100, need 10,000)")],
    )
    return made.model_copy(update=changes)


def joint(found: bool = True, name: str = "lira", **changes: object) -> JointResult:
    made = JointResult(name=name, p=0.001 if found else 0.6, found=found, by="auc")
    return made.model_copy(update=changes)


def heard(*results: JointResult, **changes: object) -> Heard:
    values = {"speaker": "lira", "chosen_on": "shadows", "rehearsed": "lira", "tested": list(results), "test": LARGE}
    return Heard(**(values | changes))  # type: ignore[arg-type]


def verdict(found: AttackResult, one: JointResult, *findings: Finding, **changes: object) -> Verdict:
    return speak([found], heard(one, **changes), findings, TARGET, "adversary", 0.01)


def words(spoken: Verdict) -> str:
    return " ".join([spoken.headline, *spoken.sentences])


def error(code: str) -> Finding:
    return Finding(code=code, title="t", severity="error", explanation="", remedy="", overridden=True)


UNLIKE = error("shadows-unlike-target").model_copy(update={"severity": "warning", "overridden": False})


@pytest.mark.parametrize(
    ("found", "test", "level", "told"),
    [
        (result((0.9, 0.88, 0.92), (0.001, 0.45, 0.4, 0.5)), {}, "leaks", "finds 45 of 100 training records"),
        (result((0.9, 0.88, 0.92), (0.001, 0.02, 0.015, 0.03)), {}, "leaks", "20 of 1,000"),
        (result((0.9, 0.88, 0.92), (0.01, 0.02, 0.0, 0.1)), {}, "leaks", "far better than by guessing"),
        (result((0.53, 0.51, 0.55), (0.01, 0.012, 0.0, 0.02)), {}, "leaks_some", "slightly better than guessing"),
        (result((0.65, 0.58, 0.72)), {}, "leaks_some", "does better than guessing"),
        (result((0.5, 0.48, 0.52)), {"by": "top", "rows": 64, "members": 64, "expected": 32.0}, "leaks", "64 were"),
        (
            result((0.5, 0.48, 0.52)),
            {"by": "top", "rows": 256, "members": 160, "expected": 128.0},
            "leaks_some",
            "160 w",
        ),
        (result((0.08, 0.06, 0.1)), {"reversed": True}, "leaks", "scores below others'"),
        (result((0.46, 0.43, 0.49)), {"reversed": True}, "leaks_some", "scores below others'"),
    ],
)
def test_the_verdict_claims_what_the_figures_show(
    found: AttackResult, test: dict[str, object], level: str, told: str
) -> None:
    spoken = verdict(found, joint(**test))
    assert spoken.level == level
    assert told in spoken.headline
    assert spoken.missing == []


def test_nothing_found_says_what_would_have_been_found() -> None:
    spoken = verdict(result((0.51, 0.49, 0.53)), joint(found=False))
    assert spoken.level == "none_found"
    assert spoken.detectable_auc == pytest.approx(LARGE.detectable_auc())
    assert spoken.detectable_tpr is not None
    assert "an AUC of 0.54" in words(spoken)
    assert f"a true-positive rate of {100 * spoken.detectable_tpr.tpr:.2g}%" in words(spoken)
    few = speak([result((0.51, 0.4, 0.6))], heard(joint(found=False), test=SMALL), [], TARGET, "auditor", 0.01)
    assert few.detectable_tpr is None
    assert "and no true-positive rate at a false-positive rate of 1%; what is smaller" in words(few)


def test_an_interval_above_one_half_is_no_leak_if_the_joint_test_finds_none() -> None:
    spoken = verdict(result((0.53, 0.505, 0.555), (0.01, 0.2, 0.1, 0.3)), joint(found=False))
    assert spoken.level == "none_found"
    assert "better than guessing" not in words(spoken).replace("significantly better than guessing", "")


@pytest.mark.parametrize(
    ("changes", "findings", "missing", "told"),
    [
        ({"test": SMALL}, [], "few-records", "an audit of these 120 records often misses an AUC below 0.70"),
        ({}, [UNLIKE], "shadows-unlike-target", "unlike the target"),
    ],
)
def test_what_stands_against_none_found_makes_it_undecided(
    changes: dict[str, object], findings: list[Finding], missing: str, told: str
) -> None:
    spoken = verdict(result((0.51, 0.49, 0.53)), joint(found=False), *findings, **changes)
    assert (spoken.level, spoken.missing) == ("undecided", [missing])
    assert told in words(spoken)
    leaking = verdict(result((0.9, 0.88, 0.92)), joint(), *findings, **changes)
    assert (leaking.level, leaking.missing) == ("leaks", [])


def test_too_few_records_says_how_many_would_do() -> None:
    spoken = verdict(result((0.51, 0.4, 0.6)), joint(found=False), test=SMALL)
    members, others = SMALL.required(0.55)
    assert f"Some {members:,} audited members and {others:,} non-members would show an AUC of 0.55 as often." in words(
        spoken
    )


def test_without_shadow_models_nothing_is_said_to_be_absent() -> None:
    spoken = verdict(result((0.5, 0.49, 0.51), needs=["answers"]), joint(found=False))
    assert (spoken.level, spoken.missing) == ("undecided", ["no-shadows"])


def test_a_broken_attack_leaves_it_open() -> None:
    broken = result((0.5, 0.49, 0.51), name="rmia", title="RMIA", status="failed", auc=None)
    spoken = speak([result((0.5, 0.49, 0.51)), broken], heard(joint(found=False)), [], TARGET, "auditor", 0.01)
    assert (spoken.level, spoken.missing) == ("undecided", ["attacks-failed"])
    assert "RMIA" in words(spoken)


def test_shadows_unlike_the_target_are_an_error_only_where_nothing_was_found() -> None:
    none, some = (verdict(result((0.5, 0.45, 0.55)), joint(found), UNLIKE) for found in (False, True))
    assert [f.severity for f in conclude([UNLIKE], none)] == ["error"]
    assert [f.severity for f in conclude([UNLIKE], some)] == ["warning"]


def test_reversed_scores_are_a_finding_of_their_own() -> None:
    spoken = verdict(result((0.3, 0.28, 0.32)), joint(reversed=True))
    assert [f.code for f in conclude([], spoken)] == ["scores-reversed"]
    assert [f.code for f in conclude([error("tables-swapped?")], spoken)] == ["tables-swapped?"]
    assert conclude([], verdict(result((0.7, 0.68, 0.72)), joint())) == []


def test_attacks_from_inside_speak_in_the_second_sentence() -> None:
    deep = result((0.8, 0.78, 0.82), name="nasr", title="White box")
    inside = [joint(name="nasr")]
    for area, found, words in (
        ((0.5, 0.49, 0.51), False, "Who sees more than answers finds what these attacks don't: White box, AUC 0.800."),
        ((0.54, 0.52, 0.56), True, "finds a clear leak, which these attacks don't: White box, AUC 0.800."),
        ((0.7, 0.68, 0.72), True, ""),
    ):
        spoken = speak([result(area), deep], heard(joint(found), inside=inside), [], TARGET, "auditor", 0.01)
        assert words in spoken.sentences[0]
        assert ("White box" in spoken.sentences[0]) is bool(words)
        assert "0.800" not in spoken.headline
    rate = result((0.53, 0.5, 0.56), (0.01, 0.3, 0.25, 0.35), name="nasr", title="White box")
    spoken = speak([result((0.54, 0.52, 0.56)), rate], heard(joint(), inside=inside), [], TARGET, "auditor", 0.01)
    assert "AUC 0.530, and 30.0% of the training records at a false-positive rate of 1%." in spoken.sentences[0]


def test_people_speak_before_records() -> None:
    groups = GroupResult(
        rule="sum", members=80, nonmembers=80, mixed=0, rows=20.0, auc=estimate(0.993, 0.98, 0.999), tpr_at_fpr=[]
    )
    spoken = verdict(result((0.66, 0.58, 0.73), groups=groups), joint(by="persons"))
    assert spoken.level == "leaks"
    assert "whose records" in spoken.headline
    assert "0.993 by person" in spoken.headline
    assert any("80 inside, 80 outside" in s for s in spoken.sentences)


def test_persons_are_the_unit_of_the_headline_and_of_the_rate() -> None:
    rates = [
        TprAtFpr(fpr=0.01, tpr=estimate(0.78, 0.7, 0.85), false_positives=0),
        TprAtFpr(fpr=0.001, tpr=None, refused="too few"),
    ]
    groups = GroupResult(
        rule="sum", members=80, nonmembers=100, mixed=0, rows=20.0, auc=estimate(0.99, 0.98, 0.999), tpr_at_fpr=rates
    )
    spoken = verdict(result((0.8, 0.78, 0.82), (0.001, 0.34, 0.3, 0.4), groups=groups), joint(by="persons"))
    assert "finds 78 of 100 persons whose records were trained on while wrongly accusing 1 in 100" in spoken.headline
    assert (spoken.unit, spoken.fpr) == ("person", 0.01)
    assert any("78.0% (70.0% to 85.0%) of the persons" in s for s in spoken.sentences)


def test_the_verdict_names_the_rate_that_it_speaks_of() -> None:
    points = (0.001, 0.02, 0.0, 0.1), (0.01, 0.19, 0.15, 0.25)
    spoken = verdict(result((0.7, 0.65, 0.75), *points), joint())
    assert "19 of 100" in spoken.headline
    assert (spoken.unit, spoken.fpr) == ("record", 0.01)
    assert "At a false-positive rate of 1% it finds 19.0%" in words(spoken)
    assert verdict(result((0.5, 0.48, 0.52)), joint(found=False)).fpr is None


def test_accusations_that_hold_speak() -> None:
    held = FdrAccusations(fdr=0.1, accused=38, members=34, candidates=900, calibration=300)
    wrong = held.model_copy(update={"members": 20})
    for accusations, level in (([held], "leaks"), ([wrong], "leaks_some")):
        spoken = verdict(result((0.53, 0.51, 0.55), accusations=accusations), joint())
        assert spoken.level == level
    assert (
        "of 38 records that it accuses, 34" in verdict(result((0.53, 0.51, 0.55), accusations=[held]), joint()).headline
    )
    assert verdict(result((0.53, 0.51, 0.55), accusations=[held]), joint(found=False)).level == "none_found"


def test_a_threshold_that_does_not_fit_is_not_sold_as_guessing() -> None:
    unfit = result((0.83, 0.8, 0.86), at_threshold=rule((0.5, 0.47, 0.53)), oracle=rule((0.78, 0.76, 0.8), "oracle"))
    spoken = verdict(unfit, joint())
    assert "right on 50% where" not in spoken.headline
    assert "AUC 0.830" in spoken.headline
    assert any("does not fit this model: it is right on 50%" in s for s in spoken.sentences)
    fit = result((0.83, 0.8, 0.86), at_threshold=rule((0.77, 0.75, 0.79)), oracle=rule((0.78, 0.76, 0.8), "oracle"))
    assert "right on 77% where guessing is right on 50%" in verdict(fit, joint()).headline
    assert "does not fit" not in words(verdict(fit, joint()))
    hardly = result((0.86, 0.8, 0.9), at_threshold=rule((0.56, 0.52, 0.6)), oracle=rule((0.86, 0.8, 0.9), "oracle"))
    assert "far better than by guessing (AUC 0.860" in verdict(hardly, joint()).headline
    turned = result((0.3, 0.27, 0.33), at_threshold=rule((0.46, 0.42, 0.49)), oracle=rule((0.51, 0.5, 0.53), "oracle"))
    assert "threshold" not in words(verdict(turned, joint(reversed=True)))  # of scores that are turned around


def test_who_chose_on_the_audited_rows_says_so() -> None:
    other = result((0.52, 0.5, 0.54), name="loss", title="Loss")
    all_of_them = heard(joint(), joint(name="loss"), chosen_on="audited rows", rehearsed="loss")
    spoken = speak([result((0.9, 0.88, 0.92)), other], all_of_them, [], TARGET, "auditor", 0.01)
    text = words(spoken)
    assert "chosen on the audited rows themselves, because Loss, which rehearsals on shadow models chose" in text
    assert "2 attacks paid for" in text
    assert "(p = 0.001" in text


def test_no_verdict_says_private_or_safe() -> None:
    for found in (False, True):
        text = words(verdict(result((0.5, 0.48, 0.52)), joint(found))).lower()
        assert "private" not in text
        assert "safe" not in text
        assert "lower bound" in text


def test_an_overridden_error_makes_the_verdict_invalid() -> None:
    spoken = verdict(result((0.9, 0.88, 0.92)), joint(), error("distribution-shift"))
    assert spoken.level == "invalid"
    assert "distribution-shift" in spoken.sentences[0]


def test_tables_that_are_confirmed_to_be_right_leave_the_verdict_valid() -> None:
    spoken = verdict(result((0.1, 0.08, 0.12)), joint(reversed=True), error("tables-swapped?"))
    assert spoken.level == "leaks"


def test_no_attack_no_verdict() -> None:
    assert speak([], Heard(), [], TARGET, "auditor", 0.01).level == "invalid"


def test_every_level_has_facts_and_every_rule_words() -> None:
    size = leak_size(result((0.9, 0.88, 0.92)), joint())
    some = leak_size(result((0.53, 0.51, 0.55)), joint())
    facts = {
        "invalid": VerdictFacts(True, ("members-overlap",), size, ()),
        "leaks": VerdictFacts(True, (), size, tuple(MISSING)),
        "leaks_some": VerdictFacts(True, (), some, tuple(MISSING)),
        "undecided": VerdictFacts(True, (), None, ("few-records",)),
        "none_found": VerdictFacts(True, (), None, ()),
    }
    assert [rule.level for rule in RULES] == list(facts)
    assert {level: decide(one) for level, one in facts.items()} == {level: level for level in facts}
    assert decide(VerdictFacts(False, (), None, ())) == "invalid"
    assert all(len(rule.words) > 40 for rule in RULES)


def interval(draw: st.DrawFn) -> tuple[float, float, float]:
    low, value, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
    return value, low, high


@st.composite
def audits(draw: st.DrawFn) -> tuple[AttackResult, JointResult, bool]:
    """Any figures, also such as no real attack has."""
    threshold = draw(st.sampled_from([None, "shadow", "attack", "oracle"]))
    changes: dict[str, object] = {}
    if threshold is not None:
        changes = {"at_threshold": rule(interval(draw), threshold), "oracle": rule(interval(draw), "oracle")}
    if draw(st.booleans()):
        area = estimate(*interval(draw))
        changes["groups"] = GroupResult(rule="", members=20, nonmembers=20, mixed=0, rows=2.0, auc=area)
    points = [(fpr, *interval(draw)) for fpr in (0.01, 0.1)]
    by = draw(st.sampled_from(["auc", "top", "bottom", "persons"]))
    tail = {"rows": 64, "members": draw(st.integers(0, 64)), "expected": 32.0} if by in ("top", "bottom") else {}
    test = joint(draw(st.booleans()), by=by, reversed=draw(st.booleans()), **tail)
    return result(interval(draw), *points, **changes), test, draw(st.booleans())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(audits())
def test_no_sentence_claims_better_than_guessing_where_no_interval_says_so(
    audit: tuple[AttackResult, JointResult, bool],
) -> None:
    found, test, few = audit
    spoken = verdict(found, test, test=SMALL if few else LARGE)
    if not test.found:
        assert spoken.level == ("undecided" if few else "none_found")
        assert spoken.headline.startswith("No attack did significantly better than guessing")
        assert not {"recognises", "distinguishes"} & set(words(spoken).split())
        return
    assert spoken.level in ("leaks", "leaks_some")
    assert found.auc is not None
    claims = {
        "far better than by guessing": found.auc.low > 0.6,
        "does better than guessing": _above_half(found),
        "slightly better than guessing": _above_half(found),
        "right on 50% where": False,
        "whose records": found.groups is not None and found.groups.auc.low > 0.6,
        "while wrongly accusing": any(p.tpr is not None and p.tpr.low > 5 * p.fpr for p in found.tpr_at_fpr),
        "scores below others'": test.reversed,
    }
    assert not [claim for claim, allowed in claims.items() if claim in spoken.headline and not allowed]
    if "where guessing is right on 50%" in spoken.headline:
        assert found.at_threshold is not None
        assert found.at_threshold.accuracy.low > 0.5


def _above_half(found: AttackResult) -> bool:
    areas = [found.auc, None if found.groups is None else found.groups.auc]
    return any(area is not None and area.low > 0.5 for area in areas)


LABELS_ONLY = {"target": TARGET, "view": "auditor", "fpr": 0.01, "reveals": "labels"}


def test_labels_without_queries_leave_it_open() -> None:
    quiet, asked = result((0.5, 0.49, 0.51)), result((0.5, 0.49, 0.51), name="boundary", queries=100)
    alone = speak([quiet], heard(joint(found=False)), [], **LABELS_ONLY)  # type: ignore[arg-type]
    assert (alone.level, alone.missing) == ("undecided", ["no-queries"])
    assert "query_budget" in words(alone)
    both = heard(joint(found=False), joint(found=False, name="boundary"))
    assert speak([quiet, asked], both, [], **LABELS_ONLY).level == "none_found"  # type: ignore[arg-type]


def test_attacks_whose_scores_are_all_alike_leave_it_open() -> None:
    blind = JointTest((), 0.05, 0.01, 2000, 2000, apart=0.3)
    spoken = verdict(result((0.5, 0.49, 0.51)), joint(found=False), test=blind)
    assert (spoken.level, spoken.missing) == ("undecided", ["scores-alike"])


def test_the_headline_claims_no_worst_case_where_there_are_no_shadow_models() -> None:
    strong = (0.9, 0.88, 0.92)
    said = {}
    for needs in (["answers"], ["answers", "shadows"], ["gradients"]):
        spoken = speak([result(strong, needs=needs)], heard(joint()), [], TARGET, "auditor", 0.01)
        said[needs[-1]] = spoken.headline
    assert "worst case" in said["shadows"]
    assert "worst case" not in said["answers"] + said["gradients"]
    assert "no shadow models" in said["answers"]
    assert "black-box" not in said["gradients"]


def test_who_learned_on_shadow_models_is_not_called_an_attacker_without_any() -> None:
    """The attack reads answers alone, but its threshold was taught, or it learned from the attacker's rows."""
    taught = result((0.9, 0.88, 0.92), needs=["answers"], rehearsals=[Rehearsal(auc=0.9, tpr_at_fpr=[])])
    learner = result((0.9, 0.88, 0.92), needs=["answers", "pool"])
    quiet = result((0.5, 0.49, 0.51), needs=["answers", "pool"])
    for view, who in (("auditor", "In the worst case"), ("adversary", "data like yours")):
        for one in (taught, learner):
            assert who in speak([one], heard(joint()), [], TARGET, view, 0.01).headline
    open_ = speak([quiet], heard(joint(found=False)), [], TARGET, "adversary", 0.01)
    assert open_.missing == ["no-shadows"]
    assert "`lira_offline`" in words(open_)
    assert "recipe" not in words(open_)


def test_records_that_are_ruled_out_are_not_called_found() -> None:
    ruled = joint(by="bottom", rows=62, members=0, expected=31.0)
    found = joint(by="top", rows=62, members=62, expected=31.0)
    said = [verdict(result((0.55, 0.51, 0.58)), one).headline for one in (ruled, found)]
    assert "can rule out a few records" in said[0]
    assert "recognises a few training records" in said[1]
    turned = [
        verdict(result((0.45, 0.42, 0.49)), joint(by=by, rows=62, members=members, expected=31.0, reversed=True))
        for by, members in (("bottom", 62), ("top", 0))
    ]
    assert "by scores below those of others" in turned[0].headline
    assert "rule out" in turned[1].headline


def test_a_tail_of_few_persons_is_no_clear_leak() -> None:
    tail = joint(by="top", rows=64, members=64, expected=32.0)
    area = (0.52, 0.49, 0.55)
    assert verdict(result(area), tail).level == "leaks"
    assert verdict(result(area), tail.model_copy(update={"worth": 4.0})).level == "leaks_some"


def test_accusations_of_one_persons_records_are_one() -> None:
    held = FdrAccusations(fdr=0.1, accused=38, members=34, persons=2, candidates=900, calibration=300)
    area = (0.52, 0.49, 0.55)
    assert verdict(result(area, accusations=[held]), joint()).level == "leaks_some"
    assert verdict(result(area, accusations=[held.model_copy(update={"persons": 30})]), joint()).level == "leaks"


def test_an_interval_off_one_half_that_is_no_finding_is_explained() -> None:
    off = result((0.56, 0.51, 0.61))
    both = speak(
        [off, result((0.5, 0.45, 0.55), name="loss")],
        heard(joint(found=False, p=0.3), joint(found=False, name="loss")),
        [],
        TARGET,
        "adversary",
        0.01,
    )
    assert "Of 2 attacks together, some come that far from 0.5 by chance" in words(both)
    assert "does not call that more than chance" in words(verdict(off, joint(found=False, p=0.06)))
    other = speak(
        [result((0.5, 0.45, 0.55)), off.model_copy(update={"name": "loss", "title": "Loss"})],
        heard(joint(found=False), joint(found=False, name="loss", p=0.064)),
        [],
        TARGET,
        "adversary",
        0.01,
    )
    assert "An interval off 0.5 (Loss) is of one attack on its own. Of 2 attacks together" in words(other)
    assert "one attack on its own" not in words(verdict(result((0.51, 0.49, 0.53)), joint(found=False)))


def test_why_the_rehearsed_attack_does_not_speak_is_true() -> None:
    own, best = result((0.62, 0.58, 0.66), name="rmia", title="RMIA"), result((0.6, 0.56, 0.64), (0.01, 0.2, 0.1, 0.3))
    for found, says in ((True, "shows no clear leak"), (False, "is not significantly better")):
        both = heard(joint(), joint(found, name="rmia"), rehearsed="rmia", chosen_on="audited rows")
        assert f"RMIA, which rehearsals on shadow models chose, {says}" in words(
            speak([best, own], both, [], TARGET, "auditor", 0.01)
        )
