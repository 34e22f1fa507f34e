"""Feature and FeatureSpace: what a legal record is, feature by feature. Import them from `gnomon.core.data.features`.

Inside, a record is a row of *codes*, one number a feature whatever its columns: 0 or 1, the position of a category, the
number itself, NaN where it is missing. Whatever changes codes within their ranges makes legal records: a one-hot group
is one code, so it can't hold two ones. `FeatureSpace.encode` leads from rows to codes, `FeatureSpace.decode` back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from gnomon.core.arrays import Floats, Ints, Rows, plain_value
from gnomon.core.data.layouts import Layout
from gnomon.core.errors import DataError, UsageError

Kind = Literal["binary", "categorical", "integer", "real"]
Codes = NDArray[Any]  # (n, features), uint8 where all features are binary or categorical, float64 otherwise
MAX_WHOLE = 2.0**53  # codes are float64, and whole numbers beyond this are not
BLOCK_NUMBERS = 2**22  # random numbers drawn at once
NAN = {"missing": "nan"}  # how JSON says that a legal value is NaN (None is null)


@dataclass(frozen=True)
class Feature:
    """One feature: its kind, its legal values and the columns of ``x`` that hold it.

    A ``categorical`` feature over several columns is a one-hot group: exactly one of its columns is 1.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    kind: Kind
    columns: tuple[int, ...]  # positions in x; more than one only for a one-hot group
    low: float = 0.0  # smallest legal value (binary, integer, real)
    high: float = 1.0  # largest legal value
    values: tuple[Any, ...] = ()  # legal values of a categorical feature that stands in one column
    missing: bool = False  # binary, integer, real: whether a record may lack it (NaN)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(plain_value(np.nan if v == NAN else v) for v in self.values))
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        problem = self._problem()
        if problem:
            raise UsageError(f'feature "{self.name}": {problem}')

    def _problem(self) -> str | None:
        if self.kind not in get_args(Kind):
            return f"expected a kind of {', '.join(get_args(Kind))}, got {self.kind!r}"
        if not self.columns or len(set(self.columns)) < len(self.columns) or min(self.columns) < 0:
            return f"expected distinct column positions from 0, got {self.columns}"
        if len(self.columns) > 1 and self.kind != "categorical":
            return f"only a categorical feature (one-hot) may have several columns, got {self.kind}"
        if self.missing and self.kind == "categorical":
            return "a category that is missing is one of its values (null or NaN)"
        if self.kind == "categorical":
            if len(self.columns) == 1 and len(set(self.values)) < max(1, len(self.values)):
                return f"expected its distinct legal values, got {self.values}"
            return None
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            return f"expected a finite range low <= high, got {self.low} to {self.high}"
        if self.kind == "binary" and (self.low, self.high) != (0.0, 1.0):
            return f"a binary feature ranges from 0 to 1, got {self.low} to {self.high}"
        whole = self.low.is_integer() and self.high.is_integer()
        if self.kind == "integer" and not (whole and max(-self.low, self.high) <= MAX_WHOLE):
            return f"an integer feature has whole limits of at most 2**53, got {self.low} to {self.high}"
        return None

    @property
    def size(self) -> int | None:
        """Number of legal values; None for a real feature."""
        if self.kind == "categorical":
            return len(self.values) if len(self.columns) == 1 else len(self.columns)
        return None if self.kind == "real" else int(self.high - self.low) + 1

    @cached_property
    def _code_of(self) -> dict[Any, int]:
        return {value: code for code, value in enumerate(self.values)}

    def encode_categories(self, column: NDArray[Any]) -> Ints:
        """Codes (n,) of a column of categories.

        Raises:
            DataError: a value that is not legal.
        """
        plain = [plain_value(v) for v in column]
        try:
            return np.array([self._code_of[v] for v in plain], dtype=np.int64)
        except KeyError as error:
            raise DataError(
                f'feature "{self.name}" holds {error.args[0]!r}, which is none of its {len(self.values)} legal values'
            ) from None


@dataclass(frozen=True)
class FeatureSpace:
    """The features of a record, in the order of their columns, and the form in which rows are held.

    >>> space = FeatureSpace((Feature("sex", "categorical", (0, 1)), Feature("age", "integer", (2,), 17, 90)))
    >>> rows = space.random(100, np.random.default_rng(0))
    >>> rows.shape, bool((rows[:, :2].sum(axis=1) == 1).all()), int(rows[:, 2].min()) >= 17
    ((100, 3), True, True)
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    features: tuple[Feature, ...]
    layout: Layout = field(default_factory=Layout)

    def __post_init__(self) -> None:
        columns = sorted(c for f in self.features for c in f.columns)
        none = self.layout.shape == (0,)  # rows without features: answers are given in their place
        if (not columns and not none) or columns != list(range(len(columns))):
            raise UsageError(f"features must cover every column from 0 exactly once, got the columns {columns[:20]}")
        width = len(self.layout.columns) or math.prod(self.layout.shape)
        if (self.layout.columns or self.layout.shape) and width != len(columns):
            raise UsageError(f"features cover {len(columns)} columns, but rows have {width}")

    def __len__(self) -> int:
        return len(self.features)

    @property
    def width(self) -> int:
        """Number of columns d of the rows."""
        return sum(len(f.columns) for f in self.features)

    @cached_property
    def is_binary(self) -> bool:
        """Whether every feature is one bit in one column."""
        return all(f.kind == "binary" and len(f.columns) == 1 for f in self.features)

    @cached_property
    def sizes(self) -> Ints:
        """(features,) number of legal values; 0 for a real feature."""
        return np.array([f.size or 0 for f in self.features], dtype=np.int64)

    @cached_property
    def lows(self) -> Floats:
        """(features,) smallest code."""
        return np.array([0.0 if f.kind == "categorical" else f.low for f in self.features])

    @cached_property
    def highs(self) -> Floats:
        """(features,) largest code."""
        return np.array([(f.size or 1) - 1 if f.kind == "categorical" else f.high for f in self.features], np.float64)

    @cached_property
    def code_type(self) -> np.dtype[Any]:
        """uint8 where all features are binary or categorical with at most 256 values, float64 otherwise."""
        small = not self.has_missing and all(
            f.kind in ("binary", "categorical") and (f.size or 0) <= 256 for f in self.features
        )
        return np.dtype(np.uint8 if small else np.float64)

    @cached_property
    def has_missing(self) -> bool:
        """Whether a record may lack a number."""
        return any(f.missing for f in self.features)

    def draw(self, features: Ints, uniform: Floats) -> Floats:
        """Turns uniform numbers in [0, 1) into uniform legal codes.

        Args:
            features: (t,) positions of features.
            uniform: (t,) numbers in [0, 1).

        Returns:
            (t,) codes, each uniform over the legal values of its feature.
        """
        if self.is_binary:
            return np.asarray(uniform >= 0.5, dtype=np.float64)
        sizes = self.sizes[features]
        low = self.lows[features]
        whole = np.minimum(np.floor(uniform * sizes), np.maximum(sizes - 1, 0))
        return low + np.where(sizes > 0, whole, uniform * (self.highs[features] - low))

    def draw_other(self, features: Ints, current: Floats, uniform: Floats) -> Floats:
        """As `draw`, but never the current code (t,), unless the feature has one legal value only."""
        sizes, low = self.sizes[features], self.lows[features]
        whole = np.minimum(np.floor(uniform * (sizes - 1)), np.maximum(sizes - 2, 0))
        whole = np.where(sizes > 1, whole + (whole >= current - low), 0)
        whole = np.where(np.isnan(current), np.minimum(np.floor(uniform * sizes), np.maximum(sizes - 1, 0)), whole)
        return low + np.where(sizes > 0, whole, uniform * (self.highs[features] - low))

    def spread(self, codes: Codes) -> Floats:
        """(features,) standard deviation of each feature's codes; 0 where a feature is known of no row."""
        numbers = codes.astype(np.float64)
        if not self.has_missing:
            return np.asarray(numbers.std(axis=0))
        known = ~np.isnan(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        numbers = np.where(known, numbers, 0.0)
        numbers = np.where(known, numbers - numbers.sum(axis=0) / count, 0.0)
        return np.asarray(np.sqrt((numbers**2).sum(axis=0) / count))

    def random_codes(self, n: int, rng: np.random.Generator) -> Codes:
        """Codes (n, features) of random records: every feature uniform over its legal values."""
        codes = np.empty((n, len(self)), dtype=self.code_type)
        for part in self._blocks(codes):
            features = np.tile(np.arange(len(self)), len(part))
            part[:] = self.draw(features, rng.random(part.size)).reshape(part.shape)
        return codes

    def flip_codes(self, codes: Codes, rate: float, rng: np.random.Generator) -> Codes:
        """A copy in which each feature, with probability ``rate``, takes another of its legal values."""
        if not 0 <= rate <= 1:
            raise UsageError(f"expected a rate in [0, 1], got rate={rate}")
        changed = codes.copy()
        for part in self._blocks(changed):
            rows, features = np.nonzero(rng.random(part.shape) < rate)
            part[rows, features] = self.draw_other(features, part[rows, features], rng.random(len(rows)))
        return changed

    def _blocks(self, codes: Codes) -> Iterator[Codes]:
        """Views of a few rows each, so that random numbers for millions of records fit in memory."""
        size = max(1, BLOCK_NUMBERS // len(self))
        return (codes[start : start + size] for start in range(0, len(codes), size))

    def random(self, n: int, rng: np.random.Generator) -> Rows:
        """N random records: every feature uniform over its legal values."""
        return self.decode(self.random_codes(n, rng))

    def flip(self, x: Rows, rate: float, rng: np.random.Generator) -> Rows:
        """Rows in which each feature, with probability ``rate``, takes another of its legal values."""
        return self.decode(self.flip_codes(self.encode(x), rate, rng))

    @cached_property
    def _plain(self) -> tuple[Ints, Ints]:
        """Features that stand as numbers in one column: their positions, and those of their columns."""
        plain = [i for i, f in enumerate(self.features) if f.kind != "categorical"]
        return np.array(plain, dtype=np.int64), np.array([self.features[i].columns[0] for i in plain], dtype=np.int64)

    @cached_property
    def _is_plain(self) -> bool:
        """Whether codes are the columns themselves."""
        plain, positions = self._plain
        return len(plain) == len(self) and bool((positions == np.arange(len(self))).all())

    def encode(self, x: Rows) -> Codes:
        """Codes (n, features) of rows.

        Raises:
            DataError: a row that is not legal: another form, a value outside its range or not among the categories, a
                fraction in an integer feature, a one-hot group without exactly one 1.
        """
        columns = self.layout.read(x, self.width)
        if isinstance(columns, np.ndarray) and self._is_plain:
            codes = columns.astype(np.uint8) if columns.dtype.kind == "b" else columns
        else:
            codes = np.stack([self._encode_one(i, columns) for i in range(len(self))], axis=1)
        self._check(codes)
        return codes.astype(self.code_type)

    def _encode_one(self, i: int, columns: list[NDArray[Any]] | NDArray[Any]) -> Floats:
        """Codes (n,) of one feature."""
        feature = self.features[i]
        picked = [columns[:, c] if isinstance(columns, np.ndarray) else columns[c] for c in feature.columns]
        if len(picked) > 1:
            return _hot_column(np.stack(picked, axis=1), feature.name).astype(np.float64)
        if feature.kind == "categorical":
            return feature.encode_categories(picked[0]).astype(np.float64)
        try:
            return np.asarray(picked[0], dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f'feature "{feature.name}" ({feature.kind}) must be numbers, got {picked[0][:3]}') from None

    def _check(self, codes: Codes) -> None:
        legal = (codes >= self.lows) & (codes <= self.highs)
        legal &= (self.sizes == 0) | (codes == np.round(codes))
        if self.has_missing:
            legal |= np.isnan(codes) & [f.missing for f in self.features]
        if not legal.all():
            row, i = (int(v[0]) for v in np.nonzero(~legal))
            f = self.features[i]
            raise DataError(
                f'row {row}: feature "{f.name}" ({f.kind}) must be {"a whole number " if f.size else ""}'
                f"from {f.low:g} to {f.high:g}, got {codes[row, i]:g}"
            )

    def decode(self, codes: Codes) -> Rows:
        """Rows of codes (n, features), in the form of the layout: type, shape and named columns are kept."""
        if self.layout.is_frame:
            return self._decode_frame(codes)
        if self._is_plain:
            return self.layout.write_array(codes)
        plain, positions = self._plain
        out = np.zeros((len(codes), self.width), dtype=self.layout.dtype)
        out[:, positions] = codes[:, plain]
        for i, f in enumerate(self.features):
            if len(f.columns) > 1:
                out[np.arange(len(codes)), np.array(f.columns)[codes[:, i].astype(np.int64)]] = 1
            elif f.kind == "categorical":
                out[:, f.columns[0]] = np.array(f.values)[codes[:, i].astype(np.int64)]
        return self.layout.write_array(out)

    def _decode_frame(self, codes: Codes) -> Rows:
        columns: list[NDArray[Any]] = [np.empty(0)] * self.width
        categories: list[tuple[Any, ...] | None] = [None] * self.width
        for i, f in enumerate(self.features):
            for place, column in enumerate(f.columns):
                if len(f.columns) > 1:
                    columns[column] = (codes[:, i] == place).astype(np.int64)
                elif f.kind == "categorical":
                    columns[column] = _objects(f.values)[codes[:, i].astype(np.int64)]
                    categories[column] = f.values
                else:
                    columns[column] = codes[:, i]
        return self.layout.write_frame(columns, categories)

    def to_dict(self) -> dict[str, Any]:
        """The space as JSON can say it; `feature_space` reads it back."""
        document = asdict(self)
        for feature in document["features"]:
            feature["values"] = [NAN if isinstance(v, float) and math.isnan(v) else v for v in feature["values"]]
        return document


def feature_space(document: Any) -> FeatureSpace:
    """A feature space declared as nested dictionaries, as in a plan or in a file of marginals.

    >>> feature_space({"features": [{"name": "age", "kind": "integer", "columns": [0], "low": 17, "high": 90}]}).width
    1

    Raises:
        UsageError: one line that names the place, what was expected and what came.
    """
    try:
        return TypeAdapter(FeatureSpace).validate_python(document)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"feature space: {place}: {problem['msg']}") from None


def _hot_column(block: NDArray[Any], name: str) -> Ints:
    wrong = ((block != 0).sum(axis=1) != 1) | (block.sum(axis=1) != 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f'row {row}: the one-hot group "{name}" must hold exactly one 1, got {block[row].tolist()}')
    hot: Ints = block.argmax(axis=1).astype(np.int64)
    return hot


def _objects(values: tuple[Any, ...]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
