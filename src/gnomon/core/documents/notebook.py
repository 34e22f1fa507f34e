"""A record where a notebook shows it: the verdict and the attacks as a small piece of HTML, or as a data frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from gnomon.core.arrays import frame_of
from gnomon.core.documents.schema import Estimate, TprAtFpr

if TYPE_CHECKING:
    from gnomon.core.documents.record import AttackResult, Record

_CELL = "text-align:right;padding:.15em .8em"


def attack_columns(attacks: Sequence[AttackResult]) -> dict[str, list[Any]]:
    """One row an attack, the largest AUC first: status, AUC, advantage and true-positive rates with their intervals.

    A value that there is not, or that is refused, is None.
    """
    ordered = sorted(attacks, key=lambda a: -(a.auc.value if a.auc is not None else -1.0))
    columns: dict[str, list[Any]] = {
        "attack": [a.name for a in ordered],
        "title": [a.title for a in ordered],
        "status": [a.status for a in ordered],
        "reason": [a.reason for a in ordered],
    }
    columns |= _interval("auc", ordered, lambda a: a.auc)
    columns |= _interval("advantage", ordered, lambda a: a.advantage)
    for fpr in sorted({point.fpr for a in attacks for point in a.tpr_at_fpr}, reverse=True):
        columns |= _interval(f"tpr@{fpr:g}", ordered, _rate(fpr))
    columns["queries"] = [a.queries for a in ordered]
    columns["seconds"] = [a.seconds for a in ordered]
    return columns


def _rate(fpr: float) -> Callable[[AttackResult], Estimate | None]:
    def find(attack: AttackResult) -> Estimate | None:
        point: TprAtFpr | None = next((p for p in attack.tpr_at_fpr if p.fpr == fpr), None)
        return None if point is None else point.tpr

    return find


def _interval(
    name: str, attacks: Sequence[AttackResult], of: Callable[[AttackResult], Estimate | None]
) -> dict[str, list[float | None]]:
    found = [of(attack) for attack in attacks]
    return {
        name: [None if e is None else e.value for e in found],
        f"{name}.low": [None if e is None else e.low for e in found],
        f"{name}.high": [None if e is None else e.high for e in found],
    }


def attack_frame(attacks: Sequence[AttackResult]) -> Any:
    """`attack_columns` as a data frame.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    return frame_of(attack_columns(attacks))


def summary_html(record: Record) -> str:
    """The verdict, its sentences and the values of all attacks; the whole report is `gnomon.write_report`'s."""
    verdict = record.verdict
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.sentences)
    done = [a for a in record.attacks if a.status == "ok"]
    rates = sorted({p.fpr for a in done for p in a.tpr_at_fpr if p.tpr is not None}, reverse=True)
    heads = ["AUC", *(f"TPR at {100 * fpr:.6g}% FPR" for fpr in rates)]
    rows = [
        (a.title, a.name == verdict.attack, [_spelt(a.auc), *(_spelt(_rate(fpr)(a)) for fpr in rates)])
        for a in sorted(done, key=lambda a: -(a.auc.value if a.auc is not None else -1.0))
    ]
    left = len(record.attacks) - len(done)
    return (
        f"<div><h4>{escape(verdict.headline)}</h4>{sentences}"
        f"<details><summary>{len(done)} attacks ran, {left} did not</summary><table><thead><tr><th>attack</th>"
        + "".join(f"<th>{escape(head)}</th>" for head in heads)
        + "</tr></thead><tbody>"
        + "".join(_row(*row) for row in rows)
        + "</tbody></table></details></div>"
    )


def _row(title: str, strong: bool, cells: Sequence[str]) -> str:
    name = f"<b>{escape(title)}</b>" if strong else escape(title)
    return f"<tr><td>{name}</td>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _spelt(estimate: Estimate | None) -> str:
    if estimate is None:
        return "refused"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
