"""The two ways in: `audit` for Python objects, `audit_plan` for a plan."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.inputs.loading import AuditInputs, load_inputs, speaking, trainer_from
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.progress import Progress
from gnomon.auditing.run import run_audit
from gnomon.core.arrays import Rows, concat_rows, count_rows
from gnomon.core.data.dataset import View, make_dataset
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan, make_plan
from gnomon.core.protocols import Trainer
from gnomon.engines.local import LocalEngine
from gnomon.models.as_model import as_model, known_classes
from gnomon.store.arrays import ArrayStore

Table = tuple[Rows, Any]  # rows and labels


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: nothing here changes a result.

    Attributes:
        workers: processes; None for one a core.
        trust: load pickles and import code that the plan names.
        store: folder of models' answers; None for ``store/`` in the run's folder.
    """

    workers: int | None = None
    trust: bool = False
    store: Path | None = None


def audit_plan(
    plan: Plan,
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    given: dict[str, Any] | None = None,
) -> Outcome:
    """Carries out a plan; models' answers are kept under the run's folder, so that a killed run goes on.

    Args:
        plan: what to do.
        folder: of the run.
        settings: how to run.
        progress: who is told how far it is.
        given: the plan as the user gave it, for the record.

    Raises:
        GnomonError: bad input, in one line.
    """
    settings = settings or Settings()
    inputs = load_inputs(plan, trust=settings.trust)
    return run_audit(
        plan,
        inputs,
        store=ArrayStore(settings.store or folder / "store"),
        engine=LocalEngine(settings.workers),
        progress=progress,
        given=given,
    )


def audit(
    target: Any = None,
    members: Table | None = None,
    nonmembers: Table | None = None,
    *,
    trainer: Trainer | dict[str, Any] | str | None = "clone",
    pool: Table | None = None,
    groups: tuple[Any, ...] | None = None,
    view: View = "auditor",
    shadows: int = 16,
    attacks: tuple[str, ...] | None = None,
    seed: int = 0,
    store: Path | None = None,
    workers: int | None = None,
    plan: dict[str, Any] | None = None,
) -> Record:
    """Audits a model and returns the record.

    Args:
        target: a fitted scikit-learn classifier, a `Model`, or a callable from rows to probabilities (n, c); None to
            train one here with ``trainer`` on the members.
        members: rows and labels that the target was trained on: (x, y).
        nonmembers: rows and labels that it was not trained on.
        trainer: the target's recipe, for shadow models: "clone" refits a scikit-learn target; a `Trainer`, or a
            [trainer] table as a dict; None for attacks that need no shadows.
        pool: further rows and labels that the attacker holds.
        groups: group ids of members and of non-members, and of the pool's rows where a pool is given.
        view: "auditor" (shadows are trained on audited rows too: the worst case) or "adversary".
        shadows: number of shadow models.
        attacks: names; None for all that apply.
        seed: root of all random streams.
        store: folder that keeps shadow models' answers between runs; None for a temporary one.
        workers: processes; None for one a core.
        plan: further tables of a plan, such as ``{"statistics": {"confidence": 0.99}}``.

    Returns:
        The record; `gnomon.render` makes a report of it.

    Raises:
        GnomonError: bad input, in one line.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, x_out, y, y_out = train_test_split(*load_digits(return_X_y=True), test_size=0.5, random_state=0)
    >>> model = DecisionTreeClassifier(random_state=0).fit(x, y)
    >>> record = audit(model, (x, y), (x_out, y_out), shadows=4, attacks=("gap", "loss"), workers=1)
    >>> record.verdict.level
    'leaks_some'
    """
    if members is None or nonmembers is None:
        raise UsageError(
            "expected members=(x, y) and nonmembers=(x, y): an audit compares rows inside with rows outside"
        )
    tables = [members, nonmembers] + ([pool] if pool is not None else [])
    counts = [count_rows(x) for x, _ in tables]
    labels = np.concatenate([np.asarray(y) for _, y in tables])
    bounds = np.cumsum([0, *counts])
    parts = [np.arange(a, b) for a, b in pairwise(bounds)]
    known = known_classes(target)
    counted = _counted_classes(target, labels) if known is None else None
    data = make_dataset(
        concat_rows([x for x, _ in tables]),
        labels,
        classes=counted,
        known=known,
        groups=_groups(groups, counts),
    )
    model = None if target is None else as_model(target, data.classes)
    recipe = speaking(trainer_from(trainer, model), data)
    values: dict[str, Any] = {
        **(plan or {}),
        "seed": seed,
        "view": view,
        "data": {
            **dict.fromkeys(("members", "nonmembers", *(["pool"] if pool is not None else [])), "(in memory)"),
            **(plan or {}).get("data", {}),
        },
        "shadow": {"count": shadows, **(plan or {}).get("shadow", {})},
    }
    if target is not None:
        values["target"] = {"model": "(in memory)", **(plan or {}).get("target", {})}
    if attacks is not None:
        values["attacks"] = {"names": attacks, **(plan or {}).get("attacks", {})}
    inputs = AuditInputs(
        data=data,
        parts=RowSplit(parts[0], parts[1], parts[2] if pool is not None else np.empty(0, np.int64)),
        own_ids=False,
        model=model,
        answers=None,
        trainer=recipe,
        shadow_trainer=recipe,
    )
    checked = make_plan(values, "audit")
    if store is not None:
        return run_audit(checked, inputs, store=ArrayStore(store), engine=LocalEngine(workers)).record
    with tempfile.TemporaryDirectory() as folder:
        return run_audit(checked, inputs, store=ArrayStore(Path(folder)), engine=LocalEngine(workers)).record


def _groups(groups: tuple[Any, ...] | None, counts: list[int]) -> Any:
    """Group ids of all rows, from those of members, non-members and pool."""
    if groups is None:
        return None
    given = [np.asarray(part) for part in groups]
    if [len(part) for part in given] != counts:
        raise UsageError(
            f"groups: expected an id for each row of members, nonmembers{' and pool' if len(counts) > 2 else ''} "
            f"({', '.join(map(str, counts))}), got {', '.join(str(len(part)) for part in given)}"
        )
    return np.concatenate(given)


def _counted_classes(target: Any, labels: Any) -> tuple[str, ...] | None:
    """Class names of a target that names none, but knows how many there are, where the labels are numbers."""
    n_classes = getattr(target, "n_classes", None)
    if isinstance(n_classes, int) and labels.dtype.kind in "iu":
        return tuple(str(i) for i in range(n_classes))
    return None
