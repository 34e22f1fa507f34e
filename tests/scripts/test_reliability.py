"""The counts of reliability: each mode finds what is promised, and says so where it does not hold."""

import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of the process, and /proc")
SCRIPTS = Path(__file__).parents[2] / "scripts"
PLAN = """
[data]
source = "breast_cancer"
train_size = 120
nonmember_size = 120
[trainer]
kind = "sklearn"
estimator = "sklearn.naive_bayes:GaussianNB"
[shadow]
count = 0
[attacks]
names = ["loss", "gap"]
ladder = false
"""


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Two finished runs; whether the second one's flags are given -> its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        made, place = import_module("reliability"), tmp_path_factory.mktemp("audits")
        (place / "plan.toml").write_text(PLAN)
        lab = made.Lab(place, None)
        return {False: lab.audited("first"), True: lab.audited("second", **made.OTHER)}


@pytest.fixture
def script(audits: dict[bool, Path], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with runs that are there already."""
    monkeypatch.syspath_prepend(SCRIPTS)
    made = import_module("reliability")
    monkeypatch.setattr(
        made.Lab, "audited", lambda lab, name, **flags: shutil.copytree(audits[bool(flags)], lab.place / name)
    )
    return made


@pytest.mark.parametrize(
    ("mode", "count", "wanted"),
    [
        ("kills", 1, {"killed": 1, "readers: old": 1, "finished by the next one": 1}),
        ("damage", 2, {"named by all readers": 2, "found by verify": 2}),
    ],
)
def test_what_is_promised_is_counted(
    mode: str, count: int, wanted: dict[str, int], script: ModuleType, tmp_path: Path
) -> None:
    lab = script.measure(mode, count, 0, tmp_path)
    assert lab.failures == []
    assert lab.counts == wanted


def test_a_writer_that_mixes_two_runs_is_found(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = script.publish

    def publish(outcome: Any, claimed: Any) -> None:
        whole(outcome, claimed)
        (claimed.folder / "record.json").write_text("{}")

    monkeypatch.setattr(script, "publish", publish)
    lab = script.measure("kills", 1, 0, tmp_path)
    assert any(line.startswith("something is left") for line in lab.failures)


def test_a_count_that_is_not_promised_fails(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(script.MODES, "kills", lambda lab, count: lab.note(count < 3, "odd", "detail"))
    for count, code in (("2", 0), ("3", 1)):
        monkeypatch.setattr(sys, "argv", ["reliability.py", "kills", "--count", count])
        assert script.main() == code
    assert capsys.readouterr().out.count("FAILED odd: detail") == 1
