"""Warnings of libraries, counted in place of printed: once a shadow model and call, they would fill the screen."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gnomon.core.errors import one_line

LONGEST = 200  # letters of a warning


@dataclass(frozen=True)
class Warned:
    """Warnings that would have been printed, in the order in which they came.

    Attributes:
        caught: as Python records them; the list grows while it is collected.
    """

    caught: Sequence[warnings.WarningMessage] = field(default_factory=list)

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Kind and text of each, short and on one line; they can be pickled."""
        return tuple((w.category.__name__, one_line(str(w.message))[:LONGEST]) for w in self.caught)

    def counts(self) -> dict[str, int]:
        """How often each came, the most frequent first."""
        found = Counter(text if kind == "Passed" else f"{kind}: {text}" for kind, text in self.texts())
        return dict(found.most_common())


class Passed(Warning):
    """A warning of another process, with its kind in its text."""


@contextmanager
def collecting() -> Iterator[Warned]:
    """What is warned of inside is collected; filters, and what they turn into errors, stay as they are.

    >>> with collecting() as found:
    ...     pass_on([("UserWarning", "too hot")] * 3)
    >>> found.counts()
    {'UserWarning: too hot': 3}
    """
    with warnings.catch_warnings(record=True) as caught:
        yield Warned(caught)


def pass_on(texts: Sequence[tuple[str, str]]) -> None:
    """Warnings of a task, to whoever collects them, or onto the screen; no filter meets them a second time."""
    for kind, text in texts:
        message = text if kind == "Passed" else f"{kind}: {text}"
        warnings.showwarning(Passed(message), Passed, "a task", 0)
