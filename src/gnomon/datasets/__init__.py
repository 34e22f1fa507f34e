"""Data sets to measure on, one module a source, and readers for the user's own files.

Embedded and scikit-learn's sets need no network; the others are fetched from their canonical address with a pinned
checksum, or read from a local mirror named by the environment variable GNOMON_DATA. A new data set is one module and
one line in `SOURCES`.
"""

from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import UsageError, did_you_mean, expect
from gnomon.datasets.adult import ADULT
from gnomon.datasets.baskets import BASKETS
from gnomon.datasets.bundled import BREAST_CANCER, DIGITS
from gnomon.datasets.cifar import CIFAR10, CIFAR100
from gnomon.datasets.diabetes130 import DIABETES130
from gnomon.datasets.fetch import RemoteFile, Source
from gnomon.datasets.idx_images import FASHION_MNIST, MNIST
from gnomon.datasets.newsgroups import NEWSGROUPS, NEWSGROUPS_TEXT
from gnomon.datasets.own_files.answer_files import read_answers
from gnomon.datasets.own_files.tables import Tables, read_tables
from gnomon.datasets.shokri_sets import LOCATION30, PURCHASE100, TEXAS100

__all__ = ["SOURCES", "RemoteFile", "Source", "Tables", "load_dataset", "read_answers", "read_tables"]

SOURCES: tuple[Source, ...] = (
    BASKETS,
    DIGITS,
    BREAST_CANCER,
    LOCATION30,
    PURCHASE100,
    TEXAS100,
    ADULT,
    MNIST,
    FASHION_MNIST,
    CIFAR10,
    CIFAR100,
    NEWSGROUPS,
    NEWSGROUPS_TEXT,
    DIABETES130,
)


def load_dataset(name: str, classes: int | None = None) -> Dataset:
    """Loads a data set by name.

    Args:
        name: one of `SOURCES`.
        classes: number of classes, where the data set offers several; by default its first.

    Raises:
        UsageError: an unknown name, or a number of classes that the data set does not have.
        DataError: the data can't be had.
        MissingExtraError: the data set needs a package that is not installed.

    >>> load_dataset("digits").x.shape
    (1797, 64)
    >>> load_dataset("digitz")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: no data set "digitz" (did you mean "digits"?)
    """
    expect("name", name, str, "the name of a data set (gnomon list datasets)")
    sources = {source.name: source for source in SOURCES}
    if name not in sources:
        raise UsageError(f'no data set "{name}"{did_you_mean(name, sources)}')
    source = sources[name]
    if classes is not None and classes not in source.classes:
        offered = ", ".join(str(k) for k in source.classes)
        raise UsageError(f"{name} comes with {offered} classes, not with {classes}")
    return source.load(source.classes[0] if classes is None else classes)
