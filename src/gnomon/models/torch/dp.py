"""Differentially private training (DP-SGD: Abadi et al., 2016) of the torch recipe's networks, by Opacus.

A training of T steps draws each row into a step with probability q (Poisson sampling), clips each row's gradient to a
norm of C and adds Gaussian noise of standard deviation sigma * C to their sum. What that promises for two data sets of
which one holds one row more is an (epsilon, delta) that an accountant bounds from (sigma, q, T).
"""

from __future__ import annotations

import copy
import functools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import nn

from gnomon.core.arrays import Ints, Rows, check_labels, count_rows
from gnomon.core.errors import MissingExtraError, ModelError, UsageError
from gnomon.core.seeds import Seeds
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.networks import (
    Scratch,
    TensorRows,
    build_seeded,
    layout_of,
    resolve_device,
    seeded,
    tensor_rows,
)
from gnomon.models.torch.precision import computing
from gnomon.models.torch.stacks.stackability import PROBE_ROWS
from gnomon.models.torch.stacks.vmap_stack import probe
from gnomon.models.torch.trainer import NetworkWrapper, check_rows

Accountant: TypeAlias = Literal["prv", "rdp"]

LEAST_PRV_NOISE = 0.4  # below, PRV takes up to a minute (or ends in infinity) to say little less of a vacuous epsilon
MOST_PRV_EPSILON = 150.0  # a wanted epsilon above it leads there


def import_opacus(what: str) -> ModuleType:
    """The opacus package, or the error that says how to install it."""
    try:
        with quiet():
            import opacus
    except ImportError:
        raise MissingExtraError("opacus", "dp", what) from None
    return opacus  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Opacus' remarks on orders of the Renyi divergence, logarithms of 0 and overflow, torch's on its hooks.

    Its bounds hold all the same: what overflows ends in an infinite epsilon, never in one that is too small.
    """
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        warnings.filterwarnings("ignore", message="Optimal order is the (largest|smallest) alpha", category=UserWarning)
        warnings.filterwarnings("ignore", message="Full backward hook is firing", category=UserWarning)
        yield


def usual_delta(rows: int) -> float:
    """The largest power of ten below one over the number of rows.

    >>> usual_delta(999), usual_delta(1000), usual_delta(1)
    (0.001, 0.0001, 0.1)
    """
    return float(f"1e-{len(str(rows))}")


def accountant_for(wanted: Accountant, *, noise: float | None, epsilon: float | None) -> Accountant:
    """The accountant that can do it: PRV is tighter, and only RDP has an answer where there is hardly any noise."""
    bare = (noise is not None and noise < LEAST_PRV_NOISE) or (epsilon is not None and epsilon > MOST_PRV_EPSILON)
    return "rdp" if bare else wanted


@functools.cache  # a search of seconds, asked again for each model of a pool; a pure function of five numbers
def noise_for(epsilon: float, delta: float, sample_rate: float, steps: int, accountant: Accountant) -> float:
    """The noise multiplier sigma that keeps a training within (epsilon, delta).

    Args:
        epsilon: wanted, above 0.
        delta: in (0, 1).
        sample_rate: q, a row's chance to be in a step.
        steps: T.
        accountant: ``prv`` (Gopi et al., 2021) or ``rdp`` (Mironov, 2017).

    Raises:
        UsageError: no noise is enough.
    """
    import_opacus("DP-SGD")
    from opacus.accountants.utils import get_noise_multiplier

    try:
        with quiet():
            found = get_noise_multiplier(
                target_epsilon=epsilon,
                target_delta=delta,
                sample_rate=sample_rate,
                steps=steps,
                accountant=accountant,
                epsilon_tolerance=min(0.01, epsilon / 100),
            )
    except ValueError as error:
        other = ' or accountant = "prv"' if accountant == "rdp" else ""
        raise UsageError(
            f"no noise keeps {steps} steps within epsilon {epsilon:g} at delta {delta:g}: ask for a larger epsilon, "
            f"fewer epochs{other}"
        ) from error
    return float(found)


@functools.cache
def spent(noise: float, delta: float, sample_rate: float, steps: int, accountant: Accountant) -> float | None:
    """The epsilon that a training has spent at this delta; None where there is no bound (no noise).

    >>> spent(0.0, 1e-5, 0.1, 100, "rdp") is None
    True
    """
    if noise == 0:
        return None
    import_opacus("DP-SGD")
    from opacus.accountants import create_accountant

    counter = create_accountant(mechanism=accountant)
    counter.history = [(noise, sample_rate, steps)]
    with quiet():
        epsilon = float(counter.get_epsilon(delta=delta))
    if not math.isfinite(epsilon):  # too little noise for the grid of PRV; RDP still has a bound
        return spent(noise, delta, sample_rate, steps, "rdp") if accountant == "prv" else None
    return epsilon


DP_VERSION = 1  # raise when the same fields train another model


@dataclass(frozen=True)
class DPTrainer(NetworkWrapper):
    """Trains a `TorchTrainer`'s network by its own regime, with clipped gradients, noise and Poisson sampling.

    A row stands in a step with probability q = 1 / ceil(n / batch), whatever the others do; a row's gradient is clipped
    to the norm ``clip``; Gaussian noise of standard deviation ``noise * clip`` is added to the sum; and the sum is
    divided by the expected number of rows, q n. The number of rows n counts as public. Each model carries what it has
    spent in ``facts``: epsilon, delta, noise_multiplier, max_grad_norm, accountant, sample_rate, steps.

    Fully connected networks are clipped without writing each row's gradient down (ghost clipping: Li et al., 2022),
    which comes to the same and is several times faster. Networks are trained one at a time.

    The noise comes from the model's seed, so that an audit can be repeated; who knows the seed can take it away again.
    A model for release needs a seed that nobody knows.

    Args:
        trainer: network and regime; without early stopping, which looks at rows that no accountant counts.
        epsilon: the privacy wanted; the noise follows from it. Give either this or ``noise``.
        noise: the noise multiplier sigma; 0 clips only, and promises nothing.
        delta: the chance that the promise may be broken with; default the largest power of ten below 1 / n.
        clip: C, the norm that a row's gradient is clipped to.
        accountant: ``prv`` (Gopi et al., 2021), or ``rdp`` (Mironov, 2017), which is quicker and promises less. Where
            there is hardly any noise (below 0.4, or epsilon above 150) it is ``rdp`` in any case.

    Raises:
        UsageError: an option out of range, or a trainer that stops early.

    >>> from gnomon.models import TorchTrainer
    >>> trainer = DPTrainer(TorchTrainer(hidden=(8,), epochs=2), noise=1.0)
    >>> model = trainer.train(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1]), 2, [np.arange(4)], [0])[0]
    >>> model.facts["noise_multiplier"], model.facts["delta"]
    (1.0, 0.1)
    """

    epsilon: float | None = None
    noise: float | None = None
    delta: float | None = None
    clip: float = 1.0
    accountant: Accountant = "prv"

    def __post_init__(self) -> None:
        self._check_network("DP-SGD clips a network's gradients")
        if (self.epsilon is None) == (self.noise is None):
            raise UsageError(f"DP-SGD: give either epsilon or noise, got epsilon={self.epsilon}, noise={self.noise}")
        rules = {
            "epsilon": (self.epsilon is None or 0 < self.epsilon < math.inf, "a number above 0"),
            "noise": (self.noise is None or 0 <= self.noise < math.inf, "0 or more"),
            "delta": (self.delta is None or 0 < self.delta < 1, "a number between 0 and 1"),
            "clip": (0 < self.clip < math.inf, "a number above 0"),
            "accountant": (self.accountant in ("prv", "rdp"), "prv or rdp"),
        }
        for name, (holds, expected) in rules.items():
            if not holds:
                raise UsageError(f"DP-SGD: expected {name} to be {expected}, got {getattr(self, name)!r}")
        for name in ("objective", "augmentation"):
            if getattr(self.trainer, name) is not None:
                raise UsageError(f"DP-SGD trains on the plain cross-entropy of the rows: leave {name} out beside it")
        if self.trainer.precision != "fp32":
            raise UsageError(f'DP-SGD computes in fp32, got precision "{self.trainer.precision}": leave it out')
        if self.trainer.patience is not None:
            raise UsageError(
                f"DP-SGD cannot stop early (patience={self.trainer.patience}): the held-out rows would speak without "
                "noise; set epochs instead"
            )

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """Trains one network per entry of ``rows``, each with its own seed; see `TorchTrainer.train`.

        Raises:
            MissingExtraError: Opacus is not installed.
            DataError: rows, labels or positions that can't be trained on.
            ModelError: a network that can't be trained privately or does not fit the rows, or a training that diverged.
            UsageError: no noise is enough for the wanted epsilon.
        """
        device = resolve_device(self.trainer.device)
        import_opacus("DP-SGD")
        labels = check_labels(y, rows=count_rows(x), classes=n_classes, source="DP-SGD")
        positions = check_rows(rows, seeds, len(labels), 1)
        if not positions:
            return []
        data = tensor_rows(x, layout_of(self.trainer.module), device)
        build = self.trainer.factory(data.shape, n_classes)
        if self.trainer.module != "mlp":
            _check_private(build_seeded(build, 0), data, n_classes)
        return [self._train_one(build, data, labels, n_classes, r, s) for r, s in zip(positions, seeds, strict=True)]

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON."""
        try:
            opacus = metadata.version("opacus")
        except metadata.PackageNotFoundError:
            raise MissingExtraError("opacus", "dp", "DP-SGD") from None
        own = {name: value for name, value in self.__dict__.items() if name != "trainer"}
        return {"kind": "dp-sgd", "version": DP_VERSION, "opacus": opacus, **own, "trainer": self.trainer.recipe()}

    def stacking_note(self, x: Rows, n_classes: int) -> str:  # noqa: ARG002 - the protocol's arguments
        """That networks are trained one at a time, and why."""
        return "trained one at a time: DP-SGD clips the gradient of each row"

    @property
    def promised_delta(self) -> float | None:
        """The delta that it is set to; None: it follows from the number of rows."""
        return self.delta

    def facts(self, rows: int) -> dict[str, Any]:
        """What a training on so many rows spends: the facts that a model of it carries."""
        steps_an_epoch = math.ceil(rows / self.trainer.batch)
        rate, steps = 1 / steps_an_epoch, self.trainer.epochs * steps_an_epoch
        delta = usual_delta(rows) if self.delta is None else self.delta
        counted_by = accountant_for(self.accountant, noise=self.noise, epsilon=self.epsilon)
        if self.noise is not None:
            noise = self.noise
        else:
            assert self.epsilon is not None
            noise = noise_for(self.epsilon, delta, rate, steps, counted_by)
        return {
            "epsilon": spent(noise, delta, rate, steps, counted_by),
            "delta": delta,
            "noise_multiplier": noise,
            "max_grad_norm": self.clip,
            "accountant": counted_by,
            "sample_rate": rate,
            "steps": steps,
            "neighbours": "one row more or less",
        }

    def promised_epsilon(self, rows: int, delta: float) -> float | None:
        """What a training on so many rows spends at another delta than its own; None where there is no bound."""
        facts = self.facts(rows)
        if delta == 0:
            return None
        return spent(facts["noise_multiplier"], delta, facts["sample_rate"], facts["steps"], facts["accountant"])

    def _train_one(
        self, build: Callable[[], nn.Module], data: TensorRows, labels: Ints, n_classes: int, rows: Ints, seed: int
    ) -> TorchModel:
        facts, device = self.facts(len(rows)), str(data.values.device)
        module = build_seeded(build, seed).to(device)
        step = self._stepper(copy.deepcopy(module).train(), facts, len(rows), seed)
        y = torch.tensor(labels, device=device)
        with quiet(), computing("fp32", device), seeded(Seeds(seed).child("dice").integer(), device):
            for drawn in _poisson(rows, facts["sample_rate"], facts["steps"], seed):
                where = torch.from_numpy(drawn).to(device)
                state = step(data.take(where, Scratch()), y[where])
        if not all(bool(torch.isfinite(value).all()) for value in state.values()):
            raise ModelError(
                f"training with seed {seed} diverged to NaN or infinity: lower the learning rate "
                f"(now {self.trainer.learning_rate:g}) or the noise (now {facts['noise_multiplier']:g})"
            )
        module.load_state_dict(state)
        return TorchModel(
            module, n_classes, layout=layout_of(self.trainer.module), device=self.trainer.device, facts=facts
        )

    def _stepper(
        self, module: nn.Module, facts: dict[str, Any], rows: int, seed: int
    ) -> Callable[[torch.Tensor, torch.Tensor], dict[str, torch.Tensor]]:
        """A function that takes one step on a batch (which may be empty) and returns the network's state."""
        from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
        from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
        from opacus.utils.fast_gradient_clipping_utils import DPLossFastGradientClipping

        inner = self._optimizer([p for p in module.parameters() if p.requires_grad])
        generator = torch.Generator(next(module.parameters()).device)
        generator.manual_seed(Seeds(seed).child("noise").integer())
        options = {
            "noise_multiplier": facts["noise_multiplier"],
            "max_grad_norm": self.clip,
            "expected_batch_size": rows * facts["sample_rate"],
            "generator": generator,
        }
        loss: Any = torch.nn.CrossEntropyLoss()
        if self.trainer.module == "mlp":
            network = GradSampleModuleFastGradientClipping(module, max_grad_norm=self.clip, use_ghost_clipping=True)
            optimizer = DPOptimizerFastGradientClipping(inner, **options)
            loss = DPLossFastGradientClipping(network, optimizer, loss)
        else:
            network = GradSampleModule(module)
            optimizer = DPOptimizer(inner, **options)

        def step(x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
            optimizer.zero_grad()
            loss(network(x), y).backward()
            optimizer.step()
            return module.state_dict()

        return step

    def _optimizer(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        rate, decay = self.trainer.learning_rate, self.trainer.weight_decay
        if self.trainer.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=self.trainer.momentum)


def _poisson(rows: Ints, rate: float, steps: int, seed: int) -> Iterator[Ints]:
    """For each step the rows in it, each by its own coin; sometimes none."""
    coins = np.random.Generator(np.random.SFC64(Seeds(seed).child("order").integer()))
    for _ in range(steps):
        yield rows[coins.random(len(rows)) < rate]


def _check_private(module: nn.Module, data: TensorRows, n_classes: int) -> None:
    """Refuses a network in which a row's gradient is not that row's own.

    Raises:
        ModelError: which layer, or what stands against it.
    """
    from opacus.validators import ModuleValidator

    wrong = ModuleValidator.validate(module, strict=False)
    norms = [name for name, layer in module.named_modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    if wrong:
        where = f"batch norm ({norms[0]}) mixes the rows of a batch" if norms else str(wrong[0]).split(". ", 1)[0]
        raise ModelError(f"DP-SGD cannot train this network: {where}; use group or layer norm, or a network without")
    problem = probe(module, data.block(0, PROBE_ROWS), n_classes).problem
    if problem is not None and not problem.startswith("torch.func.vmap"):
        raise ModelError(f"DP-SGD cannot train this network: {problem}; each row's gradient must be its own")
