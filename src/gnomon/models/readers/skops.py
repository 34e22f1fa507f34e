"""scikit-learn models in skops files, which hold no code: types that are not scikit-learn's need trust."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ModelError
from gnomon.core.system import too_large
from gnomon.models.readers.model_file import ModelFile, object_in

HARMLESS = {  # what scikit-learn's estimators hold of others: types of numbers, and splines (SplineTransformer)
    "numpy.dtype",
    "scipy.interpolate._bsplines.BSpline",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
}
OF_COLUMNS = ("f_classif", "f_regression", "chi2", "r_regression", "mutual_info_classif", "mutual_info_regression")


def read(place: Path, trust: bool, types: Collection[str] = ()) -> ModelFile:
    """What the file holds.

    Args:
        place: the file.
        trust: take every type.
        types: further types to take, by their names.

    Raises:
        ModelError: damaged, or types that are not scikit-learn's, without trust.
    """
    import skops.io

    try:
        with zipfile.ZipFile(place) as archive:
            most = too_large(sum(member.file_size for member in archive.infolist()))
        if most is not None:
            raise ModelError(f"{place}: {most}")
        strange = skops.io.get_untrusted_types(file=place)
    except ModelError:
        raise
    except Exception as error:  # zip, json and key errors of a damaged file
        raise ModelError(f"{place}: not a skops file, or damaged ({type(error).__name__}: {error})") from error
    refused = [name for name in strange if name not in types and not _is_harmless(name)]
    if refused and not trust:
        raise ModelError(
            f"{place}: holds types that are not scikit-learn's: {', '.join(refused[:5])}"
            f"{', ...' if len(refused) > 5 else ''}; if you know where they come from, give --trust-type NAME for "
            "each, or --trust for all"
        )
    try:
        thing = skops.io.load(place, trusted=strange)
    except Exception as error:
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error
    return object_in(place, thing if trust else _without_files(place, thing))


def _without_files(place: Path, thing: Any) -> Any:
    """The estimator without what makes scikit-learn read files that the model's maker named.

    A pipeline's cache is read by pickle when the pipeline is fitted again, as shadow models are.

    Raises:
        ModelError: a vectoriser that takes its rows for names of files.
    """
    for part in _parts(thing):
        if getattr(part, "input", None) in ("filename", "file"):
            raise ModelError(f"{place}: reads files that its rows name; give --trust if you know where it comes from")
        if getattr(part, "memory", None) is not None:
            part.memory = None
    return thing


def _parts(thing: Any) -> Iterator[Any]:
    """All estimators in a thing, wherever they are: parameters, fitted parts, steps."""
    waiting, seen = [thing], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if hasattr(part, "get_params") and not isinstance(part, type):
            yield part
        if isinstance(part, (list, tuple, set, frozenset)):
            waiting += part
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else []
        else:
            waiting += getattr(part, "__dict__", {}).values()


def _is_harmless(name: str) -> bool:
    """Whether what a file may make or call by this name runs scikit-learn's own, harmless code only."""
    return name in HARMLESS or _is_sklearn_class(name) or _is_score(name)


def _is_score(name: str) -> bool:
    """Whether it is a score of scikit-learn's: a function of arrays that computes numbers, and no more."""
    module, _, attribute = name.rpartition(".")
    public = {"sklearn.metrics": (), "sklearn.feature_selection": OF_COLUMNS}
    for package, also in public.items():
        scores = attribute.endswith(("_score", "_loss", "_error")) or attribute in also
        if f"{module}.".startswith(f"{package}.") and scores:
            return attribute in importlib.import_module(package).__all__
    return False


def _is_sklearn_class(name: str) -> bool:
    """Whether a type is a class that scikit-learn defines, such as the tree inside a forest.

    skops lists inner classes of scikit-learn as unknown. Making one runs only scikit-learn's code, so we take them; we
    do not take functions, which a file could have called with arguments of its own choice.
    """
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.split(".")[0] == "sklearn"
