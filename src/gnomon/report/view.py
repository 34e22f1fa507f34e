"""What a report shows, in order and spelt out: every renderer draws the same `View` of a record.

A view selects, sorts and words; it computes nothing. All text in it is on one line and free of control characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gnomon.core.record import AttackResult, Finding, Record, Severity
from gnomon.report import tables, wording
from gnomon.report.tables import Table

LEVELS = {
    "leaks": "Leaks membership",
    "leaks_some": "Leaks some membership",
    "none_found": "No leak found by these attacks",
    "invalid": "Not valid",
}
LOWER_BOUND = (
    "Every figure here is an empirical lower bound: it says what these attacks found on these records, not what a "
    "stronger attacker could find."
)
NO_VERDICT = "A finding below makes the figures unfit to judge the model by. Mend it and run the audit again."
_CURVES = 4  # more lines than this can't be told apart
_PICTURED_FPRS = (0.001, 0.01, 0.1)  # in this order: what can be drawn as dots


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


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
    classes: Table | None
    scores: Table | None
    exposed: Table | None
    exposed_rest: Table | None
    unfinished: Table | None
    tracebacks: tuple[tuple[str, str], ...]
    costs: Table
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
    curves = _curves(headliner, finished)
    first, rest = tables.exposed(record)
    return View(
        name=wording.clean(record.name),
        level=verdict.level,
        level_label=LEVELS[verdict.level],
        headline=wording.clean(verdict.headline),
        sentences=tuple(map(wording.clean, verdict.sentences)),
        caveat=NO_VERDICT if verdict.level == "invalid" else LOWER_BOUND,
        facts=_facts(record, finished),
        alarms=tuple(n for severity in ("error", "warning") for n in notices if n.severity == severity),
        remarks=tuple(n for n in notices if n.severity == "note"),
        dots=_dots(headliner),
        headliner=headliner,
        curves=curves,
        curve_names=tuple(wording.clean(attack.title) for attack in curves),
        headline_name=wording.clean(headliner.title) if headliner else "",
        confidence=_confidence(record),
        gap=_gap(record),
        attacks=tables.attacks(record),
        decisions=tables.decisions(record),
        priors=tables.priors([headliner] if headliner else [], "priors"),
        other_priors=tables.priors([a for a in finished if a is not headliner], "other-priors"),
        percentiles=tables.percentiles(record),
        classes=tables.classes(headliner),
        scores=tables.scores(headliner),
        exposed=first,
        exposed_rest=rest,
        unfinished=tables.unfinished(record),
        tracebacks=tuple(
            (wording.clean(a.title), wording.clean_lines(a.traceback)) for a in record.attacks if a.traceback
        ),
        costs=tables.costs(record),
        threat_facts=_threat_facts(record),
        threat_sentences=tuple(map(wording.clean, record.threat_model.sentences)),
        not_tried=tuple(map(wording.clean, record.not_tried)),
        shadow_facts=_shadow_facts(record),
        data_facts=_data_facts(record),
        provenance=_provenance(record),
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


def _facts(record: Record, finished: list[AttackResult]) -> tuple[Fact, ...]:
    data, total = record.data, len(record.attacks)
    done = f"{len(finished)}" if len(finished) == total else f"{len(finished)} of {total}"
    shadows = wording.count(record.shadows.count) if record.shadows else "none"
    return (
        Fact("Data", f"{wording.clean(data.name)}, {wording.counted(data.classes, 'class', 'classes')}"),
        Fact("Audited", f"{wording.count(data.members)} members, {wording.count(data.nonmembers)} non-members"),
        Fact("Attacks", done),
        Fact("Shadow models", shadows),
        Fact("Point of view", record.threat_model.view),
        Fact("Made", wording.moment(record.provenance.created)),
    )


def _confidence(record: Record) -> str:
    level = record.plan.get("statistics", {}).get("confidence") if record.plan else None
    return f"Small figures are {wording.rate(level)} intervals." if level else "Small figures are intervals."


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
        rows: list[tuple[str, Literal["train", "test"], tables.Estimate]] = [
            ("on its training rows", "train", shadows.train_accuracy),
            ("on rows it never saw", "test", shadows.test_accuracy),
        ]
        bars = tuple(
            Bar(label, wording.share(e.value), f"{wording.shares(e)} over shadows", 100 * e.value, kind)
            for label, kind, e in rows
        )
        groups.append(("Its shadow models (mean)", bars))
    return tuple((title, bars) for title, bars in groups if bars)


def _target_bars(train: float | None, test: float | None) -> tuple[Bar, ...]:
    bars = []
    if train is not None:
        bars.append(Bar("on its training rows", wording.share(train), "", 100 * train, "train"))
    if test is not None:
        bars.append(Bar("on rows it never saw", wording.share(test), "", 100 * test, "test"))
    return tuple(bars)


def _threat_facts(record: Record) -> tuple[Fact, ...]:
    threat = record.threat_model
    return (
        Fact("Point of view", threat.view),
        Fact("The model reveals", wording.clean(threat.reveals)),
        Fact("The attacker knows the recipe", "yes" if threat.knows_recipe else "no"),
        Fact("Rows of the shadow models", wording.clean(threat.shadow_data)),
    )


def _shadow_facts(record: Record) -> tuple[Fact, ...]:
    shadows = record.shadows
    if shadows is None:
        return ()
    facts = [
        Fact("Shadow models", f"{wording.count(shadows.count)}, each on {wording.counted(shadows.size, 'row')}"),
        Fact("Source of their rows", wording.clean(shadows.source)),
        Fact("Trained in this run", f"{wording.count(shadows.trained)} (found in the store: {shadows.reused})"),
        Fact("Trained at once", wording.count(shadows.stacked)),
        Fact("Time", wording.duration(shadows.seconds)),
    ]
    if shadows.remade:
        facts.append(Fact("Damaged answers, made again", ", ".join(map(wording.clean, shadows.remade))))
    if shadows.note:
        facts.append(Fact("Note", wording.clean(shadows.note)))
    return tuple(facts)


def _data_facts(record: Record) -> tuple[Fact, ...]:
    data, target = record.data, record.target
    facts = [
        Fact("Data set", wording.clean(data.name)),
        Fact("About it", wording.clean(data.note)),
        Fact("Size", f"{wording.counted(data.rows, 'row')}, {wording.counted(data.features, 'feature')}"),
        Fact("Audited members", wording.count(data.members)),
        Fact("Audited non-members", wording.count(data.nonmembers)),
        Fact("Rows in the attacker's pool", wording.count(data.pool)),
        Fact("Audited non-members that also stand in the pool", wording.count(data.overlap)),
        Fact("Known non-members set aside for the attacker", wording.count(data.population)),
        Fact("Rows that the audited model was trained on", wording.count(target.train_size)),
    ]
    losses = [("training rows", target.train_loss), ("rows it never saw", target.test_loss)]
    facts += [Fact(f"Its loss on {name}", wording.score(loss)) for name, loss in losses if loss is not None]
    return tuple(fact for fact in facts if fact.value)


def _provenance(record: Record) -> tuple[Fact, ...]:
    origin, clean = record.provenance, wording.clean
    facts = [
        Fact("Made", wording.moment(origin.created)),
        Fact("gnomon", clean(origin.gnomon)),
        Fact("Python", clean(origin.python)),
        Fact("Packages", ", ".join(f"{clean(name)} {clean(v)}" for name, v in sorted(origin.packages.items()))),
        Fact("Machine", f"{clean(origin.machine)}, {wording.counted(origin.cores, 'core')}"),
        Fact("Root seed", str(origin.seed)),
        Fact("Time", ", ".join(f"{clean(stage)} {wording.duration(s)}" for stage, s in origin.seconds.items())),
    ]
    if origin.peak_memory_mb is not None:
        facts.append(Fact("Peak memory", f"{origin.peak_memory_mb:,.0f} MB"))
    hashes = {"data": record.data.fingerprint, **origin.fingerprints}
    facts += [Fact(f"Fingerprint: {clean(name)}", clean(value)) for name, value in hashes.items()]
    return tuple(fact for fact in facts if fact.value)
