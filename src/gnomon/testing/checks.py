"""The contract of an attack, as small functions that anybody can run on their own.

    for check in yield_checks(MyAttack()):
        check.run()

A check raises `AssertionError` with what it expected and what came. An attack that is excused from one says so itself,
in a class attribute ``exempt: ClassVar[frozenset[str]]`` with names of checks; one that claims to reach the best
possible AUC of a toy world says that in ``optimal_in: ClassVar[frozenset[str]]``, and is held to it.
"""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, get_args

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, fingerprint
from gnomon.core.errors import GnomonError
from gnomon.core.evidence import WHITE_BOX, Evidence, Need
from gnomon.core.protocols import Attack, why_not
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import changes
from gnomon.testing.toy import World, difficulty_world, gaussian_world, noise_world, overfitted_world

SEED = 20170522
SURE = 0.9995  # level of the intervals: one seed decides, so a sound attack must hardly ever fail
TOLERANCE = 1e-4  # of scores, in units of their spread: what the order of a float32 sum may change

Complete: TypeAlias = Callable[[World], World]
OnWorld: TypeAlias = Callable[[Attack, str, World], None]


@dataclass(frozen=True)
class Check:
    """One clause of the contract, bound to an attack.

    Attributes:
        name: what an exemption names.
        run: raises `AssertionError` where the attack breaks the clause.
    """

    name: str
    run: Callable[[], None]


def yield_checks(attack: Attack, *, complete: Complete | None = None) -> Iterator[Check]:
    """Every clause of the contract that applies to an attack.

    Args:
        attack: an object whose class inherits from `gnomon.core.protocols.Attack`.
        complete: adds to a toy world what it lacks and the attack needs (rows that are images, say). Clauses whose
            world still lacks a need are left out, except "has_a_world", which then fails.

    >>> from gnomon.attacks import Gap
    >>> checks = list(yield_checks(Gap()))
    >>> [check.run() for check in checks][:2], checks[0].name
    ([None, None], 'documented')
    """
    exempt = _claims(attack, "exempt")
    names = {*PLAIN, *(name for name, _, _ in ON_WORLDS)}
    unknown = sorted(exempt - names)
    _expect(not unknown, f"{attack.name}: exempt from checks that do not exist: {unknown}")
    for name, check in PLAIN.items():
        if name not in exempt:
            yield Check(name, partial(check, attack))
    worlds = {name: complete(make()) if complete else make() for name, make in WORLDS.items()}
    usable = [name for name, world in worlds.items() if why_not(attack, world.evidence) is None]
    yield Check("has_a_world", partial(_has_a_world, attack, usable))
    for name, on, check_on in ON_WORLDS:
        for world in on:
            if world in usable and name not in exempt:
                yield Check(name, partial(_run_on, check_on, attack, world, worlds[world]))


def _run_on(check: OnWorld, attack: Attack, name: str, world: World) -> None:
    check(attack, name, deepcopy(world))  # one check must not see what another one's attack left


def _claims(attack: Attack, attribute: str) -> frozenset[str]:
    return frozenset(getattr(attack, attribute, frozenset()))


def _expect(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _scores(attack: Attack, evidence: Evidence, seed: int = SEED) -> Floats:
    """Scores as an audit gets them: of the view, checked."""
    scores = attack.score(evidence.view(attack.needs), np.random.default_rng(seed))
    _expect(isinstance(scores, np.ndarray), f"{attack.name}: expected an array of scores, got {type(scores).__name__}")
    _expect(scores.dtype.kind == "f", f"{attack.name}: expected floating-point scores, got {scores.dtype}")
    n = len(evidence)
    _expect(scores.shape == (n,), f"{attack.name}: expected scores of shape ({n},), got {scores.shape}")
    bad = int(np.isnan(scores).sum())
    _expect(bad == 0, f"{attack.name}: {bad} of {n} scores are NaN; infinity is legal, NaN is not")
    return scores


def _same(attack: Attack, got: Floats, expected: Floats, what: str) -> None:
    finite = np.isfinite(expected)
    spread = float(expected[finite].std()) if finite.any() else 0.0
    alike = np.array_equal(got[~finite], expected[~finite])
    off = float(np.abs(got[finite] - expected[finite]).max(initial=0.0))
    limit = TOLERANCE * (spread + 1e-6)
    _expect(
        alike and off <= limit, f"{attack.name}: {what} changes scores by up to {off:g}, expected {limit:g} at most"
    )


def documented(attack: Attack) -> None:
    """A frozen dataclass with a docstring, a registry key, a title, a paper with its year, known needs."""
    kind = type(attack)
    _expect(dataclasses.is_dataclass(attack), f"{kind.__name__}: expected a dataclass")
    _expect(kind.__dataclass_params__.frozen, f"{kind.__name__}: expected a frozen dataclass")  # type: ignore[attr-defined]
    for method in ("score", "unfit", "notes"):
        _expect(callable(getattr(attack, method, None)), f"{kind.__name__}: no {method}; inherit from protocols.Attack")
    own = (kind.__doc__ or "").strip()
    _expect(len(own.split()) >= 5 and not own.startswith(f"{kind.__name__}("), f"{kind.__name__}: needs a docstring")
    _expect(bool(attack.score.__doc__), f"{kind.__name__}.score: needs a docstring with the range of the scores")
    _expect(bool(re.fullmatch(r"[a-z][a-z0-9_]*", attack.name)), f"{attack.name!r}: a registry key is lower case")
    _expect(bool(attack.title.strip()), f"{attack.name}: needs a title")
    _expect(bool(re.search(r"\b(19|20)\d\d\b", attack.paper)), f"{attack.name}: its paper needs a year")
    unknown = sorted(set(attack.needs) - set(get_args(Need)))
    _expect(bool(attack.needs) and not unknown, f"{attack.name}: expected known needs, got {sorted(attack.needs)}")
    limit = attack.threshold
    _expect(limit is None or bool(np.isfinite(limit)), f"{attack.name}: expected a finite threshold, got {limit}")


def picklable(attack: Attack) -> None:
    """Pickles to an equal attack, so that it can travel to a worker."""
    _expect(pickle.loads(pickle.dumps(attack)) == attack, f"{attack.name}: a pickled copy differs")  # noqa: S301


def refuses_empty_evidence(attack: Attack) -> None:
    """Called with nothing but labels, it raises one of gnomon's own errors and gives no numbers."""
    try:
        attack.score(Evidence(labels=np.zeros(3, dtype=np.int64), n_classes=2), np.random.default_rng(SEED))
    except GnomonError:
        return
    raise AssertionError(f"{attack.name}: expected an error where all evidence is missing, got scores")


def _has_a_world(attack: Attack, worlds: list[str]) -> None:
    _expect(bool(worlds), f"{attack.name}: no toy world has what it needs ({sorted(attack.needs)}); give `complete`")


def same_seed_same_scores(attack: Attack, world_name: str, world: World) -> None:
    """The generator is the only source of chance."""
    first, again = _scores(attack, world.evidence), _scores(attack, world.evidence)
    _expect(np.array_equal(first, again), f"{attack.name} on {world_name}: the same seed gave other scores")


def reads_only_what_it_needs(attack: Attack, world_name: str, world: World) -> None:
    """NaN in every undeclared part changes nothing, behind a view and without one."""
    expected = _scores(attack, world.evidence)
    poisoned = changes.poison(world.evidence, attack.needs)
    for evidence in (poisoned.view(attack.needs), poisoned):
        got = attack.score(evidence, np.random.default_rng(SEED))
        fits = got.shape == expected.shape and np.array_equal(got, expected)
        _expect(fits, f"{attack.name} on {world_name}: reads evidence that it did not declare")


def leaves_evidence_alone(attack: Attack, world_name: str, world: World) -> None:
    """No array of the evidence is changed."""
    before = fingerprint(*changes.arrays_of(world.evidence))
    _scores(attack, world.evidence)
    _expect(
        before == fingerprint(*changes.arrays_of(world.evidence)),
        f"{attack.name} on {world_name}: changes its evidence",
    )


def order_of_rows(attack: Attack, world_name: str, world: World) -> None:
    """Audited rows in another order get the same scores."""
    order = np.random.default_rng(SEED).permutation(len(world.evidence))
    got = _scores(attack, world.evidence.at(order))
    _same(attack, got, _scores(attack, world.evidence)[order], f"on {world_name} another order of rows")


def order_of_shadows(attack: Attack, world_name: str, world: World) -> None:
    """Shadows in another order give the same scores."""
    shadows = world.evidence.shadows or world.evidence.pool
    if shadows is None:
        return
    order = np.random.default_rng(SEED).permutation(shadows.n_shadows)
    got = _scores(attack, changes.permute_shadows(world.evidence, order))
    _same(attack, got, _scores(attack, world.evidence), f"on {world_name} another order of shadows")


def learns_from_the_pool_alone(attack: Attack, world_name: str, world: World) -> None:
    """What it learns does not depend on the audited rows, so that rehearsals with the same shadows can share it."""
    some = world.evidence.at(np.arange(len(world.evidence) // 2)).view(attack.needs)
    judge = attack.learn(some, np.random.default_rng(SEED))
    if judge is not None:
        got, expected = judge(world.evidence.view(attack.needs)), _scores(attack, world.evidence)
        _same(attack, np.asarray(got), expected, f"on {world_name} learning before other audited rows")


def one_row(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - the form of all checks on worlds
    """A single audited row gets a score."""
    _scores(attack, world.evidence.at(np.array([1])))


def odd_world(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - the form of all checks on worlds
    """One shadow, two classes, a thousand classes, odd numbers: a score for every row."""
    _scores(attack, world.evidence)


def rows_in_all_or_no_shadow(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - as above
    """Rows that every shadow was trained on, and rows that none was trained on."""
    _scores(attack, changes.extreme_masks(world.evidence))


def zeros_and_ones(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - as above
    """Probabilities of exactly 0 and 1, on some rows and on all."""
    n = len(world.evidence)
    _scores(attack, changes.saturate(world.evidence, np.arange(n) % 3 == 0))
    _scores(attack, changes.saturate(world.evidence, np.ones(n, dtype=np.bool_)))


def partial_answers(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - as above
    """A target that reveals labels, the top class, or two decimals: a score for every row."""
    if not attack.needs & ({"query", "checkpoints"} | WHITE_BOX):  # a target that hides its vector takes those away
        for reveal in (Reveal("labels"), Reveal("top", 1), Reveal("rounded", 2)):
            _scores(attack, world.evidence.through(reveal))


def rehearsals(attack: Attack, world_name: str, world: World) -> None:  # noqa: ARG001 - as above
    """A shadow model plays the target, as it does where thresholds are calibrated: a score for every row."""
    evidence, _ = world.evidence.rehearse(0)
    if evidence.missing(attack.needs) is None:
        _scores(attack, evidence)


def own_half_unseen(attack: Attack, world_name: str, world: World) -> None:
    """An insider's attack scores a half of the rows without its membership: another truth there changes nothing."""
    insider = world.evidence.insider
    if "membership_half" not in attack.needs or insider is None:
        return
    expected = _scores(attack, world.evidence)
    for fold in np.unique(insider.fold):
        rows = insider.judged(int(fold))
        got = _scores(attack, changes.change_truth(world.evidence, int(fold), np.random.default_rng(SEED)))
        _same(attack, got[rows], expected[rows], f"on {world_name} another membership of the judged half")


def chance_on_noise(attack: Attack, world_name: str, world: World) -> None:
    """Where answers know nothing of membership, the AUC's interval holds 0.5."""
    area = auc(*split_scores(_scores(attack, world.evidence), world.member), confidence=SURE)
    _expect(area.low <= 0.5 <= area.high, f"{attack.name} on {world_name}: AUC {area} without anything to find")


def right_sign(attack: Attack, world_name: str, world: World) -> None:
    """Where members are learned by heart, they score higher."""
    area = auc(*split_scores(_scores(attack, world.evidence), world.member), confidence=SURE)
    _expect(area.low > 0.5, f"{attack.name} on {world_name}: AUC {area}, expected more than 0.5")


def best_possible(attack: Attack, world_name: str, world: World) -> None:
    """Not above the best possible AUC; and at it, where the attack claims that."""
    best = world.auc
    _expect(best is not None, f"{world_name}: has no known AUC")
    area = auc(*split_scores(_scores(attack, world.evidence), world.member), confidence=SURE)
    _expect(best is None or area.low <= best, f"{attack.name} on {world_name}: AUC {area} above the best, {best:.3f}")
    claimed = world_name in _claims(attack, "optimal_in")
    reached = best is None or area.high >= best
    _expect(reached or not claimed, f"{attack.name} on {world_name}: AUC {area}, claims to reach {best:.3f}")


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


WORLDS: dict[str, Callable[[], World]] = {
    "noise": lambda: noise_world(_rng()),
    "noise_auditor": lambda: noise_world(_rng(), view="auditor"),
    "gaussian": lambda: gaussian_world(_rng(), n=1000, m=6),
    "gaussian_auditor": lambda: gaussian_world(_rng(), n=1000, m=6, view="auditor"),
    "difficulty": lambda: difficulty_world(_rng()),
    "overfitted": lambda: overfitted_world(_rng()),
    "overfitted_auditor": lambda: overfitted_world(_rng(), view="auditor"),
    "one_shadow": lambda: gaussian_world(_rng(), n=101, m=1),
    "one_shadow_auditor": lambda: gaussian_world(_rng(), n=101, m=1, view="auditor"),
    "two_classes": lambda: gaussian_world(_rng(), n=97, m=3, c=2, view="auditor"),
    "thousand_classes": lambda: gaussian_world(_rng(), n=41, m=3, c=1000, view="auditor"),
}

PLAIN: dict[str, Callable[[Attack], None]] = {
    "documented": documented,
    "picklable": picklable,
    "refuses_empty_evidence": refuses_empty_evidence,
}

SMALL = ("two_classes", "one_shadow")
ON_WORLDS: tuple[tuple[str, tuple[str, ...], OnWorld], ...] = (
    ("same_seed_same_scores", SMALL, same_seed_same_scores),
    ("reads_only_what_it_needs", SMALL, reads_only_what_it_needs),
    ("leaves_evidence_alone", SMALL, leaves_evidence_alone),
    ("order_of_rows", SMALL, order_of_rows),
    ("order_of_shadows", ("two_classes", "noise"), order_of_shadows),
    ("learns_from_the_pool_alone", ("two_classes", "noise_auditor"), learns_from_the_pool_alone),
    ("one_row", SMALL, one_row),
    ("odd_world", ("one_shadow", "one_shadow_auditor", "two_classes", "thousand_classes"), odd_world),
    ("rows_in_all_or_no_shadow", ("two_classes", "noise_auditor"), rows_in_all_or_no_shadow),
    ("zeros_and_ones", SMALL, zeros_and_ones),
    ("partial_answers", ("two_classes", "thousand_classes"), partial_answers),
    ("rehearsals", ("two_classes", "noise"), rehearsals),
    ("own_half_unseen", ("two_classes", "overfitted"), own_half_unseen),
    ("chance_on_noise", ("noise", "noise_auditor"), chance_on_noise),
    ("right_sign", ("overfitted", "overfitted_auditor"), right_sign),
    ("best_possible", ("gaussian", "gaussian_auditor", "difficulty"), best_possible),
)
