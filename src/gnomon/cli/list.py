"""`gnomon list`: what there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.table import Table

from gnomon.attacks import ATTACKS
from gnomon.cli.shared import show_json
from gnomon.core.model_formats import FORMATS
from gnomon.datasets import SOURCES
from gnomon.mitigations import MITIGATIONS
from gnomon.models.plugins import Kind, installed

listing = App(
    name="list", help="Lists what there is: attacks, datasets, mitigations, readers.", result_action="return_value"
)


@listing.command(name="attacks")
def list_attacks(*, json: bool = False) -> int:
    """Attacks by name, with what each needs to see.

    Args:
        json: print JSON.
    """
    rows = [{"name": a.name, "attack": a.title, "paper": a.paper, "needs": sorted(a.needs)} for a in ATTACKS]
    return _shown([*rows, *_foreign("attacks", "attack")], json=json)


@listing.command(name="datasets")
def list_datasets(*, json: bool = False) -> int:
    """Data sets by name, with their terms.

    Args:
        json: print JSON.
    """
    rows = [
        {
            "name": s.name,
            "data set": s.title,
            "rows": s.rows,
            "features": s.features,
            "classes": list(s.classes),
            "terms": s.terms,
        }
        for s in SOURCES
    ]
    return _shown(rows, json=json)


@listing.command(name="mitigations")
def list_mitigations(*, json: bool = False) -> int:
    """Mitigations by name, with how a plan or `gnomon defend --try` writes them.

    Args:
        json: print JSON.
    """
    rows = [
        {
            "name": m.name,
            "in a plan": list(m.examples),
            "mitigation": m.title,
            "paper": m.paper,
            "acts on": m.acts_on,
            "keeps the label": m.keeps_label,
        }
        for m in MITIGATIONS
    ]
    return _shown([*rows, *_foreign("mitigations", "mitigation")], json=json)


@listing.command(name="readers")
def list_readers(*, json: bool = False) -> int:
    """Model files that can be read, by their endings.

    Args:
        json: print JSON.
    """
    rows = [
        {
            "name": f.place,
            "model": f.title,
            "needs": [*([f.needs] if f.needs else []), *([f"the extra {f.extra}"] if f.extra else [])],
        }
        for f in FORMATS
    ]
    return _shown([*rows, *_foreign("readers", "model")], json=json)


def _foreign(kind: Kind, column: str) -> list[dict[str, Any]]:
    """What other packages bring; read from their metadata, nothing of it is imported."""
    return [
        {
            "name": f".{p.name}" if kind == "readers" else p.name,
            column: f"{p.path} of {p.package} {p.version}",
            "needs": ["--trust"],
            "package": p.package,
        }
        for p in installed(kind)
    ]


def _shown(rows: Sequence[dict[str, Any]], *, json: bool) -> int:
    """Prints rows; those of gnomon's own say in JSON that they are, and lists of other packages leave cells empty."""
    if json:
        return show_json([{**row, "package": row.get("package", "gnomon")} for row in rows])
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_spelt(row.get(name, "")) for name in rows[0]))
    Console().print(table)
    return 0


def _spelt(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
