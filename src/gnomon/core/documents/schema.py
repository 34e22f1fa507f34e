"""What all tables of a plan and all parts of a record are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict

from gnomon.core.model_formats import is_address


@dataclass(frozen=True)
class Names:
    """Marks a key of the plan by what its value names: a file's path, or code as ``module:function``."""

    what: Literal["file", "code"]


LONGEST_TEXT = 80  # of a ``repr``

Severity = Literal["note", "warning", "error"]
FileName = Annotated[str, Names("file")]
CodeName = Annotated[str, Names("code")]


def _each_once(given: Any) -> Any:
    twice = next((one for i, one in enumerate(given) if one in given[:i]), None) if isinstance(given, tuple) else None
    if twice is not None:
        raise ValueError(f"{twice!r} stands there twice; name it once")
    return given


EACH_ONCE = AfterValidator(_each_once)  # of a list whose entries are named, not counted


class PlanTable(BaseModel):
    """A table of the plan: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def sets(self, key: str) -> bool:
        """Whether a key has another value than its default; a default that is written out says nothing."""
        return bool(getattr(self, key) != type(self).model_fields[key].get_default(call_default_factory=True))

    def named(self, what: Literal["file", "code"]) -> Iterator[tuple[str, str]]:
        """Every key, here and in tables inside, that names a file or code and is given: its dotted path and value."""
        for key, field in type(self).model_fields.items():
            value = getattr(self, key)
            if isinstance(value, PlanTable):
                yield from ((f"{key}.{inner}", name) for inner, name in value.named(what))
            elif value is not None and _marked(field.annotation, field.metadata, what):
                yield from ((key, name) for name in ((value,) if isinstance(value, str) else value))

    def with_files_in(self, folder: Path) -> Self:
        """The same with every file's path taken as relative to a folder."""
        found: dict[str, Any] = {}
        for key, field in type(self).model_fields.items():
            value = getattr(self, key)
            if isinstance(value, PlanTable):
                found[key] = value.with_files_in(folder)
            elif value is not None and _marked(field.annotation, field.metadata, "file"):
                found[key] = (
                    _in(folder, value) if isinstance(value, str) else tuple(_in(folder, name) for name in value)
                )
        return self.model_copy(update={k: v for k, v in found.items() if v != getattr(self, k)})


def _in(folder: Path, name: str) -> str:
    """A file's path as relative to a folder; an address is none."""
    return name if is_address(name) else str(folder / name)


def _marked(annotation: Any, metadata: list[Any], what: str) -> bool:
    """Whether a field's type is marked: as it stands, or as one of several (``FileName | None``)."""
    kept = [*metadata, *getattr(annotation, "__metadata__", ())]
    for part in get_args(annotation):
        kept += getattr(part, "__metadata__", ())
    return Names(what) in kept  # type: ignore[arg-type] # any other word is in no list


class Part(BaseModel):
    """A part of the record: frozen, closed to unknown keys, no infinities; its ``repr`` is short.

    The comment at a field, behind it or above it, is its description in the JSON schemas (docs/generate.py).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Fields with their values, where these are short; otherwise what they are and how many."""
        for name, value in super().__repr_args__():
            yield name, shortened(value)


class _Words(str):
    """A text that stands in a ``repr`` without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shortened(value: Any) -> Any:
    """A value for a ``repr``: long texts are cut, parts, lists and tables are counted.

    >>> shortened([1.0] * 9), shortened("short"), shortened({"a": 1})
    (<9 entries>, 'short', <1 entry>)
    """
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 3]}..."
    if isinstance(value, Estimate):
        return value
    if isinstance(value, Part):
        return _Words(f"<{type(value).__name__}>")
    if isinstance(value, (list, tuple, dict)) and value:
        return _Words(f"<{len(value)} {'entry' if len(value) == 1 else 'entries'}>")
    return value


class Estimate(Part):
    """A figure with its interval (level: the plan's confidence)."""

    value: float  # the estimate itself
    low: float  # lower end of the interval
    high: float  # upper end of the interval

    @property
    def turned(self) -> Estimate:
        """Of an area under a curve: that of the opposite scores."""
        return Estimate(value=1 - self.value, low=1 - self.high, high=1 - self.low)


class Finding(Part):
    """Something that would make a verdict false, or that its reader must know."""

    code: str  # e.g. "members-overlap"
    title: str  # in one sentence
    severity: Severity  # note, warning or error
    explanation: str  # what it means
    remedy: str  # what to do
    overridden: bool = False  # whether the plan ignores it


class TprAtFpr(Part):
    """True-positive rate at one false-positive rate, or why it is refused."""

    fpr: float  # false-positive rate
    tpr: Estimate | None  # true-positive rate; null: refused
    false_positives: int | None = None  # non-members at or above the threshold
    refused: str | None = None  # "too few non-members (have 100, need 1000)"


def point_at(points: Iterable[TprAtFpr], fpr: float | None) -> TprAtFpr | None:
    """The point at a false-positive rate; None where that was not measured."""
    return next((point for point in points if fpr is not None and abs(point.fpr - fpr) < 1e-12), None)


def rate_at(points: Iterable[TprAtFpr], fpr: float | None) -> Estimate | None:
    """The true-positive rate at a false-positive rate; None where that is refused or was not measured."""
    point = point_at(points, fpr)
    return None if point is None else point.tpr
