"""What every report is made of: one page of sections, each with facts, tables, figures and remarks.

A document's module (`audit`, `defence`, `study`, `reproduction`, `comparison`) turns it into a `Page`; each renderer
turns any page into text. Text is put in as it came: a renderer cleans and escapes it where it enters the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnomon.core.documents.record import Estimate, Provenance, TprAtFpr
from gnomon.core.documents.schema import point_at
from gnomon.core.documents.study import StudyMachine
from gnomon.report import formatting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = {
    "leaks": "Leaks membership",
    "leaks_some": "Leaks some membership",
    "undecided": "Undecided: this audit cannot decide",
    "none_found": "No leak found by these attacks",
    "invalid": "Not valid",
}
NOTHING_FOUND = ("undecided", "none_found")
Fact = tuple[str, str | int | None]  # label, value; without a value it is not shown


@dataclass(frozen=True)
class Cell:
    """One cell: its text, small lines below it, the letter of a footnote, an address."""

    text: str
    detail: tuple[str, ...] = ()
    mark: str = ""
    href: str = ""
    tag: str = ""  # in the first cell: the row is stressed, and this is why
    muted: bool = False
    heat: float = 0.0  # in [0, 1]: how deep the cell is tinted
    bar: float | None = None  # in [0, 1]: a bar below the text, as long as this share


NONE = Cell("–", muted=True)
Value = Cell | Estimate | str | float | int | None  # what `cell` spells
Cells = tuple[Value, ...]


@dataclass(frozen=True)
class Column:
    """One column; the first column of a table names its rows."""

    title: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table. It needs no heading where its title is the section's."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lead: str = ""
    notes: tuple[tuple[str, str], ...] = ()  # letter, text
    folded: str = ""  # what is clicked to see the table; empty: it is open
    hidden: int = 0  # rows that `cut` left out

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", formatting.anchor(self.key))

    def cut(self, rows: int, columns: int = 99) -> Table:
        """The first rows and columns, for a terminal."""
        kept = tuple(row[:columns] for row in self.rows[:rows])
        hidden = len(self.rows) - len(kept)
        return Table(self.key, self.title, self.columns[:columns], kept, notes=self.notes, hidden=hidden)


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption, drawn only when a renderer asks for it."""

    key: str  # unique on the page: it makes the ids of the drawing unique
    title: str
    lead: str = ""
    text: str = ""  # what it shows, for those who can't see it
    paint: Callable[[Axes], None] | None = None
    height: int = 320
    svg: str = ""  # or drawn by hand
    kind: str = ""  # a class of the page's style sheet
    legend: tuple[tuple[str, str], ...] = ()  # swatch (see `svg.swatch`), text
    table: Table | None = None  # its values; open where nothing is drawn

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", formatting.anchor(self.key))


@dataclass(frozen=True)
class Remark:
    """Something that stands out: a finding, or a statement with its verdict."""

    tone: str  # error, warning, note, good
    label: str
    title: str
    texts: tuple[str, ...]
    code: str = ""


@dataclass(frozen=True)
class Section:
    """One part of a report, in the order in which its fields are shown; what is empty is left out."""

    key: str
    title: str
    lead: str = ""
    sentences: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    figures: tuple[Figure, ...] = ()
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()  # title, text of many lines: folded
    parts: tuple[Section, ...] = ()
    appendix: bool = False  # for whoever wants the details: folded on a screen, at the end of a print
    short: str = ""  # in the table of contents
    brief: tuple[Table | Remark | str, ...] = ()  # what a terminal shows of it

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", formatting.anchor(self.key))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show but a title and a lead."""
        tables = any(table.rows for table in self.tables)
        return not tables and not any(
            (self.sentences, self.remarks, self.figures, self.facts, self.notes, self.texts, self.parts)
        )


@dataclass(frozen=True)
class Page:
    """One document, ready for any renderer."""

    kind: str  # "membership-inference audit"
    source: str  # what it was made from: "one record"
    name: str
    headline: str
    sections: tuple[Section, ...]
    level: str = ""  # a class of the page's style sheet; empty: no verdict
    label: str = ""  # the verdict in two or three words
    sentences: tuple[str, ...] = ()
    summary: tuple[Fact, ...] = ()  # what the first screen says below the headline
    caveat: str = ""
    notice: str = ""  # how the page itself is to be handled
    facts: tuple[Fact, ...] = ()
    dense: bool = False  # one to three pages that are printed and signed


def filled(*sections: Section | None) -> tuple[Section, ...]:
    """Those sections that have content."""
    return tuple(section for section in sections if section is not None and not section.empty)


def cell(value: Value) -> Cell:
    """A value as a cell: shares as percentages, counts as they are, nothing as a dash.

    >>> [cell(value).text for value in (0.25, 1200, "a", None)]
    ['25.0%', '1,200', 'a', '–']
    """
    match value:
        case Cell():
            return value
        case None:
            return NONE
        case Estimate():
            return Cell(formatting.share(value.value), (formatting.shares(value),))
        case str():
            return Cell(value)
        case float():
            return Cell(formatting.share(value))
        case _:
            return Cell(formatting.count(value))


def area(value: Estimate | float | None) -> Cell:
    """A dimensionless value, such as an AUC, as a cell.

    >>> area(Estimate(value=0.5, low=0.4, high=0.6))
    Cell(text='0.500', detail=('0.400–0.600',), mark='', href='', tag='', muted=False, heat=0.0, bar=None)
    """
    if isinstance(value, Estimate):
        return Cell(formatting.number(value.value), (formatting.numbers(value),))
    return NONE if value is None else Cell(formatting.number(value))


def rate(points: Iterable[TprAtFpr], fpr: float | None) -> Cell:
    """The true-positive rate at one false-positive rate, or that it is refused."""
    point = point_at(points, fpr)
    if point is not None and point.tpr is None and point.refused:
        return Cell("refused", muted=True)
    return cell(None if point is None else point.tpr)


def tpr_cell(point: TprAtFpr) -> Cell:
    """A true-positive rate with its false-positive rate, or why there is none."""
    if point.tpr is None:
        return Cell(NONE.text, (point.refused,) if point.refused else (), muted=True)
    return Cell(
        formatting.share(point.tpr.value), (formatting.shares(point.tpr), f"at {formatting.rate(point.fpr)} FPR")
    )


def table(
    key: str,
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    left: int = 1,
    lead: str = "",
    notes: tuple[tuple[str, str], ...] = (),
    folded: str = "",
) -> Table:
    """A table of values.

    Args:
        key: unique on the page.
        title: its heading.
        heads: titles of the columns.
        rows: values, which `cell` spells; the first names its row.
        left: how many columns hold text, the first ones; the others hold numbers.
        lead: a sentence below the heading.
        notes: letters and texts of the footnotes.
        folded: what is clicked to see it.

    Returns:
        The table; without rows no renderer shows it.
    """
    columns = tuple(Column(head, i >= left) for i, head in enumerate(heads))
    return Table(key, title, columns, tuple(tuple(map(cell, row)) for row in rows), lead, notes, folded)


def fold(whole: Table, most: int, rest: str) -> tuple[Table, ...]:
    """The first rows of a table, and the others folded; ``rest``: what the others are called."""
    first, others = whole.rows[:most], whole.rows[most:]
    shown = Table(whole.key, whole.title, whole.columns, first, whole.lead, whole.notes)
    if not others:
        return (shown,)
    folded = f"Further {len(others)} {rest}"
    return shown, Table(f"{whole.key}-rest", whole.title, whole.columns, others, folded=folded)


def machine(made: Provenance | StudyMachine) -> tuple[Fact, ...]:
    """What a document was made with."""
    packages = ", ".join(f"{name} {version}" for name, version in sorted(made.packages.items()))
    cores = formatting.counted(made.cores, "core")
    return (
        ("gnomon", made.gnomon),
        ("Python", made.python),
        ("Packages", packages),
        ("Machine", f"{made.machine}, {cores}"),
    )
