import numpy as np
import pytest

from gnomon.attacks.parts.leave_two_out import draw_lessons, judge, learn_priors, rehearsed_facts


def balanced(m, p, rng):
    """Pairs of shadows that share the rows out between them, as an audit draws them."""
    half = rng.random((m // 2, p)) < 0.5
    return np.stack([half, ~half], axis=1).reshape(m, p)


def left_over(member, lessons):
    """IN and OUT counts of the shadows that calibrate a lesson: all but player and partner."""
    stays = np.ones((len(member), len(lessons.row)), bool)
    stays[lessons.player, np.arange(len(lessons.row))] = False
    stays[lessons.partner, np.arange(len(lessons.row))] = False
    known = member[:, lessons.row]
    return (known & stays).sum(axis=0), (~known & stays).sum(axis=0)


@pytest.mark.parametrize("m", [4, 8, 16])
def test_with_balanced_shadows_what_is_left_is_the_same_for_members_and_others(m):
    rng = np.random.default_rng(m)
    member = balanced(m, 500, rng)
    lessons = draw_lessons(member, np.ones_like(member), 3000, rng)
    inside, outside = left_over(member, lessons)
    assert set(inside) == set(outside) == {m // 2 - 1}
    assert len(lessons.row) == min(3000, m * 500)
    np.testing.assert_allclose(lessons.weight, 1.0)


def test_leaving_out_the_player_alone_would_give_membership_away():
    """Why there is a partner: the count of IN models among the others is then membership itself."""
    rng = np.random.default_rng(0)
    member = balanced(8, 500, rng)
    lessons = draw_lessons(member, np.ones_like(member), 3000, rng)
    others = member[:, lessons.row].sum(axis=0) - lessons.member
    assert set(others[lessons.member]) == {3}
    assert set(others[~lessons.member]) == {4}


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_whatever_the_masks_members_weigh_one_half_among_rows_of_equal_evidence(share):
    rng = np.random.default_rng(1)
    member = rng.random((6, 20_000)) < share
    lessons = draw_lessons(member, np.ones_like(member), 10**6, rng)
    inside, _ = left_over(member, lessons)
    for count in np.unique(inside):
        mine = inside == count
        weight = lessons.weight[mine]
        assert np.average(lessons.member[mine], weights=weight) == pytest.approx(0.5, abs=1e-9)


def test_player_and_partner_are_of_opposite_kinds_and_pairs_do_not_repeat():
    rng = np.random.default_rng(2)
    member = rng.random((5, 300)) < 0.5
    lessons = draw_lessons(member, np.ones_like(member), 10**6, rng)
    np.testing.assert_array_equal(member[lessons.player, lessons.row], lessons.member)
    np.testing.assert_array_equal(member[lessons.partner, lessons.row], ~lessons.member)
    assert len(set(zip(lessons.player.tolist(), lessons.row.tolist(), strict=True))) == len(lessons.row)
    for shadow in range(5):  # every possible partner gets his turn
        assert (lessons.partner == shadow).any()


def test_rows_known_to_all_or_none_and_unusable_pairs_teach_nothing():
    rng = np.random.default_rng(3)
    member, usable = rng.random((4, 90)) < 0.5, rng.random((4, 90)) < 0.7
    member[:, :30], member[:, 30:60] = True, False
    lessons = draw_lessons(member, usable, 10**6, rng)
    assert lessons.row.min() >= 60
    assert usable[lessons.player, lessons.row].all()
    assert len(draw_lessons(member[:, :60], usable[:, :60], 100, rng).row) == 0


@pytest.mark.parametrize("online", [True, False])
def test_facts_of_a_lesson_do_not_hang_on_what_player_and_partner_answered(online):
    rng = np.random.default_rng(4)
    member = balanced(6, 40, rng)
    signals = rng.normal(size=(3, 6, 40)) + 2.0 * member
    priors = [learn_priors(values, member) for values in signals]
    lessons = draw_lessons(member, np.ones_like(member), 1, rng)
    facts = rehearsed_facts(signals, member, lessons, priors, online)
    changed = signals.copy()
    changed[:, lessons.player, lessons.row] += 5.0
    changed[:, lessons.partner, lessons.row] -= 7.0
    other = rehearsed_facts(changed, member, lessons, priors, online)
    np.testing.assert_array_equal(facts.location, other.location)
    np.testing.assert_array_equal(facts.log_variance, other.log_variance)
    np.testing.assert_allclose(other.own, facts.own + 5.0)


def test_a_lesson_is_judged_like_the_real_target_is():
    rng = np.random.default_rng(5)
    member = balanced(6, 40, rng)
    signals = rng.normal(size=(3, 6, 40)) + 2.0 * member
    priors = [learn_priors(values, member) for values in signals]
    lessons = draw_lessons(member, np.ones_like(member), 60, rng)
    facts = rehearsed_facts(signals, member, lessons, priors, online=True)
    for k in (0, 17, 59):
        player, partner, row = lessons.player[k], lessons.partner[k], lessons.row[k]
        others = [i for i in range(6) if i not in (player, partner)]
        alone = judge(
            signals[:, player, row : row + 1], signals[:, others, row : row + 1], member[others][:, [row]], priors, True
        )
        np.testing.assert_allclose(facts.location[..., k], alone.location[..., 0])
        np.testing.assert_allclose(facts.log_ratio[k], alone.log_ratio[0])


def test_offline_facts_never_look_at_in_answers():
    rng = np.random.default_rng(6)
    member = balanced(6, 40, rng)
    signals = rng.normal(size=(3, 6, 40))
    priors = [learn_priors(values, member) for values in signals]
    own = rng.normal(size=(3, 40))
    hidden = np.where(member, np.nan, signals)
    one, other = (judge(own, values, member, priors, online=False) for values in (signals, hidden))
    for name in ("own", "location", "log_variance", "log_ratio"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-12)
    assert one.location.shape == (3, 1, 40)
