"""A paper reproduced within a budget: its experiments in order of how much they tell, all in one store, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from gnomon.auditing.settings import Progress, Settings, Silent
from gnomon.core.documents.record import Record
from gnomon.core.documents.reproduction import Compared, ExperimentResult, Reproduction
from gnomon.core.documents.study import Study
from gnomon.core.errors import GnomonError, one_line
from gnomon.datasets import load_dataset
from gnomon.models import torch as networks
from gnomon.reproducing.claims import state
from gnomon.reproducing.experiments import (
    STAND_INS,
    Experiment,
    Paper,
    data_sources,
    read_paper,
    stood_in,
    without_data,
)
from gnomon.studies.cells import CellRun, cell_folder, finished, run_cell
from gnomon.studies.spec import CellPlan, StudySpec, lay_out
from gnomon.studies.summary import machine_facts, summarise

PAPERS_ATTACK = "shokri"  # statements and pictures speak of it unless they name another
REFERENCE = "on two quiet cores"  # that the costs in an index were measured on


def reproduce(
    paper: str,
    folder: Path,
    settings: Settings | None = None,
    *,
    budget: float | None = None,
    repeats: int = 3,
    stand_ins: bool = False,
    progress: Progress | None = None,
    told: Callable[[str], None] = lambda _: None,
    command: str = "",
) -> Reproduction:
    """Runs a paper's experiments until the time is spent; run again, it takes everything from the folder.

    Args:
        paper: name of its folder, or a folder of the user's own.
        folder: keeps ``cells/`` and ``store/``.
        settings: how to run; code of this package's own recipes is trusted.
        budget: seconds that all cells may take, those of earlier runs in this folder too; the cell that spends the
            last of it is carried to its end. None for no limit.
        repeats: seeds of each cell.
        stand_ins: use freely available data in the place of data that can't always be fetched.
        progress: who is told how far it is.
        told: is told in a line what is done with each experiment.
        command: that asked for it, for the document.

    Raises:
        GnomonError: a broken plan; nothing has run then.
    """
    start, settings = time.perf_counter(), replace(settings or Settings(), trust=True)
    chosen, plain = (read_paper(paper, repeats=repeats, stand_ins=s) for s in (stand_ins, False))
    for _, spec in chosen.experiments:
        lay_out(spec, settings)  # every plan is checked before anything runs
    run = _ReproductionRun(chosen, folder, settings, budget, progress or Silent(), told)
    pairs = zip(chosen.experiments, plain.experiments, strict=True)
    results = [run.experiment(one, spec, stood_in(spec, original)) for (one, spec), (_, original) in pairs]
    return Reproduction(
        name=chosen.name,
        paper=chosen.reference,
        sources=dict(chosen.sources),
        seeds=list(range(repeats)),
        budget=budget,
        spent=round(run.spent, 1),
        stand_ins=stand_ins,
        experiments=results,
        made=machine_facts(time.perf_counter() - start, run.reused, command),
    )


@dataclass
class _ReproductionRun:
    paper: Paper
    folder: Path
    settings: Settings
    budget: float | None
    progress: Progress
    told: Callable[[str], None]
    took: dict[str, float] = field(default_factory=dict)  # cell -> seconds; each counts once, whoever asks for it
    missing: dict[str, str] = field(default_factory=dict)  # data set -> why it can't be had; "" if it can
    reused: int = 0

    @property
    def cells(self) -> Path:
        return self.folder / "cells"

    @property
    def spent(self) -> float:
        """Seconds that the cells took so far."""
        return sum(self.took.values())

    def experiment(self, experiment: Experiment, spec: StudySpec, stand_ins: Sequence[str]) -> ExperimentResult:
        """What came of one experiment."""
        cells = lay_out(spec, self.settings)
        result = ExperimentResult(
            key=experiment.key, title=experiment.title, question=experiment.question, status="left out",
            cells=len(cells), done=0, seconds=0.0, estimate=_cost(experiment, spec, cells),
            notes=[*experiment.notes, *stand_ins], show=list(experiment.show), group=experiment.group,
        )  # fmt: skip
        if any(finished(cell, self.cells) is None for cell in cells):  # else nothing is needed
            if lacking := _lacking(experiment, result.estimate):
                return self._left_out(result, *lacking)
            reasons = self._unavailable(spec)
            lost = [f"{name}: {why}" for name, why in reasons.items()]
            there = without_data(spec, list(reasons))
            if there is None:
                self.told(f"{experiment.title}: no data ({'; '.join(lost)})")
                return result.model_copy(update={"status": "no data", "reason": "; ".join(lost), "estimate": 0.0})
            spec, cells = there, lay_out(there, self.settings)
            result = result.model_copy(update={"notes": [*result.notes, *lost]})
        start, before = time.perf_counter(), self.spent
        runs = self._run_cells(experiment, cells)
        if not runs:
            return self._left_out(result, "the budget was spent", f"about {_spell(result.estimate)} {REFERENCE}")
        rest = _cost(experiment, spec, cells[len(runs) :])
        study = summarise(spec, runs, self.folder, time.perf_counter() - start, headline=PAPERS_ATTACK)
        short = len(runs) < len(cells)
        update = {
            "status": "cut short" if short else "run",
            "reason": f"the budget was spent after {len(runs)} of {len(cells)} cells" if short else "",
            "wanted": f"about {_spell(rest)} more {REFERENCE}" if short else "",
            "done": sum(run.record is not None for run in runs),
            "seconds": round(self.spent - before, 1),
            "estimate": rest,
            "study": study,
            "compared": compared(experiment, study, self.paper, stand_in=_has_stand_in(spec)),
            "statements": [state(shape, study.cells, _records(runs, shape.axis)) for shape in experiment.shapes],
        }
        return result.model_copy(update=update)

    def _left_out(self, result: ExperimentResult, reason: str, wanted: str) -> ExperimentResult:
        self.told(f"{result.title}: left out ({reason})")
        return result.model_copy(update={"reason": reason, "wanted": wanted})

    def _run_cells(self, experiment: Experiment, cells: Sequence[CellPlan]) -> list[CellRun]:
        """The cells that the budget admits."""
        runs: list[CellRun] = []
        advance = self.progress.stage(experiment.key, len(cells))
        for cell in cells:
            key = cell_folder(cell, self.cells).name
            if key not in self.took and self.budget is not None and self.spent >= self.budget:
                break
            if not runs:
                self.told(f"{experiment.title}: {len(cells)} cells")
            run = run_cell(cell, self.cells, self.settings, self.progress)
            runs.append(run)
            advance(1)
            self.reused += run.reused
            if run.record is None:
                self.told(f"{experiment.title}, {cell.title}: {run.reason}")
            else:
                self.took[key] = run.seconds
        return runs

    def _unavailable(self, spec: StudySpec) -> dict[str, str]:
        """Data sets of the study that can't be had, with the reason."""
        for name in dict.fromkeys(data_sources(spec)):
            if name not in self.missing:
                try:
                    load_dataset(name)
                    self.missing[name] = ""
                except GnomonError as error:
                    self.missing[name] = one_line(error)
        return {name: self.missing[name] for name in dict.fromkeys(data_sources(spec)) if self.missing[name]}


def compared(experiment: Experiment, study: Study, paper: Paper, *, stand_in: bool) -> list[Compared]:
    """The paper's figures next to ours, under the headline attack."""
    if not study.axes:
        return []
    axis, common = study.axes[0], study.plan.get("data", {}).get("source")
    curves = {c.figure: c for c in reversed(study.curves) if c.axis == axis.key and c.attack in (None, study.headline)}
    found = []
    for row in experiment.paper:
        label = _stand_in_label(row.label, axis.labels)
        other = stand_in and (label != row.label or common in STAND_INS.values())
        for figure in paper.figures_of(row):
            points = curves[figure.column].points if figure.column in curves else []
            ours = next((p for p in points if p.label == label), None)
            found.append(
                Compared(
                    label=label,
                    figure=figure.column,
                    paper=figure.value,
                    source=figure.source,
                    ours=ours,
                    stand_in=other,
                )
            )
    return found


def _stand_in_label(label: str, labels: Sequence[str]) -> str:
    """The label of ours that a label of the paper's became."""
    forms = [label, *(label.replace(paper, ours) for paper, ours in STAND_INS.items())]
    return next((form for form in forms if form in labels), label)


def _has_stand_in(spec: StudySpec) -> bool:
    return any(source in STAND_INS.values() for source in data_sources(spec))


def _records(runs: Sequence[CellRun], axis: str) -> Mapping[tuple[str, int], Record]:
    return {(run.cell.labels.get(axis, ""), run.cell.seed): run.record for run in runs if run.record is not None}


def _lacking(experiment: Experiment, cost: float) -> tuple[str, str] | None:
    """What this machine lacks for the experiment, and what it would take."""
    if experiment.gpu and networks.resolve_device("auto") == "cpu":
        return "there is no GPU", f"a GPU; about {_spell(cost)} {REFERENCE}"
    if experiment.optional and find_spec(experiment.optional) is None:
        return f"{experiment.optional} is not installed", f"the package {experiment.optional}"
    return None


def _cost(experiment: Experiment, spec: StudySpec, cells: Sequence[CellPlan]) -> float:
    """Seconds of these cells on the machine that the index was measured on."""
    cost = experiment.seconds
    return sum(cost[cell.labels[spec.axes[0].key]] if isinstance(cost, dict) else cost for cell in cells)


def _spell(seconds: float) -> str:
    for unit, name, limit in ((1, "s", 90), (60, "min", 100 * 60), (3600, "hours", 48 * 3600)):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.1f} days"
