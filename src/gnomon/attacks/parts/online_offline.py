"""Attacks that come in two forms: with shadow models trained on the record (online), or without (offline)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Protocol

from gnomon.core.answers import ShadowAnswers
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack


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
