"""Pins: the checksum that a file's bytes must have, in the kind that its home or its users have published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable


def _git_blob(content: bytes) -> str:
    """The name that git gives a file's content: SHA-1 over a header and the bytes."""
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


KINDS: dict[str, Callable[[bytes], str]] = {
    "sha256": lambda content: hashlib.sha256(content).hexdigest(),
    "md5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "git": _git_blob,
}


def pin_of(kind: str, content: bytes) -> str:
    """The pin of some bytes, as ``kind:digest``; the kinds are sha256, md5 and git (the name of a git blob).

    >>> pin_of("git", b"")
    'git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return f"{kind}:{KINDS[kind](content)}"


def mismatch(content: bytes, pin: str) -> str | None:
    """What is wrong with these bytes, or None if they are the pinned ones.

    >>> mismatch(b"abc", "md5:900150983cd24fb0d6963f7d28e17f72")
    >>> mismatch(b"abcd", "md5:900150983cd24fb0d6963f7d28e17f72")
    'wrong checksum (md5 e2fc714c4727ee9395f324cd2e7f331f, expected 900150983cd24fb0d6963f7d28e17f72)'
    """
    kind, _, expected = pin.partition(":")
    got = KINDS[kind](content)
    return None if got == expected else f"wrong checksum ({kind} {got}, expected {expected})"


def pin_of_all(contents: Iterable[bytes]) -> str:
    """One pin for several files that belong together: SHA-256 over their bytes, one after the other."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"
