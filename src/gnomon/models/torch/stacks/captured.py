"""A training step as a CUDA graph: a GPU runs all of its kernels by one launch.

A step of small networks is a hundred kernels of some microseconds each, and launching them takes longer than they do.
A graph is bound to its tensors, so only steps that differ in nothing but the drawn rows are captured: no dropout, no
augmentation, no objective of its own, batches of one size. All others run as they are, and so does everything where
capturing fails.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

EAGER = 3  # steps before a graph is captured: libraries set themselves up in the first ones

Step = Callable[[torch.Tensor], None]  # positions (a, b) of the rows of a step's batches
Capture = Callable[[Callable[[], None]], Callable[[], None]]  # records what a function launches; gives its replay


def capture_graph(device: str, step: Callable[[], None]) -> Callable[[], None]:
    """Records the kernels of a step, without running them; what it returns runs them.

    On a stream of the device that holds the step's tensors: torch's own stream for captures is one of the GPU that a
    process captured on first, and records nothing of another's.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device), torch.cuda.graph(graph, stream=torch.cuda.Stream(device)):
        step()
    return graph.replay


class CapturedStep:
    """A step that is captured once it has run a few times with positions of one shape.

    Args:
        step: what to do with positions; it reads them and tensors that stay where they are.
        capture: how it is recorded.
    """

    def __init__(self, step: Step, capture: Capture) -> None:
        self._step, self._capture = step, capture
        self._where: torch.Tensor | None = None
        self._replay: Callable[[], None] | None = None
        self._seen = 0
        self._possible = True

    def __call__(self, where: torch.Tensor) -> None:
        """One step on these positions."""
        if self._where is None:
            self._where = where.clone()
        same = self._where.shape == where.shape
        if same and self._replay is None and self._possible and self._seen >= EAGER:
            self._record(self._where)
        if not same or self._replay is None:
            self._seen += same
            self._step(where)
            return
        self._where.copy_(where)
        self._replay()

    def _record(self, where: torch.Tensor) -> None:
        try:
            self._replay = self._capture(lambda: self._step(where))
        except RuntimeError:  # something in it that can't be captured: nothing of it has run
            self._possible = False
