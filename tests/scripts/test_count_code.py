"""The counts of a small source whose numbers are known."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "count_code.py"
FILES = {
    "src/gnomon/__init__.py": '"""A package."""\n',
    "src/gnomon/cli/__init__.py": '"""Commands."""\n',
    "src/gnomon/cli/audit.py": '"""One."""\n\nfrom gnomon.core.plan import Plan, read\n\n\n'
    "def audit(plan: Plan) -> None:\n"
    '    """Reads."""\n    read()  # a call\n',
    "src/gnomon/core/__init__.py": '"""Nouns."""\n',
    "src/gnomon/core/plan.py": "from gnomon.core.other import help_reading\n\n\nclass Plan:\n    pass\n\n\n"
    "def read() -> None:\n"
    "    help_reading()\n",
    "src/gnomon/core/other.py": "from gnomon.core.plan import Plan\n\n\ndef help_reading() -> None:\n"
    "    from gnomon.core.unread import Plan as Other\n\n    Other, Plan\n",
    "src/gnomon/core/unread.py": "class Plan:\n    pass\n",
    "tests/core/test_plan.py": "",
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "scripts").mkdir()
    (root / "scripts" / "count_code.py").write_bytes(SCRIPT.read_bytes())
    command = [sys.executable, str(root / "scripts" / "count_code.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = (line.split("  ", 1) for line in printed.splitlines())
    return {what: (int(rest.split()[0]), " ".join(rest.split()[1:])) for what, rest in rows}


def test_code_is_counted_without_prose(counted: dict[str, tuple[int, str]]) -> None:
    assert counted["code lines"][0] == 3 + 5 + 4 + 2
    assert counted["files"][0] == 7


def test_what_is_to_be_avoided_is_found(counted: dict[str, tuple[int, str]]) -> None:
    assert counted["class names that exist twice or more"] == (1, "Plan")
    assert counted["functions that take the whole Plan"] == (1, "in 1 files")
    assert counted["modules without a test file of their name"][0] == 3
    assert counted["imports of our own inside functions"] == (1, "core.other:5")
    assert counted["import cycles"] == (1, "core.other <-> gnomon.core.plan")
    assert counted["files used by one other"] == (2, "core.other, core.unread")


def test_the_walk_follows_calls(counted: dict[str, tuple[int, str]]) -> None:
    assert counted["files of an audit, from command to report"][0] == 3
