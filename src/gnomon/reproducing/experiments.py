"""A paper's experiments as data: a study file each, and an index that says what they cost and what they should show.

The index (``index.toml``) and the study files lie in a folder of this package, the paper's own figures beside them
(``figures.json``). Experiments stand in the index in the order of how much they tell.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gnomon.core.documents.schema import PlanTable
from gnomon.core.errors import PlanError, UsageError, did_you_mean, one_line
from gnomon.datasets import SOURCES
from gnomon.reproducing.claims import Shape
from gnomon.studies.spec import StudySpec, make_spec
from gnomon.studies.vary import Choice, VariedKey, with_settings

PAPERS = ("shokri2017",)
STAND_INS = {source.name: source.stand_in for source in SOURCES if source.stand_in is not None}


class PaperRow(PlanTable):
    """Which of the paper's rows belongs beside which label of ours."""

    label: str = Field(description="of the experiment's first axis")
    table: str
    row: str


class Experiment(PlanTable):
    """One entry of the index."""

    key: str
    file: str = Field(description="the study file next to the index")
    title: str
    question: str
    seconds: float | dict[str, float] = Field(
        description="that a cell takes on two quiet cores, or by label of the first axis"
    )
    show: tuple[str, ...] = Field((), description="figures to draw; default all")
    notes: tuple[str, ...] = Field((), description="what differs from the paper")
    paper: tuple[PaperRow, ...] = ()
    shapes: tuple[Shape, ...] = ()
    group: str = Field("", description="its mark in the picture of precision against the gap; default: not in it")
    gpu: bool = Field(False, description="run only where there is a GPU: on a CPU it would take days")
    optional: str = Field("", description="package that it needs")


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper: where it stands, and how far it was confirmed."""

    table: str
    row: str
    column: str
    value: float
    source: str


@dataclass(frozen=True)
class Paper:
    """A paper's experiments and figures."""

    name: str
    reference: str
    sources: Mapping[str, str]  # tag -> meaning
    figures: tuple[PaperFigure, ...]
    experiments: tuple[tuple[Experiment, StudySpec], ...]

    def figures_of(self, row: PaperRow) -> list[PaperFigure]:
        """The paper's figures in one row of a table."""
        return [f for f in self.figures if (f.table, f.row) == (row.table, row.row)]


def paper_folder(name: str) -> Traversable:
    """Where a paper's files lie: a folder of this package by its name, or a folder of the user's own.

    Raises:
        UsageError: no such paper.
    """
    ours = resources.files("gnomon.reproducing").joinpath(name)
    if name in PAPERS:
        return ours
    if (Path(name) / "index.toml").is_file():
        return Path(name)
    raise UsageError(f'no paper "{name}"{did_you_mean(name, PAPERS)}; or name a folder with an index.toml')


def read_paper(name: str, *, repeats: int, stand_ins: bool) -> Paper:
    """A paper's experiments.

    Args:
        name: such as "shokri2017", or a folder.
        repeats: seeds of each cell.
        stand_ins: put freely available data in the place of data that can't always be fetched.

    Raises:
        UsageError: no such paper.
        PlanError: a file of it is broken.
    """
    folder = paper_folder(name)

    def read(file: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(folder.joinpath(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PlanError(f"{name}/{file}: can't be read: {one_line(str(error))}") from None

    figures = read("figures.json", json.loads)
    try:
        index = [Experiment.model_validate(entry) for entry in read("index.toml", tomllib.loads)["experiment"]]
        reference, sources = figures["paper"], figures["meaning"]
        listed = tuple(PaperFigure(**entry) for entry in figures["figures"])
    except ValidationError as error:
        raise PlanError(f"{name}/index.toml: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from None
    except (KeyError, TypeError) as error:
        raise PlanError(
            f"{name}: expected [[experiment]] tables in index.toml, and paper, meaning and figures in figures.json "
            f"({one_line(str(error))})"
        ) from None
    specs = []
    for experiment in index:
        values = read(experiment.file, tomllib.loads)
        spec = make_spec(values, repeats=repeats, name=experiment.key, folder=Path(), source=experiment.file)
        spec = replace(spec, title=experiment.title, question=experiment.question)
        specs.append((experiment, with_stand_ins(spec) if stand_ins else spec))
    return Paper(
        name=Path(name).name,
        reference=reference,
        sources=sources,
        figures=listed,
        experiments=tuple(specs),
    )


def with_stand_ins(spec: StudySpec) -> StudySpec:
    """The study on stand-ins; a cell that is named by its data set gets the stand-in's own name."""
    values = dict(spec.values)
    source = values.get("data", {}).get("source")
    if source in STAND_INS:
        values = with_settings(values, [("data.source", STAND_INS[source])], spec.source)
    return replace(spec, values=values, axes=tuple(_axis_with_stand_ins(axis) for axis in spec.axes))


def stood_in(spec: StudySpec, plain: StudySpec) -> list[str]:
    """Sentences on what stands in for what."""
    sources = zip(data_sources(plain), data_sources(spec), strict=True)
    return [f"{ours} stands in for {paper}: other data, made in its manner" for paper, ours in sources if paper != ours]


def data_sources(spec: StudySpec) -> list[str]:
    """The data sets of a study, in order."""
    named = [
        str(value)
        for axis in spec.axes
        for choice in axis.choices
        for key, value in choice.settings
        if key == "data.source"
    ]
    own = spec.values.get("data", {}).get("source")
    return [*([str(own)] if own is not None else []), *named]


def without_data(spec: StudySpec, missing: Sequence[str]) -> StudySpec | None:
    """The study without the cells whose data can't be had; None if nothing is left."""
    own = spec.values.get("data", {}).get("source")
    named_axes = [axis for axis in spec.axes if any(_source(choice) for choice in axis.choices)]
    if own in missing and not named_axes:
        return None
    axes = []
    for axis in spec.axes:
        kept = (
            tuple(c for c in axis.choices if (_source(c) or own) not in missing) if axis in named_axes else axis.choices
        )
        if not kept:
            return None
        axes.append(VariedKey(axis.key, kept))
    return replace(spec, axes=tuple(axes))


def _source(choice: Choice) -> str | None:
    return next((str(value) for key, value in choice.settings if key == "data.source"), None)


def _axis_with_stand_ins(axis: VariedKey) -> VariedKey:
    return VariedKey(axis.key, tuple(_choice_with_stand_in(choice) for choice in axis.choices))


def _choice_with_stand_in(choice: Choice) -> Choice:
    source: Any = _source(choice)
    if source not in STAND_INS:
        return choice
    settings = tuple((k, STAND_INS[source] if k == "data.source" else v) for k, v in choice.settings)
    return Choice(choice.label.replace(source, STAND_INS[source]), settings)
