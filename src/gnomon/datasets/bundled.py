"""The two small data sets that scikit-learn brings along: no network, real measurements."""

from __future__ import annotations

import numpy as np

from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.datasets.fetch import Source

DIGITS_NOTE = "UCI Optical Recognition of Handwritten Digits (test part), as packaged in scikit-learn; CC BY 4.0."
CANCER_NOTE = "UCI Breast Cancer Wisconsin (Diagnostic), as packaged in scikit-learn; CC BY 4.0."


def load_digits(classes: int = 10) -> Dataset:
    """1,797 handwritten digits as 8 x 8 pixels of 0 .. 16.

    Args:
        classes: 10.

    >>> load_digits().x.shape
    (1797, 64)
    """
    from sklearn import datasets  # takes seconds, which a list of data sets need not wait for

    bunch = datasets.load_digits()
    return make_dataset(
        bunch.data,
        bunch.target,
        classes=tuple(str(k) for k in range(classes)),
        features=FeatureSpace(
            tuple(Feature(str(name), "integer", (j,), low=0, high=16) for j, name in enumerate(bunch.feature_names))
        ),
        name="digits",
        note=DIGITS_NOTE,
    )


def load_breast_cancer(classes: int = 2) -> Dataset:
    """569 tumours x 30 measurements of their cell nuclei: malignant or benign.

    Args:
        classes: 2.

    >>> load_breast_cancer().classes
    ('malignant', 'benign')
    """
    from sklearn import datasets

    bunch = datasets.load_breast_cancer()
    low, high = bunch.data.min(axis=0), bunch.data.max(axis=0)
    return make_dataset(
        bunch.data,
        np.asarray(bunch.target),
        classes=tuple(str(name) for name in bunch.target_names[:classes]),
        features=FeatureSpace(
            tuple(
                Feature(str(name), "real", (j,), low=float(low[j]), high=float(high[j]))
                for j, name in enumerate(bunch.feature_names)
            )
        ),
        name="breast_cancer",
        note=CANCER_NOTE,
    )


DIGITS = Source(
    name="digits",
    title="Handwritten digits, 8 x 8 pixels (scikit-learn)",
    rows=1797,
    features=64,
    classes=(10,),
    terms="CC BY 4.0 (UCI, packaged in scikit-learn)",
    load=load_digits,
)
BREAST_CANCER = Source(
    name="breast_cancer",
    title="Breast cancer Wisconsin, 30 measurements (scikit-learn)",
    rows=569,
    features=30,
    classes=(2,),
    terms="CC BY 4.0 (UCI, packaged in scikit-learn)",
    load=load_breast_cancer,
)
