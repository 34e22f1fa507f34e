"""Dataset and Roles: the rows, and who is who among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import (
    Bools,
    Ints,
    Rows,
    check_labels,
    count_rows,
    fingerprint,
    first_infinite,
    frame_of,
    is_frame,
    is_missing,
    is_sparse,
    plain_value,
    take_rows,
)
from gnomon.core.data.features import FeatureSpace, feature_space, infer_features
from gnomon.core.data.labels import Rule, class_name, first_unknown, match_classes, unknown_label
from gnomon.core.data.layouts import texts_of
from gnomon.core.errors import DataError, PlanError, no_text

EXACT = 2.0**53  # up to here every whole number is a float of its own
NUMBERS = (bool, int, float, np.number, np.bool_)
View = Literal["adversary", "auditor"]


@dataclass(frozen=True)
class Dataset:
    """Rows with class ids; checked when made, never changed.

    Attributes:
        x: (n, ...) array of numbers, a data frame of n rows (text is legal there), or a sparse (n, d) matrix in csr
            form. What is missing is NaN, which is legal where the model takes it; infinity is not.
        y: (n,) int64 class ids in 0 .. c - 1.
        classes: the c class names, in the order of their ids.
        ids: (n,) text, the user's own stable row ids; by default the row numbers.
        groups: (n,) ids of the person or household a row belongs to, or None.
        features: kinds and ranges of the columns.
        name: what reports call it.
        note: provenance and caveats, shown wherever the data set is shown.
        labels: the labels of the c classes as the model has them (``classes_``), or else the user: what recipes that
            name classes speak of. None: the class ids.
        matched: what the user's labels and the model's were matched by; None without a model that names its classes.
    """

    x: Rows
    y: Ints
    classes: tuple[str, ...]
    ids: NDArray[Any]
    groups: NDArray[Any] | None
    features: FeatureSpace
    name: str
    note: str = ""
    labels: tuple[Any, ...] | None = None
    matched: Rule | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.classes)

    @property
    def bare(self) -> bool:
        """Whether rows are only labels with answers: there are no features."""
        return len(self.features) == 0

    @cached_property
    def fingerprint(self) -> str:
        """Digest of rows, labels and class names."""
        return fingerprint(self.x, self.y, list(self.classes))

    @property
    def label_names(self) -> list[str]:
        """What the c labels are called, as the model has them or the user."""
        return [class_name(label) for label in self.labels or self.classes]

    def with_rows(self, x: Rows) -> Dataset:
        """The same records in another form, whose features are inferred anew."""
        return replace(self, x=x, features=infer_features(x))

    def declaring(self, features: Sequence[Mapping[str, Any]]) -> Dataset:
        """The data set with features that its owner declares.

        Raises:
            PlanError: of another number of columns.
            UsageError: features that can't be.
            DataError: rows that are not legal in them.
        """
        space = feature_space({"features": features})
        if space.width != self.features.width:
            raise PlanError(f"data.features: {space.width} columns are declared, {self.name} has {self.features.width}")
        space = replace(space, layout=self.features.layout)
        space.encode(self.x)
        return replace(self, features=space)

    def check_known(self, columns: Ints) -> None:
        """Refuses a label that a model does not know, of which these class ids are known.

        Raises:
            DataError: a row has another.
        """
        strange = np.setdiff1d(self.y, columns)
        if len(strange):
            row = int(np.isin(self.y, strange).argmax())
            known = [self.classes[c] for c in columns]
            raise DataError(unknown_label(self.name, self.ids[row], self.classes[self.y[row]], known))

    def take(self, rows: Ints) -> Dataset:
        """The data set of these rows (positions), in this order; classes and features stay."""
        return replace(
            self,
            x=take_rows(self.x, rows),
            y=self.y[rows],
            ids=self.ids[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def make_dataset(
    x: Rows,
    y: Any,
    *,
    classes: tuple[str, ...] | None = None,
    known: Sequence[Any] | None = None,
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
        known: the labels that the model knows, in the order of its answers; they become the classes, also those that
            no row has.
        ids: (n,) row ids, by default 0 .. n - 1.
        groups: (n,) group ids or None.
        features: the feature space, by default inferred.
        name: what reports call it.
        note: provenance.

    Raises:
        DataError: no rows, one class, infinity, lengths that differ, or a label that the model does not know.
    """
    x = plain_rows(x, name)
    n = count_rows(x)
    if n == 0:
        raise DataError(f"{name}: expected at least one row, got none")
    labels = one_label_a_row(y, n, name)
    ids = np.asarray(np.arange(n) if ids is None else ids).astype(str)
    own, matched = None, None
    if classes is None:
        values, labels = np.unique(_clean_labels(labels, name), return_inverse=True)
        own = tuple(values.tolist())
        classes = tuple(class_name(v) for v in own)
        if known is not None:
            match = match_classes(own, known)
            if match is None:
                strange = first_unknown(own, known)
                raise DataError(unknown_label(name, ids[int((labels == strange).argmax())], own[strange], known))
            names = {int(place): class_name(v) for place, v in zip(match.places, own, strict=True)}
            classes = tuple(names.get(i, class_name(v)) for i, v in enumerate(known))
            own, labels, matched = tuple(known), match.places[labels], match.rule
    if len(classes) < 2:
        raise DataError(f"{name}: expected at least 2 classes, got {len(classes)} ({', '.join(classes)})")
    labels = check_labels(labels, rows=n, classes=len(classes), source=name)
    _check_texts(
        name, {"class": classes, "id": ids.tolist(), "group": () if groups is None else np.asarray(groups).tolist()}
    )
    return Dataset(
        x=x,
        y=labels,
        classes=classes,
        ids=ids,
        groups=None if groups is None else np.asarray(groups),
        features=infer_features(x) if features is None else features,
        name=name,
        note=note,
        labels=own,
        matched=matched,
    )


def _check_texts(name: str, held: Mapping[str, Iterable[object]]) -> None:
    for what, texts in held.items():
        strange = no_text(texts)
        if strange is not None:
            raise DataError(f"{name}: the {what} {strange} is no text that a file can hold; write it anew as UTF-8")


def one_label_a_row(y: Any, n: int, name: str) -> NDArray[Any]:
    """Labels (n,) as an array, whatever held them; a table of one column is one label a row, too.

    Raises:
        DataError: none, another number of them, several a row, or one that is missing.
    """
    if y is None:
        raise DataError(f"{name}: expected {n} labels, one a row, got None; attacks compare answers with true labels")
    if isinstance(y, (str, os.PathLike)):
        raise DataError(f'{name}: expected {n} labels, one a row, got "{y}"; give the labels themselves')
    try:
        labels = np.asarray(y)
    except ValueError as error:
        raise DataError(f"{name}: expected {n} labels, one a row ({error})") from None
    if labels.ndim == 0:
        raise DataError(f"{name}: expected {n} labels, one a row, got {type(y).__name__}; give a list or an array")
    if labels.shape == (n, 1):
        labels = labels[:, 0]
    if labels.ndim == 2 and len(labels) == n:
        hot = labels.dtype.kind in "biuf" and bool(((labels == 0) | (labels == 1)).all())
        if hot and bool((labels.sum(axis=1) == 1).all()):
            how = "these are one-hot: give y.argmax(axis=1)"
        else:
            how = "audit one output at a time: its column of labels, and a function of rows to its probabilities"
        raise DataError(f"{name}: expected one label a row, got {labels.shape[1]} of each; {how}")
    if labels.shape != (n,):
        raise DataError(f"{name}: expected {n} labels, one a row, got shape {labels.shape}")
    if labels.dtype.kind == "O":
        gone = np.array([is_missing(plain_value(v)) for v in labels], dtype=bool)
        if gone.any():
            raise DataError(f"{name}: the label is missing in row {int(gone.argmax())} (from 0)")
        if all(isinstance(v, (int, float, np.number)) for v in labels):
            labels = np.array(labels.tolist())  # numbers in a type with room for missing ones
    return labels


def _clean_labels(labels: NDArray[Any], name: str) -> NDArray[Any]:
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise DataError(f"{name}: the label is missing in row {int((~np.isfinite(labels)).argmax())} (from 0)")
        huge = np.abs(labels) > EXACT
        if huge.any():
            raise DataError(
                f"{name}: labels must be classes, got {labels[huge][0]:g}, too large to be told from others"
            )
        if (labels == np.round(labels)).all():
            return labels.astype(np.int64)
        raise DataError(
            f"{name}: labels must be classes, got fractions such as {labels[labels != np.round(labels)][0]}"
        )
    return labels if labels.dtype.kind in "biu" else labels.astype(str)


def plain_rows(x: Any, name: str) -> Rows:
    """Rows of one of the three forms: an array of numbers (n, d) or (n, ...), a data frame, or a sparse matrix in csr.

    One text a row, as a list, a vector or a pandas series, becomes a data frame of one column. Other tables (polars,
    pyarrow, records of numpy) become data frames of pandas, and objects that are all numbers an array of numbers.

    Raises:
        DataError: text in an array, a single vector of numbers, infinity, or nothing that holds rows.
        MissingExtraError: text needs pandas.
    """
    if hasattr(x, "to_pandas"):
        x = x.to_pandas()
    elif getattr(getattr(x, "dtype", None), "names", None):
        x = frame_of({name: x[name] for name in x.dtype.names})
    if is_sparse(x):
        x = x.tocsr()
        if not x.has_canonical_format:
            x = x.copy()
            x.sum_duplicates()
    elif not is_frame(x):
        text = texts_of(x)
        x = _as_array(x, name) if text is None else text
    held = None if is_frame(x) else x.dtype
    if held is not None and held.kind not in "biuf":
        raise DataError(f"{name}: expected an array of numbers, got {held}; give mixed columns as a data frame")
    place = first_infinite(x)
    if place is not None:
        raise DataError(f"{name}: {place.holds('infinity')}; replace it, or leave it empty where the model takes that")
    return x


def _as_array(x: Any, name: str) -> NDArray[Any]:
    if isinstance(x, (str, os.PathLike)):
        raise DataError(f'{name}: expected rows, got the path "{x}"; read the file first, or run gnomon audit with it')
    if x is None:
        raise DataError(f"{name}: expected rows (n, d), got None")
    try:
        array = np.asarray(x)
    except ValueError as error:  # rows of unequal length
        raise DataError(f"{name}: expected rows (n, d) of one length ({error})") from None
    if array.ndim == 1 and array.dtype == object and len(array):
        raise DataError(
            f"{name}: expected numbers, texts or a table, got {type(array[0]).__name__} objects; make a table of them "
            "(pandas.DataFrame), or numbers, and put what does so in a function in front of the model"
        )
    if array.ndim < 2:
        if not array.ndim:
            raise DataError(
                f"{name}: expected rows of shape (n, d), got {type(x).__name__}; make a table of it "
                "(pandas.DataFrame), or an array"
            )
        raise DataError(
            f"{name}: expected rows of shape (n, d), got one vector of shape {array.shape}; numbers of one column are "
            "x.reshape(-1, 1)"
        )
    return _as_numbers(array)


def _as_numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Objects that are all numbers, as a table of mixed columns gives them, as numbers; any other array as it is."""
    if array.dtype != object or not all(v is None or isinstance(v, NUMBERS) for v in array.flat):
        return array
    return array.astype(np.float64)


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
        reference: rows held out for mitigations: no model is trained on them, none is audited, and no attacker holds
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

    def mixed(self, groups: NDArray[Any]) -> Bools:
        """Which of the audited groups (in the order of ``np.unique``) the target was trained on in part only."""
        audited = np.unique(groups[self.audited])
        both: Bools = np.isin(audited, groups[self.train]) & np.isin(audited, groups[self.nonmembers])
        return both
