"""`gnomon gate`: a finished run compared with limits."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.documents.read_write import read_record
from gnomon.core.errors import one_line
from gnomon.runs.gate import gate as hold
from gnomon.runs.gate import parse_limit


def gate(run: Path, /, *limits: str, allow_missing: str = "") -> int:
    """Compares a run with limits, for a build pipeline: exit code 0 only if all are met.

    A limit is met if the whole interval is at or below it (0), not met if the whole interval is above it (1), otherwise
    unresolved (4). 3: an attack did not run; 2: wrong usage. If several apply: 1 before 3 before 4.

    Args:
        run: folder of a run, or its record.json.
        limits: such as "tpr@0.001<=0.01", "auc<=0.6" (that is, 0.4 to 0.6) or "shokri.accuracy<=0.55"; default
            "advantage<=0.1".
        allow_missing: attacks, separated by commas, that may be missing because they failed or lacked evidence.
    """
    allowed = [name.strip() for name in allow_missing.split(",") if name.strip()]
    result = hold(
        read_record(run), [parse_limit(text) for text in limits or ("advantage<=0.1",)], allow_missing=allowed
    )
    for line in result.lines:
        print(one_line(line))
    return result.code
