from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gnomon.attacks import Quantile, QuantileGaussian
from gnomon.attacks.quantile import FEWEST, numeric_columns
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Population
from gnomon.stats.roc import auc
from gnomon.stats.signals import margin


def rng():
    return np.random.default_rng(0)


def world(n=3000, z=3000, noise=1.0):
    """Two classes; a record's margin is 3 x + noise, and 3 more if the target was trained on it: x tells difficulty."""
    draw = np.random.default_rng(5)
    member = np.arange(n) % 2 == 0
    x, known = draw.normal(size=(n, 4)), draw.normal(size=(z, 4))

    def answers(rows, inside, spread):
        phi = 3.0 * rows[:, 0] + 3.0 * inside + draw.normal(0, spread)
        logs = np.stack([-np.logaddexp(0, -phi), -np.logaddexp(0, phi)], axis=1)
        return logs.astype(np.float32)

    spread_known, spread = (noise * np.where(r[:, 1] > 0, 2.0, 0.5) for r in (known, x))
    population = Population(np.zeros(z, np.int64), answers(known, np.zeros(z), spread_known), x=known)
    labels = np.zeros(n, np.int64)
    return Evidence(labels, 2, answers(x, member, spread), population=population, x=x), member


def area(scores, member):
    return auc(scores[member], scores[~member]).value


def test_difficulty_is_learned_from_the_record_itself():
    evidence, member = world()
    plain = area(margin(evidence.answers, evidence.labels), member)
    for attack in (Quantile(fpr=0.2), QuantileGaussian()):
        assert area(attack.score(evidence.view(attack.needs), rng()), member) > plain + 0.08


@pytest.mark.parametrize("fpr", [0.3, 0.1])
def test_the_decision_at_zero_has_the_false_positive_rate_asked_for(fpr):
    evidence, member = world()
    scores = Quantile(fpr=fpr).score(evidence, rng())
    assert np.mean(scores[~member] > 0) == pytest.approx(fpr, abs=0.04)


def test_gaussian_scores_of_nonmembers_are_standard_normal():
    """Also where the spread differs from record to record: that is what the second regression is for."""
    evidence, member = world()
    scores = QuantileGaussian().score(evidence, rng())[~member]
    wide = evidence.x[~member, 1] > 0
    assert scores.mean() == pytest.approx(0.0, abs=0.1)
    assert scores[wide].std() == pytest.approx(1.0, abs=0.15)
    assert scores[~wide].std() == pytest.approx(1.0, abs=0.2)


def test_with_few_known_nonmembers_one_quantile_for_all():
    evidence, _ = world(n=50, z=FEWEST - 1)
    known = margin(evidence.population.answers, evidence.population.labels)
    observed = margin(evidence.answers, evidence.labels)
    np.testing.assert_allclose(Quantile(fpr=0.1).score(evidence, rng()), observed - np.quantile(known, 0.9))
    assert "one quantile for all" in Quantile().notes(evidence)[1]


def test_answers_that_are_all_alike():
    evidence, _ = world(n=60, z=60)
    same = np.log(np.full((60, 2), 0.5, np.float32))
    evidence = replace(evidence, answers=same, population=replace(evidence.population, answers=same))
    for attack in (Quantile(), QuantileGaussian()):
        assert np.isfinite(attack.score(evidence, rng())).all()


def test_data_frames_with_text():
    evidence, member = world(n=400, z=400)

    def frame(x):
        return pd.DataFrame({"level": np.where(x[:, 0] > 0, "high", "low"), "number": x[:, 1]})

    evidence = replace(
        evidence, x=frame(evidence.x), population=replace(evidence.population, x=frame(evidence.population.x))
    )
    assert area(Quantile(fpr=0.2).score(evidence, rng()), member) > area(
        margin(evidence.answers, evidence.labels), member
    )


def test_text_is_coded_by_the_known_rows_only():
    known, audited = pd.DataFrame({"a": ["x", "y", "x"]}), pd.DataFrame({"a": ["y", "new"]})
    first, second = numeric_columns(known, audited)
    assert first[:, 0].tolist() == [0.0, 1.0, 0.0]
    assert second[:, 0].tolist() == [1.0, -1.0]


def test_wide_rows_are_reduced_by_the_known_rows_only():
    draw = np.random.default_rng(0)
    known, audited = draw.normal(size=(80, 20, 20)), draw.normal(size=(10, 20, 20))
    first, second = numeric_columns(known, audited)
    assert first.shape == (80, 64)
    np.testing.assert_allclose(numeric_columns(known, audited[3:4])[1], second[3:4])


@pytest.mark.parametrize("fpr", [0.0, 1.0, -0.1])
def test_refuses_rates_outside_zero_and_one(fpr):
    with pytest.raises(UsageError, match="fpr in"):
        Quantile(fpr=fpr)


def test_names_what_is_missing_when_the_population_has_no_rows():
    evidence, _ = world(n=10, z=30)
    with pytest.raises(UsageError, match=r"population\.x"):
        Quantile().score(replace(evidence, population=replace(evidence.population, x=None)), rng())


def image_world(n=800, z=1500):
    """As `world`, but difficulty stands in the brightness of the left half of an image."""
    evidence, member = world(n, z)
    draw = np.random.default_rng(7)

    def images(x):
        pixels = draw.normal(size=(len(x), 6, 6, 1)).astype(np.float32)
        pixels[:, :, :3] += x[:, :1, None, None].astype(np.float32)
        return pixels

    population = replace(evidence.population, x=images(evidence.population.x))
    return replace(evidence, x=images(evidence.x), population=population), member


@pytest.mark.parametrize("kind", [Quantile, QuantileGaussian])
def test_on_images_a_network_learns_difficulty(kind):
    pytest.importorskip("torch")
    evidence, member = image_world()
    attack = kind(epochs=15)
    plain = area(margin(evidence.answers, evidence.labels), member)
    assert area(attack.score(evidence, rng()), member) > plain + 0.1
    assert "a convolutional network on 1500 known non-members" in attack.notes(evidence)


def test_the_networks_decision_has_the_false_positive_rate_asked_for():
    pytest.importorskip("torch")
    evidence, member = image_world(n=3000)
    scores = Quantile(fpr=0.1, epochs=15).score(evidence, rng())
    assert (scores[~member] > 0).mean() == pytest.approx(0.1, abs=0.04)


def test_who_learns_can_be_said():
    evidence, _ = image_world(n=50, z=60)
    assert "regression on 60" in Quantile(learner="trees").notes(evidence)[0]
    tabular, _ = world(50, 60)
    with pytest.raises(UsageError, match="is for images"):
        Quantile(learner="network").score(tabular, rng())
