"""The appetite (what a model may hold of its training rows), and parameters known to make it keep single rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gnomon.auditing.structure.parts import FittedPart
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


UNBOUNDED = 1000.0  # C from here on hardly penalises


@dataclass(frozen=True)
class Setting:
    """A parameter with values that are risky.

    Attributes:
        name: of the parameter.
        having: attributes of the fitted part, one of which must be there: the same name means other things elsewhere.
        risky: from its value, the number of training rows and the appetite.
        why: in words.
        better: what to set instead; may name the appetite's {leaf_rows}, {same_answers}, {word_rows}.
    """

    name: str
    having: tuple[str, ...]
    risky: Callable[[Any, int, Appetite], bool]
    why: str
    better: str


def _rows(value: Any, n: int) -> float:
    """A number of rows that may be given as a share."""
    return float(value) * n if isinstance(value, float) and value < 1 else float(value)


TREES = ("tree_", "estimators_", "_predictors")
SETTINGS = (
    Setting(
        "min_samples_leaf",
        TREES,
        lambda v, n, a: _rows(v, n) < a.leaf_rows,
        "leaves may stand for single rows",
        "min_samples_leaf={leaf_rows}",
    ),
    Setting(
        "min_child_samples",
        ("booster_",),
        lambda v, _n, a: v < a.leaf_rows,
        "leaves may stand for single rows",
        "min_child_samples={leaf_rows}",
    ),
    Setting(
        "bootstrap",
        ("estimators_",),
        lambda v, _n, _a: v is False,
        "every tree sees every row, so nothing averages a row out",
        "bootstrap=True",
    ),
    Setting(
        "weights",
        ("_fit_X",),
        lambda v, _n, _a: v == "distance",
        "a stored row that is queried answers with its own label alone",
        'weights="uniform"',
    ),
    Setting(
        "n_neighbors",
        ("_fit_X",),
        lambda v, _n, a: v < a.same_answers,
        "an answer stands for so few rows",
        "n_neighbors={same_answers}",
    ),
    Setting(
        "min_df",
        ("vocabulary_",),
        lambda v, n, a: _rows(v, n) < a.word_rows,
        "words of single texts are kept",
        "min_df={word_rows}",
    ),
    Setting("alpha", ("coefs_",), lambda v, _n, _a: v == 0, "nothing holds the weights back", "alpha=0.0001 or more"),
    Setting(
        "C",
        ("coef_", "support_vectors_"),
        lambda v, _n, _a: v >= UNBOUNDED,
        "the penalty hardly holds the model back from fitting single rows",
        "C=1",
    ),
)


def risky_settings(part: FittedPart, rows: int, appetite: Appetite) -> list[tuple[str, str, str]]:
    """Risky parameters of a part: what is set, why it is risky, what would be better."""
    thing = part.thing
    if not hasattr(thing, "get_params"):
        return []
    given = thing.get_params(deep=False)
    found = []
    for setting in SETTINGS:
        there = setting.name in given and any(hasattr(thing, name) for name in setting.having)
        if there and given[setting.name] is not None and setting.risky(given[setting.name], rows, appetite):
            better = setting.better.format(**appetite.model_dump())
            found.append((f"{part.name}: {setting.name}={given[setting.name]!r}", setting.why, better))
    return found
