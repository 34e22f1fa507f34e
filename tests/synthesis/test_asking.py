"""Queries of a climb: counted, within the budget, and refused where they can tell nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthesis.test_climbing import assert_same, plain, target

from gnomon.core.answers import Reveal
from gnomon.core.errors import BudgetError, UsageError


@settings(max_examples=40)
@given(budget=st.integers(0, 400), climbers=st.integers(1, 60), searcher=st.sampled_from(["plain", "guided"]))
def test_the_budget_is_never_passed(budget, climbers, searcher):
    model = target()
    found = plain(model, budget=budget, climbers=climbers, searcher=searcher)
    assert model.asked == found.queries <= budget
    if found.stopped:
        assert model.asked == budget
        assert "budget is spent" in found.stopped
    else:
        assert len(found) == 48


class Handle:
    """A query handle with a budget of its own, of which others may take."""

    def __init__(self, model, budget, thief=0):
        self.model, self.remaining, self.thief = model, budget, thief

    def ask(self, x):
        if self.thief and self.model.asked > self.thief:
            raise BudgetError("spent")
        self.remaining -= len(x)
        assert self.remaining >= 0
        return self.model(x)


def test_a_query_handle_keeps_its_own_budget():
    assert_same(plain(Handle(target(), 10**6)), plain(target()))
    found = plain(Handle(target(), 100), climbers=7)
    assert found.queries == 100
    assert found.stopped
    assert plain(Handle(target(), 100), budget=60).queries == 60
    stolen = plain(Handle(target(), 10**6, thief=150), climbers=7)
    assert stolen.stopped == "the target's own query budget is spent"
    assert stolen.queries == sum(c.queries for c in stolen.classes)


def test_labels_only_are_refused_declared_or_not():
    model = target()
    with pytest.raises(UsageError, match="reveals labels only"):
        plain(model, reveal=Reveal("labels"))
    assert model.asked == 0
    with pytest.raises(UsageError, match="reveals labels only"):
        plain(lambda x: Reveal("labels").apply(model(x)), reveal=Reveal("full"))
