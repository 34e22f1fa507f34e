import lzma

import numpy as np
import pytest
from tests.datasets.archives import needs_mirror, tar_of

from gnomon.core.errors import DataError
from gnomon.datasets import RemoteFile, load_dataset
from gnomon.datasets.newsgroups import NEWSGROUPS, load_newsgroups, load_newsgroups_text

HEAD = b"From: someone\nSubject: zebra\n"
FILES = {
    "20news-bydate-test/sci.space/7": HEAD + b"\nOrbit orbit the moon.\n",
    "20news-bydate-train/sci.space/12": HEAD + b"\nmoon rocket moon\n",
    "20news-bydate-train/rec.autos/3": HEAD + b"\nengine and caf\xe9, x1 ab\n\nrocket again\n",
    "20news-bydate-train/rec.autos/9": HEAD,
    "20news-bydate-train/readme": b"\n\nreadme",
    "elsewhere/rec.autos/3": b"\n\nelsewhere",
}
ABSENT = RemoteFile("20newsgroups/absent.tar", "http://127.0.0.1:9/", "md5:0")


def put(mirror, files=FILES):
    return mirror("20newsgroups/20news-bydate.tar.gz", tar_of(files))


def test_postings_become_bits_of_words(mirror):
    data = load_newsgroups(2, put(mirror), ABSENT)
    assert data.ids.tolist() == ["train:rec.autos/3", "train:rec.autos/9", "train:sci.space/12", "test:sci.space/7"]
    assert data.classes == ("rec.autos", "sci.space")
    assert data.y.tolist() == [0, 0, 1, 1]
    words = [feature.name for feature in data.features.features]
    assert words == ["engine", "moon", "orbit", "rocket"]  # no stop words, no short ones, no parts of words
    column = data.x[:, words.index("moon")]
    assert column.tolist() == [0, 0, 1, 1]
    assert data.x[1].sum() == 0
    assert data.x.dtype == np.uint8
    assert data.x.max() == 1
    assert "never redistributed" in data.note


def test_postings_as_text_are_the_same_postings(mirror):
    pytest.importorskip("pandas")
    place = put(mirror)
    bits, data = load_newsgroups(2, place, ABSENT), load_newsgroups_text(2, place, ABSENT)
    assert data.ids.tolist() == bits.ids.tolist()
    assert data.y.tolist() == bits.y.tolist()
    assert data.x["text"].tolist()[2].strip() == "moon rocket moon"
    assert data.x.shape == (4, 1)
    assert "never redistributed" in data.note


def test_the_most_common_words_are_kept_and_ties_go_by_the_alphabet(mirror):
    data = load_newsgroups(2, put(mirror), ABSENT, words=3)
    assert [feature.name for feature in data.features.features] == ["engine", "moon", "rocket"]


def test_a_repacked_mirror_gives_the_same_bits(mirror):
    first = load_newsgroups(2, put(mirror), ABSENT)
    tabbed = {
        name: text.replace(b"\n", b"\t") + b"\n" if "train" in name else text for name, text in reversed(FILES.items())
    }
    plain = tar_of(tabbed, "w:")
    file = mirror("20newsgroups/20news-bydate.tar", plain)
    place = mirror("20newsgroups/20news-bydate.tar.xz", lzma.compress(plain))
    assert place.path.endswith(".xz")
    second = load_newsgroups(2, ABSENT, file)
    assert second.fingerprint == first.fingerprint
    assert second.ids.tolist() == first.ids.tolist()


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "found no postings"), ({"20news-bydate-train/sci.space/12": b"\n\nmoon"}, "2 groups, got 1")],
)
def test_another_archive_is_refused(mirror, files, message):
    with pytest.raises(DataError, match=message):
        load_newsgroups(2, put(mirror, files), ABSENT)
    with pytest.raises(DataError, match="cannot be read as a tar file"):
        load_newsgroups(2, mirror("20newsgroups/20news-bydate.tar.gz", b"no tar"), ABSENT)


@needs_mirror("20newsgroups")
def test_the_real_postings_load_from_a_mirror():
    data = load_dataset("20newsgroups")
    assert data.x.shape == (NEWSGROUPS.rows, NEWSGROUPS.features)
    assert np.char.startswith(data.ids, "train:").sum() == 11314
    assert np.bincount(data.y).min() == 628  # talk.religion.misc, as scikit-learn counts
    assert data.classes[0] == "alt.atheism"
    assert (data.x.sum(axis=1) == 0).mean() < 0.005
    assert data.features.is_binary
