"""A budget buys every row the same number of queries; what is left over is not spent."""

import numpy as np
import pytest

from gnomon.attacks.parts.queries import affordable, count_votes, note_queries
from gnomon.core.errors import BudgetError
from gnomon.core.evidence import Evidence

N = 4
LABELS = np.array([0, 1, 0, 1])


class Budgeted:
    """Answers class 0 to everything, until the budget is spent."""

    def __init__(self, remaining: int | None, refuses_at: int | None = None) -> None:
        self.remaining, self.asked, self._refuses_at = remaining, 0, refuses_at

    def ask(self, x: np.ndarray) -> np.ndarray:
        if self._refuses_at is not None and self.asked >= self._refuses_at:
            raise BudgetError("spent by another attack")
        self.asked += len(x)
        if self.remaining is not None:
            self.remaining -= len(x)
            assert self.remaining >= 0
        return np.log(np.tile([0.9, 0.1], (len(x), 1)))


def copies(count: int) -> list:
    return [lambda: np.zeros((N, 2))] * count


@pytest.mark.parametrize(("budget", "each"), [(None, 7), (0, 0), (3, 0), (4, 1), (11, 2), (28, 7), (1000, 7)])
def test_every_row_gets_as_many_queries_as_all_can_have(budget: int | None, each: int) -> None:
    query = Budgeted(budget)
    assert affordable(query, N, 7) == each
    count_votes(query, np.ones(N), LABELS, copies(7))
    assert query.asked == each * N


def test_votes_are_the_share_of_right_labels_the_record_itself_among_them() -> None:
    right = np.array([1.0, 1.0, 0.0, 0.0])
    votes = count_votes(Budgeted(None), right, LABELS, copies(3))
    np.testing.assert_allclose(votes, [1.0, 0.25, 0.0, 0.0])
    np.testing.assert_allclose(count_votes(Budgeted(0), right, LABELS, copies(3)), right)


def test_a_budget_that_somebody_else_spends_ends_the_count_early() -> None:
    votes = count_votes(Budgeted(None, refuses_at=2 * N), np.ones(N), LABELS, copies(9))
    np.testing.assert_allclose(votes, [1.0, 1 / 3, 1.0, 1 / 3])


def test_the_note_says_how_many_queries_and_why_no_more() -> None:
    query = Budgeted(9)
    evidence = Evidence(LABELS, 2, query=query)
    assert note_queries(evidence, 5, N, "a guess")[0].endswith("the score is a guess")
    count_votes(query, np.ones(N), LABELS, copies(5))
    [note] = note_queries(evidence, 5, N, "a guess")
    assert note.startswith("2 queries")
    assert "of 5 wanted" in note
    assert "wanted" not in note_queries(evidence, 2, N, "a guess")[0]
