"""Training of a stack: order of rows, dropout, optimiser, early stopping.

Whatever a network's seed decides (initial weights, held-out rows, order of the batches, dropped units) is drawn from
streams of its own, so that it comes out the same alone and in any company. Networks may have different numbers of
rows: each goes through its own epochs, its last batch of an epoch is padded with rows of weight 0 where others in the
stack draw a longer one, and a network that has finished leaves its slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from torch.optim.adam import adam

from gnomon.core.arrays import Ints
from gnomon.core.errors import ModelError
from gnomon.core.network_recipe import NetworkRecipe
from gnomon.core.seeds import Seeds
from gnomon.models.torch.augmentation import Moves
from gnomon.models.torch.checkpoints import Watch
from gnomon.models.torch.networks import Scratch, TensorRows
from gnomon.models.torch.stacks.captured import Capture, CapturedStep
from gnomon.models.torch.stacks.mlp_stack import Batch, Gradient, Network, Objective, Stack

State: TypeAlias = "dict[str, torch.Tensor]"
Rates: TypeAlias = dict[str, tuple[float, tuple[int, ...]]]  # dropout layer -> its rate, shape of a row's factors

HELD_OUT = 10  # early stopping holds one row in this many out
EVALUATION_ROWS = 4096
_MASK_STEPS = 65536  # dropout rates are multiples of 1 / 65536


@dataclass(frozen=True)
class Drawn:
    """A network's next batch: a part of its rows in this epoch's order."""

    order: Ints  # all rows of the epoch
    start: int
    stop: int

    @property
    def rows(self) -> Ints:
        """Positions of the batch's rows."""
        return self.order[self.start : self.stop]

    @property
    def ends(self) -> bool:
        """Whether the epoch ends with it."""
        return self.stop == len(self.order)


@dataclass
class Places:
    """Where the rows of a step's batches are, on the stack's device.

    Networks with equally many rows go through their epochs together: their orders are sent once an epoch and cut there.
    """

    device: torch.device
    _orders: torch.Tensor | None = field(init=False, default=None)  # (a, n) of this epoch

    def of(self, drawn: Sequence[Drawn]) -> tuple[torch.Tensor, torch.Tensor, Ints]:
        """Positions (a, b) of rows, their weights (a, b, 1), and how many rows (a,) of each network are no padding."""
        counts = np.array([one.stop - one.start for one in drawn])
        first = drawn[0]
        if any((one.start, one.stop, len(one.order)) != (first.start, first.stop, len(first.order)) for one in drawn):
            self._orders = None
            return (*self._padded(drawn, counts), counts)
        if self._orders is None or first.start == 0:
            self._orders = self._sent(np.stack([one.order for one in drawn]))
        where = self._orders[:, first.start : first.stop]
        return where, equal_weights(where), counts

    def _padded(self, drawn: Sequence[Drawn], counts: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        width = int(counts.max())
        table = np.zeros((len(drawn), width), dtype=np.int64)
        for row, one in zip(table, drawn, strict=True):
            row[: one.stop - one.start] = one.rows
        weights = ((np.arange(width) < counts[:, None]) / counts[:, None]).astype(np.float32)
        return self._sent(table), self._sent(weights).unsqueeze(2)

    def _sent(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


def equal_weights(where: torch.Tensor) -> torch.Tensor:
    """Weights (a, b, 1) of rows at positions (a, b), none of which is padding."""
    return torch.full((1, 1, 1), 1 / where.shape[1], device=where.device).expand(*where.shape, 1)


@dataclass(frozen=True)
class Regime:
    """How the networks of a stack are trained."""

    recipe: NetworkRecipe
    dropout: Rates
    join_last: bool = False  # a lone last row joins the batch before it (for batch statistics)
    objective: Objective | None = None  # default: cross-entropy
    moves: Moves | None = None  # what is done to the rows of every batch


@dataclass(frozen=True)
class Sparring:
    """What an opponent is told of a network."""

    network: int
    rows: Ints  # that it is trained on
    epoch: int  # full passes that it has behind it


class Opponent(Objective, Protocol):
    """Something that is trained in turns with the networks of a stack, and decides what they are trained to do."""

    def facts(self) -> list[dict[str, Any]]:
        """What there is to tell of each network's training, as JSON."""
        ...

    def spar(self, stack: Stack, slots: Sequence[Sparring], /) -> None:
        """Its own steps before a step of the networks in the first slots."""
        ...


@dataclass
class Course:
    """Where one network stands in its training."""

    rows: Ints
    held_out: Ints
    batches: Iterator[Drawn]
    dice: np.random.Generator
    moved: np.random.Generator  # chance of what is done to the rows
    epoch: int = 0
    best_loss: float = float("inf")
    waited: int = 0
    best: State | None = None


def fit(
    stack: Stack,
    x: TensorRows,
    y: torch.Tensor,
    rows: Sequence[Ints],
    seeds: Sequence[int],
    regime: Regime,
    opponent: Opponent | None = None,
    watch: Watch | None = None,
    capture: Capture | None = None,
) -> list[State]:
    """Trains every network of a stack on its own rows of ``x`` and returns their weights, in order.

    Args:
        stack: networks with their initial weights; their tensors are changed.
        x: rows of all networks, on the stack's device.
        y: class ids (n,), int64, on the same device; or probabilities (n, c), float32, where the objective takes them.
        rows: for each network its positions in ``x``; at least one, and two where early stopping holds some out.
        seeds: one a network.
        regime: how to train.
        opponent: who is trained in turns with the networks, and stands in for the regime's objective.
        watch: told at the end of each epoch of each network; it only looks.
        capture: how steps that differ in nothing but their rows are recorded and run again; None: they are not.

    Raises:
        ModelError: a network's weights became infinite or NaN.
    """
    courses = [start_course(r, seed, regime) for r, seed in zip(rows, seeds, strict=True)]
    live = list(range(len(courses)))  # slot -> network
    places = Places(y.device)
    finished: dict[int, State] = {}
    scratch = Scratch()
    optimizer = Optimizer(stack.parameters, regime)
    alike = None
    if capture is not None and opponent is None and _are_alike(courses, regime):
        alike = CapturedStep(lambda where: _plain_step(stack, where, x, y, optimizer, scratch), capture)
    with torch.no_grad():
        while live:
            drawn = [next(courses[i].batches) for i in live]
            if alike is not None:
                alike(places.of(drawn)[0])
            else:
                batch = _assemble(drawn, places, [courses[i] for i in live], x, y, regime, scratch)
                if opponent is not None:
                    opponent.spar(stack, [Sparring(i, courses[i].rows, courses[i].epoch) for i in live])
                optimizer.step(stack.gradients(batch, opponent or regime.objective))
            ended = [slot for slot, one in enumerate(drawn) if one.ends]
            for slot in reversed(ended):
                course = courses[live[slot]]
                over = epoch_ends(stack, slot, course, x, y, regime)
                if watch is not None:
                    watch.look(stack, slot, live[slot], course.epoch)
                if over:
                    finished[live[slot]] = course.best or stack.state(slot)
                    _leave(slot, live, [*stack.parameters, *stack.constants, *optimizer.memory])
    states = [finished[i] for i in range(len(courses))]
    check_finite(states, seeds, regime.recipe.learning_rate)
    return states


def _are_alike(courses: Sequence[Course], regime: Regime) -> bool:
    """Whether all steps of a stack differ in their rows only: several networks in step from the first to the last."""
    varied = regime.dropout or regime.moves or regime.objective or regime.recipe.patience is not None
    return not varied and len(courses) > 1 and len({len(course.rows) for course in courses}) == 1


def _plain_step(
    stack: Stack, where: torch.Tensor, x: TensorRows, y: torch.Tensor, optimizer: Optimizer, scratch: Scratch
) -> None:
    """One step on rows at these positions (a, b), of equal weights."""
    labels = y.index_select(0, where.reshape(-1)).view(*where.shape, *y.shape[1:])
    optimizer.step(stack.gradients(Batch(x.take(where, scratch), labels, equal_weights(where), {})))


def check_finite(states: Sequence[State], seeds: Sequence[int], rate: float) -> None:
    """Refuses networks whose training diverged.

    Raises:
        ModelError: a network's weights became infinite or NaN.
    """
    for i, state in enumerate(states):
        if not all(bool(torch.isfinite(value).all()) for value in state.values()):
            raise ModelError(
                f"training network {i} (seed {seeds[i]}) diverged to NaN or infinity: lower the learning rate "
                f"(now {rate:g}) or scale the features"
            )


def start_course(rows: Ints, seed: int, regime: Regime) -> Course:
    """Where a network's training begins: its rows, and the streams of its seed."""
    streams = Seeds(seed)
    held_out = rows[:0]
    if regime.recipe.patience is not None:
        shuffled = streams.child("held out").generator().permutation(rows)
        count = max(1, len(rows) // HELD_OUT)
        held_out, rows = shuffled[:count], shuffled[count:]
    order = np.random.Generator(np.random.SFC64(streams.child("order").integer()))
    dice = np.random.Generator(np.random.SFC64(streams.child("dropout").integer()))
    moved = np.random.Generator(np.random.SFC64(streams.child("augmentation").integer()))
    return Course(rows, held_out, _batches(rows, regime, order), dice, moved)


def _batches(rows: Ints, regime: Regime, order: np.random.Generator) -> Iterator[Drawn]:
    """Batches of an endless sequence of epochs."""
    starts = list(range(0, len(rows), regime.recipe.batch))
    if regime.join_last and len(starts) > 1 and len(rows) - starts[-1] == 1:
        starts.pop()
    stops = [*starts[1:], len(rows)]
    while True:
        shuffled = order.permutation(rows)
        for start, stop in zip(starts, stops, strict=True):
            yield Drawn(shuffled, start, stop)


def _assemble(
    drawn: Sequence[Drawn],
    places: Places,
    courses: list[Course],
    x: TensorRows,
    y: torch.Tensor,
    regime: Regime,
    scratch: Scratch,
) -> Batch:
    where, weights, counts = places.of(drawn)
    dice = [course.dice for course in courses]
    masks = {
        name: torch.from_numpy(factors(dice, counts, where.shape[1], rate, shape)).to(y.device)
        for name, (rate, shape) in regime.dropout.items()
    }
    rows = x.take(where, scratch)
    return Batch(
        rows if regime.moves is None else regime.moves.apply(rows, counts, [course.moved for course in courses]),
        y.index_select(0, where.reshape(-1)).view(*where.shape, *y.shape[1:]),
        weights,
        masks,
        tuple(course.epoch for course in courses),
    )


def factors(
    dice: list[np.random.Generator], counts: Ints, width: int, rate: float, shape: tuple[int, ...]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Dropout factors (a, b, *shape): 0, or 1 over the share that is kept."""
    lost = min(round(rate * _MASK_STEPS), _MASK_STEPS - 1)
    bits = np.zeros((len(dice), width, *shape), dtype=np.uint16)
    for slot, (rng, count) in enumerate(zip(dice, counts, strict=True)):
        bits[slot, :count] = rng.integers(0, _MASK_STEPS, size=(count, *shape), dtype=np.uint16)
    return (bits >= lost) * np.float32(_MASK_STEPS / (_MASK_STEPS - lost))


def epoch_ends(stack: Network, slot: int, course: Course, x: TensorRows, y: torch.Tensor, regime: Regime) -> bool:
    """Counts the epoch, looks at the held-out rows, and says whether the network has finished."""
    course.epoch += 1
    if regime.recipe.patience is None:
        return course.epoch >= regime.recipe.epochs
    loss = _held_out_loss(stack, slot, course.held_out, x, y)
    if loss < course.best_loss:
        course.best_loss, course.waited, course.best = loss, 0, stack.state(slot)
    else:
        course.waited += 1
    return course.epoch >= regime.recipe.epochs or course.waited >= regime.recipe.patience


def _held_out_loss(stack: Network, slot: int, rows: Ints, x: TensorRows, y: torch.Tensor) -> float:
    total = 0.0
    for start in range(0, len(rows), EVALUATION_ROWS):
        where = torch.from_numpy(rows[start : start + EVALUATION_ROWS]).to(y.device)
        logits = stack.logits(slot, x.take(where, Scratch()))
        wanted = y[where].double() if y.is_floating_point() else y[where]
        total += float(torch.nn.functional.cross_entropy(logits.double(), wanted, reduction="sum"))
    return total / len(rows)


def _leave(slot: int, live: list[int], tensors: list[torch.Tensor]) -> None:
    """The last live network moves into the slot of one that has finished."""
    last = len(live) - 1
    if slot != last:
        for tensor in tensors:
            tensor[slot] = tensor[last]
        live[slot] = live[last]
    live.pop()


_Cut: TypeAlias = tuple[tuple[int, bool], ...]  # for each parameter: slots, and whether one by one


@dataclass(frozen=True)
class _Views:
    cut: _Cut
    values: list[torch.Tensor]
    moments: list[list[torch.Tensor]]
    counts: list[torch.Tensor]  # steps taken, for Adam's bias correction


@dataclass
class Optimizer:
    """Adam (Kingma and Ba, 2015) or gradient descent with momentum, for all slots in one fused call.

    All networks of a stack start together, so that one count of steps serves all.
    """

    parameters: list[torch.Tensor]  # (m, ...) each
    regime: Regime
    memory: list[torch.Tensor] = field(init=False)  # moments, (m, ...) each
    _taken: int = field(init=False, default=0)
    _views: _Views | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        copies = {"adam": 2, "sgd": 1 if self.regime.recipe.momentum else 0}[self.regime.recipe.optimizer]
        self.memory = [torch.zeros_like(p) for _ in range(copies) for p in self.parameters]

    def step(self, gradients: list[Gradient]) -> None:
        """One update of the slots that the gradients speak of."""
        views = self._slots(gradients)
        self._taken += 1
        flat = [g.float() for gradient in gradients for g in (gradient if isinstance(gradient, list) else [gradient])]
        if self.regime.recipe.optimizer == "adam":
            self._adam(flat, views)
        else:
            self._sgd(flat, views)

    def _slots(self, gradients: list[Gradient]) -> _Views:
        """Views of parameters and moments, cut as the gradients are; kept until the cut changes."""
        cut = tuple((len(g), isinstance(g, list)) for g in gradients)
        if self._views is None or self._views.cut != cut:
            k = len(self.parameters)
            tensors = [*self.parameters, *self.memory]
            groups = [_cut(tensors[start : start + k], cut) for start in range(0, len(tensors), k)]
            counts = [torch.tensor(float(self._taken), device=value.device) for value in groups[0]]
            self._views = _Views(cut, groups[0], groups[1:], counts)
        return self._views

    def _adam(self, gradients: list[torch.Tensor], views: _Views) -> None:
        first, second = views.moments
        adam(
            views.values, gradients, first, second, [], views.counts,
            fused=True, amsgrad=False, maximize=False, beta1=0.9, beta2=0.999, eps=1e-8,
            lr=self.regime.recipe.learning_rate, weight_decay=self.regime.recipe.weight_decay,
        )  # fmt: skip

    def _sgd(self, gradients: list[torch.Tensor], views: _Views) -> None:
        for i, (value, gradient) in enumerate(zip(views.values, gradients, strict=True)):
            slope = (
                gradient.add(value, alpha=self.regime.recipe.weight_decay)
                if self.regime.recipe.weight_decay
                else gradient
            )
            if views.moments:
                slope = views.moments[0][i].mul_(self.regime.recipe.momentum).add_(slope)
            value.add_(slope, alpha=-self.regime.recipe.learning_rate)


def _cut(tensors: list[torch.Tensor], cut: _Cut) -> list[torch.Tensor]:
    parts = [list(t[:a].unbind(0)) if split else [t[:a]] for t, (a, split) in zip(tensors, cut, strict=True)]
    return [view for part in parts for view in part]
