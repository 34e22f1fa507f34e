"""The annex as a page: one to three pages that are filed and signed."""

from __future__ import annotations

from dataclasses import replace

from gnomon.core.documents.annex import Annex
from gnomon.report.audit.decision import NOTHING, measure_todo
from gnomon.report.audit.structure import structure_table
from gnomon.report.formatting import moment
from gnomon.report.sections import LEVELS, Cell, Fact, Page, Remark, Section, Table, area, cell, filled, table, tpr_cell

TITLES = {"edpb": "annex on personal data in a model", "tre": "annex for the output check of a model"}
SOURCES = {
    "edpb": "Written with EDPB Opinion 28/2024 in mind, which asks for scope, frequency, quantity and quality of "
    "tests, and whether any data subject is exposed. It states what was measured, and draws no legal conclusion.",
    "tre": "Written for SATRE's policy on model egress (3.3.07) and its record of disclosure controls (3.3.09), and "
    "for output checkers' rules on models. It states what was measured; the check decides.",
}
CONTEXT = {
    "public-weights": "its file is handed out (public-weights)",
    "api-scores": "it answers with probabilities (api-scores)",
    "api-labels": "it answers with labels (api-labels)",
    "internal": "people of the house use it (internal)",
    None: "not declared: write [release] context into the plan",
}


def annex_page(annex: Annex) -> Page:
    """The view of an annex that all renderers share; a research environment reads the structure first."""
    parts = {
        "identity": Section("identity", "Identity", facts=_facts(annex.identity)),
        "release": Section("release", "The release", facts=_release(annex)),
        "coverage": _coverage(annex),
        "attackers": _attackers(annex),
        "tests": Section("tests", "The tests", facts=tuple(annex.tests.items())),
        "results": Section("results", "Results", notes=tuple(annex.results), facts=_worst(annex)),
        "structure": _structure(annex),
        "measures": _measures(annex),
        "to-do": _to_do(annex),
        "limits": Section("limits", "Limits", notes=tuple(annex.limits)),
        "signatures": Section("signatures", "Signatures", tables=(_boxes(annex),)),
    }
    first = ("identity", "release", *(("structure",) if annex.kind == "tre" else ()))
    order = [*first, *(name for name in parts if name not in first)]
    return Page(
        kind=TITLES[annex.kind],
        source="one record",
        name=annex.name,
        headline=annex.decision,
        level=annex.level,
        label=LEVELS[annex.level],
        summary=(("The decision asked for", annex.asked), ("Evidence", annex.evidence)),
        caveat=SOURCES[annex.kind],
        notice="This annex names a record or person: it is personal data itself." if annex.ids_shown else "",
        sections=filled(*(_told(parts[name]) for name in order if name != "signatures"), parts["signatures"]),
        dense=True,
    )


def _told(section: Section) -> Section:
    """With all of it on a terminal too."""
    facts = tuple(f"{label}: {value}" for label, value in section.facts if value)
    remarks = tuple(f"{r.label}: {r.title}" for r in section.remarks)
    return replace(section, brief=(*section.sentences, *remarks, *facts, *section.tables, *section.notes))


def _facts(values: dict[str, str]) -> tuple[Fact, ...]:
    return tuple((label, moment(value) if label == "Made" else value) for label, value in values.items())


def _release(annex: Annex) -> tuple[Fact, ...]:
    return (
        ("Context", CONTEXT[annex.release.context]),
        ("Purpose", annex.release.purpose or "not declared"),
        ("Unit of privacy", annex.release.unit or "not declared"),
    )


def _structure(annex: Annex) -> Section:
    found = annex.structure
    if found is None:
        note = "Nobody looked into the model: its file was not given. No evidence on what it holds of its rows."
        return Section("structure", "What the model itself holds", notes=(note,))
    findings = tuple(f"{f.severity.capitalize()}: {f.title}. {f.remedy}" for f in found.findings)
    whole = replace(structure_table(found), title="What the model itself holds")
    return Section("structure", whole.title, tables=(whole,), notes=findings)


def _coverage(annex: Annex) -> Section:
    rows = [(c.family, c.status, c.shown) for c in annex.coverage]
    whole = table("coverage", "Coverage", ("Family of attacks", "Status", "Evidence"), rows, left=3)
    return Section("coverage", "Coverage", tables=(whole,))


def _attackers(annex: Annex) -> Section:
    rows = [(a.access, a.knowledge, a.cost, a.attack, area(a.auc), tpr_cell(a.tpr)) for a in annex.attackers]
    heads = ("Access", "Knowledge", "Cost", "Attack", "AUC", "TPR at the lowest FPR")
    flags = tuple(Remark("warning", "Weaker than the release", flag, ()) for flag in annex.flags)
    whole = table("attackers", "Attackers that were tested", heads, rows, left=4)
    return Section("attackers", "Attackers that were tested", remarks=flags, tables=(whole,))


def _worst(annex: Annex) -> tuple[Fact, ...]:
    worst, part = annex.most_exposed, annex.worst_slice
    facts: list[Fact] = []
    if worst is not None:
        tried = ", ".join(map(str, worst.tried))
        facts.append(
            (
                f"Most exposed {worst.unit}s",
                f"of the {worst.ranked} that an attacker names first {worst.members} are members; "
                f"{worst.right.low:.0%} to {worst.right.high:.0%} of such accusations are right where half of the "
                "candidates are members "
                f"(at {worst.level:.0%} for the first {tried} together)",
            )
        )
        facts.append((f"First of these {worst.unit}s", worst.first))
    else:
        facts.append(("Most exposed", "not measured: too few were ranked"))
    if part is None:
        facts.append(("Most exposed slice", "not measured: name columns in [statistics] slices"))
    else:
        held = f"{part.intervals} intervals hold together, each at {part.level:.2%}"
        facts.append(
            (
                "Most exposed slice",
                f"{part.name} (by {part.division}): AUC {part.auc.value:.3f} ({part.auc.low:.3f} to "
                f"{part.auc.high:.3f}; {held})",
            )
        )
    return tuple(facts)


def _measures(annex: Annex) -> Section:
    rows = [(m.name, "taken" if m.taken else "tried", Cell(m.effect)) for m in annex.measures]
    notes = () if rows else ("None was taken, and no bench of this plan lies next to the run.",)
    whole = table("measures", "Measures", ("Measure", "", "Before and after"), rows, left=3)
    return Section("measures", "Measures", tables=(whole,), notes=notes)


def _to_do(annex: Annex) -> Section:
    lines = tuple(f"{one.title}. {one.remedy} {measure_todo(one)}" for one in annex.to_do)
    findings = tuple(f"{f.severity.capitalize()}: {f.title} ({f.code}). {f.remedy}" for f in annex.findings)
    nothing = () if lines else (f"{NOTHING} see Coverage and Limits.",)
    return Section("to-do", "What to do, and findings", notes=(*nothing, *lines, *findings))


def _boxes(annex: Annex) -> Table:
    rows = [(who, cell(""), cell(""), cell("")) for who in annex.signatures]
    return table("signatures", "Signatures", ("Role", "Name", "Date", "Signature"), rows, left=4)
