"""The way in for Python objects: `audit`, which makes a plan of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.inputs.given_answers import read_as_it_is, united_answers
from gnomon.auditing.inputs.loading import AuditInputs, speaking, trainer_from
from gnomon.auditing.inputs.plugins import load_plugins, named
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import run_audit
from gnomon.auditing.settings import Progress, following
from gnomon.core.arrays import Ints, Rows
from gnomon.core.data.dataset import Dataset, View, make_dataset
from gnomon.core.errors import UsageError, expect
from gnomon.core.plan import IN_MEMORY, make_plan
from gnomon.core.protocols import Attack, Trainer
from gnomon.datasets.own_files.answer_files import AnswerTable, answers_in_memory
from gnomon.datasets.own_files.tables import table_in_memory, unite_parts
from gnomon.engines.local import LocalEngine
from gnomon.models.as_model import as_model, as_trained, known_classes, known_columns
from gnomon.models.boosters.native import from_native
from gnomon.store.arrays import ArrayStore

Table = tuple[Rows, Any]  # rows and labels


def audit(
    target: Any = None,
    members: Table | None = None,
    nonmembers: Table | None = None,
    *,
    trainer: Trainer | dict[str, Any] | str | None = "clone",
    pool: Table | None = None,
    ids: Sequence[Any] | None = None,
    groups: Sequence[Any] | None = None,
    answers: tuple[Any, Any] | None = None,
    view: View = "auditor",
    shadows: int = 16,
    attacks: Sequence[str | Attack] | None = None,
    seed: int = 0,
    store: str | Path | None = None,
    workers: int | None = None,
    plan: dict[str, Any] | None = None,
    progress: Progress | bool = False,
) -> Outcome:
    """Audits a model; prints nothing unless ``progress`` asks for it.

    Args:
        target: a fitted scikit-learn classifier, a `Model`, or a callable from rows to probabilities (n, c), in per
            cent, rounded or the largest only, to one number or one label a row, or to a data frame of these; None to
            train one here with ``trainer`` on the members.
        members: rows and labels that the target was trained on: (x, y). Rows are an array (n, d) or (n, ...), a data
            frame, a sparse matrix, or one text each; missing numbers are NaN, where the target takes that.
        nonmembers: rows and labels that it was not trained on.
        trainer: the target's recipe, for shadow models: "clone" refits a scikit-learn target; a `Trainer`, or a
            [trainer] table as a dict; None for attacks that need no shadows.
        pool: further rows and labels that the attacker holds.
        ids: row ids of members and of non-members, and of the pool's rows where a pool is given; equal ids are equal
            records. Default the position.
        groups: group ids in the same order.
        answers: where the model itself is not there: its answers to members and to non-members. Each is an array
            (n, c) of probabilities, one number or one predicted label a row, or a data frame (also of labels with their
            probability). Rows may then be None: ``members=(None, y)``.
        view: "auditor" (shadows are trained on audited rows too: the worst case) or "adversary".
        shadows: number of shadow models.
        attacks: names, or attacks themselves, also of other packages; None for all that apply.
        seed: root of all random streams.
        store: folder that keeps shadow models' answers between runs; None for a temporary one.
        workers: processes; None for one a core.
        plan: further tables of a plan, such as ``{"statistics": {"confidence": 0.99}}``.
        progress: True shows how far it is, on a terminal or in a notebook; or who is told.

    Returns:
        The outcome: ``record``, which `gnomon.write_report` makes a report of, with scores, ids and risk by record.

    Raises:
        GnomonError: bad input, in one line.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, x_out, y, y_out = train_test_split(*load_digits(return_X_y=True), test_size=0.5, random_state=0)
    >>> model = DecisionTreeClassifier(random_state=0).fit(x, y)
    >>> outcome = audit(model, (x, y), (x_out, y_out), shadows=4, attacks=("gap", "loss"), workers=1)
    >>> outcome.verdict.level, outcome.scores["loss"].shape == (len(outcome.ids),)
    ('leaks_some', True)
    """
    names = ("members", "nonmembers", "pool")
    parts = [
        table_in_memory(name, table, answered=answers is not None)
        for name, table in zip(names, (members, nonmembers, pool), strict=True)
        if name != "pool" or table is not None
    ]
    united = unite_parts(parts, known_columns(target))
    counts = [len(part.y) for part in parts]
    bounds = np.cumsum([0, *counts])
    spans = [np.arange(a, b) for a, b in pairwise(bounds)]
    target = from_native(target, united.x, counts[0])
    known = known_classes(target)
    data = make_dataset(
        as_trained(target, united.x),
        united.y,
        classes=_counted_classes(target, united.y) if known is None else None,
        known=known,
        ids=_by_row("ids", ids, counts),
        groups=_by_row("groups", groups, counts),
        note=united.note.removeprefix(". "),
    )
    given = _tables_of(plan)
    said = given.get("target", {})
    tables = _answer_tables(answers, target, data, spans, given)
    answering = None if target is None else as_model(target, data.classes, said.get("outputs") or "probabilities")
    model = read_as_it_is(answering, data, said.get("reveals", "full"))
    recipe = speaking(trainer_from(trainer, model), data)
    chosen, foreign = ({}, ()) if attacks is None else named(attacks)
    places = {
        "data": ("members", "nonmembers", *(["pool"] if pool is not None else [])),
        "target": ("member_answers", "nonmember_answers") if tables else () if target is None else ("model",),
    }
    ours = {"shadow": {"count": shadows}, "attacks": chosen}
    checked = make_plan(_filled({**given, "seed": seed, "view": view}, ours, places), "audit")
    inputs = AuditInputs(
        data=data,
        parts=RowSplit(spans[0], spans[1], spans[2] if pool is not None else np.empty(0, np.int64)),
        own_ids=ids is not None,
        model=model,
        answers=None if not tables else united_answers(tables, data, spans),
        tables=tables,
        trainer=recipe,
        shadow_trainer=recipe,
        plugins=load_plugins(checked, trust=True, given=foreign),
    )
    with following(progress) as told, _folder(store) as folder:
        return run_audit(checked, inputs, store=ArrayStore(folder), engine=_engine(workers), progress=told)


def _filled(
    given: dict[str, Any], ours: Mapping[str, Mapping[str, Any]], places: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The tables that a caller gave, with what the arguments say below them, and with what stands in memory named."""
    tables = {name: {**dict.fromkeys(keys, IN_MEMORY), **given.get(name, {})} for name, keys in places.items()}
    tables |= {name: {**values, **given.get(name, {})} for name, values in ours.items()}
    return {**given, **{name: values for name, values in tables.items() if values}}


def _engine(workers: Any) -> LocalEngine:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UsageError(
            f"workers: expected a number of processes of 1 or more, or None for one a core, got {workers!r}"
        )
    return LocalEngine(workers)


def _answer_tables(
    answers: Any, target: Any, data: Dataset, spans: Sequence[Ints], given: dict[str, Any]
) -> tuple[AnswerTable, ...]:
    """The answers that were given in the place of a model."""
    if answers is None:
        return ()
    if target is not None:
        raise UsageError("target: give a model or its answers, not both")
    if not isinstance(answers, (tuple, list)) or len(answers) != 2:
        got = f"{len(answers)} parts" if isinstance(answers, (tuple, list)) else type(answers).__name__
        raise UsageError(f"answers: expected (those to members, those to non-members), got {got}")
    said = given.get("target", {})
    return tuple(
        answers_in_memory(
            f"answers to {name}",
            part,
            data.classes,
            len(span),
            said.get("outputs") or "probabilities",
            said.get("reveals", "full"),
        )
        for name, part, span in zip(("members", "nonmembers"), answers, spans, strict=False)
    )


@contextmanager
def _folder(store: str | Path | None) -> Iterator[Path]:
    """The folder that keeps models' answers: the one that is named, or one that does not outlive the audit."""
    if store is not None:
        expect("store", store, (str, Path), "the name of a folder")
        yield Path(store)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _tables_of(plan: Any) -> dict[str, Any]:
    """The tables of a plan that was given as a dict; the file of a plan is for `audit_plan`."""
    if plan is None:
        return {}
    expect("plan", plan, dict, 'tables as a dict, such as {"statistics": {"confidence": 0.99}} (a file: audit_plan)')
    for name in ("data", "target", "shadow", "attacks"):
        expect(f"plan: {name}", plan.get(name, {}), dict, "a table as a dict")
    tables: dict[str, Any] = plan
    return tables


def _by_row(name: str, given: Any, counts: list[int]) -> Any:
    """Ids of all rows, from those of members, non-members and pool."""
    if given is None:
        return None
    if isinstance(given, str) or not hasattr(given, "__len__") or len(given) != len(counts):
        wanted = f"(those of members, those of nonmembers{', those of pool' if len(counts) > 2 else ''})"
        got = type(given).__name__ if isinstance(given, str) or not hasattr(given, "__len__") else f"{len(given)} parts"
        raise UsageError(f"{name}: expected {wanted}, got {got}")
    parts = [np.asarray(part).reshape(-1) for part in given]
    if [len(part) for part in parts] != counts:
        raise UsageError(
            f"{name}: expected an id for each row of members, nonmembers{' and pool' if len(counts) > 2 else ''} "
            f"({', '.join(map(str, counts))}), got {', '.join(str(len(part)) for part in parts)}"
        )
    return np.concatenate([part.astype(str) for part in parts])


def _counted_classes(target: Any, labels: Any) -> tuple[str, ...] | None:
    """Class names of a target that names none, but knows how many there are, where the labels are numbers."""
    n_classes = getattr(target, "n_classes", None)
    if isinstance(n_classes, int) and labels.dtype.kind in "iu":
        return tuple(str(i) for i in range(n_classes))
    return None
