"""A plan's endpoint becomes a model without a word to the service."""

import numpy as np
import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")
pytest.importorskip("jmespath")

from tests.models.endpoint.servers import Service, serving

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import BudgetError, UsageError
from gnomon.core.plan import TargetPlan
from gnomon.models.endpoint.model import open_endpoint
from gnomon.models.readers.model_file import Use


def test_opening_sends_nothing_and_carries_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    service = Service(lambda rows: [[0.5, 0.5]] * len(rows))  # type: ignore[arg-type, return-value]
    with serving(service) as url:
        target = TargetPlan(
            endpoint=f"{url}/invocations",
            protocol="invocations",
            headers={"Authorization": "Bearer env:TOKEN"},
            query_budget=7,
            requests=RequestsPlan(classes=("no", "yes")),
        )
        opened = open_endpoint(target)
        assert opened.known == ("no", "yes")
        model = opened.model(Use(classes=("no", "yes"), outputs="probabilities"))
        assert service.requests == 0
        assert model.log_probs(np.ones((3, 1))[:1]).shape == (1, 2)
        with pytest.raises(BudgetError, match="7"):
            model.log_probs(np.arange(9.0)[:, None])
        assert service.headers[0]["Authorization"] == "Bearer s3cret"


def test_a_secret_that_is_not_set_is_named() -> None:
    target = TargetPlan(endpoint="http://127.0.0.1:9/x", protocol="tf", headers={"X-Key": "env:NOT_THERE_AT_ALL"})
    with pytest.raises(UsageError, match="NOT_THERE_AT_ALL"):
        open_endpoint(target)
