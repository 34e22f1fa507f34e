"""What a file that was read becomes."""

import pytest
import skops.io
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from tests.models.test_files import TEN, X, Y

from gnomon.core.errors import ModelError
from gnomon.models import load_model


def test_a_model_of_other_classes_is_named_with_its_file(tmp_path):
    skops.io.dump(GaussianNB().fit(X, Y), tmp_path / "m.skops")
    with pytest.raises(ModelError, match=r"m\.skops: GaussianNB knows a class"):
        load_model(tmp_path / "m.skops", ("a", "b"))
    skops.io.dump(StandardScaler().fit(X), tmp_path / "s.skops")
    with pytest.raises(ModelError, match="expected a model, a fitted classifier"):
        load_model(tmp_path / "s.skops", TEN)
