import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier

from gnomon.auditing.structure.contents import FittedPart, stored_rows

ROWS = scipy.sparse.random_array((300, 100_000), density=1e-4, rng=np.random.default_rng(0), format="csr")
LABELS = np.arange(300) % 2


def test_sparse_rows_in_a_model_are_found_without_making_them_dense() -> None:
    neighbours, bayes = KNeighborsClassifier().fit(ROWS, LABELS), MultinomialNB().fit(ROWS, LABELS)
    tracemalloc.start()
    assert stored_rows(FittedPart(neighbours, ROWS)) == 300
    assert stored_rows(FittedPart(bayes, ROWS)) == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * 100_000 * 8 / 10


def test_many_images_are_compared_in_blocks() -> None:
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(0).integers(0, 256, (6000, 20, 20)).astype(np.uint8)
    network = torch.nn.Linear(400, 10)
    network.register_buffer("seen", torch.from_numpy((images[-5:] / 255).astype(np.float32)))
    tracemalloc.start()
    assert stored_rows(FittedPart(network, images)) == 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < images.size * 8
