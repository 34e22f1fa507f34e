"""Location-30: which places a Foursquare user of Bangkok has been to (Shokri et al. 2017, section VI)."""

from __future__ import annotations

from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.datasets.bit_tables import opened_tar, read_bits, tar_member
from gnomon.datasets.fetch import RemoteFile, fetch
from gnomon.datasets.source import Source

ARCHIVE = RemoteFile(
    path="location30/dataset_location.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_location.tgz",
    pin="sha256:927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33",
)
TABLE = "bangkok"
NOTE = (
    "Location-30, the authors' release (Shokri et al. 2017): check-ins of Foursquare users in Bangkok as 446 bits, "
    "30 clusters as classes. No licence is stated: fetched from its home, never redistributed."
)


def load_location30(classes: int = 30, archive: RemoteFile = ARCHIVE) -> Dataset:
    """5,010 users x 446 bits (regions and kinds of places visited), 30 classes.

    Args:
        classes: 30.
        archive: where the tar file with the table ``bangkok`` comes from.

    Raises:
        DataError: it can't be had, or is not in the authors' form.
    """
    with opened_tar(fetch(archive), archive.path) as tar:
        table = read_bits(tar_member(tar, TABLE, archive.path), archive.path, labelled=True)
    return make_dataset(
        table.bits,
        table.labels - 1,
        classes=tuple(str(k + 1) for k in range(classes)),
        name="location30",
        note=NOTE,
    )


LOCATION30 = Source(
    name="location30",
    title="Location-30: places visited by users in Bangkok (Shokri et al. 2017)",
    rows=5010,
    features=446,
    classes=(30,),
    terms="no licence stated; fetched from its authors, never redistributed",
    load=load_location30,
)
