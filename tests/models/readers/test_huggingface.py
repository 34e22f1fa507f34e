"""What a folder of transformers says of its classes; answers and shadow models: tests/models/test_text_network.py."""

import json
import os
import signal
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gnomon.core.errors import MissingExtraError, ModelError
from gnomon.models import text_network
from gnomon.models.files import read_model
from gnomon.models.readers import huggingface
from gnomon.models.readers.model_file import Use


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a folder's network call its classes by these names."""

    def name(*labels: str) -> Path:
        config = SimpleNamespace(id2label=dict(enumerate(labels)), num_labels=len(labels))
        monkeypatch.setattr(huggingface, "open_folder", lambda _: (SimpleNamespace(config=config), None))
        monkeypatch.setattr(huggingface, "longest", lambda *_: 128)
        return Path("texts")

    return name


def test_named_classes_are_matched_and_numbered_ones_stand_in_order(folder: Any) -> None:
    opened = huggingface.read(folder("well", "ill"), False)
    assert opened.known == ("well", "ill")
    model: Any = opened.model(Use(("ill", "well")))
    assert model.columns.tolist() == [1, 0]
    numbered = huggingface.read(folder("LABEL_0", "LABEL_1"), False)
    assert numbered.known is None
    plain: Any = numbered.model(Use(("ill", "well")))
    np.testing.assert_array_equal(plain.columns, [0, 1])


def test_another_number_of_classes_is_one_line(folder: Any) -> None:
    opened = huggingface.read(folder("LABEL_0", "LABEL_1", "LABEL_2"), False)
    with pytest.raises(ModelError, match="texts: answers for 3 classes, the data set has 2"):
        opened.model(Use(("ill", "well")))


CONFIG = {"model_type": "bert", "text_config": {"_attn_implementation": "sdpa"}, "vocab_size": 9}


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", CONFIG | {"_attn_implementation": "else/where"}, r"kernels that are .* \(else/where\)"),
        ("config.json", {"parts": [{"attn_implementation": {"": "else/where:f"}}]}, r"\(else/where:f\)"),
        ("config.json", {"experts_implementation": "else/where"}, r"\(else/where\)"),
        ("adapter_config.json", {"base_model_name_or_path": "/etc"}, "an adapter to a model that is elsewhere"),
        (
            "model.safetensors.index.json",
            {"weight_map": {"a": "w-1.safetensors", "b": "../w"}},
            r"no safetensors file in it \(\.\./w\)",
        ),
        ("model.safetensors.index.json", {"weight_map": {"a": "/etc/passwd"}}, r"file in it \(/etc/passwd\)"),
        ("model.safetensors.index.json", {"weight_map": {"a": "pickled.bin"}}, r"file in it \(pickled.bin\)"),
    ],
)
def test_what_would_be_taken_from_elsewhere_is_refused_before_anything_is_loaded(
    file: str, content: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_network, "import_extra", lambda *_: None)  # loading would end in an AttributeError
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / file).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=words):
        huggingface.read(tmp_path, False)


def test_a_folder_of_unknown_origin_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    monkeypatch.setattr(huggingface, "open_folder", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(ModelError, match="tried in a process of its own, and it crashed"):
        read_model(tmp_path)


@pytest.mark.skipif(find_spec("transformers") is not None, reason="transformers is installed")
def test_without_the_library_the_line_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="needs transformers, which is not installed: pip install"):
        huggingface.read(tmp_path, False)
