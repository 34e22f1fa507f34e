from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from gnomon.attacks import Augmentation, NoiseRobustness
from gnomon.core.answers import Reveal
from gnomon.core.data.augmentations import shift_images
from gnomon.core.data.features import infer_features
from gnomon.core.errors import BudgetError, UsageError
from gnomon.core.evidence import Evidence
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Allowance, Target
from gnomon.stats.roc import auc

ATTACK = NoiseRobustness()


def rng(seed=0):
    return np.random.default_rng(seed)


class Memory:
    """A model that is right within so many bits of a record, around members farther out; it counts."""

    n_classes = 2

    def __init__(self, x, labels, member):
        self.x, self.labels = x, labels
        self.radius = np.where(member, 6, 3) + rng(4).normal(0, 1, len(x)).clip(-2, 2)
        self.calls, self.rows = [], 0

    def log_probs(self, x):
        self.calls.append(len(x))
        self.rows += len(x)
        apart = np.abs(np.asarray(x, dtype=np.int64)[:, None, :] - self.x[None]).sum(axis=2)
        nearest = apart.argmin(axis=1)
        right = apart.min(axis=1) <= self.radius[nearest]
        label = np.where(right, self.labels[nearest], 1 - self.labels[nearest])
        return np.log(np.where(np.arange(2) == label[:, None], np.float32(0.9), np.float32(0.1)))


def world(n=60, d=80, budget=None, reveal=None):
    """Evidence, the truth and the counting model behind the query handle."""
    x, labels = rng(1).integers(0, 2, (n, d)).astype(np.int64), rng(2).integers(0, 2, n)
    member = rng(3).permutation(n) < n // 2
    model = Memory(x, labels, member)
    reveal = reveal or Reveal()
    answers = reveal.apply(model.log_probs(x))
    model.calls.clear()
    model.rows = 0
    evidence = Evidence(
        labels, 2, answers, query=Target(model, reveal, budget), x=x, features=infer_features(x), reveal=reveal
    )
    return evidence, member, model


@pytest.mark.parametrize("reveal", [Reveal(), Reveal("labels"), Reveal("rounded", 0)])
def test_robust_records_are_found_from_labels_alone(reveal):
    evidence, member, model = world(reveal=reveal)
    scores = ATTACK.score(evidence, rng())
    assert auc(scores[member], scores[~member]).value > 0.9
    assert set((scores * 21).round(6)) <= set(range(22))
    assert model.calls == [60] * 20


def test_a_wrong_label_scores_zero_whatever_its_copies_say():
    evidence, _, _ = world()
    wrong = rng().random(60) < 0.5
    answers = np.where(wrong[:, None], evidence.answers[:, ::-1], evidence.answers)
    scores = ATTACK.score(replace(evidence, answers=answers), rng())
    assert (scores[wrong] == 0).all()
    assert (scores[~wrong] > 0).all()


@pytest.mark.parametrize("budget", [0, 1, 59, 60, 61, 179, 600, 1199, 1200, 5000])
def test_the_budget_is_never_passed_and_every_record_gets_as_many_queries(budget):
    evidence, member, model = world(budget=budget)
    evidence = replace(evidence, query=Allowance(evidence.query, None))
    scores = ATTACK.score(evidence, rng())
    each = min(20, budget // 60)
    assert model.rows == each * 60 <= budget
    assert model.calls == [60] * each
    if each == 0:
        np.testing.assert_array_equal(scores, 1.0)  # every record itself is labelled rightly
        assert "right or wrong alone" in ATTACK.notes(evidence)[0]
    else:
        assert auc(scores[member], scores[~member]).value > 0.55
        note = ATTACK.notes(evidence)[0]
        assert note.startswith(f"{each} queries a record ({each * 60:,} in all)")
        assert ("the budget ended" in note) == (each < 20)


def test_more_queries_find_more():
    found = []
    for budget in (60, 240, 1200):
        evidence, member, _ = world(budget=budget)
        scores = ATTACK.score(evidence, rng())
        found.append(auc(scores[member], scores[~member]).value)
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.03


def test_a_target_that_refuses_earlier_than_it_said_ends_the_questions():
    evidence, _, model = world()

    class Moody(Target):
        def ask(self, x):
            if self.asked >= 180:
                raise BudgetError("enough for today")
            return super().ask(x)

    evidence = replace(evidence, query=Moody(model))
    scores = ATTACK.score(evidence, rng())
    assert set((scores * 4).round(6)) <= set(range(5))
    assert ATTACK.notes(evidence) == ["3 queries a record (180 in all), of 20 wanted: the budget ended"]


class Recorder:
    """Says class 0, and keeps the rows that it was asked."""

    remaining = None

    def __init__(self):
        self.seen = []
        self.asked = 0

    def ask(self, x):
        self.seen.append(x)
        self.asked += len(x)
        return np.tile(np.float32([0.0, -np.inf]), (len(x), 1))


def ask_about(x, attack=ATTACK, features=None):
    """The copies that the attack asks about."""
    query, n = Recorder(), len(x)
    features = features or infer_features(x, one_hot=False)
    evidence = Evidence(np.zeros(n, np.int64), 2, query.ask(x), query=query, x=x, features=features)
    query.seen.clear()
    attack.score(evidence, rng())
    return query.seen


def test_bits_flip_at_the_rate_and_all_records_meet_one_pattern():
    x = rng().integers(0, 2, (30, 400)).astype(np.uint8)
    copies = ask_about(x, NoiseRobustness(copies=50, rate=0.1))
    flips = np.stack([copy != x for copy in copies])
    assert copies[0].dtype == np.uint8
    assert (flips == flips[:, :1]).all()
    assert abs(flips.mean() - 0.1) < 3.5 * np.sqrt(0.09 / (50 * 400))


def test_few_bits_are_never_asked_unchanged():
    x = rng().integers(0, 2, (30, 3))
    assert all((copy != x).sum(axis=1).min() == 1 for copy in ask_about(x, NoiseRobustness(copies=40, rate=1e-6)))


def test_numbers_get_noise_of_their_own_spread_within_their_range():
    x = np.column_stack([rng(1).normal(0, 1.0, 400), rng(2).normal(50, 10.0, 400), rng(3).integers(17, 90, 400)])
    copies = ask_about(x, NoiseRobustness(copies=300, noise=0.1))
    pushes = np.stack([copy - x for copy in copies])
    inner = (x[:, 1] > 40) & (x[:, 1] < 60)
    assert abs(pushes[:, inner, 1].std() / (0.1 * x[:, 1].std()) - 1) < 0.2
    for copy in copies:
        assert (copy.min(axis=0) >= x.min(axis=0)).all()
        assert (copy.max(axis=0) <= x.max(axis=0)).all()
        assert (copy[:, 2] == copy[:, 2].round()).all()


def nearest_neighbour(budget=None):
    """500 digits, half of which a nearest neighbour that shows labels only knows by heart."""
    x, y = load_digits(return_X_y=True)
    x, y, member = x[:500], y[:500], np.arange(500) < 250
    model = SklearnModel(KNeighborsClassifier(1).fit(x[:250], y[:250]), tuple("0123456789"))
    answers = Reveal("labels").apply(model.log_probs(x))
    query = Target(model, Reveal("labels"), budget)
    return Evidence(y, 10, answers, query=query, x=x, features=infer_features(x)), member


def test_the_noise_that_tells_most_is_found_for_no_more_queries():
    found = {}
    for noise in (0.3, None):
        evidence, member = nearest_neighbour()
        scores = NoiseRobustness(noise=noise).score(evidence, rng())
        found[noise] = auc(scores[member], scores[~member]).value
        assert evidence.query.asked == 20 * 500
    assert found[None] > found[0.3] + 0.08


@pytest.mark.parametrize(("budget", "steps"), [(None, 5), (5999, 2), (1500, 0)])
def test_the_search_takes_a_quarter_of_the_queries_at_most_and_says_so(budget, steps):
    evidence, _ = nearest_neighbour(budget)
    each = 20 if budget is None else budget // 500
    scores = ATTACK.score(evidence, rng())
    votes = each - steps + 1
    assert set((scores * votes).round(6)) <= set(range(votes + 1))
    assert evidence.query.asked == each * 500
    (note,) = ATTACK.notes(evidence)
    assert (f"the first {steps} of them to find the noise at which 95% of the copies keep" in note) == (steps > 0)


@pytest.mark.parametrize("edge", [0.05, 0.5, 2.0])
def test_the_noise_stands_where_labels_begin_to_change(edge):
    """A model that changes its mind where a record is moved farther than so many deviations."""
    x = rng(1).normal(size=(300, 40)) * np.linspace(1, 5, 40)
    x = np.vstack([x, 100 * np.ones(40), -100 * np.ones(40)])  # so wide a range cuts nothing off

    class Edge(Recorder):
        def ask(self, rows):
            super().ask(rows)
            near = np.sqrt((((rows - x) / x.std(axis=0)) ** 2).mean()) < edge
            return np.tile(np.float32([0.0, -np.inf] if near else [-np.inf, 0.0]), (len(rows), 1))

    query = Edge()
    evidence = Evidence(np.zeros(302, np.int64), 2, query.ask(x), query=query, x=x, features=infer_features(x))
    ATTACK.score(evidence, rng())
    last = np.sqrt((((np.stack(query.seen[-15:]) - x) / x.std(axis=0)) ** 2).mean())
    assert abs(np.log(last / edge)) < 0.35


def test_nothing_is_looked_for_where_no_label_is_right_or_nothing_is_a_number():
    evidence, _ = nearest_neighbour()
    wrong = replace(evidence, labels=(evidence.answers.argmax(axis=1) + 1) % 10)
    np.testing.assert_array_equal(ATTACK.score(wrong, rng()), 0.0)
    assert "to find the noise" not in ATTACK.notes(wrong)[0]
    bits, _, _ = world()
    ATTACK.score(bits, rng())
    assert "to find the noise" not in ATTACK.notes(bits)[0]


def test_categories_and_one_hot_groups_stay_legal():
    colour = rng().integers(0, 3, 200)
    frame = pd.DataFrame(
        {"colour": np.array(["red", "green", "blue"])[colour], "age": rng(1).integers(17, 90, 200), **{
            f"home_{k}": (rng(2).integers(0, 3, 200) == k).astype(int) for k in range(3)
        }}
    )  # fmt: skip
    space = infer_features(frame)
    assert [f.kind for f in space.features] == ["categorical", "integer", "categorical"]
    copies = ask_about(frame, NoiseRobustness(copies=30, rate=0.5), space)
    assert all(space.encode(copy).shape == (200, 3) for copy in copies)  # encode refuses what is not legal
    changed = np.mean([(copy["colour"] != frame["colour"]).mean() for copy in copies])
    assert 0.2 < changed < 0.8


@pytest.mark.parametrize("options", [{"copies": 0}, {"copies": 2.0}, {"rate": 0.0}, {"rate": 1.1}, {"noise": 0.0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(UsageError, match="noise_robustness: expected"):
        NoiseRobustness(**options)


IMAGE = np.arange(1.0, 13.0).reshape(1, 3, 4)


def test_shifts_repeat_the_edge():
    np.testing.assert_array_equal(shift_images(IMAGE, by=(1, 0), mirror=False)[0, :, 0], [1, 1, 5])
    np.testing.assert_array_equal(shift_images(IMAGE, by=(0, -1), mirror=False)[0, 0], [2, 3, 4, 4])
    np.testing.assert_array_equal(shift_images(IMAGE, by=(0, -1), mirror=True)[0, 0], [3, 2, 1, 1])


def test_channels_first_and_last_are_told_apart():
    last = rng().normal(size=(2, 8, 9, 3))
    first = np.moveaxis(last, 3, 1)
    got = shift_images(first, by=(2, 1), mirror=True)
    np.testing.assert_array_equal(np.moveaxis(got, 1, 3), shift_images(last, by=(2, 1), mirror=True))


def test_every_version_is_asked_once_and_no_two_are_the_same():
    images = rng().normal(size=(5, 6, 6, 3))
    asked = ask_about(images, Augmentation())
    assert len(asked) == len(Augmentation().versions()) == 9
    assert len({copy.tobytes() for copy in [images, *asked]}) == 10


def test_rows_that_are_no_images_do_not_suit():
    evidence, _, _ = world()
    assert "needs images" in Augmentation().unfit(evidence)
    with pytest.raises(UsageError, match="needs images"):
        Augmentation().score(evidence, rng())
