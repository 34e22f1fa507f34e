"""What a climb brings and what a reader must know of it."""

import numpy as np
import pytest
from tests.synthesis.test_climbing import RULES, broken, plain, target
from tests.synthesis.toy import Constant, Failing, bits

from gnomon.synthesis import ClimbInterruptedError, climb


def test_unreachable_classes_are_named_with_the_confidence_they_got_to():
    found = climb(Constant([0.7, 0.25, 0.05]), bits(5), ("x", "y", "z"), 4, np.random.default_rng(0), rules=RULES)
    assert found.unreached == ("y", "z")
    assert found.classes[1].best == pytest.approx(0.25)
    assert found.classes[1].given_up
    assert not found.classes[0].given_up
    assert found.classes[1].climbs == RULES.failmax
    assert found.classes[1].queries == RULES.failmax * RULES.itermax
    assert "y (best confidence 0.25), z (best confidence 0.05)" in found.notes[0]
    assert (found.y == 0).all()


def test_without_a_checkpoint_the_records_are_in_the_error():
    with pytest.raises(ClimbInterruptedError, match=r"in \.partial") as caught:
        plain(Failing(target(), 9, broken), climbers=20)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert len(caught.value.partial) > 0
