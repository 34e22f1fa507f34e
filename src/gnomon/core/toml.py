"""Tables as TOML text, which Python reads and does not write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_text(values: Mapping[str, Any]) -> str:
    """Tables of plain values as TOML; what is None is left out.

    >>> print(toml_text({"seed": 1, "data": {"label": "ill", "csv": {"decimal": ","}, "id": None}}), end="")
    seed = 1
    <BLANKLINE>
    [data]
    label = "ill"
    csv = { "decimal" = "," }
    """
    tables = {name: table for name, table in values.items() if isinstance(table, Mapping)}
    lines = _lines({name: value for name, value in values.items() if name not in tables})
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_lines(table)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None]


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = [f"{_value(str(name))} = {_value(part)}" for name, part in value.items() if part is not None]
        return f"{{ {', '.join(parts)} }}" if parts else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # that JSON leaves and TOML refuses
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(written, written)
