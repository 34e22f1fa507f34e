"""A plan as commented TOML: the keys that are given, and next to them the keys that most plans come to."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gnomon.core.documents.schema import PlanTable
from gnomon.core.errors import one_line
from gnomon.core.model_formats import is_address
from gnomon.core.plan import AttacksPlan, DataPlan, Plan, ShadowPlan, StatisticsPlan, TargetPlan, name_of

Given = Mapping[str, Mapping[str, str | None]]
WIDTH = 100
RECIPE = """[trainer]
# the recipe of the target and of its shadow models: any public classifier of scikit-learn, or kind = "torch"
kind = "sklearn"
estimator = "sklearn.ensemble:RandomForestClassifier"
params = { n_estimators = 100 }
"""
TABLES: Mapping[str, type[PlanTable]] = MappingProxyType(
    {"data": DataPlan, "target": TargetPlan, "shadow": ShadowPlan, "attacks": AttacksPlan, "statistics": StatisticsPlan}
)
# what is offered as a comment where it is not given, with an example
OFFERED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "data": {"pool": "more.csv", "id": "record_id", "group": "person"},
        "source": {"rows": 10000, "train_size": 2000},  # in [data], for a data set by name
        "target": {"reveals": "labels"},
        "shadow": {"count": 64},
        "attacks": {"names": ["lira", "rmia", "loss"], "queries": ["noise:0.1"]},
        "statistics": {"slices": ["class"], "confidence": 0.99},
    }
)


def plan_text(given: Given, to: Path) -> str:
    """The text of a plan.

    Args:
        given: table -> key -> value; None is left out. Paths are relative to the current folder, and become relative to
            the plan's.
        to: where the plan will lie.
    """
    folder = to.resolve().parent
    values: dict[str, dict[str, Any]] = {
        table: {key: value for key, value in entries.items() if value} for table, entries in given.items()
    }
    for title, entries in values.items():
        files = dict(TABLES[title].model_construct(**entries).named("file"))
        entries.update({key: os.path.relpath(name, folder) for key, name in files.items() if not is_address(name)})
    source = "source" in values.get("data", {})
    lines = [
        "# Written by gnomon init. All keys: docs/plan.md",
        f"# gnomon check {one_line(str(to))}     checks it in seconds",
        f"# gnomon audit {one_line(str(to))}     carries it out",
        *_key(Plan, "name", name_of(to)),
        *_key(Plan, "seed", 0),
        *_key(Plan, "view", "auditor"),
    ]
    for name, table in TABLES.items():
        if name == "target" and source:
            lines += ["", RECIPE.rstrip()]
        offered = OFFERED["source"] if name == "data" and source else OFFERED[name]
        lines += ["", f"[{name}]", *_table(table, values.get(name, {}), offered)]
    return "\n".join(lines) + "\n"


def _table(table: type[PlanTable], values: Mapping[str, Any], offered: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        yield from _key(table, key, value)
    for key, value in offered.items():
        if key not in values:
            yield from _key(table, key, value, offered=True)


def _key(table: type[PlanTable], key: str, value: Any, *, offered: bool = False) -> Iterator[str]:
    """A key with its description above it; ``offered``: commented out."""
    about = table.model_fields[key].description or ""
    yield from textwrap.wrap(about, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
    written = json.dumps(value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # the one that JSON leaves and TOML refuses
    yield f"{'# ' if offered else ''}{key} = {written}"
