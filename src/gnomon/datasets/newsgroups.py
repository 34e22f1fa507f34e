"""20 Newsgroups by date: postings, or which words they hold (Lang 1995; the "bydate" form of Rennie 2008)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import frame_of
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import DataError
from gnomon.datasets.bit_tables import bit_features, opened_tar
from gnomon.datasets.fetch import RemoteFile, Source, fetch, read_mirror

ARCHIVE = RemoteFile(  # as scikit-learn's fetch_20newsgroups
    path="20newsgroups/20news-bydate.tar.gz",
    url="https://ndownloader.figshare.com/files/5975967",
    pin="sha256:8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
)
REPACKED = RemoteFile(  # the same folders in a tar file of their own, for mirrors (.tar.xz); it has no home
    path="20newsgroups/20news-bydate.tar",
    url=ARCHIVE.url,
    pin="sha256:2415ba8682ce89e00a12e15a5575dc08d141ad946717d0904e1c3a950d24a91a",
)
PARTS = {"20news-bydate-train": "train", "20news-bydate-test": "test"}
N_WORDS = 5000
WORD = r"\b[a-z]{3,20}\b"
NOTE = (
    "20 Newsgroups, sorted by date (Lang 1995; Rennie 2008), training and test part: postings to Usenet as {what}; "
    "headers are left out. No licence is stated: fetched, never redistributed."
)
BITS = (
    "{words:,} bits, one for each of the words that occur in most postings, without scikit-learn's English stop words"
)


def load_newsgroups(
    classes: int = 20, archive: RemoteFile = ARCHIVE, repacked: RemoteFile = REPACKED, words: int = N_WORDS
) -> Dataset:
    """18,846 postings x 5,000 words, (n, words) uint8 of bits, 20 classes; ids such as ``train:sci.space/59848``.

    Args:
        classes: 20.
        archive: where the canonical tar file comes from.
        repacked: a tar file of the same folders that a mirror may hold instead.
        words: number of words.

    Raises:
        DataError: it can't be had, or is not in the canonical form.
    """
    texts, labels, groups = _postings(classes, archive, repacked)
    bits, vocabulary = _count(list(texts.values()), words)
    return make_dataset(
        bits,
        labels,
        classes=groups,
        ids=list(texts),
        features=bit_features(vocabulary),
        name="20newsgroups",
        note=NOTE.format(what=BITS.format(words=len(vocabulary))),
    )


def load_newsgroups_text(classes: int = 20, archive: RemoteFile = ARCHIVE, repacked: RemoteFile = REPACKED) -> Dataset:
    """18,846 postings as a data frame of one column of text, for pipelines that begin with a vectoriser.

    Args:
        classes: 20.
        archive: where the canonical tar file comes from.
        repacked: a tar file of the same folders that a mirror may hold instead.

    Raises:
        DataError: it can't be had, or is not in the canonical form.
        MissingExtraError: pandas is not installed.
    """
    texts, labels, groups = _postings(classes, archive, repacked)
    return make_dataset(
        frame_of({"text": list(texts.values())}),
        labels,
        classes=groups,
        ids=list(texts),
        name="20newsgroups-text",
        note=NOTE.format(what="text"),
    )


def _postings(
    classes: int, archive: RemoteFile, repacked: RemoteFile
) -> tuple[dict[str, str], list[int], tuple[str, ...]]:
    """Texts by id, with the class id of each and the names of the classes."""
    content = read_mirror(repacked)
    source, content = (archive.path, fetch(archive)) if content is None else (repacked.path, content)
    texts = _read_texts(content, source)
    named = [id.partition(":")[2].partition("/")[0] for id in texts]
    groups = sorted(set(named))
    if len(groups) != classes:
        raise DataError(f"{source}: expected postings to {classes} groups, got {len(groups)}")
    return texts, [groups.index(name) for name in named], tuple(groups)


def _count(texts: list[str], limit: int) -> tuple[NDArray[np.uint8], list[str]]:
    """Which of the most common words stand in each text, bits (n, words), and the words in alphabetic order."""
    from sklearn.feature_extraction.text import CountVectorizer  # takes seconds, which a list need not wait for

    counter = CountVectorizer(binary=True, dtype=np.uint8, token_pattern=WORD, stop_words="english")
    counts = counter.fit_transform(texts)
    names = counter.get_feature_names_out()
    # scikit-learn's own max_features breaks ties as the machine's sort happens to: postings first, then the alphabet.
    postings = np.bincount(counts.indices, minlength=len(names))
    kept = np.sort(np.lexsort((names, -postings))[:limit])
    return counts[:, kept].toarray(), names[kept].tolist()


def _read_texts(content: bytes, source: str) -> dict[str, str]:
    """Id -> text without its header, the training part first, whatever the order in the tar file."""
    texts = {}
    with opened_tar(content, source) as tar:
        for member in tar:
            folder, _, place = member.name.removeprefix("./").partition("/")
            stream = tar.extractfile(member) if member.isfile() and folder in PARTS and "/" in place else None
            if stream is not None:
                texts[PARTS[folder], place] = _body(stream.read().decode("latin-1"))
    if not texts:
        raise DataError(f"{source}: expected the folders {' and '.join(PARTS)}, found no postings")
    first = list(PARTS.values())
    order = sorted(texts, key=lambda key: (first.index(key[0]), key[1]))
    return {f"{part}:{place}": texts[part, place] for part, place in order}


def _body(posting: str) -> str:
    """What follows the first blank line; in the repacked training part, tabs stand where lines end."""
    return posting.partition("\n\n" if "\n\n" in posting else "\t\t")[2]


NEWSGROUPS = Source(
    name="20newsgroups",
    title="20 Newsgroups by date: words of a posting, one bit each",
    rows=18846,
    features=N_WORDS,
    classes=(20,),
    terms="no licence stated; fetched, never redistributed",
    load=load_newsgroups,
)

NEWSGROUPS_TEXT = Source(
    name="20newsgroups-text",
    title="20 Newsgroups by date: the text of a posting",
    rows=18846,
    features=1,
    classes=(20,),
    terms="no licence stated; fetched, never redistributed",
    load=load_newsgroups_text,
)
