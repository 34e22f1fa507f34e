"""A torch module as a Model: rows in, log-probabilities out; and weights on disk without pickles."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Floats, Rows, check_log_probs, log_from_probabilities
from gnomon.core.errors import ModelError
from gnomon.core.mitigations import Facts
from gnomon.models.torch.networks import Layout, TensorRows, import_torch, resolve_device, tensor_rows

if TYPE_CHECKING:
    import torch
    from torch import nn

Outputs: TypeAlias = Literal["logits", "log_probabilities", "probabilities"]

BLOCK_NUMBERS = 2**22  # input numbers a block of rows may hold: 16 MiB of float32


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A `torch.nn.Module` that answers with natural-log probabilities.

    The module is put into evaluation mode, and back into it before every answer.

    Args:
        network: the module; it gets float32 rows and returns ``(n, c)``.
        n_classes: number of classes c.
        outputs: what the module returns.
        layout: how it wants its rows (see `gnomon.models.torch.networks.tensor_rows`); ``as_is`` for a module of your
            own. Images of bytes (uint8) are scaled to [0, 1] in every layout.
        device: ``auto``, ``cpu`` or ``cuda``. A pickled model travels on the CPU.
        course: losses (n, k) at checkpoints of the training on rows that were watched, if any were.
        facts: what its training has to say, as plain JSON: an accountant's epsilon, curves.

    >>> import numpy as np, torch
    >>> model = TorchModel(torch.nn.Linear(4, 3), n_classes=3)
    >>> model.log_probs(np.zeros((5, 4))).shape
    (5, 3)
    """

    network: nn.Module
    n_classes: int
    outputs: Outputs = "logits"
    layout: Layout = "as_is"
    device: str = "auto"
    course: Floats | None = None
    facts: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        torch = import_torch("a torch model")
        if not isinstance(self.network, torch.nn.Module):
            raise ModelError(f"expected a torch.nn.Module, got {type(self.network).__name__}")
        if self.outputs not in ("logits", "log_probabilities", "probabilities"):
            raise ModelError(f"expected outputs logits, log_probabilities or probabilities, got {self.outputs!r}")
        self.network.eval()

    def module(self) -> nn.Module:
        """The module itself, in evaluation mode, for whoever needs gradients."""
        return self.network

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c); the softmax is taken in float64, so 1 - 1e-12 is not 1.

        Raises:
            DataError: rows that are no finite numbers.
            ModelError: the module refuses the rows' shape, or returns something that is no distribution.
        """
        import torch

        device = resolve_device(self.device)
        self.network.to(device).eval()
        rows = tensor_rows(x, self.layout, device)
        with torch.no_grad():
            blocks = [self._answers(block, rows.shape) for block in _blocks(rows)]
        if not blocks:
            return np.empty((0, self.n_classes), dtype=np.float32)
        return np.concatenate(blocks)

    def _answers(self, block: torch.Tensor, shape: tuple[int, ...]) -> Floats:
        import torch

        try:
            out = self.network(block)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            reason = str(error).split("\n", 1)[0]
            raise ModelError(f"the torch module does not take rows of shape {shape}: {reason}") from error
        if not isinstance(out, torch.Tensor) or out.shape != (len(block), self.n_classes):
            got = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(f"torch module: expected an output of shape ({len(block)}, {self.n_classes}), got {got}")
        if self.outputs == "logits":
            if not bool(torch.isfinite(out).all()):
                raise ModelError("torch module: logits must be finite, got NaN or infinity")
            logs: Floats = torch.log_softmax(out.double(), 1).float().cpu().numpy()
            return logs
        array = out.double().cpu().numpy()
        check = check_log_probs if self.outputs == "log_probabilities" else log_from_probabilities
        return check(array, rows=len(block), classes=self.n_classes, source="torch module")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if any(p.device.type != "cpu" for p in self.network.parameters()):
            state["network"] = copy.deepcopy(self.network).cpu()
        return state


def _blocks(rows: TensorRows) -> Iterator[torch.Tensor]:
    size = max(1, BLOCK_NUMBERS // max(1, int(np.prod(rows.shape))))
    for start in range(0, len(rows.values), size):
        yield rows.block(start, start + size)


def save_weights(model: TorchModel, path: Path) -> None:
    """Writes a model's weights: safetensors, or for ``.pt`` and ``.pth`` torch's own format (a dict of tensors)."""
    torch = import_torch("saving weights")
    state = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    if path.suffix in (".pt", ".pth"):
        torch.save(state, path)
        return
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise ModelError("safetensors is not installed: pip install 'gnomon[torch]', or save as .pt") from None
    save_file({name: value.clone() for name, value in state.items()}, str(path))


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Named tensors from a ``.safetensors``, ``.pt`` or ``.pth`` file, read without running any code in it.

    A training checkpoint with the weights under ``state_dict`` or ``model_state_dict`` is understood.

    Raises:
        ModelError: no such file, another format, or a file that holds more than tensors.
    """
    torch = import_torch(f"{path}")
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile, pickle and safetensors each raise their own
        reason = str(error).split("\n", 1)[0]
        raise ModelError(
            f"{path}: expected weights only, a .safetensors file or torch.save(module.state_dict(), ...); {reason}"
        ) from error
    for key in ("state_dict", "model_state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise ModelError(f"{path}: expected named tensors, as torch.save(module.state_dict(), path) writes them")
    return {str(name): value for name, value in found.items()}


def put_weights(module: nn.Module, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Loads named tensors into a module; every name and shape must fit.

    Raises:
        ModelError: which weights are missing, unknown or of another shape.
    """
    own = module.state_dict()
    missing, unknown = sorted(own.keys() - weights.keys()), sorted(weights.keys() - own.keys())
    wrong = [k for k in own.keys() & weights.keys() if own[k].shape != weights[k].shape]
    if missing or unknown:
        raise ModelError(
            f"{source}: the weights are not of this network (missing {missing or 'none'}, unknown {unknown or 'none'})"
        )
    if wrong:
        name = min(wrong)
        raise ModelError(
            f"{source}: weight {name} has shape {tuple(weights[name].shape)}, this network needs "
            f"{tuple(own[name].shape)} (other classes, features or hidden units?)"
        )
    module.load_state_dict(dict(weights))
