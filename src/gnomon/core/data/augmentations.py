"""Versions of a record that a model is asked next to it: mirrored and shifted images, flipped bits, noisy numbers.

A version of a record depends on the record and on the version alone, never on the rows next to it: all records meet the
same pattern of flips or noise, so that they differ by what a model makes of them and not by luck.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gnomon.core.arrays import Floats, Rows
from gnomon.core.data.feature_space import Codes, FeatureSpace
from gnomon.core.errors import UsageError
from gnomon.core.seeds import Seeds

MOST_CHANNELS = 4
STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
NUMBER = r"(?:\d*\.)?\d+"
PART = rf"(?:mirror|shift:[1-9]\d*|flips:{NUMBER}|noise:{NUMBER})"
VERSION_WORDS = '"mirror", "shift:1", "flips:0.02x4" or "noise:0.1", joined with "+"'
PATTERN = rf"^{PART}(?:\+{PART})*(?:x[1-9]\d*)?$"  # "mirror+shift:1", "flips:0.02x4"


@dataclass(frozen=True)
class QueryAugmentation:
    """One version of every record.

    Attributes:
        name: what reports call it, as "mirror + shift:1 up" or "flips:0.02 (2)".
        mirror: images are mirrored from left to right.
        shift: rows down and columns right by which images are shifted; edges are repeated.
        flips: probability that a bit flips or a category changes.
        noise: standard deviation of the noise on numbers, as a multiple of the column's own.
        seed: of the pattern of flips and noise.
    """

    name: str
    mirror: bool = False
    shift: tuple[int, int] = (0, 0)
    flips: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def of(self, x: Rows, space: FeatureSpace, spread: Floats) -> Rows:
        """The version of rows, in their own form.

        Args:
            x: (n, ...) rows.
            space: kinds and ranges of the columns.
            spread: (features,) standard deviation of each feature's codes; read only where there is noise.
        """
        if self.mirror or self.shift != (0, 0):
            x = shift_images(np.asarray(x), by=self.shift, mirror=self.mirror)
        if self.flips or self.noise:
            rng = np.random.default_rng(self.seed)
            x = space.decode(perturb(space.encode(x), space, spread, flips=self.flips, noise=self.noise, rng=rng))
        return x

    def unfit(self, space: FeatureSpace) -> str | None:
        """Why rows of this space have no such version; None if they have."""
        kinds = {f.kind for f in space.features}
        if (self.mirror or self.shift != (0, 0)) and (space.layout.is_frame or len(space.layout.shape) not in (2, 3)):
            return "needs images (n, height, width) or (n, height, width, channels)"
        if self.flips and not kinds & {"binary", "categorical"}:
            return "needs bits or categories"
        if self.noise and not kinds & {"integer", "real"}:
            return "needs numbers"
        return None


def is_augmentation(text: str) -> bool:
    """Whether a plan may say so.

    >>> [is_augmentation(text) for text in ("mirror+shift:2", "flips:0.02x4", "shift:0", "turn")]
    [True, True, False, False]
    """
    return re.fullmatch(PATTERN, text) is not None


def read_augmentations(texts: Sequence[str], space: FeatureSpace, seeds: Seeds) -> tuple[QueryAugmentation, ...]:
    """The versions that a plan names, each once, in its order.

    Args:
        texts: "mirror", "shift:P" (four: up, down, left and right by P pixels), "flips:RATE", "noise:SIGMA"; parts
            joined with "+" change one version, and "xN" behind flips or noise asks for N patterns.
        space: what the versions must suit.
        seeds: where patterns come from.

    Raises:
        UsageError: an unknown version, or one that these rows don't have.

    >>> from gnomon.core.data.features import infer_features
    >>> images = infer_features(np.random.default_rng(0).random((5, 4, 4)))
    >>> [version.name for version in read_augmentations(["mirror", "noise:0.1x2"], images, Seeds(0))]
    ['mirror', 'noise:0.1 (1)', 'noise:0.1 (2)']
    """
    found: dict[str, QueryAugmentation] = {}
    for text in texts:
        for version in _read(text, seeds):
            problem = version.unfit(space)
            if problem is not None:
                raise UsageError(f'attacks.queries: "{text}" {problem}')
            found[version.name] = version
    return tuple(found.values())


def _read(text: str, seeds: Seeds) -> list[QueryAugmentation]:
    if not is_augmentation(text):
        raise UsageError(f'attacks.queries: expected {VERSION_WORDS}, got "{text}"')
    whole, _, copies = text.partition("x")
    versions = [QueryAugmentation("")]
    for part in whole.split("+"):
        kind, _, amount = part.partition(":")
        versions = [changed for version in versions for changed in _with(version, kind, float(amount or 0), part)]
    if not (versions[0].flips or versions[0].noise):
        if copies:
            raise UsageError(f'attacks.queries: "{text}": only flips and noise can be repeated')
        return versions
    drawn = []
    for i in range(1, int(copies or 1) + 1):
        for version in versions:
            name = f"{version.name} ({i})" if copies else version.name
            drawn.append(replace(version, name=name, seed=seeds.child(version.name, i).integer()))
    return drawn


def _with(version: QueryAugmentation, kind: str, amount: float, part: str) -> list[QueryAugmentation]:
    """The version changed in one more way; shifts make four of it."""
    name = f"{version.name} + {part}" if version.name else part
    if kind == "mirror":
        return [replace(version, name=name, mirror=True)]
    if kind == "shift":
        return [
            replace(version, name=f"{name} {step}", shift=(int(amount) * down, int(amount) * right))
            for step, (down, right) in STEPS.items()
        ]
    if amount == 0 or (kind == "flips" and amount > 1):
        wanted = "a rate above 0 and at most 1" if kind == "flips" else "a deviation above 0"
        raise UsageError(f'attacks.queries: expected {wanted}, got "{part}"')
    return [replace(version, name=name, flips=amount) if kind == "flips" else replace(version, name=name, noise=amount)]


def shift_images(x: Floats, *, by: tuple[int, int], mirror: bool) -> Floats:
    """Images shifted down and right by so many pixels, edges repeated; mirrored from left to right first if asked.

    Args:
        x: (n, height, width), (n, height, width, channels) or (n, channels, height, width).
        by: rows down and columns right.
        mirror: whether to mirror.
    """
    channels_first = x.ndim == 4 and x.shape[3] > MOST_CHANNELS >= x.shape[1]
    down, across = (2, 3) if channels_first else (1, 2)
    image = np.flip(x, axis=across) if mirror else x
    for axis, step in ((down, by[0]), (across, by[1])):
        source = np.clip(np.arange(x.shape[axis]) - step, 0, x.shape[axis] - 1)
        image = np.take(image, source, axis=axis)
    return np.ascontiguousarray(image)


def perturb(
    codes: Codes, space: FeatureSpace, spread: Floats, *, flips: float, noise: float, rng: np.random.Generator
) -> Codes:
    """Codes (n, features) of all rows under one pattern of flips and noise, within their legal ranges.

    Args:
        codes: of the rows.
        space: kinds and ranges.
        spread: (features,) standard deviation of each feature's codes.
        flips: probability that a bit flips or a category changes.
        noise: standard deviation of the noise on numbers, as a multiple of ``spread``.
        rng: where the pattern comes from.
    """
    number = np.array([f.kind in ("integer", "real") for f in space.features])
    flip, value, push = rng.random(len(space)), rng.random(len(space)), rng.normal(0.0, noise, len(space))
    changed = ~number & (flip < flips)
    if not changed.any() and not (noise and number.any()):
        changed[np.where(number, np.inf, flip).argmin()] = True  # a copy that equals its record would waste a query
    result = codes.copy()
    at = np.flatnonzero(changed)
    features, uniform = np.tile(at, len(codes)), np.tile(value[at], len(codes))
    other = space.draw_other(features, codes[:, at].reshape(-1).astype(np.float64), uniform)
    result[:, at] = other.reshape(len(codes), -1)
    if noise and number.any():
        pushed = np.clip(codes[:, number] + (push * spread)[number], space.lows[number], space.highs[number])
        result[:, number] = np.where(space.sizes[number] > 0, np.round(pushed), pushed)
    return result
