"""The page of a reproduction: which shapes hold, the paper's values next to ours, what was left out."""

from __future__ import annotations

from gnomon.core.documents.reproduction import Compared, ExperimentResult, Reproduction, Statement
from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import Study, StudyCurve
from gnomon.report import study as studies
from gnomon.report.formatting import count, counted, duration, moment, share, shares
from gnomon.report.plots.study import CellMeans, gaps
from gnomon.report.sections import NONE, Cell, Cells, Fact, Page, Remark, Section, Table, filled, machine, table
from gnomon.report.svg import CURVES

TONES = {"holds": "good", "holds in part": "good", "does not hold": "error", "not shown": "warning"}
STATUS = {"run": "run", "cut short": "cut short by the budget", "left out": "left out", "no data": "no data"}
OVERVIEW = "Precision against the train-test gap"
_FEWEST = 3  # cells that are worth a figure


def reproduction_page(made: Reproduction) -> Page:
    """The view that all renderers share."""
    said = [s for e in made.experiments for s in e.statements]
    held = {verdict: sum(s.verdict == verdict for s in said) for verdict in TONES}
    lead = (
        f"{counted(len(said), 'statement')} on the shapes of the paper's results. Holds here: {held['holds']}; holds "
        f"in part: {held['holds in part']}; does not hold: {held['does not hold']}; not shown either way: "
        f"{held['not shown']}. Each is computed from intervals over seeds."
    )
    sources = "; ".join(f"{tag}: {meaning}" for tag, meaning in made.sources.items())
    return Page(
        kind="reproduction",
        source="one reproduction",
        name=made.paper,
        headline=f"Reproduction: {made.paper}",
        sentences=(lead, f"The paper’s values stand with how far they were confirmed: {sources}."),
        facts=_facts(made),
        sections=filled(
            _summary(made),
            overview(made),
            *(_experiment(e, e.study) for e in made.experiments if e.study is not None),
            _left_out(made),
            Section("provenance", "Where the values come from", facts=_made(made), short="Provenance"),
        ),
    )


def _facts(made: Reproduction) -> tuple[Fact, ...]:
    ran = [e for e in made.experiments if e.study is not None]
    return (
        ("experiments", f"{len(ran)} of {len(made.experiments)}"),
        ("audits", count(sum(e.done for e in ran))),
        ("seeds", ", ".join(map(str, made.seeds))),
        ("budget", "none" if made.budget is None else duration(made.budget)),
        ("spent", duration(made.spent)),
    )


def _made(made: Reproduction) -> tuple[Fact, ...]:
    this = made.made
    return (
        ("Command", this.command),
        ("Made", moment(this.created)),
        ("This run", f"{duration(this.seconds)}, {counted(this.reused, 'audit')} run before"),
        ("All audits", duration(made.spent)),
        *machine(this),
    )


def _summary(made: Reproduction) -> Section:
    rows = [(s.says, s.verdict, e.title, s.evidence) for e in made.experiments for s in e.statements]
    heads = ("Statement", "Verdict", "Experiment", "Values")
    whole = table("statements", "Which shapes hold", heads, rows, left=4)
    return Section(whole.key, whole.title, tables=(whole,))


def _experiment(experiment: ExperimentResult, study: Study) -> Section:
    prefix, remarks = f"{experiment.key}-", tuple(map(_remark, experiment.statements))
    parts = [*studies.axes(study, prefix, experiment.show), *studies.heats(study, prefix)]
    by_class = len(study.axes) == 1 and study.axes[0].key in ("data set", "data.classes")
    return Section(
        experiment.key,
        experiment.title,
        " ".join(filter(None, (experiment.question, studies.intervals(study)))),
        remarks=remarks,
        tables=(_compared(experiment, study), studies.failed(study, prefix)),
        notes=(*experiment.notes, *([experiment.reason] if experiment.reason else [])),
        parts=filled(*parts, studies.classes(study, prefix) if by_class and "precision" in experiment.show else None),
        brief=remarks,
    )


def _remark(said: Statement) -> Remark:
    return Remark(TONES[said.verdict], said.verdict.capitalize(), said.says, (said.evidence,))


def _compared(experiment: ExperimentResult, study: Study) -> Table:
    """A row a label; the paper's value and ours side by side for each kind of value."""
    found = {(c.label, c.figure): c for c in experiment.compared}
    kinds = [kind for kind in study.figures if any(figure == kind.key for _, figure in found)]
    rows: list[Cells] = []
    for label in dict.fromkeys(label for label, _ in found):
        stand_in = any(c.stand_in for (name, _), c in found.items() if name == label)
        pairs = [_pair(found.get((label, kind.key))) for kind in kinds]
        name = Cell(label, ("stand-in: not the paper's data",) if stand_in else ())
        rows.append((name, *(one for pair in pairs for one in pair)))
    heads = [f"{kind.title}, {whose}" for kind in kinds for whose in ("paper", "here")]
    return table(f"{experiment.key}-compared", "The paper's values next to ours", ("", *heads), rows)


def _pair(compared: Compared | None) -> tuple[Cell, Cell]:
    if compared is None:
        return NONE, NONE
    paper, point = Cell(share(compared.paper), (compared.source,)), compared.ours
    if point is None or point.mean is None:
        return paper, NONE
    return paper, Cell(share(point.mean.value), (shares(point.mean),) if point.interval != "none" else ())


def _left_out(made: Reproduction) -> Section:
    left = [e for e in made.experiments if e.status != "run"]
    rows = [
        (e.title, STATUS[e.status], e.reason, e.wanted or NONE, duration(e.estimate) if e.estimate else NONE)
        for e in left
    ]
    heads = ("Experiment", "", "Why", "What it would take", "Time on two quiet cores")
    whole = table("left-out", "What was left out, and what it would take", heads, rows, left=5)
    lines = tuple(f"  {e.title}: {e.reason}; it takes {e.wanted or NONE.text}" for e in left)
    return Section(whole.key, whole.title, tables=(whole,), short="What was left out", brief=lines)


def spots(made: Reproduction) -> list[CellMeans]:
    """All cells of the experiments that have a group, group by group."""
    found = [spot for experiment in made.experiments if experiment.group for spot in _spots(experiment)]
    groups = list(dict.fromkeys(spot.group for spot in found))[: len(CURVES)]
    return [spot for group in groups for spot in found if spot.group == group]


def _spots(experiment: ExperimentResult) -> list[CellMeans]:
    study = experiment.study
    if study is None or not study.axes:
        return []
    axis = study.axes[0].key
    gap = _curve(study.curves, axis, "gap", None)
    precision = _curve(study.curves, axis, "precision", study.headline)
    shared = [label for label in gap if label in precision]
    return [CellMeans(experiment.group, experiment.title, label, gap[label], precision[label]) for label in shared]


def _curve(curves: list[StudyCurve], axis: str, figure: str, attack: str | None) -> dict[str, Estimate]:
    found = next((c for c in curves if (c.axis, c.figure, c.attack) == (axis, figure, attack)), None)
    return {} if found is None else {p.label: p.mean for p in found.points if p.mean is not None}


def overview(made: Reproduction) -> Section | None:
    """What the attack finds against how far targets overfit, over all experiments; None for fewer than three cells."""
    known = spots(made)
    if len(known) < _FEWEST:
        return None
    lead = (
        "One mark a cell of the experiments below, mean over its seeds: how much better the target is on its own rows "
        "than on others (across), and the precision of the paper's attack (up)."
    )
    heads = ("What varies", "Experiment", "Cell", "Gap", "Precision")
    rows = sorted(known, key=lambda spot: spot.gap.value)
    cells = table("overview", "The cells, by their gap", heads, rows, left=3, folded="The cells, by their gap")
    return Section("overview", OVERVIEW, lead, figures=(gaps(OVERVIEW, known),), tables=(cells,))
