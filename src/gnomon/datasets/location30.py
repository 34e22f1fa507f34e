"""Location-30: which places a Foursquare user of Bangkok has been to (Shokri et al. 2017, section VI)."""

from __future__ import annotations

import io
import tarfile
import zlib

import numpy as np

from gnomon.core.data import Dataset, make_dataset
from gnomon.core.errors import DataError
from gnomon.datasets.fetch import RemoteFile, fetch
from gnomon.datasets.source import Source

ARCHIVE = RemoteFile(
    path="location30/dataset_location.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_location.tgz",
    sha256="927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33",
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
    content = fetch(archive)
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            member = tar.extractfile(TABLE)
            text = b"" if member is None else member.read()
        table = np.loadtxt(io.BytesIO(text), delimiter=",", quotechar='"', dtype=np.int64, ndmin=2)
    except (tarfile.TarError, KeyError, EOFError, OSError, ValueError, zlib.error) as error:
        raise DataError(f'{archive.path}: expected a tar file with a table "{TABLE}" of numbers ({error})') from error
    bits = table[:, 1:]
    if not np.isin(bits, (0, 1)).all():
        raise DataError(f"{archive.path}: expected bits after the class, got {int(bits.max())}")
    return make_dataset(
        bits.astype(np.uint8),
        table[:, 0] - 1,
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
