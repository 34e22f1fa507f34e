"""``/invocations``: MLflow's scoring server and SageMaker's containers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from gnomon.core.documents.endpoint import FORMS, RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects import AnswerPlace, Dialect, place_in
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows
from gnomon.models.endpoint.transport import Request


@dataclass(frozen=True)
class Invocations(Dialect):
    """Rows as one of several kinds of JSON, or as csv; answers as JSON or csv.

    Attributes:
        form: of the rows.
        place: of the answers, where the plan names one.
        key: under which rows as objects are sent.
        bare: answers may come without ``predictions`` around them.
    """

    form: str
    place: AnswerPlace | None
    key: str = "dataframe_records"
    bare: bool = True

    def request(self, batch: RequestRows) -> Request:
        """Rows in the form of the plan."""
        if self.form in ("csv", "csv_no_header"):
            return Request(_csv(batch, header=self.form == "csv"), "text/csv")
        forms: dict[str, Any] = {
            "dataframe_split": {"columns": list(batch.columns), "data": batch.rows},
            "records": batch.records if self.form == "records" else None,
            "inputs": batch.rows,
            "instances": batch.rows,
        }
        key = self.key if self.form == "records" else self.form
        return Request(json.dumps({key: forms[self.form]}, allow_nan=False).encode())

    def answers(self, response: Response, batch: RequestRows) -> Any:  # noqa: ARG002 - the protocol's arguments
        """The predictions, wherever such services put them."""
        if "csv" in response.content_type and self.place is None:
            return _read_csv(response.body)
        found = response.json()
        if self.place is not None:
            return self.place.of(found)
        inside = found.get("predictions", found) if isinstance(found, dict) else found
        if isinstance(inside, dict) or (inside is found and not self.bare):
            got = ", ".join(map(str, list(found)[:8])) if isinstance(found, (dict, list)) else str(found)[:120]
            raise ModelError(
                f"its answer has no predictions, but {got}; name the place of the answers in requests.answer"
            )
        return inside


def _csv(batch: RequestRows, *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(batch.columns)
    writer.writerows([["" if value is None else value for value in row] for row in batch.rows])
    return text.getvalue().encode()


def _read_csv(body: bytes) -> list[Any]:
    lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8", "replace"))) if line]
    try:
        rows = [[float(value) for value in line] for line in lines]
    except ValueError:
        if any(len(line) != 1 for line in lines):
            raise BadAnswerError(f"expected csv of numbers, got {body[:80]!r}") from None
        return [line[0] for line in lines]  # labels
    return [row[0] if len(row) == 1 else row for row in rows]


def dialect(plan: RequestsPlan) -> Invocations:
    """The dialect with the plan's form."""
    return Invocations(plan.form or FORMS["invocations"][0], place_in(plan.answer))
