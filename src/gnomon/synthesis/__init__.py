"""Shadow data for an attacker who holds none (Shokri et al. 2017, section V-C).

Three ways out: `noisy` versions of real records; records drawn from each feature's marginal distribution
(`count_marginals`, `Marginals.draw`), to which the target gives labels (`label_by_target`); and records climbed out of
the target's own confidence (`climb`), for which not even the features' frequencies need be known. All of them stand on
a `gnomon.core.data.features.FeatureSpace`, and make only records that are legal in it.
"""

from gnomon.synthesis.asking import Ask, Labelled, label_by_target
from gnomon.synthesis.climbed import ClassClimb, Climb, ClimbInterruptedError
from gnomon.synthesis.climbers import ClimbRules
from gnomon.synthesis.climbing import climb
from gnomon.synthesis.marginals import Cells, Marginals, count_marginals, load_marginals, noisy, save_marginals

__all__ = [
    "Ask",
    "Cells",
    "ClassClimb",
    "Climb",
    "ClimbInterruptedError",
    "ClimbRules",
    "Labelled",
    "Marginals",
    "climb",
    "count_marginals",
    "label_by_target",
    "load_marginals",
    "noisy",
    "save_marginals",
]
