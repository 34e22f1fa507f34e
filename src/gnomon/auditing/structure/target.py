"""Looks into the audited model, where there is one to look into."""

from __future__ import annotations

from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared, train_target
from gnomon.auditing.structure.examine import examine
from gnomon.core.arrays import take_rows
from gnomon.core.documents.structure import Appetite, StructureFacts
from gnomon.core.protocols import Model, ModelAbilities


def examine_target(
    model: Model | None, answers: AnswerSet, prepared: Prepared, appetite: Appetite
) -> StructureFacts | None:
    """What the target holds of its training rows; None where there is nothing to look into, or nobody is to look.

    Args:
        model: the target, as far as it was given or had to be trained to be queried.
        answers: its answers.
        prepared: the plan and the rows.
        appetite: what is accepted.
    """
    wanted = prepared.plan.structure.check
    if wanted is False:
        return None
    if model is None and wanted and prepared.inputs.answers is None:
        model = train_target(prepared)
    plain = ModelAbilities.of(model).plain
    fitted = ModelAbilities.of(model if plain is None else plain).fitted()
    if fitted is None:
        return None
    rows = take_rows(prepared.data.x, prepared.roles.train)
    return examine(fitted, rows, answers.target_answers[answers.case.member], appetite)
