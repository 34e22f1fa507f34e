"""A clone that is trained on the target's own rows must answer like it; otherwise its recipe is not the target's.

What was given to ``fit`` and not to the constructor (sample weights, callbacks), a warm start, an early stopping on
rows of one's own: none of it survives cloning, and shadow models are then unlike the target in a way that accuracy need
not show. So the clone is trained on the members once as it is; if that does not give the target again, once more with
another seed and the rows in another order, to see what chance explains. Only where that is not enough two more follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.documents.record import Finding
from gnomon.core.protocols import Model, ModelAbilities, Trainer
from gnomon.models.recipe_hash import modules_behind
from gnomon.models.user_code import user_code
from gnomon.shadow.pool import ShadowPool

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
