"""What several commands share: flags of trust, and how they print what they made (for people, or as JSON)."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter
from rich.console import Console

from gnomon.core.documents.read_write import document_text
from gnomon.core.documents.schema import Part
from gnomon.report import print_terminal
from gnomon.report.formats import Document

TrustTypes: TypeAlias = Annotated[tuple[str, ...], Parameter(name="--trust-type")]
SendTo: TypeAlias = Annotated[tuple[str, ...], Parameter(name="--send-to")]


def own_modules_first(trust: bool, types: Sequence[str] = ()) -> None:
    """Lets module:function mean the user's own module first, where any code of theirs may be imported."""
    if trust or types:
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
