"""The soak disturbs what it is given, comes to the same results, and says so where they are others."""

import importlib.util
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "soak.py"
COMMAND = """
import json, sys
from pathlib import Path
from gnomon.core.generations import claim
folder = Path(sys.argv[1])
with claim(folder, "audit") as claimed, claimed.publish() as place:
    (place / "record.json").write_text(json.dumps({"value": VALUE, "seconds": 1.5}))
    (place / "scores.npy").write_bytes(bytes(range(200)))
"""
READER = """
import sys
from pathlib import Path
from gnomon.core.errors import GnomonError
from gnomon.core.generations import read_published
try:
    read_published(Path(sys.argv[1]))
except GnomonError as error:
    sys.exit(2)
"""


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("soak_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules["soak_script"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    yield made
    del sys.modules["soak_script"]


def work(script: ModuleType, value: str = "1", reader: str = READER) -> object:
    return script.Work(
        "little", (sys.executable, "-c", COMMAND.replace("VALUE", value)), ((sys.executable, "-c", reader),),
        ("record.json",), ("*.npy",),
    )  # fmt: skip


def test_disturbed_works_come_to_the_same_results(script: ModuleType, tmp_path: Path) -> None:
    told: list[str] = []
    state = script.soak([work(script)], tmp_path, 3, 0.0, told.append, rounds=4)
    assert state.failures == []
    assert state.counts["rounds"] == 4
    assert state.counts["little killed"] + state.counts["little damaged"] >= 1
    assert len(told) == 5


def test_other_results_and_tracebacks_are_failures(script: ModuleType, tmp_path: Path) -> None:
    state = script.soak(
        [work(script, "__import__('time').time()", "raise SystemError")], tmp_path, 3, 0.0, lambda _: None, rounds=1
    )
    assert any("other results: record.json" in line for line in state.failures)
    assert any("SystemError" in line for line in state.failures)


def test_times_do_not_count(script: ModuleType, tmp_path: Path) -> None:
    found = []
    for seconds in (1, 2):
        text = json.dumps({"a": [{"seconds": seconds, "train_seconds": seconds, "b": 1}], "provenance": seconds})
        (tmp_path / "record.json").write_text(text)
        found.append(script.digests(work(script), tmp_path))
    assert found[0] == found[1]


@pytest.mark.parametrize("how", ["flip", "truncate", "zero", "swap", "delete"])
def test_every_damage_changes_a_file(script: ModuleType, how: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        file.write_bytes(file.name.encode() * 500)
    before = [file.read_bytes() for file in files]
    changed = False
    for seed in range(4):
        script.damage([file for file in files if file.exists()], how, random.Random(seed))
        changed |= [file.read_bytes() if file.exists() else b"" for file in files] != before
        if how == "delete":
            break
    assert changed
