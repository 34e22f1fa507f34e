"""The first screen of some 300 invented audits: no sentence contradicts the numbers next to it, or itself.

The numbers are legal, but such as hardly an audit has: an AUC of .83 with decisions that are right half of the time,
persons against records, one attack, no shadow models, rates that were refused, a million records.
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
import pytest
from tests.report.sample_records import record

from gnomon.auditing.verdict.leak import Heard
from gnomon.auditing.verdict.speak import MISSING, conclude, speak
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
from gnomon.core.documents.record_parts import FdrAccusations, GroupResult
from gnomon.report.audit.page import audit_page
from gnomon.stats.permutation.joint import JointTest

AUDITS = 300
KINDS = {"loss": ["answers"], "lira": ["answers", "shadows"], "noise": ["labels", "query"], "nasr": ["inside"]}
AREAS = (0.08, 0.43, 0.4997, 0.5, 0.5003, 0.506, 0.54, 0.61, 0.83, 1.0)
ACCURACIES = (0.3, 0.4996, 0.5, 0.503, 0.51, 0.54, 0.62, 0.9)
RATES = (1e-6, 1e-4, 0.001, 0.01, 0.1)


class Draw:
    """Values of one audit, legal and as strange as can be."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.width = float(self.one(1e-6, 1e-4, 0.01, 0.05, 0.3))

    def one(self, *choices: object) -> object:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)

    def estimate(self, *values: float) -> Estimate:
        value = float(self.one(*values))  # type: ignore[arg-type]
        low, high = max(0.0, value - self.width * self.rng.random()), min(1.0, value + self.width * self.rng.random())
        return Estimate(value=value, low=low, high=high)

    def rule(self, calibrated: str) -> AtThreshold:
        some = self.estimate(0.5)
        rates = {"threshold": 0.0, "calibrated": calibrated, "accuracy": self.estimate(*ACCURACIES)}
        return AtThreshold.model_validate(rates | {"precision": some, "recall": some, "fpr": some})

    def tested(self, name: str) -> JointResult:
        """Found or not, by any statistic; a tail whose size and members go with its direction."""
        by, turned, found = self.one("auc", "top", "bottom", "persons"), self.chance(0.3), self.chance()
        p = float(self.one(0.0005, 0.05)) if found else float(self.one(0.06, 1.0))  # type: ignore[arg-type]
        made = JointResult(name=name, p=p, found=found, by=by, reversed=turned)  # type: ignore[arg-type]
        if by not in ("top", "bottom"):
            return made
        rows, share = int(self.one(8, 64, 4096)), float(self.one(0.02, 0.5, 0.9))  # type: ignore[call-overload, arg-type]
        crowded = (by == "top") != turned
        members = round(rows * (share + (1 - share) * 0.7)) if crowded else int(rows * share * 0.3)
        worth = float(rows) if self.chance() else 2.0
        return made.model_copy(update={"rows": rows, "members": members, "expected": rows * share, "worth": worth})

    def result(self, tested: JointResult) -> AttackResult:
        """Figures of an attack: where the joint test found its AUC, or that by person, it is on that side."""
        sides = [a for a in AREAS if (a < 0.5) == tested.reversed and a != 0.5]
        area = self.estimate(*(sides if tested.found and tested.by == "auc" else AREAS))
        points = [
            TprAtFpr(fpr=fpr, tpr=self.estimate(0.0, 2e-5, 0.004, 0.0949, 0.095, 0.46, 1.0), false_positives=1)
            if self.chance(0.7)
            else TprAtFpr(fpr=fpr, tpr=None, refused="too few non-members")
            for fpr in RATES
        ]
        groups = None
        if tested.by == "persons" or self.chance(0.3):
            own = self.estimate(*(sides if tested.found and tested.by == "persons" else AREAS))
            rates = [point for point in points if self.chance()]
            groups = GroupResult(rule="sum", members=1, nonmembers=30, mixed=2, rows=5.0, auc=own, tpr_at_fpr=rates)
        accused = FdrAccusations(fdr=0.1, accused=38, members=int(self.one(2, 20, 34, 38)), candidates=9, calibration=9)  # type: ignore[call-overload]
        return AttackResult(
            name=tested.name,
            title=tested.name.upper(),
            paper="Someone 2020",
            status="ok",
            needs=KINDS[tested.name],
            queries=100 if tested.name == "noise" else 0,
            auc=area,
            tpr_at_fpr=points,
            at_threshold=self.rule(str(self.one("shadow", "attack", "oracle"))) if self.chance(0.8) else None,
            oracle=self.rule("oracle") if self.chance(0.8) else None,
            groups=groups,
            accusations=[accused] if self.chance(0.3) else [],
        )


class Audit:
    """What one audit was told, and what it says."""

    def __init__(self, seed: int) -> None:
        draw = Draw(seed)
        names = [n for n in ("loss", "lira", "noise") if draw.chance()] or [str(draw.one("loss", "lira", "noise"))]
        tested = [draw.tested(name) for name in names]
        inside = [draw.tested("nasr")] if draw.chance(0.3) else []
        self.results = [draw.result(one) for one in [*tested, *inside]]
        if draw.chance(0.15):
            self.results.append(AttackResult(name="rmia", title="RMIA", paper="", status="failed", reason="broke"))
        found = [one.name for one in tested if one.found]
        speaker = str(draw.one(*(found or names)))
        rehearsed = str(draw.one(*names)) if "lira" in names else None
        members = int(draw.one(60, 400, 3000, 2_000_000))  # type: ignore[call-overload]
        deviation = max(((2 * members + 1) / (12 * members**2)) ** 0.5 * float(draw.one(1.0, 2.5)), 0.0)  # type: ignore[arg-type]
        test = JointTest((), 0.004, deviation, members, members, float(draw.one(0.2, 1.0)))  # type: ignore[arg-type]
        chosen = "shadows" if speaker == rehearsed else "audited rows"
        self.heard = Heard(speaker, chosen, rehearsed, tested, inside, test)
        unlike = Finding(code="shadows-unlike-target", title="t", severity="warning", explanation="e", remedy="r")
        self.findings = [unlike] if draw.chance(0.2) else []
        self.view, self.fpr = str(draw.one("auditor", "adversary")), float(draw.one(*RATES))  # type: ignore[arg-type]
        self.reveals = str(draw.one("full", "labels"))
        train, held_out = float(draw.one(1.0, 0.71)), float(draw.one(1.0, 0.69))  # type: ignore[arg-type]
        if draw.chance(0.1):
            self.findings.append(unlike.model_copy(update={"code": "answers-change"}))
        facts = ModelFacts(train_size=9, train_accuracy=train, test_accuracy=held_out, train_loss=0.1, test_loss=0.2)
        self.verdict = speak(self.results, self.heard, self.findings, facts, self.view, self.fpr, reveals=self.reveals)
        self.best = next(r for r in self.results if r.name == speaker)
        self.tested = next(one for one in tested if one.name == speaker)

    @cached_property
    def screen(self) -> str:
        """The first screen of the report, in one text."""
        page = audit_page(record(self.verdict, self.results))
        return " ".join([page.headline, *page.sentences, page.caveat])


@pytest.fixture(scope="module")
def audits() -> list[Audit]:
    return [Audit(seed) for seed in range(AUDITS)]


def numbers(pattern: str, text: str) -> list[tuple[float, ...]]:
    """The numbers of each place where a pattern's groups match: as they are read, not as they were meant."""
    found = re.finditer(pattern, text)
    return [tuple(float(n.replace(",", "")) for n in match.groups()) for match in found]


N = r"(\d[\d,]*(?:\.\d+)?)"


def test_the_invented_audits_are_of_every_kind(audits: list[Audit]) -> None:
    assert {a.verdict.level for a in audits} == {"leaks", "leaks_some", "undecided", "none_found"}
    assert {code for a in audits for code in a.verdict.missing} == set(MISSING)
    text = " ".join(a.screen for a in audits)
    tails = "rule out", "less likely", "more likely"
    for said in ("by person", *tails, "scores below", "does not fit", "wrongly accusing", "Who sees more"):
        assert said in text


def test_decisions_are_not_said_to_be_better_than_guessing_at_the_same_number(audits: list[Audit]) -> None:
    for audit in audits:
        assert all(right >= 55 for (right,) in numbers(rf"right on {N}% where guessing is right on 50%", audit.screen))
        assert all(
            own != best for own, best in numbers(rf"right on {N}%, where the best .* right on {N}%", audit.screen)
        )


def test_an_auc_next_to_guessing_differs_from_it_on_the_side_that_is_meant(audits: list[Audit]) -> None:
    for audit in audits:
        headline = audit.verdict.headline
        for (area,) in numbers(rf"AUC {N}(?: by person)?, where guessing", headline):
            assert area != 0.5, headline
            assert (area < 0.5) == ("scores below others'" in headline), headline
        if "better than guessing" in headline and audit.tested.found:
            assert not audit.tested.reversed, headline


def test_rates_and_tails_are_more_than_guessing_finds(audits: list[Audit]) -> None:
    for audit in audits:
        headline = audit.verdict.headline
        for found, of, others in numbers(
            rf"finds {N} of {N} (?:training records|persons) .* 1 in {N} others", headline
        ):
            assert found / of > 4 / others, headline
        for rows, members, chance in numbers(rf"of the {N} records with .* scores {N} were .* finds {N}", headline):
            assert chance <= rows
            assert (members > chance) == ("recognises" in headline or "are more likely" in headline), headline
            assert (members < chance) == ("rule out" in headline or "are less likely" in headline), headline
            assert "recognises" not in headline or members >= 0.9 * rows, headline
            assert "rule out" not in headline or members <= 0.1 * rows, headline
        assert "rate of 0.00%" not in audit.screen
        assert not numbers(rf"finds {N} of 0 ", headline)


def test_one_attack_is_not_a_choice_among_several(audits: list[Audit]) -> None:
    for audit in audits:
        several = len(audit.heard.tested) > 1
        assert several or not re.search(r"\b1 attacks|chosen on|chose,|all attacks together", audit.screen)
        assert not re.search(r"\b1 (persons|attacks|records)\b", audit.screen)


def test_nothing_is_found_only_where_it_could_have_been(audits: list[Audit]) -> None:
    for audit in audits:
        verdict, text = audit.verdict, audit.screen
        found = any(one.found for one in audit.heard.tested)
        assert found == (verdict.level in ("leaks", "leaks_some"))
        assert found != verdict.headline.startswith("No attack did significantly better than guessing")
        if verdict.level != "none_found":
            assert "in four of five cases" not in text
            continue
        assert not verdict.missing
        assert not audit.findings
        assert "lira" in [one.name for one in audit.heard.tested]
        assert [r.status for r in audit.results if r.status == "failed"] == []
        assert verdict.detectable_auc is not None
        assert verdict.detectable_auc <= 0.6
        ((promised,),) = numbers(rf"such an audit finds an AUC of {N} in four of five cases", verdict.headline)
        assert promised >= verdict.detectable_auc
        assert verdict.detectable_tpr is not None
        told = numbers(rf"find an AUC of {N}, or a true-positive rate of {N}% at a false-positive rate of {N}%", text)
        assert [(area, fpr) for area, _, fpr in told] == [(promised, pytest.approx(100 * audit.fpr))]
        assert told[0][1] == pytest.approx(100 * verdict.detectable_tpr.tpr, rel=0.05)


def test_what_is_missing_is_told(audits: list[Audit]) -> None:
    said = {
        "few-records": "often misses an AUC below",
        "no-shadows": "No attack that compares the model with shadow models ran",
        "no-queries": "no attack asked it about further records",
        "scores-alike": "have the same score in every attack",
        "shadows-unlike-target": "unlike the target",
        "answers-change": "takes the mean of several answers",
        "attacks-failed": "RMIA",
    }
    for audit in audits:
        for code, words in said.items():
            if audit.verdict.level == "undecided":
                assert (code in audit.verdict.missing) == (words in audit.screen) or code == "attacks-failed"
        if audit.verdict.level == "undecided" and "shadows-unlike-target" in audit.verdict.missing:
            assert "error" in [f.severity for f in conclude(audit.findings, audit.verdict)]


def test_attacks_from_inside_speak_where_the_others_are_silent(audits: list[Audit]) -> None:
    for audit in audits:
        inside, first = [one for one in audit.heard.inside if one.found], audit.verdict.sentences[0]
        alone = bool(inside) and not any(one.found for one in audit.heard.tested)
        assert alone == first.startswith("Who sees more than answers finds what these attacks don't: NASR")
        if first.startswith("Who sees more than answers finds a clear leak"):
            assert inside
            assert audit.verdict.level in ("leaks_some", "invalid")
        assert "NASR" not in audit.verdict.headline
        for (area,) in numbers(rf"NASR, AUC {N}", first):
            tail = "were trained on" in first
            assert tail or area != 0.5
            assert tail or (area < 0.5) == ("members below others" in first)


def test_a_leak_by_heart_is_a_leak_where_the_other_records_score_in_reverse() -> None:
    area = Estimate(value=0.4, low=0.38, high=0.42)
    rate = TprAtFpr(fpr=0.001, tpr=Estimate(value=0.05, low=0.03, high=0.07), false_positives=2)
    made = AttackResult(
        name="lira", title="LiRA", paper="", status="ok", needs=KINDS["lira"], auc=area, tpr_at_fpr=[rate]
    )
    heard = Heard("lira", "shadows", "lira", [JointResult(name="lira", p=0.001, found=True, by="auc", reversed=True)])
    facts = ModelFacts(train_size=9, train_accuracy=0.8, test_accuracy=0.9, train_loss=0.1, test_loss=0.2)
    test = JointTest((), 0.004, 0.01, 2000, 2000)
    spoken = speak([made], Heard(**{**vars(heard), "test": test}), [], facts, "auditor", 0.001)
    assert isinstance(spoken, Verdict)
    assert spoken.level == "leaks"
    assert "finds 50 of 1,000 training records while wrongly accusing 1 in 1,000 others" in spoken.headline
