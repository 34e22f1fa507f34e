"""What a folder of transformers says of its classes; answers and shadow models: tests/models/test_text_network.py."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gnomon.core.errors import MissingExtraError, ModelError
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


@pytest.mark.skipif(find_spec("transformers") is not None, reason="transformers is installed")
def test_without_the_library_the_line_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="needs transformers, which is not installed: pip install"):
        huggingface.read(tmp_path, False)
