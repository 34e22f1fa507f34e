"""Pickles and joblib files, which run what their maker put in."""

import joblib
import pytest
from sklearn.naive_bayes import GaussianNB
from tests.models.test_files import TEN, X, Y, answer

from gnomon.core.errors import UsageError
from gnomon.models import CallableModel, load_model


@pytest.mark.parametrize("suffix", [".joblib", ".pkl"])
def test_pickles_are_read_with_trust_only(tmp_path, suffix):
    place = tmp_path / f"m{suffix}"
    joblib.dump(GaussianNB().fit(X, Y), place)
    with pytest.raises(UsageError, match=r"runs whatever its maker put in.*--trust"):
        load_model(place, TEN)
    assert load_model(place, TEN, trust=True).n_classes == 10
    joblib.dump(answer, place)
    assert isinstance(load_model(place, TEN, trust=True), CallableModel)
