import numpy as np
import pytest

from gnomon.core.answers import Reveal
from gnomon.core.errors import BudgetError
from gnomon.models.target import Allowance, Target


class Counting:
    """Says class 0, and counts the rows that really arrive."""

    n_classes = 2

    def __init__(self):
        self.rows = 0

    def log_probs(self, x):
        self.rows += len(x)
        return np.log(np.tile(np.float32([0.75, 0.25]), (len(x), 1)))


def test_a_target_never_passes_its_budget_and_sends_nothing_instead():
    model = Counting()
    target = Target(model, Reveal("labels"), budget=10)
    assert target.ask(np.zeros((6, 2))).tolist() == [[0.0, -np.inf]] * 6
    with pytest.raises(BudgetError, match="5 rows asked, 4 of 10 left; nothing was sent"):
        target.ask(np.zeros((5, 2)))
    assert (model.rows, target.asked, target.remaining) == (6, 6, 4)


@pytest.mark.parametrize(
    ("budget", "limit", "left"), [(None, None, None), (None, 3, 3), (7, None, 7), (7, 3, 3), (2, 3, 2)]
)
def test_an_allowance_holds_its_own_limit_and_the_budget_behind_it(budget, limit, left):
    model = Counting()
    target = Target(model, budget=budget)
    allowance = Allowance(target, limit)
    assert allowance.remaining == left
    if left is not None:
        with pytest.raises(BudgetError, match="nothing was sent"):
            allowance.ask(np.zeros((left + 1, 2)))
        assert model.rows == 0
    allowance.ask(np.zeros((2, 2)))
    assert (allowance.asked, target.asked, model.rows) == (2, 2, 2)
    assert allowance.remaining == (None if left is None else left - 2)


def test_an_allowance_counts_its_own_questions_only():
    target = Target(Counting(), budget=9)
    target.ask(np.zeros((4, 2)))
    allowance = Allowance(target, 8)
    assert (allowance.asked, allowance.remaining) == (0, 5)
