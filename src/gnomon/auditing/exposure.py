"""How much each audited record is worth to an attacker, told by shadow models alone.

The target is not asked, and the truth is not looked at: so a mitigation can be measured on the records that are most
exposed without choosing them by the very scores that are then measured (Aerni, Zhang & Tramèr, 2024, ask that
mitigations be judged on such records).
"""

from __future__ import annotations

import numpy as np

from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Floats
from gnomon.stats.signals import scaled_logit

PRIOR_ROWS = 4.0  # how many models' worth of the mean variance a record's own variance is drawn towards


def exposure(shadows: ShadowAnswers | None) -> Floats | None:
    """Exposure (n,) of the audited rows, higher = more exposed; None without shadow models.

    Where shadows were trained on audited rows (auditor's view): by how many standard deviations a record's scaled logit
    is higher in shadows that were trained on it than in the others. Where none was (adversary's view): minus the mean
    scaled logit, because records that a model finds hard are those that it remembers (Carlini et al., 2022). A row that
    no shadow tells anything of is minus infinity.
    """
    if shadows is None or shadows.n_shadows == 0:
        return None
    logits = shadows.signal(scaled_logit).astype(np.float64)
    known = shadows.usable & np.isfinite(logits)
    inside, outside = known & shadows.member, known & ~shadows.member
    out_mean = _mean(logits, outside)
    if not inside.any():
        return _known(-out_mean)
    in_mean = _mean(logits, inside)
    squares = np.where(inside, (logits - in_mean) ** 2, 0.0) + np.where(outside, (logits - out_mean) ** 2, 0.0)
    freedom = np.maximum(inside.sum(axis=0) - 1, 0) + np.maximum(outside.sum(axis=0) - 1, 0)
    common = float(np.nansum(squares)) / max(1, int(freedom.sum()))
    variance = (squares.sum(axis=0) + PRIOR_ROWS * common) / (freedom + PRIOR_ROWS)
    return _known((in_mean - out_mean) / np.sqrt(np.maximum(variance, 1e-12)))


def most_exposed_tenth(values: Floats) -> Bools:
    """Mask (n,) of the tenth of the rows that are most exposed, members and others alike; ties by position."""
    count = max(1, round(len(values) / 10))
    mask = np.zeros(len(values), dtype=bool)
    mask[np.argsort(-values, kind="stable")[:count]] = True
    return mask


def _mean(values: Floats, mask: Bools) -> Floats:
    """Means (n,) over the models (axis 0) where the mask holds; NaN where it holds nowhere."""
    count = mask.sum(axis=0)
    total = np.where(mask, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _known(values: Floats) -> Floats:
    found: Floats = np.where(np.isnan(values), -np.inf, values)
    return found
