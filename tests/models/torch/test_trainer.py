"""The recipe's border: what it refuses, what it tells, what it keeps."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError, GnomonError, MissingExtraError, ModelError, UsageError  # noqa: E402
from gnomon.core.protocols import Model, Trainer  # noqa: E402
from gnomon.models import torch as door  # noqa: E402
from gnomon.models.torch.augmentation import TrainingAugmentation  # noqa: E402
from gnomon.models.torch.model import TorchModel, save_weights  # noqa: E402
from gnomon.models.torch.objectives import LabelSmoothing  # noqa: E402
from gnomon.models.torch.stacks import stackability  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer, load_torch  # noqa: E402

X = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
Y = np.arange(30) % 3
ROWS = [np.arange(20)]


def linear(shape: tuple[int, ...], n_classes: int, bias: bool = True) -> Any:
    return torch.nn.Linear(shape[0], n_classes, bias=bias)


def test_it_is_a_trainer_of_models() -> None:
    trainer = TorchTrainer(epochs=1)
    assert isinstance(trainer, Trainer)
    assert isinstance(trainer.train(X, Y, 3, ROWS, [0])[0], Model)
    assert trainer.train(X, Y, 3, [], []) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"module": "mpl"}, r'unknown network "mpl" \(did you mean "mlp"\?\)'),
        ({"module": "no_such_package:net"}, "cannot be imported"),
        ({"module": "math:no_such_function"}, "cannot be imported"),
        ({"module": "math:pi"}, "expected a function"),
        ({"activation": "gelu"}, "tanh or relu"),
        ({"optimizer": "lion"}, "adam or sgd"),
        ({"dropout": 1.0}, "expected dropout to be at least 0 and below 1, got 1.0"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"batch": 0}, "expected batch to be 1 or more, got 0"),
        ({"epochs": 0}, "epochs"),
        ({"patience": 0}, "patience"),
        ({"hidden": (0,)}, "hidden"),
        ({"momentum": 0.9}, "sgd"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TorchTrainer(**options)


@pytest.mark.parametrize("device", ["tpu9", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match="device"):
        TorchTrainer(device=device).train(X, Y, 3, ROWS, [0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": X[:, 0]}, r"rows \(n, d\)"),
        ({"x": X.astype(str)}, "numbers"),
        ({"x": np.where(X > 1, np.nan, X)}, "finite"),
        ({"y": Y[:-1]}, "30 labels"),
        ({"y": Y + 1}, "class ids 0 .. 2"),
        ({"n_classes": 1, "y": Y * 0}, "2 classes"),
        ({"rows": [np.array([0, 30])]}, r"0 .. 29"),
        ({"rows": [np.array([-1, 3])]}, r"0 .. 29"),
        ({"rows": [np.array([], dtype=np.int64)]}, "expected 1 or more"),
        ({"rows": [np.ones(30, dtype=bool)]}, "positions"),
        ({"seeds": [0, 1]}, "one seed a model"),
    ],
)
def test_data_that_cannot_be_trained_on_is_refused(change: dict[str, Any], words: str) -> None:
    given = {"x": X, "y": Y, "n_classes": 3, "rows": ROWS, "seeds": [0], **change}
    with pytest.raises(DataError, match=words):
        TorchTrainer(epochs=1).train(**given)


def test_early_stopping_needs_a_row_to_hold_out() -> None:
    with pytest.raises(DataError, match="expected 2 or more"):
        TorchTrainer(patience=1).train(X, Y, 3, [np.arange(1)], [0])


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (lambda shape, c: torch.nn.Linear(shape[0] + 1, c), "does not take rows of shape"),
        (lambda shape, c: torch.nn.Linear(shape[0], c + 1), "logits"),
        (lambda *_: "no module", "torch.nn.Module"),
        (lambda shape: torch.nn.Linear(shape[0], 3), "cannot be built"),
    ],
)
def test_a_module_that_does_not_fit_is_one_clear_error(module: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        TorchTrainer(module=module, epochs=1).train(X, Y, 3, ROWS, [0])


def test_cnn_wants_images() -> None:
    with pytest.raises(DataError, match="images"):
        TorchTrainer(module="cnn").train(X, Y, 3, ROWS, [0])
    with pytest.raises(DataError, match="4 x 4"):
        TorchTrainer(module="cnn").train(X[:, :3, None], Y, 3, ROWS, [0])
    for shape in ((30, 4, 5), (30, 5, 4, 3)):
        x = np.random.default_rng(0).random(shape)
        assert TorchTrainer(module="cnn", epochs=1).train(x, Y, 3, ROWS, [0])[0].log_probs(x).shape == (30, 3)


def test_images_of_bytes_are_scaled_and_binary_rows_are_not() -> None:
    bits = (X > 0).astype(np.uint8)
    image = np.random.default_rng(0).integers(0, 256, (30, 6, 6), dtype=np.uint8)
    for x, same in ((bits, bits.astype(np.float32)), (bits.astype(bool), bits), (image, image / np.float32(255))):
        for module in ("mlp", "cnn") if x.ndim == 3 else ("mlp",):
            trainer = TorchTrainer(module=module, epochs=2)
            a, b = trainer.train(x, Y, 3, ROWS, [0])[0], trainer.train(same, Y, 3, ROWS, [0])[0]
            assert np.abs(a.log_probs(x) - b.log_probs(same)).max() < 1e-5


def test_a_data_frame_of_numbers_is_trained_on_and_one_of_words_is_refused() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcde"))
    trainer = TorchTrainer(epochs=1)
    a, b = trainer.train(frame, Y, 3, ROWS, [0])[0], trainer.train(X, Y, 3, ROWS, [0])[0]
    assert (a.log_probs(frame) == b.log_probs(X)).all()
    assert trainer.batch_size(frame, 3, 20) >= 1
    with pytest.raises(DataError, match="encode"):
        trainer.train(frame.assign(a="word"), Y, 3, ROWS, [0])


def test_the_recipe_is_json_and_holds_every_field() -> None:
    further: dict[str, Any] = {"objective": LabelSmoothing(0.1), "augmentation": TrainingAugmentation()}
    recipe = TorchTrainer(hidden=(3, 4), files=(__file__,), **further).recipe()
    assert json.loads(json.dumps(recipe)) == recipe
    assert set(recipe) == {"kind", "version", *TorchTrainer.__dataclass_fields__} - {"watched"}, "changes no model"
    assert recipe["device"] in ("cpu", "cuda")
    changes: list[dict[str, Any]] = [
        {"module": "cnn"}, {"module": linear}, {"hidden": (3,)}, {"activation": "relu"}, {"dropout": 0.1},
        {"optimizer": "sgd"}, {"learning_rate": 0.1}, {"weight_decay": 0.1}, {"batch": 7}, {"epochs": 7},
        {"patience": 7}, {"stack": "never"}, {"files": (__file__,)},
    ]  # fmt: skip
    for change in changes:
        assert replace(TorchTrainer(), **change).recipe() != TorchTrainer().recipe()


def test_another_function_of_the_same_name_is_another_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    digests = []
    for units in (4, 15):
        code = f"import torch\ndef net(shape, c):\n    return torch.nn.Linear(shape[0] * 1, c, bias={units > 4})\n"
        (tmp_path / "my_nets.py").write_text(code)
        sys.modules.pop("my_nets", None)
        importlib.invalidate_caches()
        import linecache

        linecache.clearcache()
        digests.append(TorchTrainer(module="my_nets:net").recipe()["module"])
    sys.modules.pop("my_nets", None)
    assert digests[0]["function"] == digests[1]["function"] == "my_nets:net"
    assert digests[0]["source"] != digests[1]["source"]
    a, b = (TorchTrainer(module=partial(linear, bias=bias)).recipe() for bias in (True, False))
    assert a != b


@pytest.mark.parametrize("module", ["mlp", linear])
def test_models_and_trainers_can_be_pickled(module: Any) -> None:
    trainer = TorchTrainer(module=module, epochs=1, hidden=(4,))
    models = trainer.train(X, Y, 3, ROWS * 3, [0, 1, 2])
    data = pickle.dumps(models[1])
    assert len(data) < 10_000  # one slice, not the stack
    assert (pickle.loads(data).log_probs(X) == models[1].log_probs(X)).all()  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(trainer)) == trainer  # noqa: S301 - our own bytes


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_survive_a_file(tmp_path: Path, suffix: str) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    x = np.random.default_rng(0).random((30, 6, 6))
    trainer = TorchTrainer(module="cnn", epochs=1)
    model = trainer.train(x, Y, 3, ROWS, [4])[0]
    path = tmp_path / f"weights{suffix}"
    save_weights(model, path)
    again = load_torch(path, trainer, (6, 6), 3)
    assert (again.log_probs(x) == model.log_probs(x)).all()
    with pytest.raises(ModelError, match="other classes"):
        load_torch(path, trainer, (6, 6), 4)
    with pytest.raises(ModelError, match="not of this network"):
        load_torch(path, TorchTrainer(), (36,), 3)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (Path("boom"), "boom"))


def test_a_weights_file_never_runs_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"0.weight": Bomb()}, tmp_path / "bomb.pt")
    (tmp_path / "junk.pt").write_bytes(b"junk")
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("bomb.pt", "junk.pt", "junk.safetensors", "list.pt", "missing.pt"):
        with pytest.raises(ModelError, match=name):
            load_torch(tmp_path / name, TorchTrainer(), (5,), 3)
    assert not (tmp_path / "boom").exists()


def test_a_checkpoint_with_more_than_weights_is_understood(tmp_path: Path) -> None:
    trainer = TorchTrainer(epochs=1)
    model = trainer.train(X, Y, 3, ROWS, [4])[0]
    torch.save({"epoch": 3, "state_dict": model.network.state_dict()}, tmp_path / "checkpoint.pth")
    assert (load_torch(tmp_path / "checkpoint.pth", trainer, (5,), 3).log_probs(X) == model.log_probs(X)).all()


def test_a_users_module_answers_in_each_kind_of_output() -> None:
    body = torch.nn.Linear(5, 3)
    kinds = {"logits": body, "probabilities": torch.nn.Sequential(body, torch.nn.Softmax(1))}
    kinds["log_probabilities"] = torch.nn.Sequential(body, torch.nn.LogSoftmax(1))
    answers = [TorchModel(m, 3, outputs=kind).log_probs(X) for kind, m in kinds.items()]  # type: ignore[arg-type]
    assert all(a.dtype == np.float32 and a.shape == (30, 3) for a in answers)
    assert np.ptp(answers, axis=0).max() < 1e-5
    with pytest.raises(ModelError, match=r"sum to 1|must lie"):
        TorchModel(body, 3, outputs="probabilities").log_probs(X)
    with pytest.raises(ModelError, match=r"\(30, 4\)"):
        TorchModel(body, 4).log_probs(X)
    with pytest.raises(ModelError, match="does not take rows"):
        TorchModel(body, 3).log_probs(X[:, :4])
    with pytest.raises(ModelError, match="finite"):
        TorchModel(torch.nn.Sequential(body, torch.nn.Threshold(1e9, float("nan"))), 3).log_probs(X)
    with pytest.raises(ModelError, match=r"torch\.nn\.Module"):
        TorchModel("module", 3)  # type: ignore[arg-type]


def test_answers_are_in_evaluation_mode_in_blocks_and_keep_their_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    module = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(5, 3)).train()
    model = TorchModel(module, 3)
    module.train()
    whole = model.log_probs(X)
    monkeypatch.setattr("gnomon.models.torch.model.BLOCK_NUMBERS", 35)
    assert np.abs(model.log_probs(X) - whole).max() < 1e-6
    assert model.log_probs(X[:0]).shape == (0, 3)
    sure = torch.nn.Linear(1, 2, bias=False)
    sure.weight.data[:] = torch.tensor([[30.0], [0.0]])
    assert TorchModel(sure, 2).log_probs(np.ones((1, 1)))[0, 0] == pytest.approx(-np.exp(-30.0), rel=1e-3)


@pytest.mark.parametrize("megabytes", [None, 2, 32])
def test_group_size_follows_the_cache_and_the_recipe(megabytes: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = np.zeros((9, 10), np.float32), np.zeros((9, 20_000), np.float32)
    trainer = TorchTrainer(stack="always", device="cpu")
    monkeypatch.setattr(stackability, "core_cache", lambda: megabytes and megabytes * 2**20)
    weights = (10 + 1) * 128 + (128 + 1) * 2
    each = 4 * (4 * weights + trainer.batch * (10 + 2 * 128 + 2))
    assert trainer.batch_size(small, 2, 1000) == min((megabytes or 16) * 2**20 // each, 256)
    assert trainer.batch_size(large, 2, 1000) == 1
    assert replace(trainer, stack="never").batch_size(small, 2, 1000) == 1


def test_without_torch_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in set(door.__all__) - {"has_torch"}:
        with pytest.raises(MissingExtraError, match=r"pip install .*'torch"):
            getattr(door, name)
    assert issubclass(MissingExtraError, GnomonError)


def test_a_module_without_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="no weights to train"):
        TorchTrainer(module=lambda *_: torch.nn.Identity()).train(X, Y, 3, ROWS, [0])


def test_probing_and_building_leave_torchs_random_state_alone() -> None:
    state = torch.get_rng_state()
    TorchTrainer(module=linear).stacking(X, 3)
    TorchTrainer(module="cnn").batch_size(np.zeros((5, 8, 8)), 3, 5)
    assert torch.equal(state, torch.get_rng_state())
