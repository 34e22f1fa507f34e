"""JMESPath: where in a response something stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import ModelError, UsageError, import_extra

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
