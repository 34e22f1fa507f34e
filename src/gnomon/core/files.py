"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnomon.core.errors import StoreError


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
        f"{path}: cannot be written ({error.strerror or error}); free space, or name a folder that can be written"
    )


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
