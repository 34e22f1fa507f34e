"""A plan small enough for tests: trees that remember their rows, six shadow models, three attacks."""

from __future__ import annotations

from typing import Any

from gnomon.core.plan import Plan, make_plan

SMALL: dict[str, Any] = {
    "name": "small",
    "data": {"source": "digits", "rows": 600, "train_size": 220, "nonmember_size": 220, "reference_size": 60},
    "trainer": {
        "kind": "sklearn",
        "estimator": "sklearn.tree:DecisionTreeClassifier",
        "params": {"max_depth": 9},
    },
    "shadow": {"count": 6},
    "attacks": {"names": ["loss", "lira"], "rehearsals": 2, "options": {"noise_robustness": {"copies": 3}}},
    "statistics": {"fprs": [0.1]},
}


def small_plan(**changes: Any) -> Plan:
    """The plan, with top-level keys changed."""
    return make_plan({**SMALL, **changes})
