"""Headers with values from the environment, and messages in which these values do not stand."""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from gnomon.core.documents.endpoint import header_source
from gnomon.core.errors import UsageError

HIDDEN = "[hidden]"
_BEGINNING = 6  # characters by which a secret is known


@dataclass(frozen=True)
class Headers:
    """What goes with each request.

    Attributes:
        values: name -> value; never shown.
        secrets: texts that no message may hold, longest first.
    """

    values: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """A text without the secrets, also where a service sends them back and its words are cut short in the middle.

        >>> Headers({"X-Key": "abc123xyz"}, ("abc123xyz",)).hide("no key abc123xyz, no key abc123x")
        'no key [hidden], no key [hidden]'
        """
        for secret in self.secrets:
            start = text.find(secret[:_BEGINNING])
            while start >= 0:
                same = (a == b for a, b in zip(text[start:], secret, strict=False))
                text = text[:start] + HIDDEN + text[start + sum(takewhile(bool, same)) :]
                start = text.find(secret[:_BEGINNING], start + len(HIDDEN))
        return text


def read_headers(headers: Mapping[str, str], key: str = "target.headers") -> Headers:
    """The values of a plan's headers, which name environment variables.

    Args:
        headers: name -> "env:NAME" or "Bearer env:NAME".
        key: of the plan, for messages.

    Raises:
        UsageError: a variable that is not set, or whose value no header may have; the value is not repeated.
    """
    values, secrets = {}, set()
    for name, given in headers.items():
        scheme, variable = header_source(given)
        secret = os.environ.get(variable, "").strip()
        if not secret:
            raise UsageError(f"{key}: {name} takes its value from the variable {variable}, which is not set")
        if not (secret.isascii() and secret.isprintable()):
            raise UsageError(
                f"{key}: the variable {variable} holds characters that no header may have, such as a line's "
                "end; its value is not repeated here"
            )
        values[name] = f"{scheme} {secret}".strip()
        secrets |= _forms(secret)
    return Headers(values, tuple(sorted(secrets, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    """How a secret may look in what a service sends back: itself, its parts, and as JSON, URL or base64 write it."""
    parts = {secret, *(part for part in secret.split() if len(part) > 3)}
    written = {json.dumps(part)[1:-1] for part in parts} | {urllib.parse.quote(part, safe="") for part in parts}
    return parts | written | {base64.b64encode(part.encode()).decode().rstrip("=") for part in parts}
