"""Do attacks name the same records? Overlap of the rows that each ranks highest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.results.figures import rank_auc
from gnomon.auditing.results.scoring import Scored
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import Agreement

TOP_SHARE = 0.01  # of the audited rows
LEAST_TOP = 10  # fewer say nothing
MOST_ATTACKS = 6


def agree(scored: Sequence[Scored], headline: str | None, case: Case) -> Agreement | None:
    """Jaccard overlaps of the top 1 % between the headline attack and the five best others by AUC.

    An attack whose scores tie so widely that it names no top (correctness gives two values) is left out.

    Args:
        scored: all attacks.
        headline: name of the headline attack, which comes first.
        case: the audited rows.

    Returns:
        None with fewer than two such attacks, or fewer than 100 rows.
    """
    n = len(case.member)
    top = max(LEAST_TOP, round(TOP_SHARE * n))
    if n < 10 * LEAST_TOP:
        return None
    found = [(s.name, s.scores, _top_rows(s.scores, top)) for s in scored if s.scores is not None]
    named = [(name, scores, rows) for name, scores, rows in found if rows is not None]
    named.sort(key=lambda f: (f[0] != headline, -rank_auc(f[1], case.member)))
    named = named[:MOST_ATTACKS]
    if len(named) < 2:
        return None
    masks = [rows for _, _, rows in named]
    return Agreement(
        top=top,
        rows=n,
        attacks=[name for name, _, _ in named],
        overlap=[[jaccard(a, b) for b in masks] for a in masks],
        member_share=[float(case.member[rows].mean()) for rows in masks],
        chance=top / (2 * n - top),
    )


def jaccard(a: Bools, b: Bools) -> float:
    """Rows in both over rows in either.

    >>> jaccard(np.array([True, True, False]), np.array([False, True, True]))
    0.3333333333333333
    """
    return float((a & b).sum() / (a | b).sum())


def _top_rows(scores: Floats, top: int) -> Bools | None:
    """Mask (n,) of the highest rows, ties at the cut included; None where ties would more than double their number."""
    cut = np.partition(scores, len(scores) - top)[len(scores) - top]
    rows: Bools = scores >= cut
    return rows if rows.sum() <= 2 * top else None
