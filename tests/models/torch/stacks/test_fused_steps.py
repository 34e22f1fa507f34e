"""Steps in plain Python: their numbers are those that torch's own layers and optimisers give."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.models.torch.stacks import fused_steps  # noqa: E402
from gnomon.models.torch.stacks.fused_steps import steps, tanh_row  # noqa: E402

PLAIN: Any = getattr(steps, "py_func", steps)


def flat(module: Any) -> np.ndarray:
    return np.concatenate([p.detach().numpy().T.ravel() for p in module.parameters()]).astype(np.float32)


@pytest.mark.parametrize("function", [tanh_row, getattr(tanh_row, "py_func", tanh_row)], ids=["as it runs", "plain"])
def test_tanh_to_the_last_digits(function: Any) -> None:
    x = np.concatenate([np.linspace(-12, 12, 4001), [0.0, 1e-8, 1e30, -1e30, np.inf, np.nan]]).astype(np.float32)
    found = x.copy()
    function(found)
    np.testing.assert_allclose(found, np.tanh(x.astype(np.float64)), atol=3e-7)


def test_what_is_no_number_stays_none() -> None:
    numbers = np.array([np.nan, 1.0, 0.0, 0.0], dtype=np.float32)
    empty = np.zeros(4, np.float32)
    steps(
        np.ones((2, 1), np.float32), np.arange(2), np.empty(0, np.int32), np.zeros(1, np.int64), np.array([0, 1]),
        np.empty((0, 0), np.float32), np.array([1, 2]), numbers, empty, empty.copy(), empty.copy(),
        0, np.array([2]), False, False, 0.1, 0.0, 0.0,
    )  # fmt: skip
    assert not np.isfinite(numbers).all()


@pytest.mark.skipif(not hasattr(steps, "py_func"), reason="needs numba (extra fast)")
def test_steps_are_one_piece_of_machine_code() -> None:
    """A part with code of its own ran in a process that compiled it, and the copy in ``steps`` in those after it."""
    parts = {name: one for name, one in vars(fused_steps).items() if hasattr(one, "py_func") and one is not steps}
    assert len(parts) >= 10
    assert {name for name, one in parts.items() if not one.targetoptions.get("forceinline")} == set()


@pytest.mark.parametrize(("lists_of_ones", "columns"), [(False, 14), (False, 5), (True, 5)])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("hidden", [(), (3,), (4, 3)], ids=str)
def test_plain_steps_are_torchs_steps(
    hidden: tuple[int, ...], optimizer: str, lists_of_ones: bool, columns: int
) -> None:
    rng = np.random.default_rng(len(hidden))
    x, y = (rng.random((11, columns)) < 0.4).astype(np.float32), rng.integers(0, 3, 11)
    widths = [columns, *hidden, 3]
    torch.manual_seed(0)
    layers: list[Any] = []
    for d, h in pairwise(widths):
        layers += [torch.nn.Linear(d, h), torch.nn.Tanh()]
    module = torch.nn.Sequential(*layers[:-1])
    numbers = flat(module)
    adam = optimizer == "adam"
    how = torch.optim.Adam if adam else torch.optim.SGD
    rules = {"lr": 0.05, "weight_decay": 0.01} | ({} if adam else {"momentum": 0.9})
    optimiser = how(module.parameters(), **rules)
    for start in range(0, 11, 4):
        optimiser.zero_grad()
        part = slice(start, start + 4)
        torch.nn.functional.cross_entropy(module(torch.tensor(x[part])), torch.tensor(y[part])).backward()
        optimiser.step()
    rows, ones = np.nonzero(x)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=11))])
    memory = [np.zeros_like(numbers) for _ in range(3)]
    taken = PLAIN(
        x[:0] if lists_of_ones else x, np.arange(11), ones.astype(np.int32), starts, y,
        np.empty((0, 0), np.float32), np.array(widths), numbers, *memory, 0,
        np.array([4, 8, 11]), adam, False, 0.05, 0.01, 0.9,
    )  # fmt: skip
    assert taken == 3
    np.testing.assert_allclose(numbers, flat(module), atol=2e-6)
    assert not memory[0].any()
