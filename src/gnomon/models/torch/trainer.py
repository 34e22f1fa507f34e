"""The torch recipe: networks trained from rows and seeds, many at once where that pays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from gnomon.core.arrays import Floats, Ints, Rows, check_labels, count_rows
from gnomon.core.errors import DataError, UsageError
from gnomon.core.network_recipe import NetworkRecipe
from gnomon.core.outputs import Outputs, check_outputs
from gnomon.core.protocols import Change, Trainer, TrainerAbilities
from gnomon.core.seeds import Seeds
from gnomon.models.observations import Checkpoints, Inside
from gnomon.models.recipe_hash import describe_files
from gnomon.models.torch import networks
from gnomon.models.torch.augmentation import Moves, TrainingAugmentation
from gnomon.models.torch.checkpoints import Watched, start_watch
from gnomon.models.torch.model import TorchModel, check_weights, fit_head, read_weights, reads_whole
from gnomon.models.torch.objectives import SoftLabels, describe_objective
from gnomon.models.torch.precision import check_gpu_options, computing
from gnomon.models.torch.stacks.captured import capture_graph
from gnomon.models.torch.stacks.fused_training import AT_ONCE, fit_fused, fused_version
from gnomon.models.torch.stacks.mlp_stack import Objective
from gnomon.models.torch.stacks.stackability import PROBE_ROWS, NetworkFacts, Stacking, StackRule, examine
from gnomon.models.torch.stacks.stacked_training import Opponent, Regime, fit
from gnomon.models.torch.stacks.vmap_stack import named_values
from gnomon.models.torch.weights import without_prefix
from gnomon.stats.signals import loss

Meet: TypeAlias = (
    "Callable[[networks.TensorRows, torch.Tensor, Sequence[int]], Opponent]"  # rows, labels, the stack's seeds
)

NOT_PLAIN = (
    "module",
    "watched",
    "objective",
    "augmentation",
    "files",
)  # with an entry of their own in a recipe, or none
RECIPE_VERSION = 1  # raise when the same fields train another model: answers in stores must not pass for the new ones


@dataclass(frozen=True)
class TrainingTask:
    """What all stacks of one call share."""

    subject: NetworkFacts
    data: networks.TensorRows
    y: torch.Tensor
    moves: Moves | None
    meet: Meet | None


@dataclass(frozen=True)
class TorchTrainer(NetworkRecipe, TrainerAbilities):
    """Trains `torch` classifiers by minibatch gradient descent on the cross-entropy.

    Several models of one call are trained as a stack: one batched product a layer for all of them. Initial weights,
    order of batches and dropped units come from the model's own seed, so a model is the same (to 1e-4 in
    log-probability after a few epochs) alone and in a stack. Modules with running statistics, random numbers of their
    own or code that ``torch.func.vmap`` can't follow are trained one at a time, and so are convolutions on a CPU, where
    stacking them is slower; `stacking` says which and why. The rule is fixed, not timed at run time, so that a run
    that is resumed beside a busier neighbour still gives the same bits.

    Rows are float32 for every network; images of bytes (uint8, ``(n, h, w)`` or ``(n, h, w, channels)``) are scaled to
    [0, 1]. Dropout is `torch.nn.Dropout` and its channel-wise kin.

    Args:
        module: ``mlp`` (fully connected), ``cnn`` (Shokri et al. 2017: two convolutions 5 x 5 with max-pooling, then
            fully connected layers), ``package.module:function``, or a function ``(input_shape, n_classes)`` that
            returns a `torch.nn.Module` giving logits; for two classes one output, that of the second, is enough.
        outputs: what a module of the user's own gives, where it ends in a softmax or a sigmoid (``probabilities``) or
            their logarithm; it is trained on its log-probabilities.
        hidden: units of the fully connected hidden layers (mlp, cnn).
        activation: ``tanh`` or ``relu`` (mlp, cnn).
        dropout: rate after each fully connected hidden layer (mlp, cnn).
        optimizer: ``adam`` or ``sgd``.
        learning_rate: step size.
        weight_decay: L2 penalty, added to the gradient as lambda times the weight.
        momentum: of ``sgd``.
        batch: rows a step; an epoch's last batch may be smaller.
        epochs: passes over the rows, at most.
        patience: early stopping after so many epochs without a better loss on a tenth of the rows, which is held out
            for it; the weights of the best epoch are kept. None trains on all rows to the end.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: of products on a GPU: ``fp32``, ``tf32`` or ``bf16``; a model answers in fp32 in any case.
        graph: run the steps of a stack on a GPU as a CUDA graph, where they can be captured.
        stack: ``auto`` (as said above), ``always`` where it is possible, or ``never``.
        objective: what to train for instead of the plain cross-entropy, of `gnomon.models.torch.objectives`.
        augmentation: flips bits, or mirrors and shifts images, anew at every step.
        files: paths of files that a network of the user's own reads; their content is part of the recipe.
        watched: rows whose losses are kept at checkpoints, evenly spaced over the epochs (`TorchModel.course`). It
            changes no model, so it is no part of the recipe.

    >>> import numpy as np
    >>> x, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    >>> trainer = TorchTrainer(hidden=(8,), epochs=100, learning_rate=0.05)
    >>> models = trainer.train(x, y, 2, rows=[np.arange(4), np.arange(2)], seeds=[0, 1])
    >>> models[0].log_probs(x).argmax(axis=1).tolist()
    [0, 1, 0, 1]
    """

    module: str | networks.ModuleFactory = "mlp"
    outputs: Outputs = "logits"
    stack: StackRule = "auto"
    objective: Objective | None = None
    augmentation: TrainingAugmentation | None = None
    files: tuple[str, ...] = ()
    watched: Watched | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stack not in ("auto", "always", "never"):
            raise UsageError(f"expected stack to be auto, always or never, got {self.stack!r}")
        check_outputs(self.outputs)
        if self.module not in networks.BUILT_IN:
            networks.find_factory(self.module)
        elif self.outputs != "logits":
            raise UsageError(f'the network "{self.module}" gives logits, got outputs "{self.outputs}"')

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """Trains one network per entry of ``rows``, each with its own seed; numbers of rows may differ.

        Args:
            x: numbers ``(n, ...)``, or a data frame of numeric columns.
            y: class ids (n,).
            n_classes: number of classes c.
            rows: for each model its positions in ``x``.
            seeds: for each model its seed.

        Raises:
            DataError: rows, labels or positions that can't be trained on.
            ModelError: the network does not fit the rows, or its training diverged.
        """
        return self.train_against(x, y, n_classes, rows, seeds, None)

    def train_against(
        self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int], meet: Meet | None
    ) -> list[TorchModel]:
        """As `train`, every stack in turns with an opponent; ``meet`` makes it from the stack, its seeds and labels."""
        labels = check_labels(y, rows=count_rows(x), classes=n_classes, source="torch trainer")
        return self._train(x, labels, n_classes, rows, seeds, meet)

    def distil(self, x: Rows, answers: Floats, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """As `train`, on another model's probabilities (n, c) in place of labels (Hinton, Vinyals and Dean, 2015)."""
        student = replace(self, objective=SoftLabels())
        return student._train(x, answers.astype(np.float32), answers.shape[1], rows, seeds, None)

    def _train(
        self, x: Rows, y: Any, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int], meet: Meet | None
    ) -> list[TorchModel]:
        positions = check_rows(rows, seeds, len(y), 1 if self.patience is None else 2)
        device = networks.resolve_device(self.device)
        check_gpu_options(self, device)
        if not positions:
            return []
        with computing(self.precision, device):
            data = self._rows(x, n_classes, device)
            subject, y = self._subject(data, n_classes), torch.tensor(y, device=device)
            moves = self.augmentation.moves(x, networks.layout_of(self.module), device) if self.augmentation else None
            task = TrainingTask(subject, data, y, moves, meet)
            size = self._at_once(subject, device, max(len(r) for r in positions), fused=self.fused and meet is None)
            parts = [slice(start, start + size) for start in range(0, len(positions), size)]
            return [model for part in parts for model in self._train_group(task, positions[part], seeds[part])]

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON; of a function of the user's own also its source's digest."""
        fields = {name: value for name, value in self.__dict__.items() if name not in NOT_PLAIN}
        device = torch.device(networks.resolve_device(self.device))
        check_gpu_options(self, device.type)
        fields |= {"hidden": list(self.hidden), "device": device.type}
        if self.objective is not None:
            fields["objective"] = describe_objective(self.objective)
        if self.augmentation is not None:
            fields["augmentation"] = asdict(self.augmentation)
        if self.fused:
            fields["steps"] = fused_version()
        own = {"module": networks.describe_factory(self.module), **describe_files(self.files)}
        return {"kind": "torch", "version": RECIPE_VERSION, **own, **fields}

    @property
    def fused(self) -> bool:
        """Whether networks are trained by compiled steps: fully connected, on labels as they are, on a CPU, with numba.

        It follows from the recipe and from what is installed, never from a measurement, and stands in the recipe.
        """
        plain = self.objective is None and self.augmentation is None and self.stack == "auto"
        if not plain or self.module != "mlp" or fused_version() is None:
            return False
        return networks.resolve_device(self.device) == "cpu"

    @property
    def gpus(self) -> int:
        """GPUs that its stacks may take in turn; one where the recipe names it, none on a CPU."""
        device = torch.device(networks.resolve_device(self.device))
        return 0 if device.type != "cuda" else networks.count_gpus() if device.index is None else 1

    @property
    def built_in(self) -> bool:
        """Whether the network is one of ours (mlp, cnn)."""
        return self.module in networks.BUILT_IN

    @property
    def network(self) -> TorchTrainer:
        """Itself."""
        return self

    @property
    def observable(self) -> frozenset[str]:
        """Its networks can be looked into, and followed while they are trained."""
        return frozenset({Inside.name, Checkpoints.name})

    def watching(self, x: Rows, y: Ints, count: int) -> TorchTrainer:
        """The trainer with rows to watch."""
        return replace(self, watched=Watched(x, y, count))

    def changed(self, change: Change) -> Trainer | None:
        """The change of a network."""
        return change.on_network(self)

    def stacking_note(self, x: Rows, n_classes: int) -> str:
        """Whether models for such rows are trained as a stack, and why or why not."""
        return self.stacking(x, n_classes).reason

    def stacking(self, x: Rows, n_classes: int) -> Stacking:
        """Whether models for such rows are trained as a stack, and why or why not; a Record should say it.

        >>> import numpy as np
        >>> TorchTrainer(stack="always").stacking(np.zeros((2, 5)), 3).stacked
        True
        """
        if self.fused:
            return Stacking(False, f"trained one after the other by compiled steps ({fused_version()})")
        return self._subject(self._first_rows(x, n_classes), n_classes).stacking

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        """How many models of ``size`` rows one call of `train` should get.

        On a CPU as many as keep weights, gradients, moments and a batch within a core's share of the caches, since the
        optimiser's step is memory traffic; on a GPU as many as fit into half of its memory; 1 where models are trained
        alone.
        """
        data = self._first_rows(x, n_classes)
        return self._at_once(self._subject(data, n_classes), str(data.values.device), size, fused=self.fused)

    def factory(self, input_shape: tuple[int, ...], n_classes: int) -> Callable[[], nn.Module]:
        """A function that builds the network for rows of this shape, as the network sees them."""
        if self.module == "mlp":
            return functools.partial(networks.mlp, input_shape, n_classes, self.hidden, self.activation, self.dropout)
        if self.module == "cnn":
            return functools.partial(networks.cnn, input_shape, n_classes, self.hidden, self.activation, self.dropout)
        return functools.partial(_own_network, networks.find_factory(self.module), input_shape, n_classes, self.outputs)

    def _subject(self, data: networks.TensorRows, n_classes: int) -> NetworkFacts:
        hidden = self.hidden if self.module == "mlp" else None
        return examine(self.factory(data.shape, n_classes), data, n_classes, self.stack, hidden)

    def _first_rows(self, x: Rows, n_classes: int) -> networks.TensorRows:
        return self._rows(x[:PROBE_ROWS], n_classes, networks.resolve_device(self.device))

    def _rows(self, x: Rows, n_classes: int, device: str) -> networks.TensorRows:
        """Rows as the network takes them: whole where it looks numbers up."""
        layout = networks.layout_of(self.module)
        whole = layout == "as_is" and networks.is_whole(x)
        if whole:
            whole = reads_whole(networks.build_seeded(self.factory(tuple(np.shape(x)[1:]), n_classes), 0))
        return networks.tensor_rows(x, layout, device, whole=whole)

    def _at_once(self, subject: NetworkFacts, device: str, size: int, *, fused: bool) -> int:
        if fused:
            return AT_ONCE
        return subject.at_once(min(self.batch, size), 2 if self.optimizer == "adam" else 1, device)

    def _train_group(self, task: TrainingTask, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        subject, device = task.subject, str(task.data.values.device)
        modules = [networks.build_seeded(subject.build, seed) for seed in seeds]
        regime = Regime(self, subject.dropout, subject.own_dice, self.objective, task.moves)
        opponent = task.meet(task.data, task.y, seeds) if task.meet else None
        layout, watch = networks.layout_of(self.module), None
        if self.watched is not None:
            watch = start_watch(self.watched, layout, device, self.epochs, len(modules), whole=task.data.whole)
        if self.fused and opponent is None:
            states = fit_fused(modules, task.data, task.y, rows, seeds, regime, self.activation, watch)
        else:
            stack = subject.stack(modules, self.activation if self.module == "mlp" else None, device)
            with (
                networks.seeded(Seeds(seeds[0]).child("dice").integer(), device) if subject.own_dice else nullcontext()
            ):
                on_gpu = self.graph and torch.device(device).type == "cuda"
                capture = functools.partial(capture_graph, device) if on_gpu else None
                states = fit(stack, task.data, task.y, rows, seeds, regime, opponent, watch, capture)
        for module, state in zip(modules, states, strict=True):
            values = named_values(module)
            for name, value in state.items():
                values[name].data.copy_(value)
        layout = networks.layout_of(self.module)
        facts = opponent.facts() if opponent else [{} for _ in modules]
        models = [
            TorchModel(module, subject.n_classes, layout=layout, device=self.device, facts=told)
            for module, told in zip(modules, facts, strict=True)
        ]
        if watch is None or self.watched is None:
            return models
        last = [loss(model.log_probs(self.watched.x), self.watched.y) for model in models]
        return [replace(model, course=watch.course(i, last[i])) for i, model in enumerate(models)]


def load_torch(path: Path, trainer: TorchTrainer, x_shape: tuple[int, ...], n_classes: int) -> TorchModel:
    """A trained network from its recipe and a file of weights (.safetensors, .pt, .pth); no code in it is run.

    Args:
        path: weights, from `gnomon.models.torch.model.save_weights` or ``torch.save(module.state_dict(), path)``.
        trainer: the recipe; only what decides the network's shape matters.
        x_shape: shape of one row, as the trainer gets it: ``(d,)``, ``(h, w)`` or ``(h, w, channels)``.
        n_classes: number of classes c.

    Raises:
        ModelError: the file holds no weights, or weights of another network.
    """
    read = read_weights(path)
    example = networks.tensor_rows(np.zeros((1, *x_shape), dtype=np.float32), networks.layout_of(trainer.module), "cpu")
    factory = trainer.factory(example.shape, n_classes)
    if trainer.built_in:
        with torch.device("meta"):  # shapes without memory: what a file claims is compared before it is made
            small = networks.build_seeded(factory, 0)
            check_weights(small, without_prefix(read, small.state_dict())[0], str(path))
    module = networks.build_seeded(factory, 0)
    weights, prefix = without_prefix(read, module.state_dict())
    check_weights(module, weights, str(path))
    module.load_state_dict(weights)
    said = (f'The names of its weights began with "{prefix}", which was left out.',) if prefix else ()
    return TorchModel(module, n_classes, layout=networks.layout_of(trainer.module), device=trainer.device, remarks=said)


def _own_network(
    make: networks.ModuleFactory, input_shape: tuple[int, ...], n_classes: int, outputs: Outputs
) -> nn.Module:
    """A network of the user's own, giving logits (n, c) whatever its last layer gives."""
    return fit_head(make(input_shape, n_classes), n_classes, outputs, as_logits=True)


def check_rows(rows: Sequence[Ints], seeds: Sequence[int], n: int, least: int) -> list[Ints]:
    """Positions of each model's rows as int64 arrays, at least ``least`` each, and one seed a model.

    Raises:
        DataError: anything else.
    """
    if len(rows) != len(seeds):
        raise DataError(f"expected one seed a model, got {len(rows)} models and {len(seeds)} seeds")
    checked = []
    for i, positions in enumerate(rows):
        array = np.asarray(positions)
        if array.dtype == np.bool_ or array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise DataError(f"rows of model {i}: expected positions (k,), got {array.dtype} of shape {array.shape}")
        if len(array) < least:
            why = "" if least == 1 else " (early stopping holds some out)"
            raise DataError(f"rows of model {i}: expected {least} or more{why}, got {len(array)}")
        if array.min() < 0 or array.max() >= n:
            raise DataError(
                f"rows of model {i}: positions must lie in 0 .. {n - 1}, got {array.min()} .. {array.max()}"
            )
        checked.append(array.astype(np.int64))
    return checked


@dataclass(frozen=True)
class NetworkWrapper(TrainerAbilities):
    """A trainer that makes a network by another way of training than its recipe's own."""

    trainer: TorchTrainer

    @property
    def network(self) -> TorchTrainer:
        """The network's recipe."""
        return self.trainer

    @property
    def gpus(self) -> int:
        """As the network's recipe."""
        return self.trainer.gpus

    def changed(self, change: Change) -> Trainer | None:
        """Round a changed network."""
        around: Any = self
        inner = self.trainer.changed(change)
        return None if inner is None else replace(around, trainer=inner)

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:  # noqa: ARG002 - the protocol's arguments
        """One: one at a time, or its own networks fill the stacks."""
        return 1

    def stacking_note(self, x: Rows, n_classes: int) -> str:
        """As the network's recipe."""
        return self.trainer.stacking_note(x, n_classes)

    def _check_network(self, why: str) -> None:
        given: Any = self.trainer
        if not isinstance(given, TorchTrainer):
            got = type(given).__name__
            raise UsageError(f'{why}: expected a network (kind = "torch"), got {got}')
