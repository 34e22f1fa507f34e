"""The page of one audit: its verdict, what would make it false, what an attacker sees, where the values come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from gnomon.core.documents.record import AttackResult, Finding, Record, Verdict
from gnomon.core.documents.schema import rate_at
from gnomon.report.audit.attackers import agreement, by_shadows, ladder, sources
from gnomon.report.audit.attacks import all_attacks, by_auc, classes, exposed, headliner, score_bins
from gnomon.report.audit.canaries import canaries
from gnomon.report.audit.decision import what_to_do
from gnomon.report.audit.endpoint import endpoint
from gnomon.report.audit.people import affected, people
from gnomon.report.audit.structure import structure
from gnomon.report.formatting import count, counted, duration, heading, moment, one_in, score, share, shares
from gnomon.report.plots import audit as plots
from gnomon.report.sections import (
    LEVELS,
    NOTHING_FOUND,
    Cell,
    Fact,
    Figure,
    Page,
    Remark,
    Section,
    filled,
    machine,
    table,
)

LOWER_BOUND = (
    "Every value here is an empirical lower bound: what these attacks found on these records, not what a "
    "stronger attacker could find."
)
PERSONAL = (
    "This report, and risk.csv and scores where they lie next to it, tell of single records whether they were in the "
    "training data. Where records are of people, these files are personal data themselves: keep and share them as such."
)
NO_VERDICT = "A finding below makes the values unfit to judge the model by. Fix it and run the audit again."
CHOICES = {
    "shadows": "The headline attack was chosen on shadow models, before the audited rows were looked at.",
    "audited rows": "The headline attack was chosen on the audited rows themselves, which flatters it.",
}
_CURVES = 4  # more lines than this can't be told apart
_FEWEST_FPR = 0.001  # below it, the dots of all others would be too many to draw


def audit_page(record: Record) -> Page:
    """The view of a record that all renderers share."""
    verdict = record.verdict
    caveat = NO_VERDICT if verdict.level == "invalid" else LOWER_BOUND
    speaks = len(verdict.tested) != 1 and verdict.level not in NOTHING_FOUND  # of one, and for nothing, none is chosen
    choice = CHOICES.get(verdict.chosen_on or "", "") if speaks else ""
    alarms = [f for severity in ("error", "warning") for f in record.findings if f.severity == severity]
    notes = [f for f in record.findings if f.severity == "note"]
    return Page(
        kind="membership-inference audit",
        source="one record",
        name=record.name,
        headline=verdict.headline,
        level=verdict.level,
        label=LEVELS[verdict.level],
        sentences=tuple(verdict.sentences),
        caveat=" ".join(filter(None, (caveat, choice))),
        notice=PERSONAL if record.exposed or record.risk is not None else "",
        facts=_headline_facts(record),
        summary=_summary(record),
        sections=(
            *filled(
                what_to_do(record),
                _findings("findings", "Findings", alarms, told=True),
                _pictures(record),
                _threat_model(record),
                *affected(record),
                structure(record),
                endpoint(record),
                _not_tried(record),
            ),
            *_appendix(
                _more_pictures(record),
                all_attacks(record),
                ladder(record),
                by_shadows(record),
                sources(record),
                agreement(record),
                canaries(record),
                exposed(record),
                *people(record),
                _findings("notes", "Notes", notes, told=False),
                _provenance(record),
            ),
        ),
    )


def _appendix(*sections: Section | None) -> tuple[Section, ...]:
    return tuple(replace(section, appendix=True) for section in filled(*sections))


def _summary(record: Record) -> tuple[Fact, ...]:
    """What the first screen says below the headline; nothing for a record that was made without a decision."""
    decision = record.decision
    if decision is None:
        return ()
    return (
        ("The decision asked for", decision.asked),
        ("Who is exposed", "\n".join(decision.exposed)),
        ("Evidence", decision.evidence),
        ("Weaker than the release", "\n".join(decision.flags)),
    )


def _headline_facts(record: Record) -> tuple[Fact, ...]:
    data, done, total = record.data, len(by_auc(record)), len(record.attacks)
    return (
        ("Data", f"{data.name}, {counted(data.classes, 'class', 'classes')}"),
        ("Audited", f"{count(data.members)} members, {count(data.nonmembers)} non-members"),
        ("Attacks", str(done) if done == total else f"{done} of {total}"),
        ("Shadow models", count(record.shadows.count) if record.shadows else "none"),
        ("Mitigations", ", ".join(m.label for m in record.mitigations)),
        ("Point of view", record.threat_model.view),
        ("Made", moment(record.provenance.created)),
    )


def _findings(key: str, title: str, findings: Iterable[Finding], *, told: bool) -> Section:
    remarks = tuple(
        Remark(
            tone=f.severity,
            label=f.severity.capitalize() + (", overridden in the plan" if f.overridden else ""),
            title=heading(f.title),
            texts=(f.explanation, f"What to do: {f.remedy}" if f.remedy else ""),
            code=f.code,
        )
        for f in findings
    )
    return Section(key, title, remarks=remarks, brief=remarks if told else ())


def _pictures(record: Record) -> Section:
    """What an officer looks at: records as dots, and the curve where accusations are nearly certain."""
    lead, dots = _dots(record.verdict, headliner(record))
    curves, figures = _curves(record), list(dots)
    if curves:
        near = (
            "ROC curves on logarithmic axes with their intervals. What counts is the left: members found while hardly "
            "anyone is wrongly accused."
        )
        if record.verdict.unit == "person":
            near += " The curves count single records, not whole persons."
        floor = plots.lowest_rate(record.data.nonmembers)
        figures.append(plots.roc("roc-log", "Nearly certain accusations", near, curves, floor))
    figures += _gap(record)
    return Section("pictures", "What an attacker sees", lead, figures=tuple(figures), short="Figures")


def _more_pictures(record: Record) -> Section:
    attack, curves, figures = headliner(record), _curves(record), list[Figure]()
    if curves:
        whole = "The same curves on linear axes; the area under each is its AUC."
        figures.append(plots.roc("roc-linear", "The whole curve", whole, curves, 0.0))
    if attack and attack.histogram and attack.histogram.members:
        figures.append(plots.scores(attack, attack.histogram, score_bins(attack.histogram)))
    if attack and any(c.auc is not None and c.members for c in attack.classes):
        figures.append(plots.classes(attack, classes(attack)))
    return Section("more-pictures", "Further figures", figures=tuple(figures))


def _curves(record: Record) -> list[AttackResult]:
    attack, finished = headliner(record), by_auc(record)
    rest = [a for a in finished if a is not attack]
    return [a for a in ([attack] if attack else []) + rest if a.roc and a.roc.fpr][:_CURVES]


def _dots(verdict: Verdict, attack: AttackResult | None) -> tuple[str, tuple[Figure, ...]]:
    """The rate that the verdict speaks of, as dots; nothing where it speaks of none."""
    if attack is None or verdict.fpr is None or verdict.level in ("invalid", *NOTHING_FOUND):
        return "", ()
    persons = verdict.unit == "person" and attack.groups is not None
    points = attack.groups.tpr_at_fpr if persons and attack.groups is not None else attack.tpr_at_fpr
    fpr = verdict.fpr
    tpr = rate_at(points, fpr)
    if tpr is None or tpr.low <= fpr:  # no more than guessing may find
        return "", ()
    found, others = 100 * tpr.value, max(100, round(1 / fpr))
    text, accused = f"{found:.2g}" if tpr.value < 0.095 else f"{found:.0f}", round(others * fpr)
    units = "persons" if persons else "records"
    lead = (
        f"{attack.title}, set so that it wrongly accuses {one_in(fpr)} of the {units} that were not in the training "
        f"data. Guessing at that rate finds {100 * fpr:.6g} of 100."
    )
    title = f"{text} of 100 {'persons with training records' if persons else 'training records'} found"
    others_title = f"{accused} of {count(others)} other {'persons' if persons else 'records'} wrongly accused"
    shown = plots.dots("found", 100, round(found), "member", title, f"Interval {shares(tpr)}.")
    if fpr < _FEWEST_FPR:
        return lead, (shown,)
    return lead, (shown, plots.dots("accused", others, accused, "other", others_title))


def _gap(record: Record) -> list[Figure]:
    """Accuracy on training rows and on others, as bars."""
    target, shadows = record.target, record.shadows
    train, test = "on its training rows", "on rows it never saw"
    rows = [
        ("The audited model", name, Cell(share(value), bar=value))
        for name, value in ((train, target.train_accuracy), (test, target.test_accuracy))
        if value is not None
    ]
    if shadows and shadows.train_accuracy and shadows.test_accuracy:
        spread = ((train, shadows.train_accuracy), (test, shadows.test_accuracy))
        models = "Its shadow models (mean and range)"
        rows += [(models, name, Cell(share(e.value), (shares(e),), bar=e.value)) for name, e in spread]
    title = "Training rows and rows that the model never saw"
    lead = (
        "Accuracy on each. A model that knows its training rows by heart treats them differently, and that is what "
        "attacks read."
    )
    bars = table("gap", title, ("Model", "", "Accuracy"), rows, left=2)
    return [Figure("gap", title, lead, kind="bars", table=bars)] if rows else []


def _threat_model(record: Record) -> Section:
    threat = record.threat_model
    knows = {True: "yes", False: "no (naive)", None: None}[threat.knows_mitigations]
    facts: list[Fact] = [
        ("Point of view", threat.view),
        ("The model reveals", threat.reveals),
        ("The attacker knows the recipe", "yes" if threat.knows_recipe else "no"),
        ("Rows of the shadow models", threat.shadow_data),
        ("Mitigations", ", ".join(m.label for m in record.mitigations)),
        ("The attacker knows the mitigations", knows),
    ]
    # what the trained target says of its mitigations, such as an accountant's epsilon
    facts += [
        (f"{m.title}: {name}", score(value) if isinstance(value, float) else str(value))
        for m in record.mitigations
        for name, value in m.facts.items()
    ]
    return Section("threat-model", "Threat model", sentences=tuple(threat.sentences), facts=tuple(facts))


def _not_tried(record: Record) -> Section | None:
    if record.decision is not None and not record.decision.to_do:
        return None  # the list stands under "What to do now"
    told = tuple(f"  - {line}" for line in record.not_tried)
    return Section("not-tried", "What was not tried", notes=tuple(record.not_tried), short="Not tried", brief=told)


def _provenance(record: Record) -> Section:
    origin = record.provenance
    hashes = {"data": record.data.fingerprint, **origin.fingerprints}
    made: tuple[Fact, ...] = (
        ("Made", moment(origin.created)),
        *machine(origin),
        ("Root seed", str(origin.seed)),
        ("Time", ", ".join(f"{stage} {duration(s)}" for stage, s in origin.seconds.items())),
        ("Peak memory", None if origin.peak_memory_mb is None else f"{origin.peak_memory_mb:,.0f} MB"),
        *((f"Fingerprint: {name}", value) for name, value in hashes.items()),
    )
    plans = (
        ("The plan as given", record.plan_given),
        ("The plan as resolved", record.plan),
        ("The training recipe", record.recipe),
    )
    texts = tuple((title, json.dumps(part, indent=2, ensure_ascii=False, default=str)) for title, part in plans if part)
    parts = (
        Section("about-data", "Data and model", facts=_data_facts(record)),
        Section("about-shadows", "Shadow models", facts=_shadow_facts(record)),
        Section("about-run", "Provenance", facts=made, texts=texts),
    )
    return Section("provenance", "Where the values come from", parts=filled(*parts), short="Provenance")


def _data_facts(record: Record) -> tuple[Fact, ...]:
    data, target = record.data, record.target
    return (
        ("Data set", data.name),
        ("About it", data.note),
        ("Size", f"{counted(data.rows, 'row')}, {counted(data.features, 'feature')}"),
        ("Audited members", data.members),
        ("Audited non-members", data.nonmembers),
        ("Rows in the attacker's pool", data.pool),
        ("Audited non-members that also stand in the pool", data.overlap),
        ("Known non-members held out for the attacker", data.population),
        ("Rows that the audited model was trained on", target.train_size),
        ("Answers and classes", record.answers_map.sentence if record.answers_map else None),
        ("Its loss on training rows", None if target.train_loss is None else score(target.train_loss)),
        ("Its loss on rows it never saw", None if target.test_loss is None else score(target.test_loss)),
    )


def _shadow_facts(record: Record) -> tuple[Fact, ...]:
    shadows = record.shadows
    if shadows is None:
        return ()
    return (
        ("Shadow models", f"{count(shadows.count)}, each on {counted(shadows.size, 'row')}"),
        ("Source of their rows", shadows.source),
        ("Trained in this run", f"{count(shadows.trained)} (found in the store: {shadows.reused})"),
        ("Trained at once", shadows.stacked),
        ("Time", duration(shadows.seconds)),
        ("Damaged answers, made again", ", ".join(shadows.remade)),
        ("Note", shadows.note),
    )
