"""What a report shows, in order and spelt out: every renderer draws the same `View` of a record.

A view selects, sorts and words; it computes nothing. All text in it is on one line and free of control characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gnomon.core.record import AttackResult, Estimate, Finding, Record, Severity
from gnomon.report import facts, people, tables, wording
from gnomon.report.facts import Fact
from gnomon.report.panel import Panel
from gnomon.report.panels import panels
from gnomon.report.people import Chapter
from gnomon.report.tables import Table

LEVELS = {
    "leaks": "Leaks membership",
    "leaks_some": "Leaks some membership",
    "undecided": "Undecided: this audit cannot tell",
    "none_found": "No leak found by these attacks",
    "invalid": "Not valid",
}
NOTHING_FOUND = ("undecided", "none_found")
LOWER_BOUND = (
    "Every figure here is an empirical lower bound: it says what these attacks found on these records, not what a "
    "stronger attacker could find."
)
NO_VERDICT = "A finding below makes the figures unfit to judge the model by. Mend it and run the audit again."
CHOICES = {
    "shadows": "The headline attack was chosen on shadow models, before the audited rows were looked at.",
    "audited rows": "The headline attack was chosen on the audited rows themselves, which flatters it.",
}
EXPOSED = (
    "Training records that the headline attack ranks highest among all audited rows, and how many non-members score as "
    "high or higher. Another training run of the same model would expose others: read it as a sample, not as a "
    "complete list."
)
CHANCE_ORDER = (
    "Training records that the headline attack ranks highest. No attack told members from others here, so their order "
    "is little more than chance."
)
_CURVES = 4  # more lines than this can't be told apart
_PICTURED_FPRS = (0.001, 0.01, 0.1)  # in this order: what can be drawn as dots


@dataclass(frozen=True)
class Notice:
    """A finding, spelt out."""

    code: str
    title: str
    severity: Severity
    explanation: str
    remedy: str
    overridden: bool


@dataclass(frozen=True)
class Dots:
    """Records as dots: of ``members`` (100) so many are ``found``, of ``others`` so many are ``accused``."""

    attack: str
    found: int
    found_text: str
    others: int
    accused: int
    rate: str
    interval: str
    guessing: str


@dataclass(frozen=True)
class Bar:
    """A share drawn as a bar; ``width`` in percent."""

    label: str
    text: str
    detail: str
    width: float
    kind: Literal["train", "test"]


@dataclass(frozen=True)
class View:
    """One report."""

    name: str
    level: str
    level_label: str
    headline: str
    sentences: tuple[str, ...]
    caveat: str
    choice: str  # how the headline attack was chosen; empty if the record does not say
    facts: tuple[Fact, ...]
    alarms: tuple[Notice, ...]  # errors, then warnings
    remarks: tuple[Notice, ...]  # notes
    dots: Dots | None
    headliner: AttackResult | None
    curves: tuple[AttackResult, ...]  # the headline attack first, then the best by AUC
    curve_names: tuple[str, ...]
    headline_name: str
    confidence: str  # a sentence on the intervals
    gap: tuple[tuple[str, tuple[Bar, ...]], ...]
    attacks: Table
    decisions: Table
    priors: Table | None
    other_priors: Table | None
    percentiles: Table | None
    other_percentiles: Table | None
    classes: Table | None
    scores: Table | None
    exposed_lead: str
    exposed: Table | None
    exposed_rest: Table | None
    panels: tuple[Panel, ...]
    people: tuple[Chapter, ...]
    unfinished: Table | None
    tracebacks: tuple[tuple[str, str], ...]
    costs: Table
    answers: str  # one line: which answer is which class; empty if the target was trained here
    mitigated: str  # one line; empty if the target is not mitigated
    mitigation_facts: tuple[Fact, ...]
    threat_facts: tuple[Fact, ...]
    threat_sentences: tuple[str, ...]
    not_tried: tuple[str, ...]
    shadow_facts: tuple[Fact, ...]
    data_facts: tuple[Fact, ...]
    provenance: tuple[Fact, ...]
    documents: tuple[tuple[str, str], ...]  # title, text: the plans and the recipe


def view(record: Record) -> View:
    """The view of a record that all renderers share."""
    verdict, finished = record.verdict, tables.by_auc(record)
    headliner = next((a for a in finished if a.name == verdict.attack), finished[0] if finished else None)
    notices = tuple(_notice(finding) for finding in record.findings)
    first_attack = [headliner] if headliner else []
    others = [attack for attack in finished if attack is not headliner]
    curves = _curves(headliner, finished)
    first, rest = tables.exposed(record)
    return View(
        name=wording.clean(record.name),
        level=verdict.level,
        level_label=LEVELS[verdict.level],
        headline=wording.clean(verdict.headline),
        sentences=tuple(map(wording.clean, verdict.sentences)),
        caveat=NO_VERDICT if verdict.level == "invalid" else LOWER_BOUND,
        choice=CHOICES.get(verdict.chosen_on or "", ""),
        facts=facts.headline(record, finished),
        alarms=tuple(n for severity in ("error", "warning") for n in notices if n.severity == severity),
        remarks=tuple(n for n in notices if n.severity == "note"),
        dots=_dots(headliner) if verdict.level != "invalid" else None,
        headliner=headliner,
        curves=curves,
        curve_names=tuple(wording.clean(attack.title) for attack in curves),
        headline_name=wording.clean(headliner.title) if headliner else "",
        confidence=_confidence(record),
        gap=_gap(record),
        attacks=tables.attacks(record),
        decisions=tables.decisions(record),
        priors=tables.priors(first_attack, "priors"),
        other_priors=tables.priors(others, "other-priors"),
        percentiles=tables.percentiles(first_attack, "percentiles"),
        other_percentiles=tables.percentiles(others, "other-percentiles"),
        classes=tables.classes(headliner),
        scores=tables.scores(headliner),
        exposed_lead=CHANCE_ORDER if verdict.level in NOTHING_FOUND else EXPOSED,
        exposed=first,
        exposed_rest=rest,
        panels=panels(record),
        people=people.chapters(record),
        unfinished=tables.unfinished(record),
        tracebacks=tuple(
            (wording.clean(a.title), wording.clean_lines(a.traceback)) for a in record.attacks if a.traceback
        ),
        costs=tables.costs(record),
        answers=facts.answers(record),
        mitigated=facts.mitigated(record),
        mitigation_facts=facts.mitigations(record),
        threat_facts=facts.threat(record),
        threat_sentences=tuple(map(wording.clean, record.threat_model.sentences)),
        not_tried=tuple(map(wording.clean, record.not_tried)),
        shadow_facts=facts.shadow(record),
        data_facts=facts.data(record),
        provenance=facts.provenance(record),
        documents=tables.documents(record),
    )


def _notice(finding: Finding) -> Notice:
    clean = wording.clean
    return Notice(
        code=clean(finding.code),
        title=clean(finding.title),
        severity=finding.severity,
        explanation=clean(finding.explanation),
        remedy=clean(finding.remedy),
        overridden=finding.overridden,
    )


def _confidence(record: Record) -> str:
    statistics = record.plan.get("statistics")
    level = statistics.get("confidence") if isinstance(statistics, dict) else None
    named = f"{wording.rate(level)} interval" if isinstance(level, float) else "interval"
    return f"Each figure stands with its {named}."


def _curves(headliner: AttackResult | None, finished: list[AttackResult]) -> tuple[AttackResult, ...]:
    rest = [attack for attack in finished if attack is not headliner]
    return tuple(a for a in ([headliner] if headliner else []) + rest if a.roc and a.roc.fpr)[:_CURVES]


def _dots(attack: AttackResult | None) -> Dots | None:
    for fpr in _PICTURED_FPRS:
        for point in attack.tpr_at_fpr if attack else []:
            if attack is None or point.tpr is None or abs(point.fpr - fpr) > 1e-9:
                continue
            others = max(100, round(1 / fpr))
            return Dots(
                attack=wording.clean(attack.title),
                found=round(100 * point.tpr.value),
                found_text=f"{100 * point.tpr.value:.2g}"
                if point.tpr.value < 0.095
                else f"{100 * point.tpr.value:.0f}",
                others=others,
                accused=round(others * fpr),
                rate=wording.one_in(fpr),
                interval=wording.shares(point.tpr),
                guessing=f"{100 * fpr:.6g}",
            )
    return None


def _gap(record: Record) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
    target, shadows = record.target, record.shadows
    groups = [("The audited model", _target_bars(target.train_accuracy, target.test_accuracy))]
    if shadows and shadows.train_accuracy and shadows.test_accuracy:
        rows: list[tuple[str, Literal["train", "test"], Estimate]] = [
            ("on its training rows", "train", shadows.train_accuracy),
            ("on rows it never saw", "test", shadows.test_accuracy),
        ]
        bars = tuple(
            Bar(label, wording.share(e.value), f"{wording.shares(e)}", 100 * e.value, kind) for label, kind, e in rows
        )
        groups.append(("Its shadow models (mean and range)", bars))
    return tuple((title, bars) for title, bars in groups if bars)


def _target_bars(train: float | None, test: float | None) -> tuple[Bar, ...]:
    bars = []
    if train is not None:
        bars.append(Bar("on its training rows", wording.share(train), "", 100 * train, "train"))
    if test is not None:
        bars.append(Bar("on rows it never saw", wording.share(test), "", 100 * test, "test"))
    return tuple(bars)
