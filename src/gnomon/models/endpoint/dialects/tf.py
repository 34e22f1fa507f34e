"""``:predict`` with ``instances``: TensorFlow Serving and Vertex AI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gnomon.core.documents.endpoint import FORMS, RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.dialects import AnswerPlace, Dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows
from gnomon.models.endpoint.transport import Request


@dataclass(frozen=True)
class Predict(Dialect):
    """Rows as ``instances``; answers as ``predictions``, one for each."""

    form: str
    place: AnswerPlace | None

    def request(self, batch: RequestRows) -> Request:
        """Rows as lists, or as objects by column."""
        instances = batch.records if self.form == "records" else batch.rows
        return Request(json.dumps({"instances": instances}, allow_nan=False).encode())

    def answers(self, response: Response, batch: RequestRows) -> Any:  # noqa: ARG002 - the protocol's arguments
        """The predictions."""
        found = response.json()
        if self.place is not None:
            return self.place.of(found)
        if not isinstance(found, dict) or "predictions" not in found:
            raise ModelError(
                f"its answer has no predictions, but is {str(found)[:120]}; name the place of the answers in "
                "requests.answer"
            )
        return found["predictions"]


def dialect(plan: RequestsPlan) -> Predict:
    """The dialect with the plan's form."""
    return Predict(plan.form or FORMS["tf"][0], None if plan.answer is None else AnswerPlace(plan.answer))
