"""The notebooks run in a new kernel, and what stands in them is what they print."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="notebooks are executed by nbclient (extra dev)")

from docs.notebooks import FOLDER, executed

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def shown(cells: list[Any]) -> list[set[tuple[str, ...]]]:
    """Of each cell the kinds of its outputs; how many lines of progress there are is not the point."""
    return [{(o["output_type"], *sorted(o.get("data", ()))) for o in cell.get("outputs", ())} for cell in cells]


def first_words(cells: list[Any]) -> list[str]:
    """Of each printed line; numbers may differ in their last digit between processors.

    What a cell prints may come in several pieces, which begin in the middle of a line on a busy machine.
    """
    outputs = ([o for o in cell.get("outputs", ()) if o["output_type"] == "stream"] for cell in cells)
    texts = ["".join("".join(o["text"]) for o in pieces) for pieces in outputs]
    return [line.split()[0] for text in texts for line in text.splitlines() if line.strip()]


def streams(cells: list[Any]) -> set[str]:
    return {o["name"] for cell in cells for o in cell.get("outputs", ()) if o["output_type"] == "stream"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_was_committed_with(path: Path) -> None:
    there = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cells = executed(path).cells
    assert shown(cells) == shown(there)
    assert streams(cells) <= {"stdout"}, "a warning, or progress that nobody asked for"
    assert first_words(cells) == first_words(there)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_has_its_outputs_and_no_trace_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    numbers = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert numbers == list(range(1, len(numbers) + 1)), "run all cells in order: python docs/notebooks.py"
    assert any(cell.get("outputs") for cell in cells)
    for trace in ("/tmp", "/home", "/root", "/Users", "C:\\\\", "site-packages", "ipykernel_", "iopub.status"):
        assert trace not in text, trace


def test_there_are_three_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"scikit-learn", "torch", "reading-the-report"}


def test_a_line_that_comes_in_two_pieces_is_one_line() -> None:
    pieces = [{"output_type": "stream", "text": text} for text in (["at 0.1: "], ["7.9%\n", "note: one\n"])]
    assert first_words([{"outputs": pieces}, {"outputs": pieces[:1]}]) == ["at", "note:", "at"]
