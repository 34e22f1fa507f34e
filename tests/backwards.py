"""An engine without processes that treats tasks as if there were some."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gnomon.engines.local import Done, Task


@dataclass
class Backwards:
    """Sends tasks and results through pickle, has the last task first, and remembers their names."""

    names: list[str] = field(default_factory=list)

    @property
    def here(self) -> Backwards:
        """Itself."""
        return self

    def slots(self, gpus: int = 0) -> int:
        """Two."""
        return 2

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """The tasks, one after the other."""
        for position, task in reversed(list(enumerate(tasks))):
            self.names.append(task.name)
            sent: Task = pickle.loads(pickle.dumps(task))  # noqa: S301 - our own
            result = sent.function(*sent.arguments)
            yield Done(position, pickle.loads(pickle.dumps(result)))  # noqa: S301 - our own
