from dataclasses import replace

import numpy as np
import pytest

from gnomon.attacks import Nasr
from gnomon.core.arrays import Bools, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.stats.roc import auc
from gnomon.testing import noise_world


def shows_inside(seed: int) -> tuple[Evidence, Bools]:
    """Answers tell nothing; a member's two norms go together, another record's do not."""
    rng = np.random.default_rng(seed)
    world = noise_world(rng, n=1000, m=4)
    evidence, pool = world.evidence, world.evidence.pool

    def inside(member: Bools) -> Floats:
        first = rng.normal(size=len(member))
        second = np.where(member, first + 0.3 * rng.normal(size=len(member)), rng.normal(size=len(member)))
        return np.column_stack([first, second]).astype(np.float32)

    seen = []
    for answers, mask in zip(pool.answers, pool.member, strict=True):
        whole = inside(np.zeros(len(answers), bool))
        whole[pool.rows] = inside(mask)
        seen.append(whole)
    return replace(
        evidence, pool=replace(pool, observed={"inside": seen}), observed={"inside": inside(world.member)}
    ), world.member


def area(scores: Floats, member: Bools) -> float:
    return auc(scores[member], scores[~member]).value


def test_what_only_the_inside_tells_is_learned_from_shadows() -> None:
    evidence, member = shows_inside(0)
    scores = Nasr().score(evidence.view(Nasr.needs), np.random.default_rng(0))
    assert area(scores, member) > 0.75
    assert abs(((scores > 0) == member).mean() - 0.7) < 0.1


@pytest.mark.parametrize("options", [{"trees": 0}, {"max_rows": 1}])
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="nasr: expected trees >= 1"):
        Nasr(**options)
