"""One climb under way: who climbs, who asks next, what is kept, and where it goes on after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import BudgetError, GnomonError, StoreError, UsageError
from gnomon.core.system import replacing
from gnomon.synthesis import climbers
from gnomon.synthesis.asking import Asker
from gnomon.synthesis.climbed import ClassClimb, Climb, ClimbInterruptedError, notes_on
from gnomon.synthesis.searchers import Searcher, Spot
from gnomon.synthesis.streams import Streams, stream_keys

Progress = Callable[[int, int], None]
Found = list[NDArray[Any]]  # codes, classes, attempts, queries of records found
FOUND = ("codes", "classes", "attempts", "queries")
CHECKPOINT_SECONDS = 10.0
VERSION = "gnomon climb 1 "


@dataclass
class Ascent:
    """A climb and its state; `gnomon.synthesis.climbing.climb` makes it and runs it."""

    ask: Asker
    space: FeatureSpace
    classes: tuple[str, ...]
    per_class: int
    rules: climbers.ClimbRules
    searcher: Searcher
    searcher_name: str
    slots: int
    root: int
    reveal: Reveal
    checkpoint: Path | None
    key: str
    step: int = 0
    found: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = climbers.new_ledger(len(self.classes))
        self.climbers = self._begin(np.zeros(0, dtype=np.int64))
        self.done = np.zeros(0, dtype=bool)  # climbers whose place is free

    def until_done(self, progress: Progress | None) -> Climb:
        """Steps until all records are found, classes given up, or the budget spent."""
        self.save()  # a file that can't be written is found out before anything is asked
        saved = time.monotonic()
        stopped = None
        while self._fill():
            asking = self._affordable()
            if asking == 0:
                stopped = f"the query budget is spent ({self.ask.asked} queries)"
                break
            try:
                answers = self.ask(self.space.decode(self.climbers.record[:asking]), asking)
            except BudgetError:
                stopped = "the target's own query budget is spent"
                break
            except Exception as error:
                if isinstance(error, UsageError) and self.step == 0:
                    raise  # this target can't be climbed at all
                raise self._interrupted(error) from error
            except BaseException:
                self.save()
                raise
            self._take(answers)
            if progress is not None:
                progress(int(self.ledger.found.sum()), self.per_class * len(self.classes))
            if self.checkpoint is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        self.save()
        return self.result(stopped)

    def _interrupted(self, error: Exception) -> ClimbInterruptedError:
        cause = str(error) if isinstance(error, GnomonError) else f"{type(error).__name__}: {error}"
        where = f"in {self.checkpoint}, from where the same call goes on" if self.checkpoint else "in .partial"
        try:
            self.save()
        except StoreError as problem:
            where = f"in .partial; {problem}"
        kept = f"{int(self.ledger.found.sum())} records are kept {where}"
        message = f"the target failed after {self.ask.asked} queries: {cause} ({kept})"
        return ClimbInterruptedError(message, self.result(f"the target failed: {cause}"))

    def _affordable(self) -> int:
        left = self.ask.left()
        return len(self.climbers) if left is None else min(left, len(self.climbers))

    def _fill(self) -> bool:
        """Puts new climbers in the places of those who are done; False when nobody is under way."""
        free = np.flatnonzero(self.done)
        open_slots = max(0, self.slots - len(self.climbers) + len(free))
        if open_slots == 0 and len(free) == 0:
            return True
        running = np.bincount(self.climbers.classes[~self.done], minlength=len(self.classes))
        start = climbers.classes_to_start(self.ledger, running, self.per_class, self.rules, open_slots)
        if len(start) == 0 and len(free) == 0:
            return len(self.climbers) > 0
        fresh = self._begin(start)
        replaced = min(len(free), len(start))
        self.climbers.put(free[:replaced], fresh.part(np.arange(len(start)) < replaced))
        self.done[free[:replaced]] = False
        if len(start) > replaced:
            self.climbers = self.climbers.plus(fresh.part(np.arange(len(start)) >= replaced))
        elif len(free) > replaced:
            self.climbers = self.climbers.part(~self.done)
        self.done = np.zeros(len(self.climbers), dtype=bool)
        return len(self.climbers) > 0

    def _begin(self, classes: Ints) -> climbers.Climbers:
        """New climbers of these classes (sorted), each on its own stream."""
        turn = np.arange(len(classes)) - np.searchsorted(classes, classes)
        attempts = self.ledger.started[classes] + turn
        np.add.at(self.ledger.started, classes, 1)
        streams = Streams(stream_keys(self.root, classes, attempts), np.zeros(len(classes), dtype=np.uint64))
        record = self.searcher.start(classes, streams)
        k = self.rules.first_k(len(self.space))
        return climbers.new_climbers(
            classes, attempts, streams.keys, streams.used, record, n_classes=len(self.classes), k=k
        )

    def _take(self, answers: Floats) -> None:
        """One batch of answers: judge, keep what is found, propose. At the end of a budget some get no answer."""
        asked = np.arange(len(self.climbers)) < len(answers)
        waiting = None if asked.all() else self.climbers.part(~asked)
        moving = self.climbers if waiting is None else self.climbers.part(asked)
        self.step += 1
        self.searcher.learn(moving.record, answers)
        streams = Streams(moving.keys, moving.used)
        returned, failed = climbers.judge(moving, answers, streams.uniform(), self.rules, len(self.space), self.ledger)
        if returned.any():
            parts = (moving.record, moving.classes, moving.attempts, moving.queries)
            self.found.append([part[returned] for part in parts])
        # Those who are done propose too, for nothing; their places are taken before anybody is asked again.
        spot = Spot(moving.best, moving.best_answers, moving.classes, moving.k)
        moving.record = self.searcher.propose(spot, streams)
        moving.used = streams.used
        self.climbers = moving if waiting is None else moving.plus(waiting)
        self.done = np.zeros(len(self.climbers), dtype=bool)
        self.done[: len(answers)] = returned | failed

    def _gathered(self) -> Found:
        """All records found, by class and then by attempt: an order that does not depend on who finished first."""
        if not self.found:
            none = np.zeros(0, dtype=np.int64)
            return [np.empty((0, len(self.space)), dtype=self.space.code_type), none, none, none]
        parts = [np.concatenate(part) for part in zip(*self.found, strict=True)]
        order = np.lexsort((parts[2], parts[1]))
        self.found = [[part[order] for part in parts]]
        return self.found[0]

    def save(self) -> None:
        """Writes the checkpoint, if one was asked for."""
        if self.checkpoint is None:
            return
        arrays: dict[str, NDArray[Any]] = {f"found_{k}": v for k, v in zip(FOUND, self._gathered(), strict=True)}
        arrays |= {f"climbers_{k}": v for k, v in vars(self.climbers.part(~self.done)).items()}
        arrays |= {f"ledger_{k}": v for k, v in vars(self.ledger).items()}
        arrays |= {f"searcher_{k}": v for k, v in self.searcher.save().items()}
        save_state(self.checkpoint, self.key, arrays | {"clock": np.array([self.step, self.ask.asked])})

    def resume(self) -> None:
        """Goes on from the checkpoint, if there is one."""
        arrays = None if self.checkpoint is None else load_state(self.checkpoint, self.key)
        if arrays is None:
            return
        self.found = [[arrays[f"found_{k}"] for k in FOUND]]
        self.climbers = climbers.restore(climbers.Climbers, arrays, "climbers_")
        self.done = np.zeros(len(self.climbers), dtype=bool)
        self.ledger = climbers.restore(climbers.ClimbLedger, arrays, "ledger_")
        self.searcher.load({k.removeprefix("searcher_"): v for k, v in arrays.items() if k.startswith("searcher_")})
        self.step, self.ask.asked = (int(v) for v in arrays["clock"])

    def result(self, stopped: str | None) -> Climb:
        """What has been found so far."""
        codes, classes, _, queries = self._gathered()
        ledger = self.ledger
        given_up = self.rules.given_up(ledger.failed, ledger.found)
        counts = zip(ledger.found, ledger.started, ledger.queries, ledger.best, given_up, strict=True)
        per_class = tuple(
            ClassClimb(name, int(found), int(started), int(asked), float(best), bool(over))
            for name, (found, started, asked, best, over) in zip(self.classes, counts, strict=True)
        )
        hidden = float(ledger.hidden.sum() / max(1, ledger.queries.sum()))
        return Climb(
            x=self.space.decode(codes),
            y=classes,
            queries_each=queries,
            queries=self.ask.asked,
            classes=per_class,
            searcher=self.searcher_name,
            stopped=stopped,
            hidden=hidden,
            notes=notes_on(per_class, self.per_class, hidden, self.reveal),
        )


def save_state(path: Path, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes the arrays atomically: a reader sees the old file or the new one, never half of one.

    Raises:
        StoreError: the file can't be written.
    """
    everything: dict[str, Any] = {"key": np.array(VERSION + key), **arrays}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **everything)


def load_state(path: Path, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of this climb's checkpoint; None if there is no file.

    Raises:
        StoreError: the file is damaged or no checkpoint.
        UsageError: it belongs to a climb with other parameters, features, classes or seed.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = str(arrays.pop("key"))
    except Exception as error:  # of a damaged archive, of zlib and lzma, of other compressions, of numpy
        raise StoreError(f"{path}: not a readable checkpoint ({error}); delete it to start afresh") from None
    if found != VERSION + key:
        raise UsageError(
            f"{path} belongs to another climb (other parameters, features, classes or seed); "
            "name another checkpoint or delete this one"
        )
    return arrays
