"""What to do now: the findings that matter for a decision, each with what helps and what catches its return."""

from __future__ import annotations

from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Measured, ToDo
from gnomon.report.formatting import number, points, rate, share
from gnomon.report.sections import Remark, Section

NOTHING = (
    "Nothing follows from what was tested: no rule of docs/advice.md applies. That is no promise: an attack that is "
    "not known today may find what these did not, and this was not tested:"
)
_TONES = {"audit-has-errors": "error", "stored-rows": "error"}


def what_to_do(record: Record) -> Section | None:
    """At most five findings in order of weight; nothing for a record that was made without a decision."""
    if record.decision is None:
        return None
    to_do = record.decision.to_do
    remarks = tuple(_remark(i, one) for i, one in enumerate(to_do, start=1))
    notes = tuple(record.not_tried) if not to_do else ()
    return Section(
        "to-do",
        "What to do now",
        "" if to_do else NOTHING,
        remarks=remarks,
        notes=notes,
        short="What to do",
        brief=tuple(f"{i}. {one.title}. {one.remedy}" for i, one in enumerate(to_do, start=1))
        or (NOTHING, *(f"  - {line}" for line in notes)),
    )


def _remark(place: int, one: ToDo) -> Remark:
    return Remark(
        _TONES.get(one.code, "warning"),
        str(place),
        one.title,
        (
            one.meaning,
            f"What helps: {one.remedy}",
            f"By how much: {measure_todo(one)}",
            f"What catches its return: {one.limit}",
        ),
        one.code,
    )


def measure_todo(one: ToDo) -> str:
    """By how much its remedies help, where that was measured; else what measures it."""
    return " ".join(map(_measured, one.measured)) or one.evidence


def _measured(one: Measured) -> str:
    """What a mitigation achieved, in a sentence."""
    words = {
        "better": "leaks significantly less",
        "worse": "leaks more",
        "within noise": "shows no difference",
        "mixed": "leaks less by one value, not by all",
        "not comparable": "can't be compared",
    }
    said = f"{one.label} {words[one.effect] if one.effect else 'could not be audited'}"
    if one.before is not None and one.after is not None:
        if one.fpr is None:
            said += f" (AUC {number(one.before.value)}, then {number(one.after.value)})"
        else:
            said += f" (TPR at {rate(one.fpr)} FPR {share(one.before.value)}, then {share(one.after.value)})"
    if one.accuracy is not None:
        said += f", accuracy {points(one.accuracy.low)} to {points(one.accuracy.high)} points"
    return f"{said}."
