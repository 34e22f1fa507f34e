"""Toy worlds whose rows suit attacks that not all rows suit."""

from dataclasses import replace

from gnomon.attacks import Augmentation, Boundary
from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.core.data.layouts import layout_of


def as_images(world):
    """Rows of 12 bits as images of 4 x 3."""
    x = world.evidence.x
    return world._replace(evidence=replace(world.evidence, x=x.reshape(len(x), 4, 3)))


def as_numbers(world):
    """Bits as numbers from 0 to 1, with all in between."""
    x = world.evidence.x
    columns = tuple(Feature(f"x{j}", "real", (j,)) for j in range(x.shape[1]))
    return world._replace(evidence=replace(world.evidence, features=FeatureSpace(columns, layout_of(x))))


SUITED = {Augmentation: as_images, Boundary: as_numbers}


def as_it_is(world):
    """The world itself."""
    return world
