"""Text that tries to be more than text, in any id, group, column, class or name; each renderer is tried with all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel

D = TypeVar("D", bound=BaseModel)

PAYLOADS = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<details open ontoggle=alert(1)>",
    "' onmouseover='alert(1)",
    '" style="background:url(//evil.example/x)',
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<form action=//evil.example><input name=q>",
    "<!-- ",
    "]]><x>",
    "&lt;script&gt;",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](//evil.example/x.png)",
    "<https://evil.example>",
    "| a | b |\n| - | - |",
    "\n# heading\n\n- list\n",
    "```\nfence",
    "~~~\nfence",
    "</details></summary>",
    "$\\href{javascript:alert(1)}{x}$",
    "$x_{",
    "{{ 7 * 7 }} {% raw %}",
    "[red]x[/red] [link=https://evil.example]x[/link]",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\",
    "\x9b2J",
    "a\rb",
    "\x00\x08\x7f",
    "\u202etxt.exe\u202c",
    "\u2066x\u2069\u200b\ufeff",
    "\u2028\u2029\x85",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("https://evil.example","x")',
    "\uff1d1+1",
    "a,b\";'\n=1+1",
)
STEERING = "".join(map(chr, [*range(32), *range(127, 160), 0x200B, 0x2028, 0x2029, 0xFEFF]))
STEERING += "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))  # directions


def steering(text: str, allowed: str = "\n") -> set[str]:
    """Characters that steer a terminal or turn text around."""
    return set(text) & (set(STEERING) - set(allowed))


def with_payloads(document: D, shift: int) -> D:
    """A document in which every free text has a payload behind it, the same text always the same one."""
    order = itertools.cycle((*PAYLOADS[shift % len(PAYLOADS) :], *PAYLOADS[: shift % len(PAYLOADS)]))
    return _model(document, {}, order)


def _model(model: D, known: dict[str, str], order: Iterator[str]) -> D:
    fields = type(model).model_fields
    return model.model_copy(
        update={name: _value(getattr(model, name), fields[name].annotation, known, order) for name in fields}
    )


def _value(value: Any, kind: Any, known: dict[str, str], order: Iterator[str]) -> Any:
    if isinstance(value, BaseModel):
        return _model(value, known, order)
    options = get_args(kind)
    if isinstance(value, str):
        closed = get_origin(kind) is Literal or any(get_origin(option) is Literal for option in options)
        return value if closed else known.setdefault(value, f"{value} {next(order)}")
    if isinstance(value, list):
        inner = options[0] if get_origin(kind) is list else Any
        return [_value(one, inner, known, order) for one in value]
    if isinstance(value, dict):
        keys, inner = options if get_origin(kind) is dict else (Any, Any)
        return {_value(k, keys, known, order): _value(v, inner, known, order) for k, v in value.items()}
    return value
