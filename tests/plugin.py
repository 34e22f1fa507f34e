"""The package in examples/plugin, installed into a folder of the test's own."""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "examples" / "plugin"


def install(target: Path) -> None:
    """What `pip install --no-deps --target` leaves: the package, and its metadata made from its pyproject.toml."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(SOURCE / "src" / "gnomon_margin", target / "gnomon_margin", dirs_exist_ok=True)
    info = target / f"gnomon_margin-{project['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}", ""]
    (info / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {path}" for name, path in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n", encoding="utf-8")


def forget() -> None:
    """Unloads the package."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "gnomon_margin"]:
        del sys.modules[name]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that the package is installed in, on the path."""
    target = tmp_path / "installed"
    install(target)
    monkeypatch.syspath_prepend(target)
    monkeypatch.setenv("PYTHONPATH", f"{target}:{':'.join(p for p in sys.path if p)}")  # of workers
    forget()
    yield target
    forget()
