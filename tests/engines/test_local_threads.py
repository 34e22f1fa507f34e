"""One thread a process, whatever the environment allows and whenever a library is loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOADED_LATER = """
from threadpoolctl import threadpool_info
from gnomon.engines.local import one_thread
def threads():
    return sorted({library["num_threads"] for library in threadpool_info()})
import numpy
with one_thread():
    before = len(threadpool_info())
    import sklearn.ensemble
    inside, more = threads(), len(threadpool_info()) > before
print(inside, more, threads())
"""

AUDIT = """
import sys
import numpy as np
from pathlib import Path
from sklearn.linear_model import LogisticRegression
from gnomon.auditing.api import audit
from gnomon.core.documents.read_write import write_record
rng = np.random.default_rng(0)
homes = np.repeat(np.arange(120), 5)
x = rng.normal(size=(120, 30))[homes] + rng.normal(size=(600, 30))
y = (x[:, 0] + rng.normal(size=600) > 0).astype(int)
sides = homes < 60, homes >= 60
record = audit(
    LogisticRegression(C=100.0).fit(x[sides[0]], y[sides[0]]), *((x[s], y[s]) for s in sides),
    groups=tuple(homes[s] for s in sides), shadows=4, attacks=("loss", "lira", "rmia"), workers=1,
    plan={"statistics": {"slices": ["class"]}, "preflight": {"override": ["distribution-shift", "unseen-models-tell"]}},
)
write_record(record.record, Path(sys.argv[1]))
"""


def run(code: str, threads: int, *arguments: str) -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else False, reason="one core")
def test_a_library_that_is_loaded_inside_keeps_to_one_thread_and_gets_its_own_back() -> None:
    assert run(LOADED_LATER, 2).strip() == "[1] True [2]"


def test_a_record_is_the_same_with_one_and_with_two_threads(tmp_path: Path) -> None:
    records = []
    for threads in (1, 2):
        run(AUDIT, threads, str(tmp_path / f"{threads}.json"))
        record = json.loads((tmp_path / f"{threads}.json").read_text())
        assert record["attacks"][0]["groups"]["members"] == 60
        records.append(without_times(record))
    assert records[0] == records[1]


def without_times(part: object) -> object:
    """The record without what is measured anew in each run."""
    if isinstance(part, dict):
        return {k: without_times(v) for k, v in part.items() if k not in MEASURED}
    return [without_times(p) for p in part] if isinstance(part, list) else part


MEASURED = ("seconds", "seconds_each", "created", "peak_memory_mb")
