"""``:predict`` with ``instances``: TensorFlow Serving and Vertex AI; answers are ``predictions``, one for each row."""

from __future__ import annotations

from gnomon.core.documents.endpoint import FORMS, RequestsPlan
from gnomon.models.endpoint.dialects import place_in
from gnomon.models.endpoint.dialects.invocations import Invocations


def dialect(plan: RequestsPlan) -> Invocations:
    """The dialect with the plan's form."""
    return Invocations(plan.form or FORMS["tf"][0], place_in(plan.answer), key="instances", bare=False)
