"""`gnomon gate`: a finished run held against limits."""

from __future__ import annotations

from pathlib import Path

from gnomon.auditing.gate import gate as hold
from gnomon.auditing.gate import parse_limit
from gnomon.core.record import read_record


def gate(run: Path, /, *limits: str, allow_failed: bool = False) -> int:
    """Holds a run against limits, for a build pipeline: exit 0 clean, 1 a leak above a limit, 3 an attack failed.

    Args:
        run: folder of a run, or its record.json.
        limits: such as "tpr@0.001<=0.01", "auc.high<=0.6" or "shokri.accuracy<=0.55"; default "advantage<=0.1".
        allow_failed: an attack that broke does not close the gate.
    """
    result = hold(
        read_record(run), [parse_limit(text) for text in limits or ("advantage<=0.1",)], allow_failed=allow_failed
    )
    for line in result.lines:
        print(line)
    return result.code
