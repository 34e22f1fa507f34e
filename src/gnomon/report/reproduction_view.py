"""What a report of a reproduction shows: which shapes hold, the paper's figures beside ours, what was left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gnomon.core.reproduction import Compared, ExperimentResult, Reproduction
from gnomon.core.study import Study
from gnomon.report import study_view, wording
from gnomon.report.facts import Fact
from gnomon.report.panel import Panel
from gnomon.report.reproduction_plots import overview
from gnomon.report.study_view import intervals
from gnomon.report.tables import NONE, Cell, Column, Table

# the page's styles know the levels of a verdict
BADGES = {"holds": "none_found", "holds in part": "none_found", "does not hold": "leaks", "not shown": "leaks_some"}
STATUS = {
    "run": "run",
    "cut short": "cut short by the budget",
    "left out": "left out",
    "no data": "no data",
}


@dataclass(frozen=True)
class Said:
    """A statement, spelt out."""

    says: str
    verdict: str
    level: str
    evidence: str


@dataclass(frozen=True)
class Section:
    """One experiment that was run."""

    key: str
    title: str
    question: str
    notes: tuple[str, ...]
    statements: tuple[Said, ...]
    compared: Table | None
    panels: tuple[tuple[Panel, int], ...]  # with their place in the study's own panels
    tables: tuple[Table, ...]  # the attacks beside the headline's
    failed: Table | None
    intervals: str


@dataclass(frozen=True)
class ReproductionView:
    """One reproduction's report."""

    title: str
    lead: str
    facts: tuple[Fact, ...]
    summary: Table
    overview: Panel | None
    sections: tuple[Section, ...]
    left_out: Table | None
    sources: tuple[str, ...]
    provenance: tuple[Fact, ...]


def reproduction_view(made: Reproduction) -> ReproductionView:
    """The view that all renderers share; all text in it is on one line and free of control characters."""
    said = [s for e in made.experiments for s in e.statements]
    count = {verdict: sum(s.verdict == verdict for s in said) for verdict in BADGES}
    lead = (
        f"{wording.counted(len(said), 'statement')} on the shapes of the paper's results. Holds here: "
        f"{count['holds']}; holds in part: {count['holds in part']}; does not hold: {count['does not hold']}; "
        f"not shown either way: {count['not shown']}. Each is computed from intervals over seeds."
    )
    return ReproductionView(
        title=wording.clean(made.paper),
        lead=lead,
        facts=_facts(made),
        summary=_summary(made),
        overview=overview(made),
        sections=tuple(_section(e) for e in made.experiments if e.study is not None),
        left_out=_left_out(made),
        sources=tuple(wording.clean(f"{tag}: {meaning}") for tag, meaning in made.sources.items()),
        provenance=_provenance(made),
    )


def _facts(made: Reproduction) -> tuple[Fact, ...]:
    ran = [e for e in made.experiments if e.study is not None]
    budget = "none" if made.budget is None else wording.duration(made.budget)
    return (
        Fact("experiments", f"{len(ran)} of {len(made.experiments)}"),
        Fact("audits", wording.count(sum(e.done for e in ran))),
        Fact("seeds", ", ".join(map(str, made.seeds))),
        Fact("budget", budget),
        Fact("spent", wording.duration(made.spent)),
    )


def _summary(made: Reproduction) -> Table:
    rows = [
        (Cell(wording.clean(s.says)), Cell(s.verdict), Cell(wording.clean(e.title)), Cell(wording.clean(s.evidence)))
        for e in made.experiments
        for s in e.statements
    ]
    columns = tuple(Column(name, numeric=False) for name in ("Statement", "Verdict", "Experiment", "Figures"))
    return Table("statements", "Which shapes hold", columns, tuple(rows))


def _section(experiment: ExperimentResult) -> Section:
    study, clean = experiment.study, wording.clean
    assert study is not None
    shown = study_view.study_view(study)
    notes = [*experiment.notes, *([experiment.reason] if experiment.reason else [])]
    keep = [(panel, i) for i, panel in enumerate(shown.panels) if panel.key.startswith(("axis", "heat"))]
    if "precision" in experiment.show and _has_classes(study):
        keep += [(panel, i) for i, panel in enumerate(shown.panels) if panel.key == "classes"]
    prefix = f"{experiment.key}-"
    folded = [table for tables in shown.folded.values() for table in tables]
    return Section(
        key=experiment.key,
        title=clean(experiment.title),
        question=clean(experiment.question),
        notes=tuple(map(clean, notes)),
        statements=tuple(
            Said(clean(s.says), s.verdict, BADGES[s.verdict], clean(s.evidence)) for s in experiment.statements
        ),
        compared=_compared(experiment, study),
        panels=tuple((_prefixed(panel, prefix), i) for panel, i in keep),
        tables=tuple(replace(table, key=prefix + table.key) for table in folded),
        failed=None if shown.failed is None else replace(shown.failed, key=f"{prefix}failed"),
        intervals=intervals(study),
    )


def _has_classes(study: Study) -> bool:
    return len(study.axes) == 1 and study.axes[0].key in ("data set", "data.classes")


def _prefixed(panel: Panel, prefix: str) -> Panel:
    tables = tuple(replace(table, key=prefix + table.key) for table in panel.tables)
    return replace(panel, key=prefix + panel.key, tables=tables)


def _compared(experiment: ExperimentResult, study: Study) -> Table | None:
    """A row a label; the paper's figure and ours side by side for each kind of figure."""
    if not experiment.compared:
        return None
    found = {(c.label, c.figure): c for c in experiment.compared}
    labels = list(dict.fromkeys(label for label, _ in found))
    kinds = [kind for kind in study.figures if any(figure == kind.key for _, figure in found)]
    rows = []
    for label in labels:
        stand_in = any(c.stand_in for (name, _), c in found.items() if name == label)
        cells = [Cell(wording.clean(label), ("stand-in: not the paper's data",) if stand_in else ())]
        for kind in kinds:
            compared = found.get((label, kind.key))
            cells += [_papers(compared), _ours(compared)]
        rows.append(tuple(cells))
    heads = [Column(f"{kind.title}, {whose}") for kind in kinds for whose in ("paper", "here")]
    title = "The paper's figures beside ours"
    return Table(f"{experiment.key}-compared", title, (Column("", numeric=False), *heads), tuple(rows))


def _papers(compared: Compared | None) -> Cell:
    if compared is None:
        return Cell(NONE, muted=True)
    return Cell(wording.share(compared.paper), (wording.clean(compared.source),))


def _ours(compared: Compared | None) -> Cell:
    point = None if compared is None else compared.ours
    if point is None or point.mean is None:
        return Cell(NONE, muted=True)
    return Cell(wording.share(point.mean.value), (wording.shares(point.mean),) if point.interval != "none" else ())


def _left_out(made: Reproduction) -> Table | None:
    left = [e for e in made.experiments if e.status != "run"]
    rows = tuple(
        (
            Cell(wording.clean(e.title)),
            Cell(STATUS[e.status]),
            Cell(wording.clean(e.reason)),
            Cell(wording.clean(e.wanted) or NONE),
            Cell(wording.duration(e.estimate) if e.estimate else NONE),
        )
        for e in left
    )
    names = ("Experiment", "", "Why", "What it would take", "Time on this machine")
    columns = tuple(Column(name, numeric=False) for name in names)
    return Table("left-out", "What was left out, and what it would take", columns, rows) if rows else None


def _provenance(made: Reproduction) -> tuple[Fact, ...]:
    machine = made.made
    facts = [
        Fact("Made", wording.moment(machine.created)),
        Fact("This run", f"{wording.duration(machine.seconds)}, {wording.counted(machine.reused, 'audit')} run before"),
        Fact("All audits", wording.duration(made.spent)),
        Fact("gnomon", machine.gnomon),
        Fact("Python", machine.python),
        Fact("Machine", wording.clean(f"{machine.machine}, {wording.counted(machine.cores, 'core')}")),
        Fact("Slower than the reference machine by", f"{made.scale:.2f}"),
        Fact("Packages", wording.clean(", ".join(f"{k} {v}" for k, v in machine.packages.items()))),
    ]
    return (Fact("Command", wording.clean(machine.command)), *facts) if machine.command else tuple(facts)
