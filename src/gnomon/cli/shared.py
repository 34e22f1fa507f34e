"""What several commands share: flags of trust, and how they print what they made (for people, or as JSON)."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter
from rich.console import Console

from gnomon.auditing.settings import Settings, Trust
from gnomon.core.documents.read_write import document_text
from gnomon.core.documents.schema import Part
from gnomon.engines.ray import ENGINE_WORDS, LOCAL
from gnomon.report import print_terminal
from gnomon.report.formats import Document

CELLS_FAILED = 3  # exit code of a study or a reproduction that could not carry out each cell

Trusting: TypeAlias = Annotated[Trust, Parameter(name="*")]


@Parameter(name="*")
@dataclass(frozen=True)
class Running(Trust):
    """Flags of commands that train models.

    Attributes:
        workers: number of processes; default one for each core.
        engine: where models are trained.
    """

    workers: int | None = None
    engine: Annotated[str, Parameter(help=ENGINE_WORDS)] = LOCAL

    @property
    def settings(self) -> Settings:
        """What an audit takes."""
        return Settings(**vars(self))


def own_modules_first(trusted: Trust) -> None:
    """Lets module:function mean the user's own module first, where any code of theirs may be imported."""
    if trusted.trust or trusted.trust_type:
        sys.path.insert(0, str(Path.cwd()))


def show(document: Document, *, json: bool, files: Mapping[str, object] | None = None) -> int:
    """Prints a document.

    Args:
        document: what a command made.
        json: the document itself, and nothing else.
        files: where things are, printed below what people read.

    Returns:
        0, the exit code.
    """
    if json:
        print(document_text(document), end="")
        return 0
    print_terminal(document, Console())
    if files:
        width = max(map(len, files)) + 1
        print("", *(f"{f'{name}:':<{width}} {place}" for name, place in files.items()), sep="\n")
    return 0


def show_part(part: Part) -> int:
    """Prints a document that has no page of its own, as JSON."""
    print(document_text(part), end="")
    return 0


def show_json(value: Any) -> int:
    """Prints lists, tables, numbers and texts as JSON."""
    print(json_format.dumps(value, indent=1, ensure_ascii=True, default=str))
    return 0
