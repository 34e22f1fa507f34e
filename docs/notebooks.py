"""Executes the notebooks in docs/notebooks and keeps their outputs, without times and machine.

python docs/notebooks.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent / "notebooks"
LONGEST = 120  # seconds that a cell may take


def executed(path: Path) -> NotebookNode:
    """A notebook with the outputs of a new kernel, started in a folder that does not outlive it.

    Raises:
        CellExecutionError: a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        # files as channels: others on the machine could listen to ports
        channels = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/channel"}})
        client = NotebookClient(notebook, timeout=LONGEST, config=channels, kernel_name="python3")
        client.execute(cwd=folder)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def main(names: list[str]) -> None:
    """Executes the notebooks of these names, or all."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not names or path.stem in names:
            nbformat.write(executed(path), path)
            print(path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
