"""What holds for every test."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from gnomon.engines import local

# A busy machine must not turn a property test into a failure.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

# A suite that is started as a background job inherits an ignored Ctrl-C, and so would everything that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _signals_are_handled_as_before() -> Iterator[None]:
    """The command's last act is to hand signals back to the system; a test that carries it out goes on."""
    handled = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handled.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _same_chance_each_time() -> None:
    """Estimators without a ``random_state`` draw from numpy's global state; no test depends on what ran before."""
    np.random.seed(0)  # noqa: NPY002 - the very state that scikit-learn falls back to


DRAWN = ("src", "report", "docs", "scripts", "studies", "test_examples.py", "test_report.py", "test_demo.py")


@pytest.fixture(autouse=True)
def _figures_only_where_pages_are_looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes half of a small audit; folders and files of tests that look at pages draw them."""
    if not set(DRAWN) & set(request.path.parts):
        monkeypatch.setattr("gnomon.report.formats.drawn", lambda figure: "")


@pytest.fixture(autouse=True, scope="session")
def _workers_only_where_a_test_names_them() -> None:
    """A worker process costs seconds of imports; who tests workers says how many."""
    local.available_cores = lambda: 1


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left_in_the_folder_that_tests_run_in() -> Iterator[None]:
    """A test that writes has a folder of its own; names with a dot are caches of tools."""
    before = {place.name for place in Path.cwd().iterdir()}
    yield
    left = {place.name for place in Path.cwd().iterdir() if not place.name.startswith(".")} - before
    assert not left, f"left by tests: {sorted(left)}"
