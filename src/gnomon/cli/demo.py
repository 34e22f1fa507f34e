"""`gnomon demo`: the whole audit on embedded data."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from gnomon.auditing.settings import Settings
from gnomon.cli.audit import carry_out, print_outcome


def demo(
    *,
    to: Path = Path("runs/demo"),
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Trains a model on embedded shopping baskets, attacks it, and writes a report; under a minute on two cores.

    Args:
        to: folder of the run.
        workers: number of processes; default one for each core.
        json: print the record as JSON.
    """
    text = resources.files("gnomon.cli").joinpath("demo.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    outcome = carry_out(values, None, to, Settings(workers=workers))
    return print_outcome(outcome, to, json=json)
