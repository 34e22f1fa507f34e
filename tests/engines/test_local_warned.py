import warnings
from collections.abc import Iterator

import pytest

from gnomon.engines.local import LocalEngine, Task, collecting


@pytest.fixture(autouse=True)
def _shown() -> Iterator[None]:
    """Warnings as users meet them; in tests they are errors."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        yield


def warn(number: int) -> int:
    warnings.warn("hot\n\x1b[31mhot", stacklevel=1)
    warnings.warn(f"odd: {number % 2}", RuntimeWarning, stacklevel=1)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_warnings_of_tasks_are_counted_and_not_printed(workers: int, capfd: pytest.CaptureFixture[str]) -> None:
    tasks = [Task(f"task {i}", warn, (i,)) for i in range(6)]
    with collecting() as found:
        assert sorted(done.result for done in LocalEngine(workers).run(tasks)) == list(range(6))
    hot = "UserWarning: hot [31mhot"
    assert found.counts() == {hot: 6, "RuntimeWarning: odd: 0": 3, "RuntimeWarning: odd: 1": 3}
    assert capfd.readouterr().err == ""


def test_warnings_that_are_errors_stay_errors() -> None:
    warnings.simplefilter("error")
    with collecting(), pytest.raises(UserWarning, match="hot"):
        list(LocalEngine(1).run([Task("task", warn, (0,))]))


def test_nested_audits_count_each_warning_once() -> None:
    with collecting() as outer:
        with collecting() as inner:
            list(LocalEngine(1).run([Task("task", warn, (0,))]))
        assert sum(inner.counts().values()) == 2
    assert outer.counts() == {}
