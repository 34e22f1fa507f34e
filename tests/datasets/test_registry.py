import subprocess
import sys

import pytest
from tests.datasets.archives import needs_mirror

from gnomon.core.errors import UsageError
from gnomon.datasets import SOURCES, load_dataset

OFFLINE = ("baskets", "digits", "breast_cancer")


@pytest.mark.parametrize("source", [s for s in SOURCES if s.name in OFFLINE], ids=lambda s: s.name)
def test_a_source_holds_what_the_registry_says(source):
    data = load_dataset(source.name)
    assert data.x.shape == (source.rows, source.features)
    assert data.n_classes == source.classes[0]
    assert data.name == source.name
    assert data.note
    assert len(data.features) == source.features
    assert len(set(data.ids.tolist())) == source.rows


@needs_mirror("location30", "adult", "mnist")
@pytest.mark.parametrize("name", ["location30", "adult", "mnist"])
def test_a_mirrored_source_holds_what_the_registry_says(name):
    source = next(source for source in SOURCES if source.name == name)
    data = load_dataset(name)
    assert len(data) == source.rows
    assert data.features.width == source.features
    assert data.n_classes == source.classes[0]
    assert data.name == name


def test_what_has_no_licence_says_that_it_is_not_passed_on():
    assert all("never redistributed" in source.terms for source in SOURCES if source.terms.startswith("no licence"))


def test_names_are_distinct_and_plain():
    names = [source.name for source in SOURCES]
    assert len(set(names)) == len(names)
    assert names == [name.lower() for name in names]


def test_unknown_names_and_numbers_of_classes_are_refused():
    with pytest.raises(UsageError, match='did you mean "baskets"'):
        load_dataset("basket")
    with pytest.raises(UsageError, match="100, 50, 20, 10, 2 classes, not with 3"):
        load_dataset("baskets", 3)


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "pandas", "pyarrow", "onnxruntime"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
import numpy as np
import gnomon.datasets, gnomon.models
from gnomon.core.errors import MissingExtraError
from sklearn.ensemble import RandomForestClassifier
data = gnomon.datasets.load_dataset("digits")
trainer = gnomon.models.SklearnTrainer(RandomForestClassifier(3))
[model] = trainer.train(data.x, data.y, 10, [np.arange(200)], [1])
assert model.log_probs(data.x).shape == (1797, 10)
trainer.recipe()
np.savez(sys.argv[1] + "/a.npz", x=np.eye(4), y=[0, 1, 0, 1])
tables = gnomon.datasets.read_tables(sys.argv[1] + "/a.npz", sys.argv[1] + "/a.npz")
assert len(tables.dataset) == 8
open(sys.argv[1] + "/a.csv", "w").write("a,b\\n1,2\\n")
for call in (
    lambda: gnomon.datasets.read_tables(sys.argv[1] + "/a.csv", sys.argv[1] + "/a.csv", label="b"),
    lambda: gnomon.datasets.load_dataset("adult"),
):
    try:
        call()
    except MissingExtraError as error:
        assert "pip install 'pandas" in str(error)
    else:
        raise AssertionError("pandas was needed and not missed")
"""


def test_everything_but_tables_works_without_torch_and_pandas(tmp_path):
    done = subprocess.run([sys.executable, "-c", BLOCKED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
