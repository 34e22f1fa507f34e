"""What attacks query, and say of it: all audited rows, as often as the budget allows each; where searches start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gnomon.core.arrays import Float64s, Floats, Ints, Rows, is_frame, is_sparse
from gnomon.core.errors import BudgetError, UsageError
from gnomon.core.evidence import Evidence, QueryHandle
from gnomon.core.protocols import Attack


def check_counts(attack: Attack, *names: str) -> None:
    """Refuses options of an attack that are no whole numbers of 1 or more.

    Raises:
        UsageError: the first that is none.
    """
    for name in names:
        value = getattr(attack, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{attack.name}: expected {name} to be a whole number of 1 or more, got {value!r}")


def unfit_rows(evidence: Evidence) -> str | None:
    """Why records can't be changed a little: rows are sparse, and changed everywhere they would be so no longer."""
    if is_sparse(evidence.require("x")):
        return "needs dense rows: records changed in every column would fill sparse ones"
    return None


def affordable(query: QueryHandle, rows: int, wanted: int) -> int:
    """How many queries a row the budget allows, at most ``wanted``, the same for every row; the rest is not spent.

    >>> from gnomon.testing.access import ToyTarget
    >>> affordable(ToyTarget(np.eye(2), np.arange(2), np.log(np.full((2, 2), 0.5))), rows=2, wanted=7)
    7
    """
    return wanted if query.remaining is None else min(wanted, query.remaining // max(1, rows))


def count_votes(query: QueryHandle, right: Floats, labels: Ints, copies: Sequence[Callable[[], Rows]]) -> Floats:
    """Share of right labels among a record and its copies, 0 where the record's own label is wrong.

    Args:
        query: who is asked.
        right: (n,) 1.0 where the record's own label is right, else 0.0.
        labels: (n,) class ids.
        copies: each makes a copy of all n rows.

    Returns:
        (n,) in [0, 1], float64. Where the budget allows no copy of every row, ``right`` itself.
    """
    votes, asked = np.ones(len(labels)), 1
    for copy in copies[: affordable(query, len(labels), len(copies))]:
        try:
            answers = query.ask(copy())
        except BudgetError:  # somebody else spent it meanwhile
            break
        votes += answers.argmax(axis=1) == labels
        asked += 1
    return right * votes / asked


def note_queries(evidence: Evidence, wanted: int, records: int, otherwise: str) -> list[str]:
    """What the reader must know of the queries that were spent through the evidence's handle.

    Args:
        evidence: with the handle.
        wanted: queries a record that the attack asks where the budget allows it.
        records: how many records it asks about.
        otherwise: what the score is where the budget allowed none.
    """
    query = evidence.require("query")
    a_record = query.asked // max(1, records)
    if a_record == 0:
        return [f"the budget did not allow one query for each of {records:,} records: the score is {otherwise}"]
    cut = "" if a_record >= wanted else f", of {wanted} wanted: the budget ended"
    return [f"{a_record} queries a record ({query.asked:,} in all){cut}"]


def note_versions(evidence: Evidence) -> list[str]:
    """How many queries a record a score is the mean of, if it is of several."""
    count = len(evidence.variants)
    return [f"{count + 1} queries a record: itself and {count} version{'s' * (count > 1)} of it"] if count else []


STARTS = 1000  # rows among which the nearest with another label is looked for


def mostly_discrete(evidence: Evidence) -> bool:
    """Whether rows are no array of numbers most of which have something in between; `boundary_bits` suits these."""
    x, space = evidence.require("x"), evidence.require("features")
    discrete = sum(f.kind in ("binary", "categorical") for f in space.features)
    return is_frame(x) or 2 * discrete > len(space)


def nearest_otherwise(rows: Float64s, labelled: Ints, labels: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """For each wanted row the nearest of some rows that are labelled otherwise than it should be; -1 where none is."""
    along = rows @ rng.normal(size=rows.shape[1])  # some of the rows, whatever their order
    some = np.argsort(along, kind="stable")[:: -(-len(rows) // STARTS)]
    squares = (rows[some] ** 2).sum(axis=1)
    found = np.full(len(wanted), -1, dtype=np.int64)
    for start in range(0, len(wanted), STARTS):
        part = slice(start, start + STARTS)
        apart = np.round(squares - 2.0 * rows[wanted[part]] @ rows[some].T, 6)  # equal is equal in any order of rows
        apart[labelled[some] == labels[wanted[part]][:, None]] = np.inf
        nearest = apart.argmin(axis=1)
        found[part] = np.where(np.isfinite(apart.min(axis=1)), some[nearest], -1)
    return found
