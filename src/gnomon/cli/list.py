"""`gnomon list`: what there is."""

from __future__ import annotations

from cyclopts import App
from rich.console import Console
from rich.table import Table

from gnomon.attacks import ATTACKS
from gnomon.datasets import SOURCES

listing = App(name="list", help="Lists what there is: attacks, datasets.", result_action="return_value")


@listing.command(name="attacks")
def list_attacks() -> int:
    """Attacks by name, with what each needs to see."""
    table = Table("name", "attack", "paper", "needs", box=None, pad_edge=False)
    for attack in ATTACKS:
        table.add_row(attack.name, attack.title, attack.paper, ", ".join(sorted(attack.needs)))
    Console().print(table)
    return 0


@listing.command(name="datasets")
def list_datasets() -> int:
    """Data sets by name, with their terms."""
    table = Table("name", "data set", "rows", "features", "classes", "terms", box=None, pad_edge=False)
    for source in SOURCES:
        classes = ", ".join(map(str, source.classes))
        table.add_row(source.name, source.title, f"{source.rows:,}", f"{source.features:,}", classes, source.terms)
    Console().print(table)
    return 0
