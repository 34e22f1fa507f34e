"""Near duplicates, non-members that look like members, models that never saw a record: what must alarm, what not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.auditing.checks.test_preflight import roles
from tests.auditing.evidence.test_assemble import noise_case
from tests.auditing.worlds import case_of

from gnomon.auditing.checks.near_duplicates import check_near_duplicates, check_sides, check_unseen
from gnomon.auditing.checks.shift import check_blind
from gnomon.core.data.dataset import Dataset, Roles, make_dataset
from gnomon.core.documents.record import Estimate, Finding, ModelFacts, ShadowFacts
from gnomon.core.seeds import Seeds
from gnomon.testing.toy import difficulty_world, make_world, noise_world

HALF = 600


def table(kind: str, seed: int = 0) -> np.ndarray:
    rng, n = np.random.default_rng(seed), 2 * HALF
    if kind == "bits":
        return (rng.random((n, 80)) < rng.random(80)).astype(np.uint8)
    if kind == "images":
        return rng.normal(size=(n, 12, 12)).reshape(n, -1) @ rng.normal(size=(144, 400))
    if kind == "few columns":
        return np.column_stack([rng.normal(size=n), rng.exponential(size=n)])
    if kind == "grid":
        return rng.integers(0, 30, (n, 3))
    if kind == "cells":
        return np.column_stack([rng.integers(0, 2, n), rng.integers(0, 3, n), rng.normal(size=n), rng.poisson(3, n)])
    return rng.normal(size=(n, 8))


def copied(kind: str, share: float, noise: float) -> np.ndarray:
    """Non-members of whom a share are members with a little noise (bits: one bit flipped)."""
    x, rng = table(kind).astype(float), np.random.default_rng(1)
    count = int(share * HALF)
    x[HALF : HALF + count] = x[:count] + noise * x.std(axis=0) * rng.normal(size=(count, x.shape[1]))
    if kind == "bits":
        x[HALF : HALF + count] = x[:count]
        flipped = rng.integers(0, x.shape[1], count)
        x[np.arange(HALF, HALF + count), flipped] = 1 - x[np.arange(count), flipped]
    return x


def found(x: object, seed: int = 0) -> Finding | None:
    data = make_dataset(x, np.arange(2 * HALF) % 2)
    return check_near_duplicates(data, roles(2 * HALF), Seeds(seed))


@pytest.mark.parametrize("kind", ["numbers", "bits", "images"])
def test_near_copies_are_found(kind: str) -> None:
    finding = found(copied(kind, 0.03, 0.01))
    assert finding is not None
    assert (finding.code, finding.severity) == ("near-duplicates", "warning")
    count = int(finding.title.split()[0])
    assert 10 <= count <= 19
    assert f"{count} of 600 non-members" in finding.title


def test_the_named_pair_is_a_pair() -> None:
    finding = found(copied("numbers", 0.03, 0.01))
    assert finding is not None
    one, other = finding.title.rpartition("e.g. ")[2].rstrip(")").split(" of ")
    assert int(one) - HALF == int(other)


@pytest.mark.parametrize("kind", ["numbers", "bits", "images", "few columns", "grid", "cells"])
def test_natural_neighbours_are_no_copies(kind: str) -> None:
    assert [seed for seed in range(5) if found(table(kind, seed)) is not None] == []


def test_text_columns_count_by_value() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.choice(list("abcdefgh"), 2 * HALF) for i in range(20)}).assign(
        age=rng.integers(0, 90, 2 * HALF)
    )
    assert found(frame) is None
    frame.iloc[HALF : HALF + 20] = frame.iloc[:20].to_numpy()
    frame.loc[HALF : HALF + 19, "age"] += 1
    assert found(frame) is not None


def test_people_described_by_categories_and_numbers_are_no_copies_of_each_other() -> None:
    """Members lie in cells of the same categories: the nearest is in one's own, the fifth often in another."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city": rng.choice(["north", "south", "east", "west"], 2 * HALF, p=[0.5, 0.3, 0.15, 0.05]),
            "age": np.where(rng.random(2 * HALF) < 0.08, np.nan, rng.integers(18, 90, 2 * HALF)),
            "income": rng.lognormal(10, 0.6, 2 * HALF).round(2),
            "visits": rng.poisson(3, 2 * HALF),
        }
    )
    assert found(frame) is None


def test_few_rows_or_constant_rows_say_nothing() -> None:
    assert found(np.ones((2 * HALF, 3))) is None
    data = make_dataset(table("numbers")[:20], np.arange(20) % 2)
    assert check_near_duplicates(data, roles(20), Seeds(0)) is None


def facts(train: float, test: float, losses: tuple[float, float] = (0.01, 0.01)) -> ModelFacts:
    return ModelFacts(
        train_size=500, train_accuracy=train, test_accuracy=test, train_loss=losses[0], test_loss=losses[1]
    )


def shadows(test: float) -> ShadowFacts:
    return ShadowFacts(
        count=8, size=500, source="real", test_accuracy=Estimate(value=test, low=test - 0.02, high=test + 0.02)
    )


@pytest.mark.parametrize("pool", [None, shadows(0.6)])
def test_nonmembers_that_the_model_knows_by_heart(pool: ShadowFacts | None) -> None:
    findings = check_sides(facts(1.0, 0.998), pool, 500, 500)
    assert [(f.code, f.severity) for f in findings] == [("nonmembers-look-like-members", "warning")]
    assert ("60.0%" in findings[0].title) == (pool is not None)


@pytest.mark.parametrize(
    ("target", "pool"),
    [
        (facts(1.0, 0.93), None),  # a gap
        (facts(0.9, 0.9), None),  # equal, but far from 1
        (facts(1.0, 0.995, (0.001, 0.02)), None),  # surer on its training records
        (facts(1.0, 0.998), shadows(0.99)),  # the task is that easy
        (ModelFacts(train_size=1, train_accuracy=None, test_accuracy=None, train_loss=None, test_loss=None), None),
    ],
)
def test_a_plain_model_does_not_look_so(target: ModelFacts, pool: ShadowFacts | None) -> None:
    assert check_sides(target, pool, 500, 500) == []


def test_shadows_that_never_saw_a_record_tell_nothing_on_a_clean_split() -> None:
    shouts = 0
    for seed in range(40):
        view = ("adversary", "auditor")[seed % 2]
        world = difficulty_world(np.random.default_rng(seed), view=view)  # type: ignore[arg-type]
        shouts += check_unseen(case_of(world.evidence, world.member)) is not None
    assert shouts <= 3
    assert check_unseen(noise_case("adversary", True)) is None


def test_members_that_are_easier_for_any_model_are_a_shift() -> None:
    world = difficulty_world(np.random.default_rng(0), n=600)
    easier = np.asarray(world.evidence.shadows.signal(lambda a, y: a[np.arange(len(y)), y]).mean(axis=0))  # type: ignore[union-attr]
    member = easier > np.median(easier)
    finding = check_unseen(case_of(world.evidence, member))
    assert finding is not None
    assert (finding.code, finding.severity) == ("unseen-models-tell", "error")
    harder = check_unseen(case_of(world.evidence, ~member))
    assert harder is not None
    assert harder.severity == "error"
    rows = np.where(member, np.cumsum(member) // 2, 1000 + np.arange(600))  # each member stands there twice
    copied = make_dataset(rows[:, None].astype(float), np.arange(600) % 2)
    # A shadow model that was not trained on such a row was trained on its copy.
    assert check_unseen(replace(case_of(world.evidence, member), data=copied)) is None


def test_without_shadows_nothing_is_asked() -> None:
    world = noise_world(np.random.default_rng(0))
    bare = world.evidence.view(frozenset({"answers"}))
    assert check_unseen(case_of(bare, world.member)) is None


def households(seed: int) -> tuple[Dataset, Roles]:
    """Twenty rows a household, much alike; whole households are members."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(60), 20)
    x = rng.normal(size=(60, 6))[groups] + 0.3 * rng.normal(size=(1200, 6))
    inside = np.isin(groups, rng.permutation(60)[:30])
    data = make_dataset(x, rng.integers(0, 2, 1200), groups=groups)
    members, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    return data, Roles(members, others, members[:0], members[:0], members, "auditor")


def test_the_blind_baseline_does_not_take_households_for_a_shift() -> None:
    """Row by row it would: who has seen one record of a household knows on which side its others stand."""
    shouts = 0
    for seed in range(12):
        data, who = households(seed)
        shouts += check_blind(data, who, Seeds(seed)) is not None
    assert shouts <= 2
    data, who = households(0)
    assert check_blind(make_dataset(data.x, data.y), who, Seeds(0)) is not None


def test_a_law_that_differs_between_sides_is_found_in_either_view() -> None:
    for view in ("adversary", "auditor"):
        world = make_world(
            lambda rows, rng: rows.trait + rng.normal(size=len(rows.trait)),
            np.random.default_rng(0),
            n=600,
            m=8,
            c=3,
            view=view,  # type: ignore[arg-type]
            auc=None,
        )
        shadow = world.evidence.shadows
        assert shadow is not None
        mean = np.nanmean(shadow.signal(lambda a, y: a[np.arange(len(y)), y]), axis=0)
        finding = check_unseen(case_of(world.evidence, mean > np.median(mean)))
        assert finding is not None
