"""A torch module as a Model: rows in, log-probabilities out; and weights on disk without pickles.

A network with one output for two classes (a logit, or a probability behind a sigmoid) answers with that of the second
class. A hook on the network itself (its head) puts the first one next to it, so that weights keep their names.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.errors import ModelError, import_extra
from gnomon.core.mitigations import AnswerMap, Facts
from gnomon.core.outputs import OUTPUTS, Outputs, check_outputs
from gnomon.core.protocols import ModelAbilities
from gnomon.models.observations import Checkpoints, Inside
from gnomon.models.torch.gradients import inside_features, white_box
from gnomon.models.torch.networks import Layout, TensorRows, resolve_device, tensor_rows
from gnomon.models.torch.precision import computing
from gnomon.models.torch.weights import named_tensors, why_unreadable

PLACE = "_gnomon_head"  # where a network keeps its hook


class Head:
    """A forward hook that gives a network the outputs (n, c) that it lacks.

    Attributes:
        outputs: what the network gives.
        as_logits: whether to give logits in place of probabilities.
        widened: whether it has met one output a row.
    """

    def __init__(self, outputs: Outputs, *, as_logits: bool) -> None:
        self.outputs, self.as_logits, self.widened = outputs, as_logits, False

    def __call__(self, module: nn.Module, inputs: Any, out: Any) -> Any:  # noqa: ARG002 - what hooks get
        """The outputs of a call, (n, c)."""
        if not isinstance(out, torch.Tensor):
            return out
        if out.ndim == 1 or out.shape[1:] == (1,):
            self.widened = True
            out = _both(out.reshape(-1), self.outputs)
        if self.as_logits and self.outputs == "probabilities":
            return out.clamp_min(torch.finfo(out.dtype).tiny).log()
        return out


def fit_head(network: nn.Module, n_classes: int, outputs: Outputs, *, as_logits: bool = False) -> nn.Module:
    """The network with a hook where it may need one; it has no more than one.

    >>> network = fit_head(nn.Linear(3, 1), 2, "logits")
    >>> network(torch.zeros(5, 3)).shape, len(network.state_dict())
    (torch.Size([5, 2]), 2)
    """
    needed = n_classes == 2 or (as_logits and outputs == "probabilities")
    if needed and getattr(network, PLACE, None) is None:
        head = Head(outputs, as_logits=as_logits)
        setattr(network, PLACE, head)
        network.register_forward_hook(head)
    return network


def is_widened(network: nn.Module) -> bool:
    """Whether the network has answered with one output a row."""
    return bool(getattr(getattr(network, PLACE, None), "widened", False))


def _both(second: torch.Tensor, outputs: Outputs) -> torch.Tensor:
    if outputs == "probabilities":
        first = 1 - second
    elif outputs == "logits":
        first = torch.zeros_like(second)
    else:
        first = torch.log(-torch.expm1(second))
    return torch.stack([first, second], dim=1)


def reads_whole(network: nn.Module) -> bool:
    """Whether the network looks numbers up in a table, so that they must stay whole."""
    return any(isinstance(part, (nn.Embedding, nn.EmbeddingBag)) for part in network.modules())


APART = 0.5  # of one output that passes for a probability
SHARES = 1e-3  # by which probabilities may miss a sum of 1
BLOCK_NUMBERS = 2**22  # input numbers a block of rows may hold: 16 MiB of float32


@dataclass(frozen=True, eq=False)
class TorchModel(ModelAbilities):
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
        remarks: what whoever read its weights has to say.
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
    remarks: tuple[str, ...] = ()
    seen: list[bool] = field(default_factory=list, repr=False)  # of each block of rows, whether outputs were shares

    def __post_init__(self) -> None:
        if not isinstance(self.network, torch.nn.Module):
            raise ModelError(f"expected a torch.nn.Module, got {type(self.network).__name__}")
        check_outputs(self.outputs)
        fit_head(self.network.eval(), self.n_classes, self.outputs)

    @property
    def one_column(self) -> bool:  # type: ignore[override]
        """Whether it has answered with one number a row, that of the second class."""
        return is_widened(self.network)

    @property
    def already_shares(self) -> bool:  # type: ignore[override]
        """Whether outputs that it takes for logits were probabilities in every row so far."""
        return self.outputs == "logits" and bool(self.seen) and all(self.seen)

    def fitted(self) -> nn.Module:
        """The network."""
        return self.network

    @property
    def observable(self) -> frozenset[str]:
        """It can be looked into, and a training that was watched can be followed."""
        return frozenset({Inside.name} if self.course is None else {Inside.name, Checkpoints.name})

    def gradients(self, x: Rows, y: Ints) -> dict[str, Floats]:
        """Norms (n,) of the gradients of each row's own loss, by name; see `white_box`."""
        return white_box(self, x, y)

    def losses_over_training(self, x: Rows, y: Ints, count: int) -> Floats | None:  # noqa: ARG002 - it was watched
        """Losses (n, k) of the rows that were watched while it was trained, if any were."""
        return self.course

    def last_layer(self, x: Rows, y: Ints) -> Floats:
        """Numbers (n, 21) of what its last layer does with rows; see `inside_features`."""
        return inside_features(self, x, y)

    def behind(self, mitigation: AnswerMap) -> MitigatedModule:
        """A module whose answers go through a mitigation."""
        return MitigatedModule(self.network, mitigation, self.outputs).eval()

    def write(self, stem: Path) -> Path:
        """Writes the weights as safetensors."""
        place = stem.with_suffix(".safetensors")
        save_weights(self, place)
        return place

    def rows(self, x: Rows, device: str) -> TensorRows:
        """Rows as its network takes them."""
        return tensor_rows(x, self.layout, device, whole=self.layout == "as_is" and reads_whole(self.network))

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c); the softmax is taken in float64, so 1 - 1e-12 is not 1.

        Raises:
            DataError: rows that are no finite numbers.
            ModelError: the module refuses the rows' shape, or returns something that is no distribution.
        """
        device = resolve_device(self.device)
        self.network.to(device).eval()
        rows = self.rows(x, device)
        with torch.no_grad(), computing("fp32", device):
            size = max(1, BLOCK_NUMBERS // max(1, int(np.prod(rows.shape))))
            starts = range(0, len(rows.values), size)
            blocks = [self._answers(rows.block(start, start + size), rows.shape) for start in starts]
        return np.concatenate(blocks) if blocks else np.empty((0, self.n_classes), dtype=np.float32)

    def _answers(self, block: torch.Tensor, shape: tuple[int, ...]) -> Floats:
        try:
            out = self.network(block)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            reason = str(error).split("\n", 1)[0]
            raise ModelError(f"the torch module does not take rows of shape {shape}: {reason}") from error
        if not isinstance(out, torch.Tensor) or out.shape != (len(block), self.n_classes):
            got = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(f"torch module: expected an output of shape ({len(block)}, {self.n_classes}), got {got}")
        if self.outputs == "logits":
            self.seen.append(_are_shares(out, one=self.one_column))
            if not bool(torch.isfinite(out).all()):
                raise ModelError("torch module: logits must be finite, got NaN or infinity")
            logs: Floats = torch.log_softmax(out.double(), 1).float().cpu().numpy()
            return logs
        array = out.double().cpu().numpy()
        return OUTPUTS[self.outputs](array, rows=len(block), classes=self.n_classes, source="torch module")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if any(p.device.type != "cpu" for p in self.network.parameters()):
            state["network"] = copy.deepcopy(self.network).cpu()
        return state


class MitigatedModule(nn.Module):
    """A torch module in the place of another one, whose answers go through a mitigation.

    It returns the same kind of output as the network inside, on the same device and of the same type; for ``logits``
    these are mitigated log-probabilities, whose softmax is the mitigated answer. No gradient passes through it. Its
    ``state_dict`` holds the network's weights under ``network.``.

    Args:
        network: the module; it returns (n, c).
        mitigation: fitted to it.
        outputs: what the network returns.

    >>> import torch
    >>> from gnomon.core.answers import Reveal
    >>> module = MitigatedModule(torch.nn.Identity(), Reveal("labels").apply)
    >>> module(torch.tensor([[1.0, 3.0, 2.0]])).softmax(1)
    tensor([[0., 1., 0.]])
    """

    def __init__(self, network: nn.Module, mitigation: AnswerMap, outputs: Outputs = "logits") -> None:
        super().__init__()
        self.network, self.mitigation, self.outputs = network, mitigation, outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The network's output behind the mitigation."""
        with torch.no_grad():
            out: torch.Tensor = self.network(x)
        values = out.double()
        if self.outputs == "logits":
            values = torch.log_softmax(values, 1)
        elif self.outputs == "probabilities":
            values = values.log()
        shown = torch.as_tensor(np.asarray(self.mitigation(values.float().cpu().numpy())), device=out.device)
        return (shown.exp() if self.outputs == "probabilities" else shown).to(out.dtype)


def _are_shares(out: torch.Tensor, *, one: bool) -> bool:
    """Whether outputs (n, c) are probabilities already: they sum to 1.

    One output is called so where all lie between 0 and 1 and far apart, as logits so near to 0 would not be.
    """
    inside = bool(((out >= 0) & (out <= 1)).all())
    if one:
        return inside and bool(out[:, 1].max() - out[:, 1].min() > APART)
    return inside and bool(((out.sum(dim=1) - 1).abs() < SHARES).all())


def save_weights(model: TorchModel, path: Path) -> None:
    """Writes a model's weights: safetensors, or for ``.pt`` and ``.pth`` torch's own format (a dict of tensors)."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    if path.suffix in (".pt", ".pth"):
        content = io.BytesIO()
        torch.save(state, content)
        path.write_bytes(content.getbuffer())  # a full disk is an OSError then
        return
    safetensors = import_extra("safetensors.torch", "torch", f"writing {path.name} (and not a .pt file)")
    path.write_bytes(safetensors.save({name: value.clone() for name, value in state.items()}))


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Named tensors from a ``.safetensors``, ``.pt`` or ``.pth`` file, read without running any code in it.

    A training checkpoint with the weights under a key of its own is understood; see `named_tensors`.

    Raises:
        ModelError: no such file, another format, or a file that holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile, pickle and safetensors each raise their own
        raise ModelError(why_unreadable(path, error)) from error
    return named_tensors(found, str(path))


def check_weights(module: nn.Module, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Compares named tensors with what a module needs; every name and shape must fit.

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
