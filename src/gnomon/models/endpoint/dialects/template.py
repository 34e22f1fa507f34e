"""Anything else that takes JSON: a request of the user's own, and where the answers stand in the response."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError, UsageError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects import AnswerPlace, Dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows
from gnomon.models.endpoint.transport import Request

MANY = ("{rows}", "{records}")
ONE = ("{row}", "{record}")
IDS = ("{ids}", "{id}")


@dataclass(frozen=True)
class Template(Dialect):
    """A JSON document in which some texts stand for rows.

    Attributes:
        document: the request.
        place: where the answers stand.
        ids: where their ids stand, if the service sends them back; then they may come in any order.
        single: one row a request.
    """

    document: Any
    place: AnswerPlace
    ids: AnswerPlace | None
    single: bool

    def most(self) -> int | None:
        """One row, where the template has a place for one."""
        return 1 if self.single else None

    def request(self, batch: RequestRows) -> Request:
        """The document with the rows in it."""
        values: dict[str, Any] = {"{columns}": list(batch.columns), "{ids}": list(batch.ids), "{rows}": batch.rows}
        if "{records}" in self._texts or "{record}" in self._texts:
            values["{records}"] = batch.records
        if self.single:
            values |= {"{row}": batch.rows[0], "{id}": batch.ids[0]}
            values["{record}"] = values["{records}"][0] if "{records}" in values else None
        return Request(json.dumps(_filled(self.document, values), allow_nan=False).encode())

    @property
    def _texts(self) -> set[str]:
        return set(_texts(self.document))

    def answers(self, response: Response, batch: RequestRows) -> Any:
        """The answers in the order of the rows."""
        document = response.json()
        found = self.place.of(document)
        if self.single and not (isinstance(found, list) and len(found) == 1 and isinstance(found[0], (list, dict))):
            return [found]
        if self.ids is None:
            return found
        names = self.ids.of(document)
        if not isinstance(names, list) or not isinstance(found, list):
            raise ModelError('requests.answer and requests.answer_ids must lead to lists, such as "results[].id"')
        if len(names) != len(found) or sorted(map(str, names)) != sorted(batch.ids):
            raise BadAnswerError("the ids of its answers are not those that were sent")
        by_id = dict(zip(map(str, names), found, strict=True))
        return [by_id[name] for name in batch.ids]


def _filled(part: Any, values: dict[str, Any]) -> Any:
    if isinstance(part, str):
        return values.get(part, part)
    if isinstance(part, list):
        return [_filled(each, values) for each in part]
    return {k: _filled(v, values) for k, v in part.items()} if isinstance(part, dict) else part


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [text for each in inside for text in _texts(each)]


def dialect(plan: RequestsPlan) -> Template:
    """The dialect of a plan's template.

    Raises:
        UsageError: no JSON, or no place for rows.
    """
    assert plan.request is not None
    assert plan.answer is not None
    try:
        document = json.loads(plan.request)
    except ValueError as error:
        raise UsageError(f"target.requests.request is not JSON ({error})") from None
    texts = _texts(document)
    many, one = [t for t in texts if t in MANY], [t for t in texts if t in ONE]
    if bool(many) == bool(one):
        raise UsageError(
            'target.requests.request: expected "{rows}" or "{records}" as a value in it, or for one row a request '
            f'"{{row}}" or "{{record}}", got {plan.request[:120]}'
        )
    if plan.answer_ids is not None and not any(t in IDS for t in texts):
        raise UsageError('target.requests.answer_ids: the request must send "{ids}" for ids to come back')
    ids = None if plan.answer_ids is None or one else AnswerPlace(plan.answer_ids, "answer_ids")
    return Template(document, AnswerPlace(plan.answer), ids, bool(one))
