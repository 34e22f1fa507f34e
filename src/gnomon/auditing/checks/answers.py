"""Findings that need the models' answers: of target, shadow models, an endpoint queried twice, a clone.

A clone that is trained on the target's own rows must answer like it; otherwise its recipe is not the target's. What was
given to ``fit`` and not to the constructor (sample weights, callbacks), a warm start, an early stopping on rows of
one's own: none of it survives cloning, and shadow models are then unlike the target in a way that accuracy need not
show. So the clone is trained on the members once as it is; if that does not give the target again, once more with
another seed and the rows in another order, to see what chance explains. Only where that is not enough two more follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gnomon.auditing.checks.labels import check_given_labels
from gnomon.auditing.checks.near_duplicates import check_sides, check_swapped, check_unseen
from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Floats, Ints, Rows, take_rows
from gnomon.core.documents.record import Estimate, Finding, ModelFacts, ShadowFacts
from gnomon.core.protocols import Model, ModelAbilities, Trainer, Twice
from gnomon.models.recipe_hash import modules_behind
from gnomon.models.user_code import user_code
from gnomon.shadow.pool import ShadowPool

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


LEAST_SHADOWS = 8  # so that two further trainings cost at most a quarter more
COMPARED = 1000  # rows of each side
SAME = 0.005  # mean distance of answers that counts as none
BEYOND = 0.03  # ... by which the target must stand apart from every clone, or by the range of chance where that is more
CLONES = 4  # at most; with fewer, a training that went another way by chance would be called another recipe


@dataclass(frozen=True)
class Refits:
    """Mean distances of answers (total variation, 0 to 1), two or more clones.

    Attributes:
        target: of the target from each clone.
        chance: of the clones from each other.
    """

    target: tuple[float, ...]
    chance: tuple[float, ...]

    @property
    def unlike(self) -> bool:
        """Whether the target stands further from every clone than any two of these do, by more than chance varies."""
        return min(self.target) - max(self.chance) > max(BEYOND, max(self.chance) - min(self.chance))

    @property
    def certain(self) -> bool:
        """Whether the recipe has no chance in it: the clones are the same model."""
        return max(self.chance) < SAME


def distance(one: Floats, other: Floats) -> float:
    """Mean total variation between log-probabilities (n, c) of two models.

    >>> distance(np.log([[0.5, 0.5]]), np.log([[0.2, 0.8]])).__round__(3)
    0.3
    """
    return float(0.5 * np.abs(np.exp(one.astype(np.float64)) - np.exp(other.astype(np.float64))).sum(axis=1).mean())


def check_recipe(prepared: Prepared) -> list[Finding]:
    """A finding where a clone of a given model, trained on the members, answers unlike it beyond chance."""
    model, trainer, members = prepared.inputs.model, prepared.inputs.trainer, len(prepared.roles.train)
    if model is None or trainer is None:
        return []
    exact = ModelAbilities.of(model).recipe_again(trainer)
    if exact is None:
        return []
    size = ModelAbilities.of(model).training_rows()
    if size is not None and size != members:
        return [_too_few(size, members) if size > members else _too_many(size, members)]
    if prepared.plan.shadow.count < LEAST_SHADOWS:
        return []
    found = _refit(model, (exact, trainer), prepared)
    return [] if found is None else [_unlike(found, size is not None)]


def check_code(prepared: Prepared) -> list[Finding]:
    """A finding where the file of a recipe's module was edited after Python imported it: the older source runs."""
    trainers = (prepared.inputs.trainer, prepared.inputs.shadow_trainer)
    edited = user_code(modules_behind([t.recipe() for t in trainers if t is not None])).edited
    if not edited:
        return []
    return [
        Finding(
            code="code-edited",
            title=f"{', '.join(edited)}: the file was edited after its import",
            severity="warning",
            explanation="What was imported runs, as the file stood when this Python first audited it, and results are "
            "kept under that source.",
            remedy="Restart Python, or reload the module, to audit what stands in the file now.",
        )
    ]


def _refit(model: Model, recipes: tuple[Trainer, Trainer], prepared: Prepared) -> Refits | None:
    """Distances to the clones where the target stands apart from all of them; None where it does not."""
    exact, trainer = recipes  # with the target's own chance, and with new chance
    data, roles, seeds = prepared.data, prepared.roles, prepared.seeds.child("recipe")
    rng = seeds.child("rows").generator()
    asked = np.sort(np.concatenate([rng.permutation(side)[:COMPARED] for side in (roles.members, roles.nonmembers)]))
    target = model.log_probs(take_rows(data.x, asked))

    def answers(recipe: Trainer, order: Ints, i: int) -> Floats:
        pool = ShadowPool(prepared.store, prepared.engine, recipe)
        return np.asarray(pool.answers(data, [order], asked, [seeds.child("seed", i).integer()]).answers[0])

    clones = [answers(exact, roles.train, 0)]
    if distance(target, clones[0]) < SAME:
        return None
    for i in range(1, CLONES):
        clones.append(answers(trainer, rng.permutation(roles.train), i))
        apart = tuple(distance(a, b) for a, b in combinations(clones, 2))
        found = Refits(tuple(distance(target, clone) for clone in clones), apart)
        if not found.unlike:
            return None
    return found


def _too_few(size: int, given: int) -> Finding:
    return Finding(
        code="members-are-a-part",
        title=f"the model was trained on {size:,} rows, of which {given:,} are given as members",
        severity="note",
        explanation="Shadow models are trained on as many rows as there are members. A model leaks less of a record "
        "the more records it was trained on, so attacks that learn from smaller shadow models expect a stronger leak.",
        remedy="Give all training records as members, or further rows (data.pool) and shadow.size.",
    )


def _too_many(size: int, given: int) -> Finding:
    return Finding(
        code="members-are-too-many",
        title=f"the model was trained on {size:,} rows, but {given:,} are given as members",
        severity="warning",
        explanation="Some of the members can't have been trained on, and count as members that no attack finds.",
        remedy="Give the records that the model was trained on, and no others.",
    )


def _unlike(found: Refits, all_members: bool) -> Finding:
    other = "" if all_members else "the members are not all of its training records, or "
    return Finding(
        code="recipe-unlike-target",
        title="a clone of the model that is trained on the members again answers unlike it: mean distance of answers "
        f"{min(found.target):.3f} or more, where seeds and the order of rows explain {max(found.chance):.3f} at most",
        severity="error" if all_members and found.certain else "warning",
        explanation=f"Either {other}its recipe did not survive cloning: sample weights or callbacks given to fit, a "
        "warm start, early stopping on rows of its own, parameters that were changed after training. Shadow models are "
        "trained by that recipe, and attacks that learn from them look weaker than they are.",
        remedy='Give the recipe as a function that trains as the target was trained ([trainer] kind = "function"), or '
        "parameters that a clone lacks in [trainer] params; of a search, audit the model that it found.",
    )
