"""Documents of every kind, made up by hand, with names that try to break out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from tests.report.sample_defences import around, change, sample_defence
from tests.report.sample_records import ALL as RECORDS
from tests.report.sample_records import HOSTILE

from gnomon.core.documents.comparison import AttackChange, Comparison, RunFacts
from gnomon.core.documents.reproduction import Compared, ExperimentResult, Reproduction, Statement
from gnomon.core.documents.study import (
    Axis,
    ClassCloud,
    ClassPoint,
    FigureKind,
    Heat,
    Point,
    Study,
    StudyCell,
    StudyCurve,
    StudyMachine,
)
from gnomon.report import render
from gnomon.report.formats import Document

EPOCHS, SOURCE = "trainer.epochs", f"data {HOSTILE}"
KINDS = [
    FigureKind(key="train_accuracy", title="accuracy on training rows", of="target"),
    FigureKind(key="test_accuracy", title="accuracy on rows it never saw", of="target"),
    FigureKind(key="gap", title="train-test gap", of="target", chance=0.0),
    FigureKind(key="precision", title="precision", of="attack", chance=0.5),
    FigureKind(key="auc", title="AUC", of="attack", shape="area", chance=0.5),
]
MACHINE = StudyMachine(
    created="2026-03-04T10:20:30+00:00",
    gnomon="0.1.0",
    python="3.12.4",
    machine="Linux x86_64",
    cores=2,
    packages={"numpy": "2.1.0"},
    seconds=12.5,
    reused=3,
    command="gnomon study plan.toml",
)


def point(label: str, value: float | None, **changes: Any) -> Point:
    values: dict[str, Any] = {"repeats": 3, "interval": "student", "values": [] if value is None else [value] * 3}
    return Point(label=label, mean=None if value is None else around(value, 0.02), **{**values, **changes})


def curves(axis: Axis, averaged: list[str]) -> list[StudyCurve]:
    made = []
    for i, kind in enumerate(KINDS):
        for j, attack in enumerate([None] if kind.of == "target" else ["shokri", "gap"]):
            points = [point(label, 0.5 + 0.04 * i + 0.1 * k - 0.03 * j) for k, label in enumerate(axis.labels)]
            made.append(
                StudyCurve(axis=axis.key, figure=kind.key, attack=attack, fixed={}, averaged=averaged, points=points)
            )
    return made


def sample_study(**changes: Any) -> Study:
    """Two varied keys, one of numbers and one of names, a cell that failed, and classes."""
    epochs = Axis(key=EPOCHS, labels=["5", "20", "80"], numbers=[5.0, 20.0, 80.0])
    source = Axis(key=SOURCE, labels=["real | a", HOSTILE])
    heat = Heat(
        rows=EPOCHS,
        columns=SOURCE,
        figure="auc",
        attack="shokri",
        averaged=[],
        cells=[[point(a, 0.5 + 0.1 * i + 0.05 * j) for j, a in enumerate(source.labels)] for i in range(3)],
    )
    classes = [
        ClassPoint(name=f"c{i}", share=0.01 * (i + 1), precision=None if i == 3 else 0.5 + 0.1 * i, recall=0.9)
        for i in range(5)
    ]
    values: dict[str, Any] = {
        "name": "epochs",
        "title": f"Does training longer leak more? {HOSTILE}",
        "question": "How does leakage grow with the number of epochs?",
        "plan": {"data": {"source": "baskets"}},
        "axes": [epochs, source],
        "seeds": [0, 1, 2],
        "figures": KINDS,
        "attacks": {"shokri": "Shadow models (Shokri)", "gap": f"Gap {HOSTILE}"},
        "headline": "shokri",
        "cells": [
            StudyCell(labels={EPOCHS: "5", SOURCE: "real | a"}, seed=0, status="ok", seconds=3.0),
            StudyCell(labels={EPOCHS: "80", SOURCE: HOSTILE}, seed=1, status="failed", reason=f"ValueError: {HOSTILE}"),
        ],
        "curves": [*curves(epochs, [SOURCE]), *curves(source, [EPOCHS])],
        "heats": [heat],
        "classes": [ClassCloud(labels={EPOCHS: "5"}, attack="shokri", classes=classes)],
        "made": MACHINE,
    }
    return Study(**{**values, **changes})


def sample_reproduction(**changes: Any) -> Reproduction:
    """An experiment that was run, with statements of every kind, and two that were left out."""
    verdicts = ("holds", "holds in part", "does not hold", "not shown")
    values: dict[str, Any] = {"cells": 3, "done": 3, "seconds": 9.0, "estimate": 0.0}
    ran = ExperimentResult(
        key="epochs",
        title="Training longer",
        question="Does leakage grow?",
        status="run",
        notes=[f"other rows than the paper's {HOSTILE}"],
        group="epochs",
        study=sample_study(),
        compared=[
            Compared(
                label="80",
                figure="precision",
                paper=0.93,
                source="as recalled",
                ours=point("80", 0.81),
                stand_in=True,
            ),
            Compared(label="5", figure="precision", paper=0.6, source="secondary source", ours=None),
        ],
        statements=[Statement(says=f"It {v} <b>", verdict=v, evidence="5: 50%, 80: 70%") for v in verdicts],
        **values,
    )
    left: dict[str, Any] = {"cells": 9, "done": 0, "seconds": 0.0, "estimate": 7200.0}
    return Reproduction(
        **{
            "name": "shokri2017",
            "paper": f"Shokri et al. (2017) {HOSTILE}",
            "sources": {"as recalled": "from memory"},
            "seeds": [0, 1, 2],
            "budget": 3600.0,
            "spent": 9.0,
            "stand_ins": True,
            "experiments": [
                ran,
                ExperimentResult(
                    key="cifar", title="CIFAR", question="And images?", status="left out", reason="no GPU",
                    wanted="a GPU", **left,
                ),
                ExperimentResult(
                    key="texas", title="Texas", question="And hospitals?", status="no data", reason="not to be had",
                    **left,
                ),
            ],
            "made": MACHINE,
            **changes,
        }
    )  # fmt: skip


def sample_comparison(**changes: Any) -> Comparison:
    """A run that leaks less than the one before, and an attack that can't be compared."""

    def run(name: str) -> RunFacts:
        return RunFacts(
            name=name,
            created="2026-03-04T10:20:30+00:00",
            level="leaks",
            headline="It leaks.",
            attack="LiRA, online",
            members=1600,
            nonmembers=1600,
            train_size=1600,
            train_accuracy=1.0,
            test_accuracy=None,
            shadows=16,
        )

    lost = AttackChange(
        name="gap", title=f"Gap {HOSTILE}", change="not comparable", figures=[], reason="only the first run has it"
    )
    values: dict[str, Any] = {
        "change": "better",
        "headline": "The second model gives away less.",
        "sentences": ["AUC of the strongest attack: 0.800, then 0.700."],
        "first": run(f"before {HOSTILE}"),
        "second": run("after"),
        "pairing": "same rows",
        "paired_members": 1600,
        "paired_nonmembers": 1600,
        "confidence": 0.95,
        "overall": change("better", -0.1),
        "attacks": [change("better", -0.1).model_copy(update={"name": "lira", "title": "LiRA, online"}), lost],
        "differences": [f"recipe: epochs: 60, then 20 {HOSTILE}"],
    }
    return Comparison(**{**values, **changes})


# every sample, by name
ALL: MappingProxyType[str, Callable[[], Document]] = MappingProxyType(
    {
        **RECORDS,
        "bench": sample_defence,
        "study": sample_study,
        "reproduction": sample_reproduction,
        "comparison": sample_comparison,
    }
)


@functools.cache
def rendered(name: str, format: str) -> str:
    """A sample in one format, rendered once for all tests."""
    return render(ALL[name](), format)
