import numpy as np
import pytest
from tests.synthesis.toy import Failing, Linear, bits, log_softmax, mixed

from gnomon.core.answers import Reveal
from gnomon.core.data.features import infer_features
from gnomon.core.errors import UsageError
from gnomon.synthesis import ClimbInterruptedError, ClimbRules, climb, count_marginals

RULES = ClimbRules(kmax=9, kmin=2, rejmax=2, confmin=0.4, itermax=40, failmax=3)
NAMES = tuple("abcd")


def plain(target, seed=3, space=None, per_class=12, **options):
    options.setdefault("rules", RULES)
    return climb(target, space or bits(24), NAMES, per_class, np.random.default_rng(seed), **options)


def target():
    return Linear(24, 4, scale=0.35)


def assert_same(one, other):
    np.testing.assert_array_equal(one.x, other.x)
    assert one.y.tolist() == other.y.tolist()
    assert one.queries_each.tolist() == other.queries_each.tolist()
    assert one.classes == other.classes


@pytest.mark.parametrize("searcher", ["plain", "guided"])
def test_records_are_what_the_target_was_sure_of(searcher):
    model = target()
    found = plain(model, searcher=searcher)
    assert len(found) == 48
    answers = np.exp(target()(found.x))
    assert (answers.argmax(axis=1) == found.y).all()
    assert (answers[np.arange(48), found.y] > 0.4).all()
    assert found.queries == model.asked == sum(c.queries for c in found.classes)
    assert [c.found for c in found.classes] == [12] * 4
    assert found.queries_per_record == model.asked / 48
    assert found.stopped is None
    assert found.notes == ()
    assert found.searcher == searcher


@pytest.mark.parametrize("searcher", ["plain", "guided"])
def test_mixed_columns_are_climbed_and_stay_legal(searcher):
    found = climb(Linear(7, 2), mixed(), ("a", "b"), 40, np.random.default_rng(0), searcher=searcher, rules=RULES)
    assert len(found) == 80
    mixed().encode(found.x)


@pytest.mark.parametrize("searcher", ["plain", "guided"])
def test_frames_are_climbed(searcher):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(17, 91, 200), "sex": rng.choice(["m", "f"], 200)})

    def ask(x):
        logit = (x.age.to_numpy() - 50) / 10.0 + (x.sex == "m").to_numpy()
        return log_softmax(np.column_stack([0 * logit, logit]))

    found = climb(ask, infer_features(frame), ("young", "old"), 50, rng, searcher=searcher)
    assert found.x.dtypes.tolist() == frame.dtypes.tolist()
    assert found.x.age[found.y == 1].mean() > found.x.age[found.y == 0].mean() + 10


@pytest.mark.parametrize("searcher", ["plain", "guided"])
def test_the_same_seed_gives_the_same_records(searcher):
    assert_same(plain(target(), searcher=searcher), plain(target(), searcher=searcher))
    assert (plain(target()).x != plain(target(), seed=4).x).any()


@pytest.mark.parametrize("searcher", ["plain", "guided"])
@pytest.mark.parametrize("reveal", [Reveal("top", 1), Reveal("top", 2), Reveal("rounded", 1)])
def test_top_k_and_rounded_answers_will_do_and_the_loss_is_said(reveal, searcher):
    model = target()
    found = plain(lambda x: reveal.apply(model(x)), reveal=reveal, searcher=searcher)
    assert len(found) == 48
    assert 0 < found.hidden < 1
    assert str(reveal) in found.notes[-1]
    assert f"{found.hidden:.0%}" in found.notes[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"per_class": 0}, "at least 1 record"),
        ({"climbers": 0}, "1 climber"),
        ({"budget": -1}, "budget"),
        ({"searcher": "guide"}, 'did you mean "guided"'),
        ({"sharpness": -1.0, "searcher": "guided"}, "sharpness"),
        ({"marginals": count_marginals(np.eye(24), bits(24))}, "random records"),
        ({"marginals": count_marginals(np.eye(3), bits(3)), "searcher": "guided"}, "another feature space"),
    ],
)
def test_arguments_that_cannot_be_are_refused(options, words):
    with pytest.raises(UsageError, match=words):
        plain(target(), **options)
    with pytest.raises(UsageError, match="at least 2 classes"):
        climb(target(), bits(24), ("a",), 1, np.random.default_rng(0))


def broken(answers):
    raise ConnectionError("no route to the model")


FAILURES = [
    (broken, "ConnectionError: no route"),
    (lambda answers: answers * np.nan, "NaN"),
    (lambda answers: answers[:, :-1], "3 classes where 4 are expected"),
    (lambda answers: answers[:-1], "expected probabilities of shape"),
    (lambda answers: np.exp(answers), "must sum to 1"),
]


@pytest.mark.parametrize("searcher", ["plain", "guided"])
@pytest.mark.parametrize(("fail", "words"), FAILURES)
def test_a_climb_goes_on_after_its_target_failed(tmp_path, fail, words, searcher):
    whole = plain(target(), searcher=searcher, climbers=20)
    path = tmp_path / "climb.npz"
    failing = Failing(target(), 13, fail)
    with pytest.raises(ClimbInterruptedError, match=words) as caught:
        plain(failing, searcher=searcher, climbers=20, checkpoint=path)
    kept = caught.value.partial
    assert 0 < len(kept) < len(whole)
    assert f"{len(kept)} records are kept in {path}" in str(caught.value)
    records = {(int(c), x.tobytes()) for c, x in zip(whole.y, whole.x, strict=True)}
    assert {(int(c), x.tobytes()) for c, x in zip(kept.y, kept.x, strict=True)} <= records
    assert kept.queries == failing.target.asked  # what was sent is counted, also if the answer was lost
    resumed = plain(target(), searcher=searcher, climbers=20, checkpoint=path)
    assert_same(resumed, whole)
    lost = failing.target.batches[-1]
    assert resumed.queries == whole.queries + lost


def test_rounded_answers_that_turn_into_nonsense_are_named_too():
    reveal = Reveal("rounded", 2)
    for fail, words in ((lambda a: a * np.nan, "NaN"), (lambda a: a + 1, "natural-log"), (lambda a: a[:2], "shape")):
        failing = Failing(lambda x: reveal.apply(target()(x)), 5, fail)
        with pytest.raises(ClimbInterruptedError, match=words):
            plain(failing, reveal=reveal)


def test_an_interrupt_from_the_keyboard_leaves_a_checkpoint(tmp_path):
    def interrupt(answers):
        raise KeyboardInterrupt

    path = tmp_path / "climb.npz"
    with pytest.raises(KeyboardInterrupt):
        plain(Failing(target(), 9, interrupt), checkpoint=path)
    assert_same(plain(target(), checkpoint=path), plain(target()))


def test_a_finished_climb_is_not_climbed_again_but_may_be_extended(tmp_path):
    path = tmp_path / "climb.npz"
    first = plain(target(), checkpoint=path)
    model = target()
    assert_same(plain(model, checkpoint=path), first)
    assert model.asked == 0
    assert_same(plain(model, checkpoint=path, per_class=20, climbers=5), plain(target(), per_class=20))
    assert model.asked > 0


def test_a_climb_that_ran_out_of_queries_goes_on_with_more(tmp_path):
    path = tmp_path / "climb.npz"
    whole = plain(target())
    stopped = plain(target(), checkpoint=path, budget=whole.queries // 2)
    assert stopped.stopped
    assert_same(plain(target(), checkpoint=path), whole)


@pytest.mark.parametrize("climbers", [1, 5, 40])
def test_a_climb_may_go_on_with_fewer_or_more_climbers(tmp_path, climbers):
    path = tmp_path / "climb.npz"
    with pytest.raises(ClimbInterruptedError):
        plain(Failing(target(), 8, broken), climbers=20, checkpoint=path)
    assert_same(plain(target(), climbers=climbers, checkpoint=path), plain(target()))


def test_progress_is_told():
    told = []
    plain(target(), progress=lambda found, wanted: told.append((found, wanted)))
    assert told[-1] == (48, 48)
    assert [found for found, _ in told] == sorted(found for found, _ in told)
