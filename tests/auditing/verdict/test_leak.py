"""The point of the curve that a verdict speaks of, and how it is rounded."""

import numpy as np
from tests.auditing.verdict.test_speak import joint, result, verdict

from gnomon.auditing.verdict.leak import headline_point
from gnomon.stats.permutation.joint import JointTest


def test_the_lowest_rate_that_is_sure_is_spoken_of() -> None:
    found = result((0.9, 0.88, 0.92), (0.001, 0.4, 0.0, 0.6), (0.01, 0.7, 0.6, 0.8), (0.1, 0.9, 0.8, 0.95))
    point = headline_point(found.tpr_at_fpr)
    assert point is not None
    assert point.fpr == 0.01


def test_rounding_up_promises_no_smaller_auc() -> None:
    for deviation in np.linspace(0.001, 0.05, 60):
        test = JointTest((), 0.001, float(deviation), 1000, 1000)
        spoken = verdict(result((0.5, 0.4, 0.6)), joint(found=False), test=test)
        said = float(spoken.headline.split("an AUC ")[1].split(" ")[1].rstrip("."))
        assert test.detectable_auc() - 1e-9 <= said <= test.detectable_auc() + 0.01 + 1e-9
