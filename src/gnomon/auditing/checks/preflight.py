"""Preflight: what would make the verdict false, found before it is spoken.

Each check returns a `Finding` or None. A finding of severity "error" stops the audit unless the plan overrides it by
its code, and the override stands in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.checks.labels import check_given_labels
from gnomon.auditing.checks.near_duplicates import check_near_duplicates, check_sides, check_swapped, check_unseen
from gnomon.auditing.checks.overlap import check_shared_rows
from gnomon.auditing.checks.recipe import check_code, check_recipe
from gnomon.auditing.checks.shift import check_blind
from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.progress import Progress, Silent
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Estimate, Finding, ModelFacts, ShadowFacts
from gnomon.core.errors import PreflightError
from gnomon.core.protocols import Model, ModelAbilities
from gnomon.core.seeds import Seeds

ACCURACY_BOUND = 0.1  # shadows' accuracy further than this from the target's
SIZE_BOUND = 0.1  # shadows' size further than this share from the target's
CHANCE = 1e-3  # probability of one-sided classes in a random split, below which they are no accident
LOSS_FACTOR = 2.0  # every shadow's loss further than this factor from the target's


def check_data(
    data: Dataset, roles: Roles, *, own_ids: bool, seeds: Seeds, progress: Progress | None = None
) -> list[Finding]:
    """Findings on the rows alone, before any model is looked at.

    Args:
        data: the rows.
        roles: who is who.
        own_ids: the ids were given by the user, so equal ids are equal records.
        seeds: the audit's root.
        progress: who is told.
    """
    checks: list[Callable[[], Finding | None]] = [
        lambda: _shared_ids(data, roles) if own_ids else None,
        lambda: check_shared_rows(data, roles, seeds),
        lambda: _one_sided_classes(data, roles),
        lambda: _pool_overlap(roles),
        lambda: check_blind(data, roles, seeds),
        lambda: check_near_duplicates(data, roles, seeds),
        lambda: groups_mixed(data, roles),
    ]
    advance, found = (progress or Silent()).stage("rows checked", len(checks)), []
    for check in checks:
        found.append(check())
        advance(1)
    return [finding for finding in found if finding is not None]


def _shared_ids(data: Dataset, roles: Roles) -> Finding | None:
    shared = np.intersect1d(data.ids[roles.members], data.ids[roles.nonmembers])
    if not len(shared):
        return None
    return Finding(
        code="members-overlap",
        title=f"{len(shared)} record ids stand among the members and the non-members (e.g. {shared[0]})",
        severity="error",
        explanation="A record cannot be both; every value would be false, and would look reassuring.",
        remedy="Remove the members from the file of non-members, or leave such records out (--drop-overlap).",
    )


def _one_sided_classes(data: Dataset, roles: Roles) -> Finding | None:
    inside, outside = (
        np.bincount(data.y[part], minlength=data.n_classes) for part in (roles.members, roles.nonmembers)
    )
    one_sided = (inside > 0) != (outside > 0)
    if not one_sided.any():
        return None
    lone, side, others = one_sided & (inside > 0), "members", "non-members"
    if not lone.any():
        lone, side, others = one_sided, others, side
    names = [str(data.classes[c]) for c in np.flatnonzero(lone)]
    size = int((inside + outside)[lone].sum())
    small = size <= max(1, 0.001 * len(roles.audited))
    by_chance = _split_by_chance(data, roles, one_sided)
    why = "Classes of so few rows do so in a random split. " if by_chance and not small else ""
    return Finding(
        code="one-sided-class",
        title=f"only {side} have {'class' if len(names) == 1 else 'classes'} {', '.join(names[:5])}"
        + (f" and {len(names) - 5} more" if len(names) > 5 else ""),
        severity="note" if small or by_chance else "error",
        explanation=f"{why}The class alone would reveal {side} from {others}, whatever the model gives away "
        f"({len(names) / data.n_classes:.0%} of the classes, {size} rows).",
        remedy=f"Split members and non-members at random from one source, or give {others} of these classes.",
    )


def _split_by_chance(data: Dataset, roles: Roles, one_sided: Bools) -> bool:
    """Whether a random split of the units would leave as many classes, and as large ones, on one side only.

    A class of m units falls on one side with probability p^m + q^m. No single class may be unlikely (after Bonferroni),
    nor their number (Poisson, which is wider than a sum of such events).
    """
    from scipy.stats import poisson

    counts = [
        np.bincount(
            data.y[part] if data.groups is None else data.y[part][_first_of_each(data.groups[part], data.y[part])],
            minlength=data.n_classes,
        )
        for part in (roles.members, roles.nonmembers)
    ]
    units = counts[0] + counts[1]
    share = counts[0].sum() / units.sum()
    chance = np.where(units > 0, share**units + (1 - share) ** units, 0.0)
    rarest = float(chance[one_sided].min()) * data.n_classes
    many = float(poisson.sf(one_sided.sum() - 1, chance.sum()))
    return bool(rarest > CHANCE and many > CHANCE)


def _first_of_each(groups: NDArray[Any], labels: Ints) -> Ints:
    """The first row of each group and class."""
    _, group = np.unique(groups, return_inverse=True)
    _, first = np.unique(np.stack([group.ravel(), labels]), axis=1, return_index=True)
    return np.asarray(first)


def _pool_overlap(roles: Roles) -> Finding | None:
    if roles.view == "auditor":
        return None
    shared = np.intersect1d(roles.nonmembers, roles.pool)
    if not len(shared):
        return None
    return Finding(
        code="pool-overlap",
        title=f"{len(shared)} of {len(roles.nonmembers)} audited non-members also stand in the attacker's pool",
        severity="warning",
        explanation="Some shadow models were trained on records that are audited as non-members. An attack that learns "
        "from the pool has seen them, which can help or hurt it; no member is concerned. Such records judge each "
        "other, so chance moves values more than their intervals show; the verdict's test allows for it.",
        remedy="Set data.keep_apart = true with a smaller data.nonmember_size or shadow.size, or give more rows.",
    )


def groups_mixed(data: Dataset, roles: Roles) -> Finding | None:
    """Whether persons stand on both sides, so that leakage by person can't be measured well."""
    if data.groups is None:
        return None
    mixed = _mixed(data.groups, roles)
    concerned = int(mixed.sum())
    if concerned <= 0.5 * len(mixed):
        return None
    return Finding(
        code="groups-mixed",
        title=f"{concerned:,} of {len(mixed):,} persons or households have both members and non-members",
        severity="note",
        explanation="Records of one person resemble each other, so a non-member may look like a member because a "
        "sibling record was trained on; and how much a whole person leaks can be measured on few persons only.",
        remedy="Set data.split_by_group = true (a target that is trained here), or split by person before training.",
    )


def _mixed(groups: NDArray[Any], roles: Roles) -> Bools:
    """Which of the audited groups have members and non-members."""
    audited = np.unique(groups[roles.audited])
    inside, outside = np.unique(groups[roles.train]), np.unique(groups[roles.nonmembers])
    both: Bools = np.isin(audited, inside) & np.isin(audited, outside)
    return both


def check_rows(prepared: Prepared, own_ids: bool) -> list[Finding]:
    """Findings on the rows of an audit that is prepared, and what was left out of them."""
    known = prepared.data, prepared.roles
    found = check_data(*known, own_ids=own_ids, seeds=prepared.seeds, progress=prepared.progress)
    return found if prepared.left_out is None else [*found, prepared.left_out]


def check_answers(answers: AnswerSet, prepared: Prepared) -> list[Finding]:
    """Findings that need the models' answers."""
    case, facts, roles = answers.case, answers.target, answers.case.roles
    swapped = check_swapped(facts, answers.target_answers, case)
    findings = check_target(answers.target_answers)
    findings += check_outputs(prepared.inputs.model)
    findings += check_code(prepared)
    findings += check_given_labels(answers, prepared, swapped)
    findings += check_sides(facts, answers.shadows, len(roles.members), len(roles.nonmembers))
    if answers.shadows is not None and answers.losses is not None:
        findings += check_failures(answers.shadows)
        findings += check_shadows(facts, answers.shadows, answers.losses)
    if answers.source.source != "real":
        return findings
    findings += check_recipe(prepared)
    unseen = check_unseen(case)
    return findings if unseen is None else [*findings, unseen]


def check_outputs(model: Model | None) -> list[Finding]:
    """A network whose outputs are probabilities already, though they are taken for logits."""
    if not ModelAbilities.of(model).already_shares:
        return []
    return [
        Finding(
            code="outputs-are-probabilities",
            title="what the network gives are probabilities already, but they are taken for logits",
            severity="warning",
            explanation="Its outputs lie between 0 and 1, and sum to 1 where there are several, in every row. A second "
            "softmax flattens them, and attacks see other answers than whoever uses the model.",
            remedy='Set target.outputs = "probabilities" (in Python TorchModel(..., outputs="probabilities")).',
        )
    ]


def check_target(answers: Floats) -> list[Finding]:
    """Findings on the target's answers (n, c) to the audited rows alone."""
    if len(answers) < 2 or not bool((answers == answers[0]).all()):
        return []
    return [
        Finding(
            code="constant-answers",
            title="the model answers the same to every record",
            severity="error",
            explanation="Nothing can be learned from such answers, so attacks fail whatever the model remembers.",
            remedy="Check that the model is fitted and that rows reach it in the form that it was trained on.",
        )
    ]


def check_failures(shadows: ShadowFacts) -> list[Finding]:
    """What became of shadow models that could not be trained or could not answer."""
    if not shadows.redrawn and not shadows.left_out:
        return []
    redrawn = f"{shadows.redrawn} drawn again with rare classes and categories kept" if shadows.redrawn else ""
    left_out = f"{shadows.left_out} left out" if shadows.left_out else ""
    return [
        Finding(
            code="shadow-models-failed",
            title="shadow models that could not be trained or could not answer: "
            + ", ".join(part for part in (redrawn, left_out) if part),
            severity="note",
            explanation="They are trained on other rows than the target, so that a class or a category may be missing "
            f"in theirs. Why: {'; '.join(shadows.failures)}.",
            remedy="Attacks know less of records of such classes and categories; give more rows of them to learn more.",
        )
    ]


def check_shadows(target: ModelFacts, shadows: ShadowFacts, losses: Sequence[Estimate]) -> list[Finding]:
    """Shadows that are unlike the target: attacks calibrated on them would fail for the wrong reason.

    Args:
        target: the target's size, accuracy and loss.
        shadows: the same of the shadows, as means.
        losses: the shadows' training and test loss, mean and range. A model that is certain of every answer pays for
            one wrong one with half of its loss, so a loss is unlike only if it is unlike that of every shadow.
    """
    differences = list(_differences(target, shadows, losses))
    if not differences:
        return []
    return [
        Finding(
            code="shadows-unlike-target",
            title="the shadow models are unlike the target: " + "; ".join(differences),
            severity="warning",
            explanation="Attacks learn from the shadows what the target's training does. Where the recipe differs they "
            "look weaker than a better informed attacker's would be, and a leaking model looks harmless.",
            remedy="Give the target's own recipe in [trainer] and its training size in [shadow] size.",
        )
    ]


def _differences(target: ModelFacts, shadows: ShadowFacts, losses: Sequence[Estimate]) -> Iterable[str]:
    if abs(shadows.size - target.train_size) > SIZE_BOUND * target.train_size:
        yield f"{shadows.size} training rows against {target.train_size}"
    sides = (
        ("training", shadows.train_accuracy, target.train_accuracy, losses[0], target.train_loss),
        ("test", shadows.test_accuracy, target.test_accuracy, losses[1], target.test_loss),
    )
    for side, ours, theirs, our_loss, their_loss in sides:
        if ours is not None and theirs is not None and abs(ours.value - theirs) > ACCURACY_BOUND:
            yield f"{side} accuracy {ours.value:.3f} against {theirs:.3f}"
        elif their_loss is not None:
            nearest = min(max(their_loss, our_loss.low), our_loss.high)
            low, high = sorted((nearest, their_loss))
            if high > 0.05 and high > LOSS_FACTOR * low:
                yield f"{side} loss {our_loss.value:.3g} against {their_loss:.3g}"


def stop_on_errors(findings: Sequence[Finding], override: Sequence[str]) -> list[Finding]:
    """The findings with overrides marked.

    Raises:
        PreflightError: an error that the plan does not override.
    """
    marked = with_overrides(findings, override)
    for finding in marked:
        if finding.severity == "error" and not finding.overridden:
            raise PreflightError(
                f'{finding.title}. {finding.remedy} (to go on all the same: preflight.override = ["{finding.code}"])'
            )
    return marked


def with_overrides(findings: Sequence[Finding], override: Sequence[str]) -> list[Finding]:
    """The findings, the errors among them marked that the plan overrides."""
    return [f.model_copy(update={"overridden": f.severity == "error" and f.code in override}) for f in findings]


def overlap(roles: Roles) -> int:
    """Audited non-members that also stand in the adversary's pool."""
    return 0 if roles.view == "auditor" else len(np.intersect1d(roles.nonmembers, roles.pool))
