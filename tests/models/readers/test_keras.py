"""A .keras file: the answers that Keras gives, and no code of its maker's without trust."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use

X = np.random.default_rng(0).normal(size=(30, 4))


def described(place: Path, layer: dict[str, Any]) -> Path:
    """A file that claims to hold one layer."""
    inside = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("config.json", json.dumps(inside))
    return place


@pytest.mark.parametrize(
    "layer",
    [
        {"module": "os", "class_name": "system", "config": {}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {}},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"activation": {"module": "b", "class_name": "c"}}},
    ],
)
def test_what_is_not_keras_own_needs_trust(layer: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"names code that is not Keras' own .*give --trust"):
        read_model(described(tmp_path / "m.keras", layer))


def test_damage_is_one_line(tmp_path: Path) -> None:
    place = tmp_path / "m.keras"
    place.write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"no \.keras file, or damaged"):
        read_model(place)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("else", "")
    place.write_bytes(held.getvalue())
    with pytest.raises(ModelError, match=r"no \.keras file, or damaged"):
        read_model(place)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, with torch
@pytest.mark.parametrize(("units", "last"), [(2, "softmax"), (1, "sigmoid"), (2, None)])
def test_answers_are_those_of_keras(units: int, last: str | None, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "torch"))
    keras = pytest.importorskip("keras", reason="Keras (extra keras) is not installed")
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(units, activation=last)]
    network = keras.Sequential([keras.Input((4,)), *layers])
    network.save(tmp_path / "m.keras")
    outputs: Any = "logits" if last is None else "probabilities"
    model = read_model(tmp_path / "m.keras").model(Use(("no", "yes"), outputs, x=X))
    answers = network.predict(X.astype(np.float32), verbose=0)
    second = answers[:, -1]
    if last is None:
        second = 1 / (1 + np.exp(answers[:, 0] - answers[:, 1]))
    np.testing.assert_allclose(np.exp(model.log_probs(X))[:, 1], second, atol=1e-5)
