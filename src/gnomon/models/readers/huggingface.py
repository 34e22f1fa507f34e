"""Text classifiers in folders of Hugging Face's transformers; no code in them is run, so they need no trust."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gnomon.core.errors import ModelError
from gnomon.core.protocols import Model
from gnomon.models.readers.model_file import ModelFile, Use
from gnomon.models.text_network import TextNetwork, columns_for, longest, open_folder

UNNAMED = re.compile(r"LABEL_\d+")


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The classifier in the folder, with its tokenizer.

    Raises:
        ModelError: damaged, or no text classifier.
        MissingExtraError: transformers is not installed.
    """
    network, tokenizer = open_folder(place)
    named = tuple(str(network.config.id2label[k]) for k in range(network.config.num_labels))
    labels = None if all(UNNAMED.fullmatch(name) for name in named) else named
    most = longest(network, tokenizer)

    def make(use: Use) -> Model:
        classes = tuple(use.classes)
        if labels is None and len(named) != len(classes):
            raise ModelError(f"{place}: answers for {len(named)} classes, the data set has {len(classes)}")
        columns = np.arange(len(classes)) if labels is None else columns_for(labels, classes)
        return TextNetwork(network, tokenizer, classes, columns, labels, most)

    return ModelFile(make, labels)
