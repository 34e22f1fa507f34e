"""How services are spoken to: one module for each protocol of `gnomon.core.documents.endpoint`, with its name.

A module has ``dialect(plan)``, which makes a `Dialect` from [target.requests]. Where the answers stand in a response
is a JMESPath.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from gnomon.core.documents import endpoint
from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError, UsageError, import_extra
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows
from gnomon.models.endpoint.transport import Request

_SHOWN = 120


@dataclass(frozen=True)
class AnswerPlace:
    """A place in a response.

    Attributes:
        path: as the plan has it.
        key: of the plan, for messages.
    """

    path: str
    key: str = "answer"

    def __post_init__(self) -> None:
        """Refuses what is no JMESPath, before anything is sent."""
        self._compiled()

    def of(self, document: Any) -> Any:
        """What stands there.

        Raises:
            ModelError: nothing.
        """
        try:
            found = self._compiled().search(document)
        except Exception as error:  # jmespath's errors share no class that is public
            raise ModelError(f'requests.{self.key} = "{self.path}" fails on its answer ({error})') from None
        if found is None:
            got = repr(document)
            raise ModelError(
                f'requests.{self.key} = "{self.path}" finds nothing in its answer, which is '
                f"{got[:_SHOWN]}{'...' if len(got) > _SHOWN else ''}"
            )
        return found

    def _compiled(self) -> Any:
        jmespath = import_extra("jmespath", "endpoint", f"target.requests.{self.key}")
        try:
            return jmespath.compile(self.path)
        except Exception as error:
            reason = " ".join(str(error).split())
            raise UsageError(
                f'target.requests.{self.key}: "{self.path}" is no JMESPath such as predictions[].scores ({reason})'
            ) from None


def place_in(path: str | None, key: str = "answer") -> AnswerPlace | None:
    """The place that a plan names; None where it names none."""
    return None if path is None else AnswerPlace(path, key)


Look = Callable[[str], Any]  # an address -> the JSON that stands there


class Dialect(Protocol):
    """What is said in one protocol; made new for each audit, and not changed once it has learned.

    The defaults are those of a service that says nothing of itself.
    """

    def learn(self, url: str, look: Look) -> list[str]:  # noqa: ARG002 - for services that say something of themselves
        """Reads what the service says of itself, if it does, and returns it in words.

        Raises:
            ModelError: the service can't be spoken to in this protocol.
        """
        return []

    def most(self) -> int | None:
        """Most rows in a request; None for no limit."""
        return None

    def version(self) -> str:
        """What the service says that decides its answers: model and version; empty if it does not."""
        return ""

    def request(self, batch: RequestRows) -> Request:
        """Rows as a request.

        Raises:
            ModelError: rows that can't be written in this protocol.
        """
        ...

    def answers(self, response: Response, batch: RequestRows) -> Any:
        """What was answered to the rows, in their order: a list, if all is well.

        Raises:
            BadAnswerError: an answer that may come right when it is asked for again.
            ModelError: an answer in which the place of the answers is not found.
        """
        ...


def make_dialect(protocol: endpoint.Protocol, plan: RequestsPlan) -> Dialect:
    """The dialect of a protocol.

    Raises:
        UsageError: a template or a JMESPath that is none.
        MissingExtraError: jmespath is not installed.
    """
    made: Dialect = import_module(f"{__name__}.{protocol}").dialect(plan)
    return made
