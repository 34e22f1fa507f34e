"""What a study varies: one key of a plan (``trainer.epochs=5,20,80``), or whole sets of keys under names.

Values are TOML values; a bare word is text. ``@file.toml`` stands for a whole table, so that
``trainer=@nn.toml,@forest.toml`` varies the model type.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import PlanError, UsageError
from gnomon.core.plan import read_toml

EXAMPLE = "expected KEY=VALUE,VALUE such as trainer.epochs=5,20,80"
OWN = {"seed": "the seed is varied by repeats", "name": "cells are named by what varies"}
_WORD = re.compile(r"[^\s\"'\[\]{}=#,]+")
_CLOSES = {"[": "]", "{": "}"}


@dataclass(frozen=True)
class Choice:
    """One value of an axis: what a table calls it, and the keys that it sets (dotted key -> value)."""

    label: str
    settings: tuple[tuple[str, Any], ...]

    @property
    def number(self) -> float | None:
        """The value, where it is one number."""
        values = [value for _, value in self.settings]
        single = len(values) == 1 and isinstance(values[0], int | float) and not isinstance(values[0], bool)
        return float(values[0]) if single else None


@dataclass(frozen=True)
class VariedKey:
    """An axis of a study: its name and its choices, in order."""

    key: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if self.key in OWN:
            raise UsageError(f'"{self.key}" can\'t be varied: {OWN[self.key]}')
        if not self.choices:
            raise UsageError(f"{self.key}: no value to vary over; {EXAMPLE}")
        labels = [choice.label for choice in self.choices]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise UsageError(f"{self.key}: the value {twice[0]} is given twice")


def parse_vary(text: str) -> VariedKey:
    """An axis from the text of ``--vary``.

    Raises:
        UsageError: no key, no value, brackets that do not close, a value given twice.
        PlanError: a file that can't be read.

    >>> parse_vary("trainer.hidden=[64],[128, 64]").choices[1]
    Choice(label='[128, 64]', settings=(('trainer.hidden', [128, 64]),))
    >>> [choice.label for choice in parse_vary("shadow.source=real,noisy:0.2").choices]
    ['real', 'noisy:0.2']
    >>> parse_vary("trainer.epochs")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: --vary trainer.epochs: expected KEY=VALUE,VALUE such as trainer.epochs=5,20,80
    """
    key, equals, values = text.partition("=")
    key = key.strip()
    if not equals or not key or not values.strip():
        raise UsageError(f"--vary {text}: {EXAMPLE}")
    return VariedKey(key, tuple(_choice(key, part.strip(), text) for part in _split(values, text)))


def axis_of(key: str, values: Sequence[Any]) -> VariedKey:
    """An axis from values themselves.

    >>> [choice.label for choice in axis_of("trainer.dropout", [0.0, 0.5]).choices]
    ['0', '0.5']
    """
    return VariedKey(key, tuple(Choice(spell(value), ((key, value),)) for value in values))


def named_axis(key: str, tables: Sequence[Mapping[str, Any]], source: str) -> VariedKey:
    """An axis of named sets of keys: each table has a ``name``, and beside it tables of the plan.

    Raises:
        PlanError: a table without a name.
    """
    choices = []
    for table in tables:
        name = table.get("name")
        if not isinstance(name, str) or not name:
            raise PlanError(f"{source}: study.cells: every cell needs a name")
        rest = {k: v for k, v in table.items() if k != "name"}
        choices.append(Choice(name, tuple(flat(rest))))
    return VariedKey(key, tuple(choices))


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested tables by their dotted keys.

    >>> dict(flat({"trainer": {"epochs": 5, "params": {}}}))
    {'trainer.epochs': 5, 'trainer.params': {}}
    """
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def with_settings(values: Mapping[str, Any], settings: Sequence[tuple[str, Any]], source: str) -> dict[str, Any]:
    """A copy of nested tables with dotted keys set.

    Raises:
        PlanError: a key that leads through something that is no table.

    >>> with_settings({"trainer": {"epochs": 5}}, [("trainer.epochs", 9), ("data.rows", 3)], "plan")
    {'trainer': {'epochs': 9}, 'data': {'rows': 3}}
    """
    made: dict[str, Any] = copy.deepcopy(dict(values))
    for dotted, value in settings:
        *path, last = dotted.split(".")
        table = made
        for part in path:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise PlanError(f'{source}: unknown key "{dotted}": {part} is a value and no table')
            table = inner
        table[last] = copy.deepcopy(value)
    return made


def spell(value: Any) -> str:
    """A value as tables and pictures write it.

    >>> spell(1e-3), spell(5), spell([64, 32]), spell("real"), spell(True)
    ('0.001', '5', '[64, 32]', 'real', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, default=str)


def _choice(key: str, text: str, whole: str) -> Choice:
    if text.startswith("@"):
        path = Path(text[1:])
        return Choice(path.stem, ((key, read_toml(path)),))
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if not _WORD.fullmatch(text):
            raise UsageError(f"--vary {whole}: {text or 'an empty value'} is no TOML value; {EXAMPLE}") from None
        value = text
    return Choice(spell(value), ((key, value),))


def _split(text: str, whole: str) -> list[str]:
    """Cuts at commas that stand outside of brackets and quotes."""
    parts, start, waiting, quote = [], 0, [], ""
    for i, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _CLOSES:
            waiting.append(_CLOSES[letter])
        elif waiting and letter == waiting[-1]:
            waiting.pop()
        elif letter == "," and not waiting:
            parts.append(text[start:i])
            start = i + 1
    if quote or waiting:
        raise UsageError(f"--vary {whole}: {quote or waiting[-1]} is missing")
    return [*parts, text[start:]]
