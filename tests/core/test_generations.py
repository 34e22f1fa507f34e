"""Results appear at once and are checked: kills at every file operation, two writers, damage, leftovers, links."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon.core.errors import DataError, StoreError, UsageError
from gnomon.core.generations import HIDDEN, LOCK, MANIFEST, NEXT, claim, read_published

OLD = {"record.json": "old record", "scores/a.npy": "old a", "scores/b.npy": "old b", "risk.csv": "old risk"}
NEW = {"record.json": "new record", "scores/a.npy": "new a", "scores/c.npy": "new c", "report.html": "new report"}

# Writes results in children that die at their n-th file operation (or end first); the operations are those of the
# interpreter's audit events, so that none is forgotten.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from tests.core.test_generations import publish

def die_at(n, folder):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod") or (
            event == "open" and str(arguments[0]).startswith(folder)
        ):
            seen += 1
            if seen == n:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

for folder, n, files in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        die_at(n, folder)
        publish(Path(folder), files)
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""


def publish(folder: Path, files: dict[str, str]) -> None:
    with claim(folder, "audit") as claimed, claimed.publish() as place:
        for name, content in files.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(content)


def read(folder: Path) -> dict[str, str]:
    published = read_published(folder)
    assert published is not None
    return {name: content.decode() for name, content in published.files.items()}


def data(files: dict[str, str]) -> dict[str, str]:
    return {name: content for name, content in files.items() if not name.endswith(".html")}


def seen_by_people(folder: Path) -> dict[str, str]:
    """What lies in the folder, hidden folders left out."""
    paths = [p for p in folder.rglob("*") if p.is_file() and not str(p.relative_to(folder)).startswith(".")]
    return {p.relative_to(folder).as_posix(): p.read_text() for p in paths if p.name != MANIFEST}


def kill(writers: list[tuple[Path, int, dict[str, str]]]) -> list[bool]:
    """Runs writers of (folder, n, files): whether each was killed at its n-th file operation and did not end before."""
    task = json.dumps([[str(folder), n, files] for folder, n, files in writers])
    made = subprocess.run(
        [sys.executable, "-c", KILLED], input=task, capture_output=True, text=True, timeout=60, check=True
    )
    return [signal == "9" for signal in made.stdout.split()]


def copies_of_old(place: Path, number: int) -> list[Path]:
    publish(place / "old", OLD)
    return [shutil.copytree(place / "old", place / str(n)) for n in range(1, number)]


def test_results_take_the_place_of_all_older_ones_and_leave_other_files_alone(tmp_path: Path) -> None:
    publish(tmp_path, OLD)
    (tmp_path / "store").mkdir()
    (tmp_path / "notes.md").write_text("mine")
    publish(tmp_path, NEW)
    assert read(tmp_path) == data(NEW)
    assert seen_by_people(tmp_path) == {**NEW, "notes.md": "mine"}
    assert (tmp_path / "store").is_dir()
    assert not list(tmp_path.glob(f"{HIDDEN}*"))


def test_a_writer_killed_at_any_file_operation_leaves_old_or_new_results_and_the_next_one_clears_up(
    tmp_path: Path,
) -> None:
    folders = copies_of_old(tmp_path, 60)
    killed = kill([(folder, n, NEW) for n, folder in enumerate(folders, start=1)])
    points = killed.index(False)
    assert killed == [True] * points + [False] * (len(folders) - points)
    assert points >= 30
    switched = []
    for folder in folders[:points]:
        found, shown = read(folder), seen_by_people(folder)
        assert found in (data(OLD), data(NEW)), folder
        assert shown.items() <= OLD.items() or shown.items() <= NEW.items(), folder
        switched.append(found == data(NEW))
        with claim(folder, "audit"):
            assert read(folder) == found  # what readers saw is what stays
            assert not list(folder.glob(f"{HIDDEN}*"))
            assert seen_by_people(folder) == (NEW if switched[-1] else OLD)
    assert switched == sorted(switched)  # one moment at which the new ones become the results
    assert {False, True} == set(switched)


def test_an_installation_killed_twice_still_ends_in_the_new_results(tmp_path: Path) -> None:
    tries = copies_of_old(tmp_path, 60)
    kill([(folder, n, NEW) for n, folder in enumerate(tries, start=1)])
    half = [folder for folder in tries if (folder / NEXT / MANIFEST).exists()]
    assert len(half) >= 8
    half = half[::2]
    kill([(folder, 3 + n % 9, OLD) for n, folder in enumerate(half)])
    for folder in half:
        assert read(folder) == data(NEW)
        with claim(folder, "audit"):
            assert seen_by_people(folder) == NEW


def test_a_second_writer_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    with claim(tmp_path, "audit"):
        with pytest.raises(StoreError, match=rf"another gnomon \(process {os.getpid()}\) is writing here"):
            publish(tmp_path, NEW)
        assert kill([(tmp_path / "other", 9, NEW)]) == [True]
    publish(tmp_path, NEW)
    publish(tmp_path / "other", NEW)  # the lock of a killed writer went with it


@pytest.mark.parametrize("damage", ["flip", "zero", "swap", "delete", "old"])
def test_damaged_and_foreign_files_are_named(damage: str, tmp_path: Path) -> None:
    publish(tmp_path, OLD)
    before = (tmp_path / "scores" / "a.npy").read_bytes()
    publish(tmp_path, {**NEW, "scores/b.npy": "new b"})
    file, other = tmp_path / "scores" / "a.npy", tmp_path / "scores" / "b.npy"
    if damage == "swap":
        content = file.read_bytes()
        file.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif damage == "delete":
        file.unlink()
    else:
        file.write_bytes({"flip": b"nex a", "zero": b"\0" * 5, "old": before}[damage])
    what = "is missing" if damage == "delete" else "is damaged, or not of the run"
    with pytest.raises(DataError, match=f"scores/a.npy: {what}.*run the same command again"):
        read_published(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"kind": "audit"}', '{"kind": "audit", "files": {"../x": "00"}}', "\0\0"])
def test_a_damaged_manifest_is_named_and_replaced_by_the_next_writer(text: str, tmp_path: Path) -> None:
    publish(tmp_path, OLD)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=f"{MANIFEST}: is damaged"):
        read_published(tmp_path)
    publish(tmp_path, NEW)
    assert read(tmp_path) == data(NEW)


def test_files_are_never_written_through_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a.npy", "record.json", "lock", "next"):
        (outside / name).write_text("precious")
    folder = tmp_path / "run"
    (folder / "scores").mkdir(parents=True)
    (folder / "scores" / "a.npy").symlink_to(outside / "a.npy")
    (folder / "record.json").symlink_to(outside / "record.json")
    (folder / NEXT).symlink_to(outside)
    publish(folder, NEW)
    (folder / "scores" / "a.npy").unlink()
    (folder / "scores" / "c.npy").unlink()
    (folder / "scores").rmdir()
    (folder / "scores").symlink_to(outside)
    publish(folder, OLD)
    assert read(folder) == OLD
    (folder / LOCK).unlink()
    (folder / LOCK).symlink_to(outside / "lock")
    with pytest.raises(StoreError):
        publish(folder, NEW)
    assert {p.name: p.read_text() for p in outside.iterdir()} == dict.fromkeys(
        ("a.npy", "record.json", "lock", "next"), "precious"
    )


def test_whoever_writes_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with claim(tmp_path / "runs" / "mine", "audit"):
        assert (tmp_path / "runs" / "mine").is_dir()
    assert not list(tmp_path.iterdir())
    publish(tmp_path / "runs" / "kept", NEW)
    with claim(tmp_path / "runs" / "mine", "audit"):
        pass
    assert [place.name for place in (tmp_path / "runs").iterdir()] == ["kept"]


def test_results_of_another_kind_are_not_replaced(tmp_path: Path) -> None:
    publish(tmp_path, OLD)
    with pytest.raises(UsageError, match="holds a gnomon audit and would hold a study"), claim(tmp_path, "study"):
        raise AssertionError("was claimed")
    assert read(tmp_path) == OLD


def test_a_folder_without_results_has_none(tmp_path: Path) -> None:
    assert read_published(tmp_path) is None
    assert read_published(tmp_path / "missing") is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_writer_that_fails_leaves_the_old_results(error: BaseException, tmp_path: Path) -> None:
    publish(tmp_path, OLD)
    expected = StoreError if isinstance(error, OSError) else error
    with pytest.raises(expected), claim(tmp_path, "audit") as claimed, claimed.publish() as place:  # type: ignore[arg-type]
        (place / "record.json").write_text("half")
        raise error
    assert read(tmp_path) == OLD
    assert not list(tmp_path.glob(f"{HIDDEN}*"))


@pytest.mark.parametrize("name", ["a.txt", MANIFEST])
def test_a_file_that_fits_in_no_memory_is_named(name: str, tmp_path: Path) -> None:
    publish(tmp_path, {"a.txt": "1"})
    os.truncate(tmp_path / name, 2**43)
    with pytest.raises(DataError, match=rf"{name}: needs .* GB of memory, .*run the same command again"):
        read_published(tmp_path)
