"""Insider calibration: an owner who knows the members learns from half of them how the model gives them away.

The supervised attack of Nasr, Shokri and Houmansadr 2019 in its plainest form, on the target's answers alone: no shadow
model is trained, so it costs seconds, and it suits a model that can't be trained again. It is no stranger's attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.cross_fit import answer_features, cross_fit, note_insider
from gnomon.attacks.demand import demand
from gnomon.core.arrays import Floats
from gnomon.core.evidence import Evidence, Need


@dataclass(frozen=True)
class InsiderAttack:
    """Learns from the known half of members and non-members, and scores the other half; then the other way round.

    Score: log-odds of "member". Boosted trees on the shape of the answer (scaled logit, modified entropy, largest
    probabilities), where they prove better than the scaled logit alone. Records and labels themselves are not used.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> says_member = InsiderAttack().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "insider"
    title: ClassVar[str] = "Insider who knows half of the members"
    paper: ClassVar[str] = "Nasr, Shokri, Houmansadr 2019"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "membership_half"})
    threshold: ClassVar[float | None] = 0.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): log-odds of "member" (or the scaled logit, standardised); 0 = undecided."""
        insider = demand(evidence.insider, "the membership of half of the rows")
        answers = demand(evidence.answers, "the target's answers")
        return cross_fit(insider, answer_features(answers, evidence.labels), rng)

    def notes(self, evidence: Evidence) -> list[str]:
        """Who is told what."""
        return note_insider(evidence)
