"""Text classifiers of Hugging Face's transformers, and the recipe that fine-tunes a base model on other texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, is_frame, log_from_logits, take_rows
from gnomon.core.data.labels import class_name, match_classes
from gnomon.core.errors import ModelError, UsageError, did_you_mean, import_extra, one_line
from gnomon.core.protocols import KnownClasses, NamedClasses, OneByOne
from gnomon.core.system import content_digest

BLOCK = 64  # texts that are answered at once
WHAT = "a Hugging Face model"
IMPLEMENTATIONS = {"None", "eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3"}


@dataclass(frozen=True)
class FineTuning:
    """How a base model is trained on labelled texts, as transformers' own trainer does by default.

    Attributes:
        base: folder of the base model and its tokenizer.
        epochs: passes over the texts.
        learning_rate: at the start; it falls to 0 in a straight line.
        batch: texts in each step.
        max_length: tokens of a text that are read.
    """

    base: str
    epochs: int = 3
    learning_rate: float = 5e-5
    batch: int = 8
    max_length: int = 128


@dataclass(frozen=True, eq=False)
class TextNetwork(NamedClasses):
    """A sequence classifier with its tokenizer.

    Attributes:
        network: transformers' module.
        tokenizer: that it was trained with.
        classes: the data set's c class names, in the order of their ids.
        columns: for each of its outputs the id of the class.
        labels: what it calls its outputs; None where it does not name them.
        max_length: tokens of a text that are read.
    """

    network: Any
    tokenizer: Any
    classes: tuple[str, ...]
    columns: Ints
    labels: tuple[str, ...] | None = None
    max_length: int = 128

    @property
    def known(self) -> KnownClasses | None:
        """Its labels, where it names them."""
        return None if self.labels is None else KnownClasses(self.labels, self.columns)

    def clone_recipe(self, params: Mapping[str, Any] = MappingProxyType({})) -> TextTrainer | None:
        """Fine-tuning of the base model that ``params`` name; None where they name none.

        Raises:
            ModelError: parameters that fine-tuning has not.
        """
        if not params:
            return None
        names = [f.name for f in fields(FineTuning)]
        strange = next((name for name in params if name not in names), None)
        if strange is not None or "base" not in params:
            what = 'no "base", the folder of the base model' if strange is None else f'no parameter "{strange}"'
            raise ModelError(f"fine-tuning: {what}{'' if strange is None else did_you_mean(strange, names)}")
        return TextTrainer(FineTuning(**{"max_length": self.max_length, **params}))

    def fitted(self) -> Any:
        """The network."""
        return self.network

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c), of n texts."""
        torch = import_extra("torch", "transformers", WHAT)
        found = np.empty((count_rows(x), self.n_classes), dtype=np.float64)
        listed = texts_of(x)
        with torch.no_grad():
            self.network.eval()
            for start in range(0, len(listed), BLOCK):
                batch = tokens_of(self.tokenizer, listed[start : start + BLOCK], self.max_length)
                found[start : start + BLOCK, self.columns] = self.network(**batch).logits.double().numpy()
        return log_from_logits(found, rows=len(found), classes=self.n_classes, source=type(self.network).__name__)


@dataclass(frozen=True)
class TextTrainer(OneByOne):
    """Fine-tunes a base model, each time from the same weights but for the new head, with AdamW.

    Attributes:
        tuning: how.
    """

    tuning: FineTuning

    def recipe(self) -> dict[str, Any]:
        """The settings, a digest of the base model and the libraries' versions."""
        versions = {name: metadata.version(name) for name in ("torch", "transformers")}
        given = {f.name: getattr(self.tuning, f.name) for f in fields(FineTuning) if f.name != "base"}
        return {"kind": "fine-tuning", **given, "base": self._digest, **versions}

    @cached_property
    def _digest(self) -> str:
        if not Path(self.tuning.base).is_dir():
            raise ModelError(f"{self.tuning.base}: no such folder of a base model")
        return content_digest(Path(self.tuning.base))

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> TextNetwork:
        """The base model, fine-tuned.

        Raises:
            ModelError: no base model.
        """
        torch = import_extra("torch", "transformers", WHAT)
        how = self.tuning
        listed, labels = texts_of(take_rows(x, rows)), torch.as_tensor(y[rows])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network, tokenizer = open_folder(Path(how.base), n_classes)
            most = min(how.max_length, longest(network, tokenizer))
            steps = how.epochs * -(-len(listed) // how.batch)
            optimiser = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=0.0)
            falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.0, 1 - step / steps))
            network.train()
            for _ in range(how.epochs):
                for part in torch.randperm(len(listed)).split(how.batch):
                    batch = tokens_of(tokenizer, [listed[i] for i in part.tolist()], most)
                    network(**batch, labels=labels[part]).loss.backward()
                    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                    optimiser.step()
                    falling.step()
                    optimiser.zero_grad()
        names = tuple(str(k) for k in range(n_classes))
        return TextNetwork(network, tokenizer, names, np.arange(n_classes), max_length=most)


def open_folder(folder: Path, n_classes: int | None = None) -> tuple[Any, Any]:
    """The classifier and the tokenizer in a folder; no code in it is run, and nothing is fetched.

    Args:
        folder: as ``save_pretrained`` writes it, weights as safetensors.
        n_classes: of a new head; None: as in the folder.

    Raises:
        ModelError: damaged, no text classifier, or one that is not wholly in the folder.
        MissingExtraError: transformers is not installed.
    """
    transformers = import_extra("transformers", "transformers", WHAT)
    _check_whole(folder)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    safely = {"local_files_only": True, "trust_remote_code": False}
    head = {} if n_classes is None else {"num_labels": n_classes, "ignore_mismatched_sizes": True}
    try:
        network = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, **safely, **head
        )
        return network, transformers.AutoTokenizer.from_pretrained(folder, **safely)
    except Exception as error:  # of many kinds, and of several libraries
        raise ModelError(
            f"{folder}: no text classifier as save_pretrained writes it, with weights as safetensors and a tokenizer "
            f"({one_line(error)[:200]})"
        ) from error


def _check_whole(folder: Path) -> None:
    """Refuses what transformers would take from elsewhere: kernels (code, from the hub), base models, other files."""
    kernels = sorted({str(value) for value in _implementations(_json(folder / "config.json"))} - IMPLEMENTATIONS)
    if kernels:
        raise ModelError(f"{folder}: its config.json names kernels that are not transformers' own ({kernels[0][:80]})")
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder}: holds an adapter to a model that is elsewhere; save both merged (merge_and_unload)"
        )
    index = _json(folder / "model.safetensors.index.json")
    named = index.get("weight_map") if isinstance(index, dict) else None
    files = named.values() if isinstance(named, dict) else []
    strange = [str(file) for file in files if Path(str(file)).name != file or not file.endswith(".safetensors")]
    if strange:
        raise ModelError(f"{folder}: names weights that are no safetensors file in it ({strange[0][:80]})")


def _json(file: Path) -> Any:
    """What a file holds; None where there is none, or none that can be read, which transformers will say."""
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _implementations(config: Any) -> Iterator[Any]:
    """How attention and the like are computed, wherever a description says it."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            for key, value in part.items():
                waiting.append(value)
                if "implementation" in str(key):
                    yield from value.values() if isinstance(value, dict) else [value]


def longest(network: Any, tokenizer: Any) -> int:
    """Most tokens of a text that a network and its tokenizer can read."""
    return int(min(getattr(network.config, "max_position_embeddings", 512), tokenizer.model_max_length, 512))


def texts_of(x: Rows) -> list[str]:
    """The texts of n rows.

    Raises:
        UsageError: rows of several columns, or of numbers.
    """
    if not is_frame(x) or x.shape[1] != 1 or x.iloc[:, 0].dtype.kind in "biufmM":
        raise UsageError("a text classifier takes one text a row: a column of text, or a list of texts")
    return [str(text) for text in x.iloc[:, 0]]


def tokens_of(tokenizer: Any, texts: Sequence[str], most: int) -> Any:
    """Texts as tensors of token ids, padded."""
    return tokenizer(list(texts), truncation=True, max_length=most, padding=True, return_tensors="pt")


def columns_for(labels: Sequence[str], classes: Sequence[str]) -> Ints:
    """For each output of a model the id of the data set's class.

    Raises:
        ModelError: a label that the data set has not.
    """
    found = match_classes(list(labels), list(classes))
    if found is None or found.rule == "order" or len(labels) != len(classes):
        raise ModelError(
            f"it knows the labels {', '.join(map(class_name, labels[:8]))}, the data set has {', '.join(classes[:8])}"
        )
    return found.places
