"""Records climbed out of a target's own confidence (Shokri et al. 2017, Algorithm 1).

The attacker knows the format of a record and nothing else. For each class they change a random record until the target
is confident of the class, and then keeps it with the probability that the target gives it. Here all climbers of all
classes ask in one batch a step, finished climbers are replaced, and what is asked is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import fingerprint
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.synthesis.ascent import Ascent, Progress
from gnomon.synthesis.asking import Ask, Asker
from gnomon.synthesis.climbed import Climb
from gnomon.synthesis.climbers import ClimbRules
from gnomon.synthesis.marginals import Marginals
from gnomon.synthesis.searchers import Guided, Plain

SearcherName = Literal["plain", "guided"]


def climb(
    ask: Ask,
    space: FeatureSpace,
    classes: Sequence[str],
    per_class: int,
    rng: np.random.Generator,
    *,
    rules: ClimbRules | None = None,
    searcher: SearcherName = "plain",
    marginals: Marginals | None = None,
    sharpness: float = 1.0,
    climbers: int = 1024,
    budget: int | None = None,
    reveal: Reveal | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Climb:
    """Synthesises records of every class from the target's answers alone (Shokri et al. 2017, Algorithm 1).

    The same seed gives the same records. With the plain searcher they depend neither on ``climbers`` nor on
    interruptions (as far as the target answers the same in batches of any size, and no budget cuts the climb short);
    guided climbers learn from each other, so there ``climbers`` matters. With a checkpoint, a second call goes on where
    the first one stopped; it may ask for more records or allow more queries.

    Args:
        ask: rows -> natural-log probabilities (n, c), or a query handle.
        space: kinds and ranges of the features.
        classes: the c class names, in the order of their ids.
        per_class: records wanted of each class.
        rng: gives the root of all climbers' random streams.
        rules: the parameters of Algorithm 1.
        searcher: "plain" is the paper's; "guided" starts and proposes by what the answers so far have taught it. The
            rule of acceptance is the same.
        marginals: guided only: what the attacker knows of the features; without them every value is believed to be as
            likely. It is with them that the guided searcher saves most queries, and makes the better shadow data.
        sharpness: guided only: how far the odds of a value are tilted towards the class. 0 ignores what was learned, 1
            takes it at its word; larger values need fewer queries, but their records are more alike, and an attack
            trained on them is worse.
        climbers: how many ask in one batch.
        budget: most queries, never passed.
        reveal: what the target reveals of its answers.
        checkpoint: file to keep the state in, written at the start, every 10 seconds, when the target fails or the user
            interrupts it, and at the end.
        progress: called after each step with records found and records wanted.

    Raises:
        UsageError: a target that reveals labels only, or arguments that can't be.
        StoreError: the checkpoint can't be read or written.
        ClimbInterruptedError: the target failed or answered nonsense; the records found so far are in ``partial``.

    >>> from gnomon.core.data.features import Feature
    >>> def ask(x):  # class 1 likes ones
    ...     logit = x.sum(axis=1) - 10.0
    ...     return -np.logaddexp(0, np.column_stack([logit, -logit]))
    >>> bits = FeatureSpace(tuple(Feature(f"b{j}", "binary", (j,)) for j in range(20)))
    >>> found = climb(ask, bits, ("few", "many"), 50, np.random.default_rng(0), rules=ClimbRules(kmax=5, kmin=1))
    >>> bool(found.x[found.y == 1].sum(axis=1).mean() > found.x[found.y == 0].sum(axis=1).mean() + 2)
    True
    """
    rules, reveal = rules or ClimbRules(), reveal or Reveal()
    _check_numbers(classes, per_class, climbers, sharpness)
    _check_searcher(searcher, space, marginals)
    root = int(rng.integers(2**63))
    ascent = Ascent(
        ask=Asker(ask, len(classes), reveal, budget),
        space=space,
        classes=tuple(classes),
        per_class=per_class,
        rules=rules,
        searcher=Plain(space) if searcher == "plain" else Guided(space, len(classes), marginals, sharpness),
        searcher_name=searcher,
        slots=climbers,
        root=root,
        reveal=reveal,
        checkpoint=checkpoint,
        key=fingerprint(
            space.to_dict(),
            list(classes),
            asdict(rules),
            [searcher, sharpness if searcher == "guided" else None],
            root,
            asdict(reveal),
            None if marginals is None else marginals.fingerprint,
        ),
    )
    ascent.resume()
    return ascent.until_done(progress)


def _check_numbers(classes: Sequence[str], per_class: int, climbers: int, sharpness: float) -> None:
    if len(classes) < 2:
        raise UsageError(f"expected at least 2 classes, got {len(classes)}")
    if per_class < 1 or climbers < 1:
        raise UsageError(f"expected at least 1 record a class and 1 climber, got {per_class} and {climbers}")
    if not (np.isfinite(sharpness) and sharpness >= 0):
        raise UsageError(f"expected a sharpness of at least 0, got {sharpness}")


def _check_searcher(searcher: str, space: FeatureSpace, marginals: Marginals | None) -> None:
    if searcher not in get_args(SearcherName):
        raise UsageError(f'unknown searcher "{searcher}"{did_you_mean(searcher, get_args(SearcherName))}')
    if marginals is not None and searcher == "plain":
        raise UsageError('the plain searcher starts from random records; marginals need searcher = "guided"')
    if marginals is not None and marginals.space.features != space.features:
        raise UsageError("the marginals are those of another feature space")
