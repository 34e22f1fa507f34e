"""What the joint test is told of rows that judge each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.auditing.worlds import case_of

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.scoring import Attempt, Rehearsed, Scored
from gnomon.auditing.verdict.leak import hear
from gnomon.core.data.dataset import make_dataset
from gnomon.core.documents.record import AttackResult, Estimate, JointResult
from gnomon.core.evidence import Evidence
from gnomon.core.seeds import Seeds
from gnomon.stats.permutation.joint import LEVEL, chance_p

N = 200


def case(*, overlap: bool) -> AuditCase:
    """The adversary's view, where the audited non-members are the attacker's pool, or other rows."""
    member = np.arange(2 * N) < N
    made = case_of(Evidence(labels=np.zeros(2 * N, np.int64), n_classes=2), member)
    pool = np.arange(N, 2 * N) if overlap else np.arange(2 * N, 3 * N)
    data = make_dataset(np.zeros((3 * N, 1)), np.arange(3 * N) % 2)
    return replace(made, data=data, roles=replace(made.roles, view="adversary", pool=pool))


def heard_of(needs: list[str], *, overlap: bool) -> tuple[list[JointResult], list[JointResult]]:
    """One attack that tells a little: tested among those that speak in the headline, and among those from inside."""
    truth, rng = np.arange(2 * N) < N, np.random.default_rng(0)
    weak = 0.25 * truth + rng.normal(size=2 * N)
    kinds = {"loss": ["answers"], "odd": needs}
    attempts = [Attempt(Scored(n, n, "", k, {}, "ok", scores=weak), Rehearsed()) for n, k in kinds.items()]
    area = Estimate(value=0.57, low=0.51, high=0.63)
    results = [AttackResult(name=n, title=n, paper="", status="ok", auc=area, needs=k) for n, k in kinds.items()]
    heard = hear(attempts, results, case(overlap=overlap), 0.1, Seeds(0))
    return heard.tested, heard.inside


@pytest.mark.parametrize("needs", [["answers", "shadows_out"], ["answers", "pool"]])
def test_out_models_of_the_audited_rows_are_trusted_less_where_these_are_the_pool(needs: list[str]) -> None:
    apart, overlapping = (heard_of(needs, overlap=overlap)[0] for overlap in (False, True))
    by_name = [{one.name: one.p for one in each} for each in (apart, overlapping)]
    assert by_name[0]["loss"] == by_name[0]["odd"] <= 0.05
    assert by_name[1]["loss"] <= 0.05
    assert (by_name[1]["odd"] > 1.5 * by_name[0]["odd"]) == ("shadows_out" in needs)


def test_an_insider_who_learns_from_the_other_half_is_trusted_less() -> None:
    plain, insider = (heard_of(["answers", need], overlap=False)[1] for need in ("inside", "membership_half"))
    assert insider[0].p > 3 * plain[0].p


def test_copies_of_a_row_are_one_observation_and_not_several() -> None:
    """Sides whose rows stand there four times each, with scores that tell nothing."""
    naive, hits, runs = 0, 0, 60
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        row, truth = np.repeat(np.arange(100), 4), np.repeat(rng.permutation(100) < 50, 4)
        made = case_of(Evidence(labels=np.zeros(400, np.int64), n_classes=2), truth)
        made = replace(made, data=replace(made.data, x=row[:, None].astype(float)))
        scores = rng.normal(size=100)[row] + 0.1 * rng.normal(size=400)
        attempts = [Attempt(Scored("loss", "loss", "", ["answers"], {}, "ok", scores=scores), Rehearsed())]
        area = Estimate(value=0.5, low=0.4, high=0.6)
        results = [AttackResult(name="loss", title="loss", paper="", status="ok", auc=area, needs=["answers"])]
        hits += bool(hear(attempts, results, made, 0.1, Seeds(seed)).found)
        naive += chance_p(scores, truth)[0] <= LEVEL
    assert naive > 15
    assert hits <= 8


def test_copies_on_both_sides_stand_for_themselves() -> None:
    made = case(overlap=False)
    assert made.units is None  # all rows are equal, on both sides
    persons = case_of(made.evidence, made.member, np.arange(2 * N) // 2)
    assert persons.units is persons.groups
