"""What an ``MLmodel`` may say that no MLflow writes; MLflow itself is not needed."""

from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.readers import mlflow

BOMB: Any = reduce(lambda inner, _: [inner] * 9, range(12), "x")  # as anchors in yaml make it; as text 9^12 letters


@pytest.mark.parametrize(
    ("flavours", "kind", "words"),
    [
        ({"sklearn": {"pickled_model": BOMB}}, UsageError, "by running what its maker put in"),
        ({"sklearn": {"pickled_model": 7}}, UsageError, "by running what its maker put in"),
        ({"sklearn": None}, ModelError, "flavours that are no tables"),
        ({7: {}}, ModelError, "flavours that are no tables"),
        ([1, 2], ModelError, "no MLflow model, or damaged"),
    ],
)
def test_flavours_that_are_none_are_one_line(
    flavours: Any, kind: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimpleNamespace(load=lambda _: SimpleNamespace(flavors=flavours))
    monkeypatch.setattr(mlflow, "import_extra", lambda *_: SimpleNamespace(Model=model))
    with pytest.raises(kind, match=words):
        mlflow.read(tmp_path, False)
