"""Files that are written whole or not at all, tables as TOML text, and what a file or folder holds as one digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError, StoreError

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # numpy.save, whatever stopped it


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """A file next to ``path`` that takes its place when the block ends: a reader sees the old one or the new one.

    Args:
        path: of the file to write; its folder is made.
        mode: permissions of the new file.

    Yields:
        An empty file to fill. If the block fails, it is removed and ``path`` stays as it was; a link there is replaced,
        never written through.

    Raises:
        StoreError: the folder can't be written (full, read-only).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> StoreError:
    """One line for a file or folder that can't be written.

    >>> print(cannot_write(Path("runs/x"), OSError(28, "No space left on device")))
    runs/x: cannot be written (No space left on device); free space, or name a folder that can be written
    """
    return StoreError(
        f"{path}: cannot be written ({system_reason(error)}); free space, or name a folder that can be written"
    )


def system_reason(error: OSError) -> str:
    """What the system says of a file or process; numpy, whose writing ended early, is not quoted.

    >>> system_reason(OSError("16370 requested and 2016 written"))
    'only a part of it, as if the disk were full'
    """
    if error.errno is None and _SHORT_WRITE.fullmatch(str(error)):
        return "only a part of it, as if the disk were full"
    return error.strerror or str(error)


def content_digest(path: Path) -> str:
    """SHA-256 of a file as ``sha256sum`` prints it; of a folder, of its files' names and digests, one a line, sorted.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "model"
    >>> _ = file.write_text("abc")
    >>> content_digest(file)[:8]
    'ba7816bf'
    """
    if path.is_dir():
        files = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
        lines = "".join(f"{content_digest(p)}  {name}\n" for name, p in files)
        return hashlib.sha256(lines.encode("utf-8")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically.

    Raises:
        StoreError: the folder can't be written (full, read-only).
        DataError: half a character stands in the text.
    """
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        part = ascii(text[max(0, error.start - 20) : error.end])
        raise DataError(f"{path}: {part} is no text that a file can hold; rename what is called so") from None
    with replacing(path) as temporary:
        temporary.write_bytes(content)


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
