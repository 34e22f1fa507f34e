"""Signals that are worked out beforehand change no score, and what is hidden stays hidden."""

from dataclasses import replace

import numpy as np
import pytest

from gnomon.attacks import ATTACKS
from gnomon.auditing.results import scoring
from gnomon.auditing.results.scoring import SIGNALS, rehearse, with_signals
from gnomon.core.answers import Reveal
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import why_not
from gnomon.core.seeds import Seeds
from gnomon.engines.local import LocalEngine
from gnomon.stats.signals import margin, scaled_logit
from gnomon.testing import gaussian_world

READERS = [a for a in ATTACKS if a.needs & {"shadows", "shadows_out", "pool"} and a.name not in ("shokri", "salem")]


def plain() -> Evidence:
    return gaussian_world(np.random.default_rng(3), n=300, m=6, view="auditor").evidence


def test_no_attack_scores_otherwise() -> None:
    evidence = plain()
    known = with_signals(evidence, READERS, LocalEngine(1))
    assert known.shadows is not None
    assert set(known.shadows.known) == set(SIGNALS)
    fit = [a for a in READERS if why_not(a, evidence) is None]
    assert len(fit) > 10
    for attack in fit:
        pairs = zip(*(rehearse(attack, e, 2, (), Seeds(0)).played for e in (evidence, known)), strict=True)
        assert all(np.array_equal(a.scores, b.scores) for a, b in pairs), attack.name
        scores = [attack.score(e.view(attack.needs), np.random.default_rng(0)) for e in (evidence, known)]
        assert np.array_equal(*scores), attack.name


def test_of_a_view_that_hides_members_or_reveals_less_nothing_is_known_that_it_hides() -> None:
    shadows = with_signals(plain(), READERS, LocalEngine(1)).shadows
    assert shadows is not None
    hidden = replace(shadows, hide_members=True)
    assert np.isnan(hidden.signal(scaled_logit)[hidden.member]).all()
    assert np.isnan(hidden.signal_of(0, margin, hidden.member[0])).all()
    assert not np.isnan(hidden.signal_of(0, margin, ~hidden.member[0])).any()
    labels = plain().through(Reveal("labels"))
    less = with_signals(plain(), READERS, LocalEngine(1)).through(Reveal("labels"))
    assert labels.shadows is not None
    assert less.shadows is not None
    assert np.array_equal(less.shadows.signal(margin), labels.shadows.signal(margin))


def test_few_readers_and_many_bytes_leave_the_evidence_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = plain()
    assert with_signals(evidence, READERS[:2], LocalEngine(1)) is evidence
    assert with_signals(evidence.view(frozenset({"answers"})), READERS, LocalEngine(1)).shadows is None
    monkeypatch.setattr(scoring, "MOST_BYTES", 1000)
    assert with_signals(evidence, READERS, LocalEngine(1)) is evidence
