"""Texas-100: the main procedure of a hospital stay in Texas (Shokri et al. 2017, section VI)."""

from __future__ import annotations

from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import DataError
from gnomon.datasets.bit_tables import bit_features, opened_tar, read_bits, tar_member
from gnomon.datasets.fetch import RemoteFile, fetch
from gnomon.datasets.source import Source

ARCHIVE = RemoteFile(
    path="texas100/dataset_texas.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_texas.tgz",
    pin="git:966f7ff40b24cf5912ff84759aab9adb8c25f30e",
)
FEATURES, LABELS = "texas/100/feats", "texas/100/labels"
NOTE = (
    "Texas-100, the authors' release (Shokri et al. 2017): stays in Texas hospitals as 6,169 bits (causes of injury, "
    "diagnoses, the patient, the hospital); the classes are the 100 most frequent main procedures. "
    "No licence is stated: fetched from its home, never redistributed."
)


def load_texas100(classes: int = 100, archive: RemoteFile = ARCHIVE) -> Dataset:
    """67,330 hospital stays x 6,169 bits, 100 classes (415 MB of bits).

    Args:
        classes: 100.
        archive: where the tar file with ``texas/100/feats`` and ``texas/100/labels`` comes from.

    Raises:
        DataError: it can't be had, or is not in the authors' form.
    """
    content = fetch(archive)
    with opened_tar(content, archive.path) as tar:
        bits = read_bits(tar_member(tar, FEATURES, archive.path), f"{archive.path}: {FEATURES}", labelled=False).bits
    with opened_tar(content, archive.path) as tar:  # anew, because the two may stand in either order
        lines = tar_member(tar, LABELS, archive.path).read().split()
    if not all(line.isdigit() for line in lines):
        raise DataError(f"{archive.path}: {LABELS}: expected one whole number a line")
    return make_dataset(
        bits,
        [int(line) - 1 for line in lines],
        classes=tuple(str(k + 1) for k in range(classes)),
        features=bit_features(f"x{j}" for j in range(bits.shape[1])),
        name="texas100",
        note=NOTE,
    )


TEXAS100 = Source(
    name="texas100",
    title="Texas-100: main procedure of a hospital stay (Shokri et al. 2017)",
    rows=67330,
    features=6169,
    classes=(100,),
    terms="no licence stated; fetched from its authors, never redistributed",
    load=load_texas100,
    stand_in="diabetes130",
)
