"""Two command lines, one that trains and one that answers, as a Trainer: for whatever works with files.

Rows go out and answers come in as csv, parquet or npz. A command runs without a shell, for so long and no longer, with
all that it starts, and its output is kept.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, is_frame, take_rows
from gnomon.core.data.labels import class_name, match_classes
from gnomon.core.errors import ModelError, UsageError, import_extra, one_line
from gnomon.core.outputs import log_from_outputs
from gnomon.core.protocols import OneByOne
from gnomon.models.recipe_hash import describe_files

QUOTED = 300  # characters of a failed command's output
_PARENT_DIED = 1  # Linux: PR_SET_PDEATHSIG


def split_line(line: str, key: str, needed: Sequence[str]) -> tuple[str, ...]:
    """The words of a command line.

    Args:
        line: with places such as ``{rows}``.
        key: of the plan, for messages.
        needed: places that it must have.

    Raises:
        UsageError: a quote that does not end, no word, or a place that is missing.

    >>> split_line("Rscript fit.R '{rows}' {model}", "train", ("{rows}", "{model}"))
    ('Rscript', 'fit.R', '{rows}', '{model}')
    """
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"trainer.{key}: not a command line ({error}): {line}") from None
    missing = [place for place in needed if not any(place in word for word in words)]
    if not words or missing:
        wanted = " and ".join(needed)
        raise UsageError(f"trainer.{key}: expected a command line with {wanted}, got {line or 'nothing'}")
    return words


def fill(words: Sequence[str], places: Mapping[str, object]) -> list[str]:
    """The words with the places filled; other braces stay, as in an awk program.

    >>> fill(("awk", "{print}", "{rows}"), {"{rows}": "rows.csv"})
    ['awk', '{print}', 'rows.csv']
    """
    filled = []
    for word in words:
        for place, value in places.items():
            word = word.replace(place, str(value))
        filled.append(word)
    return filled


def run_command(words: Sequence[str], folder: Path, log: Path, timeout: float, what: str) -> None:
    """Runs a command in a folder until it ends well.

    Args:
        words: the program and its arguments.
        folder: where it runs.
        log: where its output goes, after what is there.
        timeout: seconds after which it and all that it started are killed.
        what: for messages: "the command that trains".

    Raises:
        UsageError: it can't be started: no other model could be trained either.
        ModelError: it takes too long, or fails; its output is quoted.
    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                list(words),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise UsageError(f"{what} can't be started: {words[0]}: {error.strerror or error}") from None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ModelError(
                f"{what} took longer than {timeout:g} s (trainer.timeout) and was stopped{_quoted(log)}"
            ) from None
        finally:
            _kill_group(process)
    if code != 0:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise ModelError(f"{what} ({words[0]}) {ended}{_quoted(log)}")


def _quoted(log: Path) -> str:
    said = one_line(log.read_bytes()[-4 * QUOTED :].decode("utf-8", "replace"))
    return f"; it printed: {'...' if len(said) > QUOTED else ''}{said[-QUOTED:]}" if said else "; it printed nothing"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends what a command started and left behind; the command itself too, if it still runs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_with_parent() -> Callable[[], None] | None:
    """What a command does before it begins: asks the system (Linux) to be killed when this process dies."""
    if sys.platform != "linux":
        return None
    system, parent = ctypes.CDLL(None), os.getpid()  # here: after the fork nothing may be loaded

    def ask() -> None:
        system.prctl(_PARENT_DIED, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it was asked for
            os._exit(1)

    return ask


Exchange: TypeAlias = Literal["csv", "parquet", "npz"]
LABEL = "label"  # the column of the labels; in npz files x and y


def write_rows(file: Path, x: Rows, labels: Sequence[Any] | None = None) -> None:
    """Writes rows, and in training their labels in the last column.

    Args:
        file: ends with .csv, .parquet or .npz.
        x: (n, ...) rows; in csv and parquet those of an array have the columns x0, x1, ...
        labels: (n,) as the data have them.

    Raises:
        ModelError: a column is called label.
        MissingExtraError: csv and parquet need pandas.
    """
    if file.suffix == ".npz":
        given = {} if labels is None else {"y": np.asarray(labels)}
        columns = {str(name): np.asarray(x[name]) for name in x.columns} if is_frame(x) else {"x": np.asarray(x)}
        if any(array.dtype.kind == "O" for array in columns.values()):
            columns = {name: a.astype(str) if a.dtype.kind == "O" else a for name, a in columns.items()}
        np.savez(file, **{**columns, **given})  # type: ignore[arg-type] # names of columns are text
        return
    pd = import_extra("pandas", "data", f"files of rows as {file.suffix[1:]}")
    frame = x if is_frame(x) else pd.DataFrame(np.asarray(x).reshape(count_rows(x), -1))
    if not is_frame(x):
        frame.columns = [f"x{j}" for j in range(frame.shape[1])]
    if labels is not None:
        if LABEL in frame.columns:
            raise ModelError(f'a feature is called "{LABEL}", as the labels in the file are; rename it in your data')
        frame = frame.assign(**{LABEL: list(labels)})
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file)


def read_answers(file: Path, rows: int, classes: Sequence[str]) -> Floats:
    """Natural-log probabilities, float32 (n, c), from a file of probabilities.

    Columns with the classes' names may come in any order; without names, or with others, they are in the order of the
    classes. For two classes one column will do, that of the second class.

    Raises:
        ModelError: no such file, or something else in it.
    """
    if not file.exists():
        raise ModelError("the command that answers wrote no {answers} file")
    try:
        names, values = _READERS[file.suffix](file, rows)
        array = np.asarray(values, dtype=np.float64)
    except Exception as error:  # of csv, zipfile, zlib, pyarrow, numpy
        raise ModelError(f"the {{answers}} file can't be read as {file.suffix[1:]} of numbers ({error})") from None
    found = None if not names or len(names) != len(classes) else match_classes(list(names), list(classes))
    if found is not None and found.rule != "order" and array.ndim == 2:
        array = array[:, np.argsort(found.places)]
    return log_from_outputs(array, "probabilities", rows=rows, classes=len(classes), source="the {answers} file")


def _read_csv(file: Path, rows: int) -> tuple[list[str], Any]:
    with file.open(newline="", encoding="utf-8") as stream:
        lines = [line for line in csv.reader(stream) if line]
    names: list[str] = []
    if lines and (len(lines) == rows + 1 or not all(_is_number(value) for value in lines[0])):  # classes may be numbers
        names, lines = lines[0], lines[1:]
    return names, [[float(value) for value in line] for line in lines]


def _read_parquet(file: Path, _: int) -> tuple[list[str], Any]:
    import pandas as pd

    frame = pd.read_parquet(file)
    return [class_name(name) for name in frame.columns], frame.to_numpy()


def _read_npz(file: Path, _: int) -> tuple[list[str], Any]:
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        return [], arrays["answers" if "answers" in arrays.files else arrays.files[0]]


_READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


SEEDS = 2**31  # a command's seed is below
LOG = "output.txt"


@dataclass(frozen=True)
class CommandTrainer(OneByOne):
    """Command lines ``train`` and ``predict`` as a recipe; each model is trained in a fresh folder.

    Attributes:
        train_line: has {rows} (a file of rows with their labels) and {model} (a file or folder to write); {seed} and
            {classes} (their number) may be there too.
        predict_line: has {model}, {rows} (a file of rows) and {answers} (a file of probabilities to write).
        exchange: csv, parquet or npz: what the files of rows and answers are.
        timeout: seconds for one command.
        files: files that the commands read, copied into the folder; their content stands in the store's key.
        version: what else decides what comes out, such as the version of a program; in the key as well.
        classes: names of the classes, in the order of their ids.
        labels: the labels that the file of rows holds; None: class ids.

    Raises:
        UsageError: no command lines, or files of the same name.

    >>> line = "awk -F, '{print}' {rows}"
    >>> CommandTrainer(line + " {model}", line + " {model} {answers}").recipe()["kind"]
    'command'
    """

    train_line: str
    predict_line: str
    exchange: Exchange = "csv"
    timeout: float = 3600.0
    files: tuple[str, ...] = ()
    version: str = ""
    classes: tuple[str, ...] = ()
    labels: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        split_line(self.train_line, "train", ("{rows}", "{model}"))
        split_line(self.predict_line, "predict", ("{rows}", "{model}", "{answers}"))
        names = [Path(file).name for file in self.files]
        if len(set(names)) < len(names):
            raise UsageError(f"trainer.files: two files are called the same, and share a folder: {', '.join(names)}")

    def recipe(self) -> dict[str, Any]:
        """The command lines, the version, and hashes of the files."""
        return {
            "kind": "command",
            "train": self.train_line,
            "predict": self.predict_line,
            "exchange": self.exchange,
            "seeds": SEEDS,
            "version": self.version,
            "labels": None if self.labels is None else [str(label) for label in self.labels],
            **describe_files(self.files),
        }

    def for_labels(self, classes: Sequence[str], labels: tuple[Any, ...] | None) -> CommandTrainer:
        """The same with the labels of a data set in the files of rows."""
        return replace(self, classes=tuple(classes), labels=tuple(classes) if labels is None else labels)

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> CommandModel:
        """What the command trains, in a folder of its own.

        Raises:
            ModelError: a command fails; what it printed is in the message.
        """
        folder = Path(tempfile.mkdtemp(prefix="gnomon-command-"))
        model = CommandModel(self, folder, n_classes)
        for file in self.files:
            try:
                shutil.copy(file, folder / Path(file).name)
            except OSError as error:
                raise ModelError(f"trainer.files: {file}: {error.strerror or error}") from None
        known = range(n_classes) if self.labels is None else self.labels
        table = folder / f"rows.{self.exchange}"
        write_rows(table, take_rows(x, rows), [known[k] for k in y[rows].tolist()])
        places = {"{rows}": table, "{model}": folder / "model", "{seed}": seed % SEEDS, "{classes}": n_classes}
        words = fill(split_line(self.train_line, "train", ()), places)
        model.run(words, f"the command that trains, on {len(rows)} rows")
        table.unlink(missing_ok=True)  # as large as the data, once for each model
        if not (folder / "model").exists():
            raise model.kept("the command that trains wrote no {model}")
        return model


class CommandModel:
    """What a command trained, in a folder that is removed with it; kept where a command failed."""

    def __init__(self, trainer: CommandTrainer, folder: Path, n_classes: int) -> None:
        self._trainer = trainer
        self._folder = folder
        self._n_classes = n_classes
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return self._n_classes

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c).

        Raises:
            ModelError: the command fails, or writes something else than probabilities.
        """
        n = count_rows(x)
        if n == 0:
            return np.empty((0, self._n_classes), np.float32)
        kind, folder = self._trainer.exchange, self._folder
        asked, answers = folder / f"asked.{kind}", folder / f"answers.{kind}"
        answers.unlink(missing_ok=True)
        write_rows(asked, x)
        places = {"{rows}": asked, "{model}": folder / "model", "{answers}": answers, "{classes}": self._n_classes}
        self.run(fill(split_line(self._trainer.predict_line, "predict", ()), places), "the command that answers")
        names = self._trainer.classes or tuple(str(k) for k in range(self._n_classes))
        try:
            return read_answers(answers, n, names)
        except ModelError as error:
            raise self.kept(str(error)) from None
        finally:
            asked.unlink(missing_ok=True)

    def run(self, words: Sequence[str], what: str) -> None:
        """Runs a command in the folder."""
        try:
            run_command(words, self._folder, self._folder / LOG, self._trainer.timeout, what)
        except ModelError as error:
            raise self.kept(str(error)) from None

    def kept(self, message: str) -> ModelError:
        """An error, whose folder stays."""
        self._remove.detach()
        return ModelError(f"{message} (its folder is kept, with all that it printed: {self._folder / LOG})")
