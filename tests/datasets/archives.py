"""Small archives in the form of the canonical ones."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from gnomon.datasets.fetch import KINDS


def pin_of(kind: str, content: bytes) -> str:
    """The pin of some bytes, as ``kind:digest``."""
    return f"{kind}:{KINDS[kind](content)}"


def needs_mirror(*folders):
    """Skips a test where no mirror has these folders."""
    root = os.environ.get("GNOMON_DATA")
    lacking = [name for name in folders if root is None or not (Path(root) / name).is_dir()]
    return pytest.mark.skipif(bool(lacking), reason=f"GNOMON_DATA names no mirror with {', '.join(lacking)}")


def tar_of(files, mode="w:gz"):
    """The bytes of a tar file with these files (name -> content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
