"""The GitHub action: its script carries out what its inputs say, and nothing in them is read as a command."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.cli.test_diff import folders as folders
from tests.runs.test_gate import attack, idle, record

from gnomon.core.documents.read_write import write_record

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "gate_action.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_action", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    write_record(record(attack(), idle("rmia", "failed", None)), tmp_path / "record.json")
    return {
        "GATE_RUN": str(tmp_path),
        "GATE_OUTPUT": str(tmp_path / "gate"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


def output(given: dict[str, str]) -> dict[str, str]:
    lines = Path(given["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_input_of_the_action_reaches_the_script_and_no_other() -> None:
    action = (ROOT / "action.yml").read_text(encoding="utf-8")
    inputs = set(re.findall(r"^  ([a-z-]+):$", action.split("outputs:")[0].split("inputs:")[1], flags=re.M))
    assert inputs - {"install"} == set(re.findall(r"GATE_\w+: \$\{\{ inputs\.([a-z-]+) \}\}", action))
    passed = set(re.findall(r"(GATE_\w+):", action))
    assert passed == set(re.findall(r"GATE_[A-Z_]+", SCRIPT.read_text(encoding="utf-8")))
    commands = re.findall(r"^ +run: (.*)$", action, flags=re.M)
    assert len(commands) == 2
    assert not any("${{" in command for command in commands), "an input in a command line could run code"
    outputs = set(re.findall(r"steps\.gate\.outputs\.(\w+)", action))
    assert outputs == {"code", "junit", "sarif"}


def test_the_script_writes_files_summary_outputs_and_annotations(
    script: ModuleType, given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    limits = "auc<=0.6\n\n  auc<=0.7  \n"
    assert script.main({**given, "GATE_LIMITS": limits}) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split("::")[1].split()[0] for line in said] == ["error", "error", "error"]
    assert said[0].startswith("::error title=gnomon gate::not met: lira auc = 0.7")
    found = output(given)
    assert found["code"] == "1"
    assert json.loads(Path(found["sarif"]).read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert Path(found["junit"]).read_text(encoding="utf-8").startswith("<?xml")
    assert Path(given["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8").startswith("### gnomon gate")


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"GATE_LIMITS": "auc<=0.9"}, 3, "rmia did not run"),
        ({"GATE_LIMITS": "auc<=0.9", "GATE_ALLOW_MISSING": "rmia"}, 0, ""),
        ({"GATE_LIMITS": "auc<=0.7", "GATE_ALLOW_MISSING": "rmia"}, 4, "unresolved"),
        ({"GATE_LIMITS": "--to=evil.json"}, 2, 'limit "--to=evil.json": expected [ATTACK.]VALUE<=NUMBER'),
        ({"GATE_LIMITS": "auc<=9"}, 2, "expected a number from 0.5 to 1 for auc"),
        ({"GATE_RUN": "--help"}, 2, "--help: no such record"),
        ({"GATE_RUN": ""}, 2, "run: expected the folder of a run, got nothing"),
    ],
)
def test_the_code_is_the_gate_s_and_inputs_are_no_options(
    script: ModuleType, given: dict[str, str], changes: dict[str, str], code: int, said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert script.main({**given, **changes}) == code
    assert output(given)["code"] == str(code)
    printed = capsys.readouterr().out
    assert printed.startswith("::error title=gnomon gate::") == (code != 0)
    assert said in printed
    assert not (tmp_path / "evil.json").exists()
    assert ("sarif" in output(given)) == (code != 2)


def test_a_run_of_the_base_branch_is_compared(
    script: ModuleType, given: dict[str, str], folders: tuple[str, str]
) -> None:
    early, over = folders
    changes = {"GATE_RUN": over, "GATE_FROM": early, "GATE_SLACK": "50%", "GATE_COMPARE_WITH": early}
    assert script.main({**given, **changes}) == 1
    summary = Path(given["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert "### gnomon diff" in summary
    assert "50% slack" in summary


def test_a_failed_gate_leaves_no_answer_of_an_earlier_one(script: ModuleType, given: dict[str, str]) -> None:
    script.main({**given, "GATE_LIMITS": "auc<=0.9"})
    assert (Path(given["GATE_OUTPUT"]) / "gate.sarif").exists()
    assert script.main({**given, "GATE_LIMITS": "auc<=9"}) == 2
    assert not (Path(given["GATE_OUTPUT"]) / "gate.sarif").exists()


def test_an_annotation_is_one_line_and_no_command_of_its_own(script: ModuleType) -> None:
    held = {"limit": {"severity": "note"}, "state": "unresolved", "line": "50%\n::error::x"}
    assert script._annotations({"held": [held], "missing": []}) == "::notice title=gnomon gate::50%25%0A::error::x\n"


def test_as_a_program_it_reads_the_environment(given: dict[str, str]) -> None:
    environment = {**given, "GATE_LIMITS": "auc<=0.6", "PYTHONPATH": str(ROOT / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert output(given)["code"] == "1"
