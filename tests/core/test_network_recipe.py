"""The values of a network's training: one definition, one check, whoever gives them."""

from __future__ import annotations

from typing import Any

import pytest

from gnomon.core.errors import PlanError, UsageError
from gnomon.core.network_recipe import NETWORK_OPTIONS, RULES, NetworkRecipe
from gnomon.core.plan import TrainerPlan, make_plan

WRONG: dict[str, Any] = {
    "hidden": (0,),
    "activation": "gelu",
    "dropout": 1.0,
    "optimizer": "lion",
    "learning_rate": 0.0,
    "weight_decay": -1.0,
    "momentum": 1.0,
    "batch": 0,
    "epochs": 0,
    "patience": 0,
    "precision": "fp16",
}


def test_every_rule_has_a_value_that_it_refuses() -> None:
    assert WRONG.keys() == RULES.keys()
    assert set(RULES) < set(NETWORK_OPTIONS)


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_and_a_program_are_refused_the_same_values(name: str) -> None:
    with pytest.raises(UsageError, match=f"expected {name} to be ") as caught:
        NetworkRecipe(**{name: WRONG[name]})
    with pytest.raises(PlanError, match=rf"trainer\.{name}: ") as planned:
        make_plan({"data": {"source": "digits"}, "trainer": {"kind": "torch", name: WRONG[name]}})
    if name not in ("activation", "optimizer", "precision"):  # whose words pydantic knows, too
        assert str(planned.value).endswith(str(caught.value))


def test_a_plan_has_every_value_with_the_same_default() -> None:
    assert {name: TrainerPlan.model_fields[name].default for name in NETWORK_OPTIONS} == vars(NetworkRecipe())
