"""What an attacker spent on a target behind an endpoint."""

from __future__ import annotations

from gnomon.core.documents.endpoint import PROTOCOLS
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import EndpointFacts
from gnomon.report.formatting import count, counted, duration
from gnomon.report.plots.endpoint import leakage_by_queries
from gnomon.report.sections import Fact, Section


def endpoint(record: Record) -> Section:
    """The section of a record whose target was queried over HTTP; empty for others."""
    facts = record.endpoint
    if facts is None:
        return Section("endpoint", "The endpoint")
    titles = {str(name): title for name, title in PROTOCOLS.items()}
    told: tuple[Fact, ...] = (
        ("Address", facts.address),
        ("Protocol", titles.get(facts.protocol, facts.protocol)),
        ("Records with an answer", count(facts.records)),
        ("Of these from an earlier run", count(facts.kept)),
        ("Requests", f"{count(facts.requests)} ({count(facts.retries)} of them further tries)"),
        ("Queried twice", f"{count(facts.twice)}, of which {count(facts.changed)} were answered otherwise"),
        *(("Understood", line) for line in facts.understood),
    )
    lead = f"To see what this report holds, an attacker spends {spent(facts)}."
    drawn = leakage_by_queries(record.attacks, record.data.members + record.data.nonmembers)
    figures = () if drawn is None else (drawn,)
    return Section("endpoint", "The endpoint", lead, facts=told, figures=figures, brief=(lead,))


def spent(facts: EndpointFacts) -> str:
    """What queries cost, in words.

    >>> one = dict(address="http://h", protocol="tf", understood=[], records=8, requests=1, retries=0, kept=0)
    >>> spent(EndpointFacts(**one, queries=3200, bytes_sent=40_000_000, bytes_received=1_000_000, seconds=133.0))
    '3,200 queries, 41 MB, 2 min 13 s'
    """
    return f"{counted(facts.queries, 'query', 'queries')}, {_size(facts)}, {duration(facts.seconds)}"


def _size(facts: EndpointFacts) -> str:
    total = facts.bytes_sent + facts.bytes_received
    return f"{total / 1e6:,.0f} MB" if total >= 1e7 else f"{total / 1e6:.1f} MB" if total >= 1e5 else f"{total:,} bytes"
