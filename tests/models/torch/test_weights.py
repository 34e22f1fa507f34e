from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from gnomon.core.errors import ModelError  # noqa: E402
from gnomon.models.torch import TorchTrainer, load_torch  # noqa: E402
from gnomon.models.torch.weights import is_program, named_tensors, without_prefix  # noqa: E402

RECIPE = TorchTrainer(hidden=(4,), device="cpu")
NETWORK = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
STATE = NETWORK.state_dict()
X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def prefixed(prefix):
    return {f"{prefix}{name}": value for name, value in STATE.items()}


@pytest.mark.parametrize(
    ("saved", "prefix"),
    [
        (STATE, ""),
        (prefixed("module."), "module."),
        (prefixed("_orig_mod."), "_orig_mod."),
        (prefixed("module._orig_mod."), "module._orig_mod."),
        ({"state_dict": prefixed("net."), "epoch": 3}, "net."),
        ({"model": STATE, "optimizer": {"lr": 0.1}}, ""),
        ({"model": {"state_dict": STATE}}, ""),
        ({"model_state_dict": prefixed("model.")}, "model."),
    ],
    ids=["plain", "parallel", "compiled", "both", "lightning", "model", "nested", "key_and_prefix"],
)
def test_weights_as_people_save_them_are_understood_and_a_prefix_is_said(tmp_path, saved, prefix):
    torch.save(saved, tmp_path / "m.pt")
    model = load_torch(tmp_path / "m.pt", RECIPE, (3,), 2)
    with torch.no_grad():
        wanted = torch.log_softmax(NETWORK(torch.tensor(X)).double(), 1).numpy()
    assert np.allclose(model.log_probs(X), wanted, atol=1e-6)
    assert model.remarks == (
        (f'The names of its weights began with "{prefix}", which was left out.',) if prefix else ()
    )


def test_a_prefix_that_not_all_share_stays_and_is_named(tmp_path):
    some = {"module.0.weight": STATE["0.weight"], "other.0.bias": STATE["0.bias"]}
    assert without_prefix(some, STATE) == (some, "")
    torch.save(some, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="not of this network"):
        load_torch(tmp_path / "m.pt", RECIPE, (3,), 2)


def test_files_of_other_things_get_one_short_line_of_our_own(tmp_path):
    torch.save(NETWORK, tmp_path / "whole.pt")
    (tmp_path / "bad.pt").write_bytes(b"nonsense")
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    torch.save({"epoch": 3}, tmp_path / "none.pt")
    for name, message in (
        ("whole.pt", "holds the Python object torch.nn.modules.container.Sequential and not weights alone"),
        ("bad.pt", "holds Python objects|not a file of weights, or damaged"),
        ("bad.safetensors", "not a file of weights, or damaged"),
        ("none.pt", r"expected named tensors; save torch\.save"),
    ):
        with pytest.raises(ModelError, match=message) as caught:
            load_torch(tmp_path / name, RECIPE, (3,), 2)
        text = str(caught.value)
        assert "\x1b" not in text
        assert "\n" not in text
        assert len(text) < 400 + len(str(tmp_path))


def test_programs_of_torch_are_refused_as_such_and_never_loaded(tmp_path):
    import zipfile

    for name, inner in (("script.pt", "m/code/__torch__.py"), ("export.pt", "m/models/model.json")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inner, "")
            archive.writestr("m/data.pkl", b"")
        assert is_program(tmp_path / name)
        with pytest.raises(ModelError, match=r"TorchScript or exported program, which may run .* torch\.onnx"):
            load_torch(tmp_path / name, RECIPE, (3,), 2)
    torch.save(STATE, tmp_path / "plain.pt")
    assert not is_program(tmp_path / "plain.pt")


def test_tensors_must_be_there():
    with pytest.raises(ModelError, match=r"m\.pt: expected named tensors"):
        named_tensors([1, 2], "m.pt")


def test_names_in_a_damaged_archive_may_be_no_text(tmp_path):
    torch.save(STATE, tmp_path / "m.pt")
    content = (tmp_path / "m.pt").read_bytes()
    (tmp_path / "m.pt").write_bytes(content.replace(b"data.pkl", b"dat\x8f.pkl"))
    assert not is_program(tmp_path / "m.pt")
    with pytest.raises(ModelError, match="not a file of weights, or damaged"):
        load_torch(tmp_path / "m.pt", RECIPE, (3,), 2)
