"""Findings on a target behind an endpoint: whether it answers the same to the same record."""

from __future__ import annotations

from gnomon.core.arrays import Rows
from gnomon.core.documents.record import Finding
from gnomon.core.protocols import Model, ModelAbilities


def check_endpoint(model: Model | None, x: Rows) -> list[Finding]:
    """Queries a few of the audited rows x twice, where the target is behind an endpoint, and compares."""
    twice = ModelAbilities.of(model).asked_twice(x)
    if twice is None:
        return []
    if twice.failed is not None:
        return [
            Finding(
                code="answers-not-checked",
                title="no record could be queried twice",
                severity="note",
                explanation=f"All answers are there, but the service did not answer again: {twice.failed}. Whether its "
                "answers change from query to query is not known.",
                remedy="Run the same command again when the service answers; nothing is paid for twice but these few.",
            )
        ]
    if not twice.changed:
        return []
    before = (
        " Some of the first answers are of an earlier run: the model behind the address may be another one since."
        if twice.kept_before
        else ""
    )
    return [
        Finding(
            code="answers-change",
            title=f"{twice.changed} of {twice.records} records that were queried twice were answered otherwise the "
            f"second time (by up to {twice.largest:.2g} in probability)",
            severity="warning",
            explanation="Attacks read small differences between answers, and here chance makes some. An attacker who "
            f"queries each record several times and takes the mean sees more than this audit does.{before}",
            remedy="Find out why: several versions behind one address, dropout or noise when it answers, rounding that "
            "depends on the batch. After a new version was put there, remove the run's store/endpoint-*.sqlite.",
        )
    ]
