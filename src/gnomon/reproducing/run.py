"""A paper reproduced within a budget: its experiments in order of how much they tell, all in one store, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from gnomon.auditing.api import Settings
from gnomon.auditing.progress import Progress, Silent
from gnomon.core.documents.record import Record
from gnomon.core.documents.reproduction import Compared, ExperimentResult, Reproduction
from gnomon.core.documents.schema import Part
from gnomon.core.documents.study import Study
from gnomon.core.errors import GnomonError
from gnomon.core.files import write_text
from gnomon.datasets import load_dataset
from gnomon.models.torch.networks import resolve_device
from gnomon.reproducing.budget import BudgetItem, TimeLedger, calibrate
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


@dataclass(frozen=True)
class Wish:
    """How a paper is to be reproduced.

    Attributes:
        paper: name of its folder.
        budget: seconds; None for no limit.
        repeats: seeds of each cell.
        stand_ins: use freely available data in the place of data that can't always be fetched.
    """

    paper: str
    budget: float | None
    repeats: int = 3
    stand_ins: bool = False


class _Kept(Part):
    """What a run hands on to the next one, so that both decide alike."""

    scale: float


def reproduce(
    wish: Wish,
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    command: str = "",
) -> Reproduction:
    """Runs what fits the budget and says what does not; run again, it takes everything from the folder.

    The budget counts the seconds of all cells, those of earlier runs in this folder too.

    Args:
        wish: which paper, how much time.
        folder: keeps ``cells/`` and ``store/``.
        settings: how to run; code of this package's own recipes is trusted.
        progress: who is told how far it is.
        told: is told in a line what is done with each experiment.
        command: that asked for it, for the document.

    Raises:
        GnomonError: a broken plan; nothing has run then.
    """
    start, told = time.perf_counter(), told or (lambda _: None)
    settings = replace(settings or Settings(), trust=True)
    paper = read_paper(wish.paper, repeats=wish.repeats, stand_ins=wish.stand_ins)
    plain = read_paper(wish.paper, repeats=wish.repeats, stand_ins=False)
    for _, spec in paper.experiments:
        lay_out(spec, trust=True)  # every plan is checked before anything runs
    ledger = TimeLedger(wish.budget, _scale(folder), {})
    run = _Run(folder, settings, progress or Silent(), told, {})
    results, reused = [], 0
    for (experiment, spec), (_, original) in zip(paper.experiments, plain.experiments, strict=True):
        result, ledger, again = run.experiment(experiment, spec, paper, ledger, stood_in(spec, original))
        results.append(result)
        reused += again
    return Reproduction(
        name=paper.name,
        paper=paper.reference,
        sources=dict(paper.sources),
        seeds=list(range(wish.repeats)),
        budget=wish.budget,
        spent=round(ledger.spent, 1),
        stand_ins=wish.stand_ins,
        scale=round(ledger.slowness, 3),
        experiments=results,
        made=machine_facts(time.perf_counter() - start, reused, command),
    )


@dataclass(frozen=True)
class _Run:
    folder: Path
    settings: Settings
    progress: Progress
    told: Callable[[str], None]
    missing: dict[str, str]  # data set -> why it can't be had; "" if it can

    def experiment(
        self, experiment: Experiment, spec: StudySpec, paper: Paper, ledger: TimeLedger, stand_ins: Sequence[str]
    ) -> tuple[ExperimentResult, TimeLedger, int]:
        """One experiment: its result, the ledger after it, and how many of its cells had run before."""
        notes = [*experiment.notes, *stand_ins]
        blank = ExperimentResult(
            key=experiment.key, title=experiment.title, question=experiment.question, status="left out",
            cells=len(lay_out(spec, trust=True)), done=0, seconds=0.0, estimate=0.0, notes=notes,
            show=list(experiment.show), group=experiment.group,
        )  # fmt: skip
        works = self._works(experiment, spec)
        if experiment.gpu and resolve_device("auto") == "cpu" and any(work.took is None for work in works):
            estimate = ledger.slowness * sum(work.seconds for work in works)
            wanted = f"a GPU; about {_minutes(estimate)} on this machine's processors"
            return self._left_out(blank, "there is no GPU", wanted, estimate), ledger, 0
        if experiment.optional and find_spec(experiment.optional) is None:
            wanted = f"the package {experiment.optional}"
            return self._left_out(blank, f"{experiment.optional} is not installed", wanted, 0.0), ledger, 0
        reasons = self._unavailable(spec, works)
        there = without_data(spec, list(reasons)) if reasons else spec
        lost = [f"{name}: {why}" for name, why in reasons.items()]
        if there is None:
            self.told(f"{experiment.title}: no data ({'; '.join(lost)})")
            return blank.model_copy(update={"status": "no data", "reason": "; ".join(lost)}), ledger, 0
        works = self._works(experiment, there)
        decision = ledger.decide(works)
        if not decision.fits:
            reason = (
                f"about {_minutes(decision.estimate)}, and {_minutes(max(0.0, decision.left))} of the budget is left"
            )
            wanted = f"a budget larger by about {_minutes(decision.estimate - max(0.0, decision.left))}"
            return self._left_out(blank, reason, wanted, decision.estimate), ledger, 0
        self.told(f"{experiment.title}: {len(works)} cells, about {_minutes(decision.estimate)}")
        return self._carry_out(blank.model_copy(update={"notes": [*notes, *lost]}), experiment, there, paper, ledger)

    def _left_out(self, blank: ExperimentResult, reason: str, wanted: str, estimate: float) -> ExperimentResult:
        self.told(f"{blank.title}: left out ({reason})")
        return blank.model_copy(update={"reason": reason, "wanted": wanted, "estimate": estimate})

    def _carry_out(
        self, blank: ExperimentResult, experiment: Experiment, spec: StudySpec, paper: Paper, ledger: TimeLedger
    ) -> tuple[ExperimentResult, TimeLedger, int]:
        start, runs, before = time.perf_counter(), [], ledger.spent
        cells = lay_out(spec, trust=True)
        works = self._works(experiment, spec)
        advance = self.progress.stage(experiment.key, len(cells))
        for cell, work in zip(cells, works, strict=True):
            if not ledger.decide([work]).fits:
                break
            run = run_cell(cell, self.folder / "cells", self.settings, self.progress)
            runs.append(run)
            advance(1)
            if run.record is None:
                self.told(f"{experiment.title}, {cell.title}: {run.reason}")
            elif work.key not in ledger.counted:
                ledger = ledger.after(work, run.seconds)
        study = summarise(spec, runs, self.folder, time.perf_counter() - start, headline=PAPERS_ATTACK)
        rest = works[len(runs) :]
        estimate = ledger.slowness * sum(work.seconds for work in rest)
        update = {
            "status": "cut short" if rest else "run",
            "reason": f"the budget was spent after {len(runs)} of {len(cells)} cells" if rest else "",
            "wanted": f"about {_minutes(estimate)} more" if rest else "",
            "done": sum(run.record is not None for run in runs),
            "seconds": round(ledger.spent - before, 1),
            "estimate": estimate,
            "study": study,
            "compared": compared(experiment, study, paper, stand_in=_has_stand_in(spec)),
            "statements": [state(shape, study.cells, _records(runs, shape.axis)) for shape in experiment.shapes],
        }
        return blank.model_copy(update=update), ledger, sum(run.reused for run in runs)

    def _works(self, experiment: Experiment, spec: StudySpec) -> list[BudgetItem]:
        cells = lay_out(spec, trust=True)
        return [self._work(experiment, spec, cell) for cell in cells]

    def _work(self, experiment: Experiment, spec: StudySpec, cell: CellPlan) -> BudgetItem:
        cost = experiment.seconds
        if isinstance(cost, dict):
            cost = cost[cell.labels[spec.axes[0].key]]
        done = finished(cell, self.folder / "cells")
        key = cell_folder(cell, self.folder / "cells").name
        return BudgetItem(key, cost, None if done is None else done.seconds)

    def _unavailable(self, spec: StudySpec, works: Sequence[BudgetItem]) -> dict[str, str]:
        """Data sets of the study that can't be had, with the reason; nothing is loaded where all cells have run."""
        if all(work.took is not None for work in works):
            return {}
        found = {}
        for name in dict.fromkeys(data_sources(spec)):
            if name not in self.missing:
                try:
                    load_dataset(name)
                    self.missing[name] = ""
                except GnomonError as error:
                    self.missing[name] = " ".join(str(error).split())
            if self.missing[name]:
                found[name] = self.missing[name]
        return found


def compared(experiment: Experiment, study: Study, paper: Paper, *, stand_in: bool) -> list[Compared]:
    """The paper's figures beside ours, under the headline attack."""
    if not study.axes:
        return []
    axis, common = study.axes[0].key, study.plan.get("data", {}).get("source")
    found = []
    for row in experiment.paper:
        for figure in paper.figures_of(row):
            label = _stand_in_label(row.label, study.axes[0].labels)
            curve = next(
                (
                    c
                    for c in study.curves
                    if c.axis == axis and c.figure == figure.column and c.attack in (None, study.headline)
                ),
                None,
            )
            point = None if curve is None else next((p for p in curve.points if p.label == label), None)
            other = stand_in and (label != row.label or common in STAND_INS.values())
            found.append(
                Compared(
                    label=label,
                    figure=figure.column,
                    paper=figure.value,
                    source=figure.source,
                    ours=point,
                    stand_in=other,
                )
            )
    return found


def _stand_in_label(label: str, labels: Sequence[str]) -> str:
    if label in labels:
        return label
    for paper, ours in STAND_INS.items():
        if label.replace(paper, ours) in labels:
            return label.replace(paper, ours)
    return label


def _has_stand_in(spec: StudySpec) -> bool:
    return any(source in STAND_INS.values() for source in data_sources(spec))


def _records(runs: Sequence[CellRun], axis: str) -> Mapping[tuple[str, int], Record]:
    return {(run.cell.labels.get(axis, ""), run.cell.seed): run.record for run in runs if run.record is not None}


def _scale(folder: Path) -> float:
    """This machine's slowness: as the first run in this folder measured it."""
    file = folder / "calibration.json"
    try:
        return _Kept.model_validate_json(file.read_text(encoding="utf-8")).scale
    except (OSError, UnicodeDecodeError, ValidationError):
        scale = calibrate()
        write_text(file, _Kept(scale=scale).model_dump_json() + "\n")
        return scale


def _minutes(seconds: float) -> str:
    for unit, name, limit in ((1, "s", 90), (60, "min", 100 * 60), (3600, "hours", 48 * 3600)):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.1f} days"
