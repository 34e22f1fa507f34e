import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthesis.toy import Constant, Linear, bits, mixed

from gnomon.core.errors import UsageError
from gnomon.synthesis import ClimbRules, climb
from gnomon.synthesis.climbers import classes_to_start, new_ledger
from gnomon.synthesis.streams import Streams, stream_keys


def algorithm_1(target, space, c, stream, rules):
    """Shokri et al. 2017, Algorithm 1, line by line, for one climber; returns (record or None, trace)."""

    def rand_record():
        uniform = stream.uniform_rows(len(space))[0]
        return space.draw(np.arange(len(space)), uniform)

    def rand_record_near(x, k):
        _, features, uniform = stream.picks(len(space), np.array([k]))
        x = x.copy()
        x[features] = space.draw(features, uniform)
        return x

    x, best, y_best, j, k = rand_record(), None, 0.0, 0, min(rules.kmax, len(space))
    trace = []
    for _ in range(rules.itermax):
        y = np.exp(target(space.decode(x[None].astype(space.code_type)))[0].astype(np.float64))
        rand = stream.uniform()[0]
        trace.append((x, y[c], k, best, y_best))
        if y[c] >= y_best:
            if y[c] > rules.confmin and c == y.argmax() and rand < y[c]:
                return x, trace
            best, y_best, j = x, y[c], 0
        else:
            j += 1
            if j > rules.rejmax:
                k, j = max(min(rules.kmin, len(space)), int(np.ceil(k / 2))), 0
        x = rand_record_near(best, k)
    return None, trace


def twin(target, space, classes, per_class, root, rules):
    """All classes one after the other, one climber and one query at a time."""
    found = []
    for c in range(classes):
        failed, attempt, mine = 0, 0, 0
        while mine < per_class and failed < rules.failmax * (mine + 1):
            stream = Streams(stream_keys(root, np.array([c]), np.array([attempt])), np.zeros(1, dtype=np.uint64))
            record, trace = algorithm_1(target, space, c, stream, rules)
            attempt += 1
            if record is None:
                failed += 1
            else:
                mine += 1
                found.append((c, record, len(trace), trace))
    return found


@pytest.mark.parametrize("climbers", [1, 3, 64])
@pytest.mark.parametrize(("space", "width"), [(bits(24), 24), (mixed(), 7)])
def test_the_batched_climb_is_algorithm_1_line_by_line(space, width, climbers):
    rules = ClimbRules(kmax=9, kmin=2, rejmax=2, confmin=0.4, itermax=40, failmax=3)
    target, spare = Linear(width, 4, scale=0.35), Linear(width, 4, scale=0.35)
    rng = np.random.default_rng(11)
    result = climb(target, space, tuple("abcd"), 6, rng, rules=rules, climbers=climbers)
    expected = twin(spare, space, 4, 6, int(np.random.default_rng(11).integers(2**63)), rules)
    assert len(expected) >= 12
    assert result.y.tolist() == [c for c, *_ in expected]
    assert result.queries_each.tolist() == [queries for _, _, queries, _ in expected]
    records = np.array([record for _, record, *_ in expected]).astype(space.code_type)
    np.testing.assert_array_equal(result.x, space.decode(records))
    assert result.queries == target.asked == spare.asked
    assert max(target.batches) <= climbers


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**40),
    kmin=st.integers(1, 6),
    more=st.integers(0, 30),
    rejmax=st.integers(0, 4),
    confmin=st.floats(0, 0.8),
    itermax=st.integers(1, 60),
    searcher=st.sampled_from(["plain", "guided"]),
)
def test_the_invariants_of_the_climb(seed, kmin, more, rejmax, confmin, itermax, searcher):
    """What is asked is seen by a spy between one climber and the target, so nothing is taken from the climb's word."""
    space, seen = bits(30), []
    target = Linear(30, 3, scale=0.4)

    def spy(x):
        answers = target(x)
        seen.append((x[0], float(np.exp(answers[0].astype(np.float64))[0]), int(answers[0].argmax())))
        return answers

    rules = ClimbRules(kmin + more, kmin, rejmax, confmin, itermax, failmax=1)
    rng = np.random.default_rng(seed)
    result = climb(spy, space, ("a", "b", "c"), 1, rng, rules=rules, climbers=1, searcher=searcher)
    first = seen[: result.classes[0].queries]  # the climb of class 0
    assert len(first) <= itermax
    best, k, rejects = None, min(kmin + more, 30), 0
    for i, (x, confidence, label) in enumerate(first):
        if best is not None:
            assert (x != best[0]).sum() <= k
        if best is None or confidence >= best[1]:
            assert best is None or confidence >= best[1]
            best, rejects = (x, confidence), 0
        else:
            rejects += 1
            if rejects > rejmax:
                k, rejects = max(min(kmin, 30), -(-k // 2)), 0
        if i == len(first) - 1 and result.classes[0].found:
            assert label == 0
            assert confidence > confmin
            assert (result.x[0] == x).all()
    assert result.classes[0].best == pytest.approx(max(c for _, c, _ in first))
    assert result.classes[0].found or len(first) == itermax


@settings(max_examples=200)
@given(kmin=st.integers(1, 40), more=st.integers(0, 300), features=st.integers(1, 400))
def test_k_runs_from_kmax_by_halves_to_kmin(kmin, more, features):
    rules = ClimbRules(kmax=kmin + more, kmin=kmin)
    k = rules.first_k(features)
    assert k == min(kmin + more, features)
    steps = [k]
    while steps[-1] > min(kmin, features):
        steps.append(int(rules.next_k(np.array([steps[-1]]), features)[0]))
        assert steps[-1] == max(min(kmin, features), int(np.ceil(steps[-2] / 2)))
    assert int(rules.next_k(np.array([steps[-1]]), features)[0]) == steps[-1]


@pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
def test_phase_two_returns_a_record_with_the_probability_of_its_class(share):
    target = Constant([share, (1 - share) / 4, (1 - share) / 4, (1 - share) / 4, (1 - share) / 4])
    wanted = 3000
    rules = ClimbRules(itermax=150, failmax=1)
    found = climb(target, bits(3), tuple("abcde"), wanted, np.random.default_rng(1), rules=rules)
    assert found.classes[0].found == wanted
    rate = wanted / found.classes[0].queries
    assert abs(rate - share) < 4.5 * np.sqrt(share * (1 - share) / found.classes[0].queries)
    assert found.unreached == ("b", "c", "d", "e")  # they are never the target's answer


def test_the_threshold_of_confidence_is_exclusive():
    target = Constant([0.6, 0.4])
    exact = float(np.exp(target.answer[0].astype(np.float64)))  # what 0.6 is after its way through float32 logarithms
    for confmin, unreached in ((exact, ("a", "b")), (np.nextafter(exact, 0), ("b",))):
        rules = ClimbRules(confmin=confmin, itermax=20)
        assert climb(target, bits(3), ("a", "b"), 2, np.random.default_rng(0), rules=rules).unreached == unreached


@settings(max_examples=60)
@given(
    c=st.integers(1, 6),
    per_class=st.integers(1, 9),
    slots=st.integers(1, 30),
    failmax=st.integers(1, 4),
    data=st.data(),
)
def test_climbers_start_only_where_they_surely_would(c, per_class, slots, failmax, data):
    rules, ledger = ClimbRules(failmax=failmax), new_ledger(c)
    counts = st.lists(st.integers(0, 12), min_size=c, max_size=c)
    ledger.found[:], ledger.failed[:] = data.draw(counts), data.draw(counts)
    running = np.array(data.draw(counts))
    ledger.started[:] = ledger.found + ledger.failed + running
    start = np.bincount(classes_to_start(ledger, running, per_class, rules, slots), minlength=c)
    assert start.sum() <= slots
    room = np.minimum(per_class - ledger.found - running, failmax * (ledger.found + 1) - ledger.failed - running)
    assert (start <= np.maximum(room, 0)).all()
    assert start.sum() == min(slots, np.maximum(room, 0).sum())  # no slot stays empty for no reason


@pytest.mark.parametrize(
    "values",
    [
        {"kmin": 0},
        {"kmax": 3, "kmin": 4},
        {"rejmax": -1},
        {"confmin": 1.0},
        {"confmin": -0.1},
        {"itermax": 0},
        {"failmax": 0},
    ],
)
def test_rules_that_cannot_be_are_refused(values):
    with pytest.raises(UsageError, match="expected"):
        ClimbRules(**values)
