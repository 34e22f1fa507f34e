"""Shadow models as attacks read them: their order, the classes that they know enough of, and two forms of one attack.

Online, shadow models that were trained on the record are read too; offline, only those without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Protocol

import numpy as np

from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import fingerprint
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack

SAMPLE = 256  # rows whose answers tell two shadows of one mask apart


def in_own_order(shadows: ShadowAnswers) -> ShadowAnswers:
    """The same shadows, sorted by a digest of their masks and of some answers.

    A learned attack draws rows shadow by shadow; without an order of their own, renumbering the shadows would change
    its scores.
    """
    rows = shadows.rows[:SAMPLE]
    digests = [fingerprint(shadows.member[i], np.asarray(shadows.answers[i])[rows]) for i in range(shadows.n_shadows)]
    return shadows.only(np.argsort(digests, kind="stable"))


def judged_classes(pool: ShadowAnswers, n_classes: int, min_rows: int = 1) -> list[int]:
    """Classes that shadows know enough of: at least so many usable rows in, and as many out, over all shadows."""
    inside = np.bincount(pool.labels, weights=(pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    outside = np.bincount(pool.labels, weights=(~pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    return [int(c) for c in np.flatnonzero(np.minimum(inside, outside) >= min_rows)]


class OnlineOffline(Attack, Protocol):
    """An attack with a field ``online``; either form has an entry of its own in the registry.

    Class attributes: ``names`` in the registry (online, offline), the common ``heading`` of the titles, and what the
    attack needs besides shadow models: ``reads`` in both forms, ``offline_reads`` in the offline one only.
    """

    names: ClassVar[tuple[str, str]]
    heading: ClassVar[str]
    reads: ClassVar[frozenset[Need]] = frozenset({"answers"})
    offline_reads: ClassVar[frozenset[Need]] = frozenset()

    @property
    def online(self) -> bool:
        """Whether shadow models that were trained on the audited records are read."""
        ...

    @property
    def name(self) -> str:
        """Registry key."""
        return self.names[0 if self.online else 1]

    @property
    def title(self) -> str:
        """The heading, and which form."""
        return f"{self.heading}, {'online' if self.online else 'offline'}"

    @property
    def needs(self) -> frozenset[Need]:
        """Shadow models with and without the record, or without it only."""
        return self.reads | (frozenset({"shadows"}) if self.online else self.offline_reads | {"shadows_out"})

    def shadows_of(self, query: Evidence) -> ShadowAnswers:
        """The shadow models behind one query, offline without what they answered on rows that they were trained on."""
        shadows = query.require("shadows")
        return shadows if self.online else replace(shadows, hide_members=True)
