"""What a climb brings: the records, what each class cost, and what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Ints, Rows
from gnomon.core.errors import ModelError


@dataclass(frozen=True)
class ClassClimb:
    """What climbing one class brought.

    Attributes:
        name: the class.
        found: records.
        climbs: climbers that were started.
        queries: queries they spent.
        best: the highest probability of the class that the target gave to any of their records.
        given_up: whether too many of its climbs failed.
    """

    name: str
    found: int
    climbs: int
    queries: int
    best: float
    given_up: bool


@dataclass(frozen=True)
class Climb:
    """Synthesised records, and what they cost.

    Attributes:
        x: n records, in the form of the feature space, ordered by class.
        y: (n,) the class that each was climbed for, which is also the target's answer on it.
        queries_each: (n,) queries of the climb that found the record.
        queries: all queries that were sent, those of failed climbs and lost answers included.
        classes: what came of each class.
        searcher: "plain" or "guided".
        stopped: why the climb ended before all records were found, or None. Classes given up are no such reason.
        hidden: share of the answers that showed nothing of the climbed class.
        notes: what a reader must know, in sentences.
    """

    x: Rows
    y: Ints
    queries_each: Ints
    queries: int
    classes: tuple[ClassClimb, ...]
    searcher: str
    stopped: str | None
    hidden: float
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def unreached(self) -> tuple[str, ...]:
        """Names of the classes without a single record."""
        return tuple(c.name for c in self.classes if c.found == 0)

    @property
    def queries_per_record(self) -> float:
        """Queries a record, failed climbs included; NaN without records."""
        return self.queries / len(self.y) if len(self.y) else float("nan")


class ClimbInterruptedError(ModelError):
    """The target failed in the middle of a climb; what was found is kept in ``partial`` and in the checkpoint."""

    def __init__(self, message: str, partial: Climb) -> None:
        super().__init__(message)
        self.partial = partial


def notes_on(classes: tuple[ClassClimb, ...], wanted: int, hidden: float, reveal: Reveal) -> tuple[str, ...]:
    """What a reader of the records must know: classes without records or with fewer, and what was not revealed."""
    notes = []
    unreached = [f"{c.name} (best confidence {c.best:.2g})" for c in classes if c.found == 0]
    if unreached:
        notes.append(
            f"{len(unreached)} of {len(classes)} classes could not be reached and have no records: "
            f"{', '.join(unreached)}"
        )
    short = [f"{c.name} ({c.found})" for c in classes if 0 < c.found < wanted]
    if short:
        notes.append(f"{len(short)} classes have fewer than the {wanted} records wanted: {', '.join(short)}")
    if reveal.kind != "full":
        lost = f"{hidden:.0%} of the answers showed nothing of the climbed class: such climbers walk at random"
        notes.append(f"the target reveals {reveal}, so that steps too small to show are not seen; {lost}")
    return tuple(notes)
