"""The model behind the endpoint that a plan names."""

from __future__ import annotations

from gnomon.core.plan import TargetPlan
from gnomon.models.endpoint.headers import read_headers
from gnomon.models.endpoint.model import EndpointModel
from gnomon.models.readers.model_file import ModelFile, Use


def open_endpoint(target: TargetPlan) -> ModelFile:
    """A plan's endpoint, before it is joined to classes; nothing is sent yet.

    Raises:
        UsageError: an environment variable that is not set.
    """
    url, protocol, plan = target.endpoint, target.protocol, target.requests
    assert url is not None
    assert protocol is not None
    headers = read_headers(target.headers)

    def make(use: Use) -> EndpointModel:
        whole = target.reveals in ("full", "labels")
        return EndpointModel(url, protocol, plan, headers, use.classes, use.outputs, target.query_budget, whole)

    return ModelFile(make, plan.classes)
