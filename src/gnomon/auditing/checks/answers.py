"""Findings that need the models' answers: of the target, of the shadow models, of an endpoint queried twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gnomon.auditing.checks.labels import check_given_labels
from gnomon.auditing.checks.near_duplicates import check_sides, check_swapped, check_unseen
from gnomon.auditing.checks.recipe import check_code, check_recipe
from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Floats, Rows
from gnomon.core.documents.record import Estimate, Finding, ModelFacts, ShadowFacts
from gnomon.core.protocols import Model, ModelAbilities, Twice

ACCURACY_BOUND = 0.1  # shadows' accuracy further than this from the target's
SIZE_BOUND = 0.1  # shadows' size further than this share from the target's
LOSS_FACTOR = 2.0  # every shadow's loss further than this factor from the target's


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


def check_steady(model: Model | None, x: Rows) -> list[Finding]:
    """Queries a few of the audited rows x twice and compares: any model may draw when it answers, from any file.

    Whoever keeps answers knows how to get new ones (`ModelAbilities.asked_twice`); any other is queried as it is.
    """
    if model is None:
        return []
    plain = ModelAbilities.of(model).plain
    twice = ModelAbilities.of(model if plain is None else plain).asked_twice(x) or Twice.ask(model.log_probs, x)
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
            "queries each record several times and takes the mean sees more than this audit does, so that finding "
            f"nothing shows nothing.{before}",
            remedy="Find out why: dropout or noise when it answers, several versions behind one address, rounding that "
            "depends on the batch. Audit the mean of several answers, as such an attacker would take it. After a new "
            "version was put there, remove the run's store/endpoint-*.sqlite.",
        )
    ]
