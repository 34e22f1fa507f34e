"""The risk appetite: a TOML file of what a model may hold of its training rows."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from gnomon.core.documents.structure import Appetite
from gnomon.core.errors import PlanError, did_you_mean
from gnomon.core.plan import read_toml


def read_appetite(file: str | None) -> Appetite:
    """The appetite in a file, or the cautious default.

    Raises:
        PlanError: no such file, broken TOML, an unknown key, a value out of range.
    """
    if file is None:
        return Appetite()
    try:
        return Appetite.model_validate(read_toml(Path(file)))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            raise PlanError(f'{file}: unknown key "{place}"{did_you_mean(place, Appetite.model_fields)}') from None
        message = problem["msg"][:1].lower() + problem["msg"][1:]
        raise PlanError(f"{file}: {place}: {message}, got {problem['input']!r}") from None
