from dataclasses import replace

import numpy as np

from gnomon.attacks.parts.shadow_rows import in_own_order
from gnomon.testing import noise_world


def test_any_numbering_of_the_shadows_gives_one_order():
    shadows = noise_world(np.random.default_rng(0), n=30, m=5, view="auditor").evidence.shadows
    expected = in_own_order(shadows)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(5)
        renumbered = replace(
            shadows, answers=[shadows.answers[i] for i in order], member=shadows.member[order], usable=shadows.usable
        )
        got = in_own_order(renumbered)
        np.testing.assert_array_equal(got.member, expected.member)
        np.testing.assert_array_equal(np.stack(got.answers), np.stack(expected.answers))


def test_shadows_of_one_mask_are_told_apart_by_their_answers():
    shadows = noise_world(np.random.default_rng(0), n=30, m=3).evidence.shadows  # adversary: all masks are empty
    backwards = replace(shadows, answers=list(shadows.answers)[::-1])
    np.testing.assert_array_equal(np.stack(in_own_order(shadows).answers), np.stack(in_own_order(backwards).answers))
