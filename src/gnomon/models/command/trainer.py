"""Two command lines, one that trains and one that answers, as a Trainer."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, take_rows
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import OneByOne
from gnomon.models.command.exchange import Exchange, read_answers, write_rows
from gnomon.models.command.process import fill, run_command, split_line
from gnomon.models.recipe_hash import describe_files

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
