"""A study's specification: a plan, what is varied, how often it is repeated; and the cells that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gnomon.auditing.evidence.mitigations import read_mitigations
from gnomon.auditing.inputs.loading import make_trainer
from gnomon.auditing.inputs.plugins import load_plugins
from gnomon.auditing.settings import NOTHING, Trust, refuse_sending
from gnomon.core.documents.schema import PlanTable
from gnomon.core.errors import PlanError, UsageError, did_you_mean
from gnomon.core.plan import Plan, check_name, name_of, plan_in, read_toml
from gnomon.studies.vary import VariedKey, axis_of, flat, named_axis, with_settings

MOST_CELLS = 10_000


class StudyTable(PlanTable):
    """[study] in a study file: a plan with this table beside its own."""

    title: str | None = Field(None, description="what reports call the study")
    question: str = Field("", description="what it is to answer, in a sentence")
    repeats: int = Field(1, ge=1, description="seeds of each combination, counted up from the plan's")
    vary: dict[str, Any] = Field(default_factory=dict, description='"trainer.epochs" = [5, 20, 80]')
    axis: str = Field("cell", description="what [[study.cells]] are called together, e.g. model")
    cells: tuple[dict[str, Any], ...] = Field(
        (), description="sets of keys that vary together: a name, and tables of the plan"
    )


@dataclass(frozen=True)
class StudySpec:
    """A study before it runs.

    Attributes:
        name: of the study.
        title: what reports call it.
        question: what it answers; may be empty.
        values: the plan that all cells share, as nested tables.
        axes: what is varied.
        repeats: seeds of each combination.
        folder: that paths in the plan are relative to.
        source: what error messages call it.
    """

    name: str
    title: str
    question: str
    values: Mapping[str, Any]
    axes: tuple[VariedKey, ...]
    repeats: int
    folder: Path
    source: str

    @property
    def seeds(self) -> tuple[int, ...]:
        """The plan's seed and those after it."""
        first = self.values.get("seed", 0)
        return tuple(range(first, first + self.repeats))


@dataclass(frozen=True)
class CellPlan:
    """One audit to be carried out: its place in the study and its plan."""

    labels: Mapping[str, str]  # axis -> value
    seed: int
    plan: Plan

    @property
    def title(self) -> str:
        """Such as "trainer.epochs = 5, seed 0"."""
        varied = [f"{key} = {label}" for key, label in self.labels.items()]
        return ", ".join([*varied, f"seed {self.seed}"])


def make_spec(
    values: Mapping[str, Any],
    axes: Sequence[VariedKey] = (),
    *,
    repeats: int | None = None,
    name: str = "study",
    folder: Path | None = None,
    source: str = "study",
) -> StudySpec:
    """A study from nested tables: those of a plan, and perhaps a table ``study``.

    Args:
        values: the tables.
        axes: further axes; one of a key that the tables vary too takes its place.
        repeats: seeds of each combination; default what the tables say.
        name: of the study.
        folder: that paths are relative to; default the working folder.
        source: what error messages call it.

    Raises:
        UsageError: a study of nothing, a key given twice.
        PlanError: a ``study`` table that can't be.
    """
    plan = {key: value for key, value in values.items() if key != "study"}
    table = _study_table(values.get("study", {}), source)
    own = [axis_of(key, _values(key, value, source)) for key, value in flat(table.vary)]
    if table.cells:
        own.append(named_axis(table.axis, table.cells, source))
    keys = [axis.key for axis in axes]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise UsageError(f"--vary {twice[0]} is given twice; name all its values in one")
    if repeats is not None and repeats < 1:
        raise UsageError(f"--repeats: expected 1 or more, got {repeats}")
    return StudySpec(
        name=name,
        title=table.title or name,
        question=table.question,
        values={"name": name, **plan},
        axes=(*(axis for axis in own if axis.key not in keys), *axes),
        repeats=table.repeats if repeats is None else repeats,
        folder=(folder or Path()).resolve(),
        source=source,
    )


def read_spec(path: Path, axes: Sequence[VariedKey] = (), *, repeats: int | None = None) -> StudySpec:
    """A study from a file: a plan (TOML), perhaps with a table [study].

    Raises:
        PlanError: a file that can't be read, or says something that can't be.
        UsageError: an axis given twice.
    """
    values = read_toml(path)
    try:
        name = check_name(str(values.get("name", name_of(path))))
    except ValueError as error:
        raise PlanError(f"{path}: name: {error}") from None
    return make_spec(values, axes, repeats=repeats, name=name, folder=path.resolve().parent, source=str(path))


def lay_out(spec: StudySpec, trusted: Trust = NOTHING) -> list[CellPlan]:
    """All cells, checked, one seed after the other, so that a study that is cut short has whole seeds.

    Raises:
        PlanError: an unknown key or a value that can't be, in any of the cells, before anything runs.
        UsageError: an unknown attack or option; more cells than anybody would wait for.
    """
    combinations = list(product(*(axis.choices for axis in spec.axes)))
    if len(combinations) * spec.repeats > MOST_CELLS:
        raise UsageError(
            f"{len(combinations):,} combinations x {spec.repeats} repeats are more than {MOST_CELLS:,} cells; "
            "vary fewer keys or values"
        )
    cells = []
    for seed in spec.seeds:
        for choices in combinations:
            labels = {axis.key: choice.label for axis, choice in zip(spec.axes, choices, strict=True)}
            told = ", ".join(f"{key} = {label}" for key, label in labels.items())
            source = f"{spec.source}, {told}" if told else spec.source
            settings = [setting for choice in choices for setting in choice.settings]
            plan = plan_in(spec.folder, with_settings(spec.values, [*settings, ("seed", seed)], source), source)
            cells.append(CellPlan(labels, seed, plan))
    for cell in cells[: len(combinations)]:
        _check(cell, spec.source, trusted)
    return cells


def _check(cell: CellPlan, source: str, trusted: Trust) -> None:
    """What a plan's own checks can't see: options of attacks, parameters of an estimator, what the user allows."""
    try:
        refuse_sending(cell.plan, trusted)
        plugins = load_plugins(cell.plan, trust=trusted.trust)
        plugins.selected(cell.plan.attacks)
        read_mitigations(cell.plan.mitigations, cell.plan.data.reference_size, plugins.mitigations)
        if cell.plan.trainer.kind in ("torch", "sklearn"):
            make_trainer(cell.plan.trainer, None, trust=trusted.trust)
    except UsageError as error:
        raise PlanError(f"{source}, {cell.title}: {error}") from None


def _study_table(values: Any, source: str) -> StudyTable:
    try:
        return StudyTable.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            hint = did_you_mean(str(problem["loc"][-1]), StudyTable.model_fields)
            raise PlanError(f'{source}: unknown key "study.{key}"{hint}') from None
        raise PlanError(f"{source}: study.{key}: {problem['msg']}, got {problem['input']!r}") from None


def _values(key: str, value: Any, source: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise PlanError(f"{source}: study.vary: expected a list of values for {key}, got {value!r}")
    return value
