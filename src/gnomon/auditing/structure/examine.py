"""Looks into a model and holds what is there against the appetite: what it may hold of its training rows.

Parameters that are known to make a model keep single rows are named too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared, train_target
from gnomon.auditing.structure.contents import (
    FittedPart,
    Trees,
    fitted_numbers,
    fitted_parts,
    inner_parts,
    rare_categories,
    rare_words,
    read_trees,
    stored_rows,
    together,
)
from gnomon.core.arrays import Floats, count_rows, take_rows
from gnomon.core.documents.record_parts import Appetite, StructureCode, StructureFacts, StructureValue
from gnomon.core.documents.schema import Finding
from gnomon.core.plan import make_table, read_toml
from gnomon.core.protocols import Model, ModelAbilities


def read_appetite(file: str | None) -> Appetite:
    """The appetite in a file, or the cautious default.

    Raises:
        PlanError: no such file, broken TOML, an unknown key, a value out of range.
    """
    return Appetite() if file is None else make_table(Appetite, read_toml(Path(file)), file)


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


WORDS: dict[StructureCode, tuple[str, str, str]] = {  # title of the value, explanation, remedy
    "stored-rows": (
        "Training rows in the model itself",
        "Whoever holds the model's file reads these rows out of it; no attack is needed.",
        "Don't hand out the file. Serve answers only, or train a kind of model that keeps no rows (a linear model, a "
        "tree with large leaves), and audit that.",
    ),
    "small-leaves": (
        "Training rows of the smallest leaf",
        "The value of such a leaf is that of one or a few persons; whoever holds the trees reads it.",
        "Train with leaves of {leaf_rows} rows or more.",
    ),
    "pure-leaves": (
        "Leaves that hold rows of one class only",
        "Who is known to be among the rows that such a leaf was made of has its class: it is disclosed without any "
        "doubt. A tree of a forest is made of a sample of the training rows.",
        "Train with larger leaves or less depth, or round what leaves say.",
    ),
    "few-degrees-of-freedom": (
        "Residual degrees of freedom (training rows less fitted numbers)",
        "With as many fitted numbers as rows, the numbers can hold the rows: a regression without residual degrees of "
        "freedom can be solved for them.",
        "Train a smaller model, or on more rows.",
    ),
    "unique-answers": (
        "Fewest training rows that share one answer (k-anonymity of answers)",
        "An answer that only one row gets singles that row out for whoever sees the answers. Models that answer with "
        "many digits do this as a rule.",
        "Reveal labels or rounded answers, or accept this after the attacks' results.",
    ),
    "rare-words": (
        "Words kept that few training rows have",
        "The vocabulary stands in the model as text; a rare word may be a name, an address, a rare disease.",
        "Set min_df={word_rows}, or a fixed vocabulary.",
    ),
    "rare-categories": (
        "Categories kept that few training rows have",
        "Categories stand in the model as text; a rare one may single out a person.",
        "Group rare categories before training (OneHotEncoder: min_frequency={word_rows}).",
    ),
}


def examine(model: Any, rows: Any, answers: Floats | None, appetite: Appetite) -> StructureFacts:
    """What a fitted model holds of its training rows.

    Args:
        model: fitted: an estimator of scikit-learn's kind, or a network.
        rows: the rows that it was trained on, as it takes them.
        answers: its answers to them (n, c); None: not asked.
        appetite: what is accepted.
    """
    parts, n = fitted_parts(model, rows), count_rows(rows)
    trees = together([found for found in map(_trees_of, parts) if found is not None])
    answering = [part for part in parts if hasattr(part.thing, "predict") or hasattr(part.thing, "state_dict")]
    values = [
        *_stored(parts, appetite),
        *_leaves(trees, appetite),
        *_freedom(trees, answering, n, appetite),
        *_answers(answers, appetite),
        *_kept(parts, appetite),
    ]
    settings = list(dict.fromkeys(one for part in _outer(parts) for one in risky_settings(part, n, appetite)))
    return StructureFacts(
        model=", ".join(dict.fromkeys(part.name for part in parts)),
        rows=n,
        values=values,
        findings=[*(_finding(v, appetite) for v in values if not v.met), *map(_risky, settings)],
        not_read=_not_read(parts, trees),
        appetite=appetite,
    )


def _trees_of(part: FittedPart) -> Trees | None:
    try:
        return read_trees(part)
    except Exception:  # a version of a library that keeps its trees elsewhere: `_not_read` names the part
        return None


def _outer(parts: Sequence[FittedPart]) -> list[FittedPart]:
    """Parts whose parameters somebody set: an ensemble's trees have theirs from the ensemble."""
    within = {id(one) for part in parts for one in np.ravel(np.asarray(getattr(part.thing, "estimators_", []), object))}
    return [part for part in parts if id(part.thing) not in within or not hasattr(part.thing, "tree_")]


def _value(code: StructureCode, value: float, limit: float | None, *, at_least: bool, met: bool) -> StructureValue:
    return StructureValue(code=code, title=WORDS[code][0], value=value, limit=limit, at_least=at_least, met=met)


def _stored(parts: Sequence[FittedPart], appetite: Appetite) -> list[StructureValue]:
    found = [rows for rows in map(stored_rows, parts) if rows is not None]
    most = max(found, default=0)
    limit = appetite.stored_rows
    return [_value("stored-rows", most, limit, at_least=False, met=most <= limit)]


def _leaves(trees: Trees | None, appetite: Appetite) -> list[StructureValue]:
    if trees is None:
        return []
    least, limit = int(trees.leaf_rows.min()), appetite.leaf_rows
    values = [_value("small-leaves", least, limit, at_least=True, met=least >= limit)]
    if trees.pure is not None:
        allowed = appetite.pure_leaves or trees.pure == 0
        limit_pure = None if appetite.pure_leaves else 0
        values.append(_value("pure-leaves", trees.pure, limit_pure, at_least=False, met=allowed))
    return values


def _freedom(trees: Trees | None, answering: Sequence[FittedPart], n: int, appetite: Appetite) -> list[StructureValue]:
    numbers = [found for found in map(fitted_numbers, answering) if found is not None]
    if trees is None and not numbers:
        return []
    left, limit = n - sum(numbers) - (0 if trees is None else trees.parameters), appetite.degrees_of_freedom
    return [_value("few-degrees-of-freedom", left, limit, at_least=True, met=left >= limit)]


def _answers(answers: Floats | None, appetite: Appetite) -> list[StructureValue]:
    if answers is None or len(answers) == 0:
        return []
    least, limit = int(np.unique(answers, axis=0, return_counts=True)[1].min()), appetite.same_answers
    return [_value("unique-answers", least, limit, at_least=True, met=least >= limit)]


def _kept(parts: Sequence[FittedPart], appetite: Appetite) -> list[StructureValue]:
    values = []
    words = [found for found in (rare_words(p, appetite.word_rows) for p in parts) if found is not None]
    categories = [found for found in (rare_categories(p, appetite.word_rows) for p in parts) if found is not None]
    if words:
        values.append(_value("rare-words", sum(words), 0, at_least=False, met=sum(words) == 0))
    if categories:
        values.append(_value("rare-categories", sum(categories), 0, at_least=False, met=sum(categories) == 0))
    return values


def _finding(value: StructureValue, appetite: Appetite) -> Finding:
    title, explanation, remedy = WORDS[value.code]
    limit = "" if value.limit is None else f" (accepted: {_accepted(value.limit, at_least=value.at_least)})"
    return Finding(
        code=value.code,
        title=f"{title}: {value.value:,.0f}{limit}".replace(": -", ": −"),
        severity="error" if value.code in appetite.refuse else "warning",
        explanation=explanation,
        remedy=remedy.format(**appetite.model_dump()),
    )


def _accepted(limit: float, *, at_least: bool) -> str:
    if not at_least and limit == 0:
        return "none"
    return f"{limit:,.0f} or {'more' if at_least else 'fewer'}"


def _risky(found: tuple[str, str, str]) -> Finding:
    what, why, better = found
    return Finding(
        code="risky-parameter",
        title=what,
        severity="warning",
        explanation=f"With this setting {why}.",
        remedy=f"Train with {better}.",
    )


def _not_read(parts: Sequence[FittedPart], trees: Trees | None) -> list[str]:
    """Parts that answer and of which nothing could be measured."""
    silent = [
        part.name
        for part in parts
        if hasattr(part.thing, "predict_proba")
        and fitted_numbers(part) is None
        and not stored_rows(part)
        and next(inner_parts(part.thing, None), None) is None
        and (trees is None or _trees_of(part) is None)
    ]
    return list(dict.fromkeys(silent))


def examine_target(
    model: Model | None, answers: AnswerSet, prepared: Prepared, appetite: Appetite
) -> StructureFacts | None:
    """What the target holds of its training rows; None where there is nothing to look into, or nobody is to look.

    Args:
        model: the target, as far as it was given or had to be trained to be queried.
        answers: its answers.
        prepared: the plan and the rows.
        appetite: what is accepted.
    """
    wanted = prepared.plan.structure.check
    if wanted is False:
        return None
    if model is None and wanted and prepared.inputs.answers is None:
        model = train_target(prepared)
    plain = ModelAbilities.of(model).plain
    fitted = ModelAbilities.of(model if plain is None else plain).fitted()
    if fitted is None:
        return None
    rows = take_rows(prepared.data.x, prepared.roles.train)
    return examine(fitted, rows, answers.target_answers[answers.case.member], appetite)
