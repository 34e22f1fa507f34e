"""The label checks in an audit: on a target that is given, with shadow models of its own recipe where there are any."""

from __future__ import annotations

import numpy as np

from gnomon.auditing.checks.labels import Answered, check_labels
from gnomon.auditing.evidence.answers import AnswerSet, AuditContext
from gnomon.auditing.inputs.shadow_rows import ShadowData
from gnomon.core.documents.record import Finding


def check_given_labels(rows: ShadowData, world: AnswerSet, setting: AuditContext) -> list[Finding]:
    """Findings where a given target's answers do not belong to the labels; a target that is trained here learned them.

    Behind a mitigation that changes which class is answered, answers say nothing about the labels.
    """
    subject, case, data = setting.subject, world.case, rows.data
    trained_here = subject.model is None and subject.answers is None
    if trained_here or not all(m.keeps_label for m in setting.mitigations.of_answers):
        return []
    given = Answered(world.target_answers[case.member], case.evidence.labels[case.member], data.classes)
    if world.pool is None or setting.plan.shadow.recipe is not None or rows.facts.source != "real":
        return check_labels(given)
    drawn, pool = world.pool
    sides = []
    for parts in (drawn.train, drawn.test):
        places = [np.searchsorted(world.asking.asked, part) for part in parts]
        sides.append([(np.asarray(a)[p], data.y[r]) for a, p, r in zip(pool.answers, places, parts, strict=True)])
    unseen = [float((a.argmax(axis=1) == y).mean()) for a, y in sides[1] if len(y)]
    return check_labels(Answered(given.answers, given.labels, given.classes, sides[0], unseen))
