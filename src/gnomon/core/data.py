"""Dataset and Roles: the rows, and who is who among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Ints, Rows, check_labels, count_rows, fingerprint, is_frame, take_rows
from gnomon.core.errors import DataError
from gnomon.core.features import FeatureSpace, infer_features

View = Literal["adversary", "auditor"]


@dataclass(frozen=True)
class Dataset:
    """Rows with class ids; checked when made, never changed.

    Attributes:
        x: (n, ...) array of finite numbers, or a data frame of n rows (text and missing text are legal there, missing
            numbers are not).
        y: (n,) int64 class ids in 0 .. c - 1.
        classes: the c class names, in the order of their ids.
        ids: (n,) text, the user's own stable row ids; by default the row numbers.
        groups: (n,) ids of the person or household a row belongs to, or None.
        features: kinds and ranges of the columns.
        name: what reports call it.
        note: provenance and caveats, shown wherever the data set is shown.
    """

    x: Rows
    y: Ints
    classes: tuple[str, ...]
    ids: NDArray[Any]
    groups: NDArray[Any] | None
    features: FeatureSpace
    name: str
    note: str = ""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.classes)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of rows, labels and class names."""
        return fingerprint(self.x, self.y, list(self.classes))

    def take(self, rows: Ints) -> Dataset:
        """The data set of these rows (positions), in this order; classes and features stay."""
        return Dataset(
            x=take_rows(self.x, rows),
            y=self.y[rows],
            classes=self.classes,
            ids=self.ids[rows],
            groups=None if self.groups is None else self.groups[rows],
            features=self.features,
            name=self.name,
            note=self.note,
        )


def make_dataset(
    x: Rows,
    y: Any,
    *,
    classes: tuple[str, ...] | None = None,
    ids: Any = None,
    groups: Any = None,
    features: FeatureSpace | None = None,
    name: str = "data",
    note: str = "",
) -> Dataset:
    """Checks rows and labels and makes a `Dataset`.

    Args:
        x: (n, ...) array or data frame of n rows.
        y: (n,) labels: class ids when ``classes`` is given, otherwise any values (sorted to give class ids).
        classes: class names; without them they are the sorted distinct labels.
        ids: (n,) row ids, by default 0 .. n - 1.
        groups: (n,) group ids or None.
        features: the feature space, by default inferred.
        name: what reports call it.
        note: provenance.

    Raises:
        DataError: no rows, one class, NaN or infinity, or lengths that differ.
    """
    x = x if is_frame(x) else np.asarray(x)
    n = count_rows(x)
    if n == 0:
        raise DataError(f"{name}: expected at least one row, got none")
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise DataError(f"{name}: expected {n} labels, one a row, got shape {labels.shape}")
    if classes is None:
        names, labels = np.unique(_clean_labels(labels, name), return_inverse=True)
        classes = tuple(str(v) for v in names)
    if len(classes) < 2:
        raise DataError(f"{name}: expected at least 2 classes, got {len(classes)} ({', '.join(classes)})")
    labels = check_labels(labels, rows=n, classes=len(classes), source=name)
    _check_finite(x, name)
    return Dataset(
        x=x,
        y=labels,
        classes=classes,
        ids=np.asarray(np.arange(n) if ids is None else ids).astype(str),
        groups=None if groups is None else np.asarray(groups),
        features=infer_features(x) if features is None else features,
        name=name,
        note=note,
    )


def _clean_labels(labels: NDArray[Any], name: str) -> NDArray[Any]:
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise DataError(f"{name}: row {int((~np.isfinite(labels)).argmax())} has no label (NaN or infinity)")
        if (labels == np.round(labels)).all():
            return labels.astype(np.int64)
        raise DataError(
            f"{name}: labels must be classes, got fractions such as {labels[labels != np.round(labels)][0]}"
        )
    return labels if labels.dtype.kind in "biu" else labels.astype(str)


def _check_finite(x: Rows, name: str) -> None:
    if is_frame(x):
        for column in x.columns:
            values = np.asarray(x[column])
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                row = int((~np.isfinite(values)).argmax())
                raise DataError(
                    f'{name}: column "{column}" holds NaN or infinity (first: row {row}); fill it or drop the row'
                )
        return
    if x.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected an array of numbers, got {x.dtype}; give mixed columns as a data frame")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        bad = ~np.isfinite(x.reshape(len(x), -1)).all(axis=1)
        raise DataError(f"{name}: row {int(bad.argmax())} holds NaN or infinity; fill it or drop the row")


@dataclass(frozen=True)
class Roles:
    """Who is who among the rows of one data set (positions, int64).

    Attributes:
        members: audited rows that the target was trained on.
        nonmembers: audited rows that it was not trained on.
        pool: rows that shadow models may be trained on. Adversary's view: disjoint from the target's members.
            Auditor's view: holds the audited rows.
        population: rows that the attacker knows the target was not trained on (for RMIA's z and population attacks).
        train: all rows the target was trained on; a superset of ``members``.
        view: "adversary" or "auditor".
        reference: rows set aside for mitigations: no model is trained on them, none is audited, and no attacker holds
            them.
    """

    members: Ints
    nonmembers: Ints
    pool: Ints
    population: Ints
    train: Ints
    view: View
    reference: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def audited(self) -> Ints:
        """Members, then non-members (evidence shuffles them, so that order gives nothing away)."""
        return np.concatenate([self.members, self.nonmembers])
