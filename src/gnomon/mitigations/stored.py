"""Fitted mitigations as JSON and back: data only, so that reading them runs nothing and makes no other things."""

from __future__ import annotations

import json
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from gnomon.core.errors import ModelError
from gnomon.core.mitigations import AnswerMap, InOrder
from gnomon.mitigations.answers import Disturbed, Flattened, Ranked, Shown
from gnomon.mitigations.memguard import Classifier, Guarded

KINDS: MappingProxyType[str, type[Any]] = MappingProxyType(
    {kind.__name__: kind for kind in (InOrder, Shown, Flattened, Disturbed, Guarded, Classifier, Ranked)}
)
MADE = "made"  # under which a thing says its kind
FLOATS = ("float32", "float64")


def mitigation_to_json(fitted: AnswerMap) -> str:
    """A fitted mitigation as text.

    >>> mitigation_to_json(InOrder((Flattened(2.0),)))
    '{"made": "InOrder", "maps": [{"made": "Flattened", "t": 2.0}]}'
    """
    return json.dumps(_plain(fitted))


def mitigation_from_json(text: str) -> AnswerMap:
    """The mitigation that a text holds.

    Raises:
        ModelError: anything else than the text of a fitted mitigation: another kind, another field, another type.

    >>> mitigation_from_json('{"made": "InOrder", "maps": [{"made": "Flattened", "t": 2.0}]}')
    InOrder(maps=(Flattened(t=2.0),))
    >>> mitigation_from_json('{"made": "Popen", "args": ["sh"]}')
    Traceback (most recent call last):
    gnomon.core.errors.ModelError: no fitted mitigation (of the kind "Popen")
    """
    try:
        made: AnswerMap = _made(json.loads(text), AnswerMap)
    except (ValueError, KeyError, RecursionError) as error:
        raise ModelError(f"no fitted mitigation ({error})") from None
    return made


def _plain(value: Any) -> Any:
    if type(value).__name__ in KINDS:
        return {MADE: type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return {"numbers": value.dtype.name, "values": value.tolist()}
    return value


def _made(value: Any, wanted: Any) -> Any:
    """A value of the type that is wanted."""
    origin = get_origin(wanted)
    if origin is Literal and value in get_args(wanted):
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_made(one, get_args(wanted)[0]) for one in value)
    if origin is np.ndarray and isinstance(value, dict) and value.get("numbers") in FLOATS:
        return np.array(value["values"], dtype=value["numbers"])
    if wanted is float and type(value) in (int, float):
        return float(value)
    if wanted in (int, bool) and type(value) is wanted:
        return value
    if isinstance(wanted, type) and isinstance(value, dict) and (wanted is AnswerMap or wanted in KINDS.values()):
        return _made_kind(dict(value), wanted)
    raise ValueError(f"expected {getattr(wanted, '__name__', wanted)}, got {str(value)[:40]!r}")


def _made_kind(value: dict[str, Any], wanted: type[Any]) -> Any:
    name = value.pop(MADE, None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None or (kind is not wanted and not (wanted is AnswerMap and issubclass(kind, AnswerMap))):
        raise ValueError(f'of the kind "{str(name)[:40]}"')
    types = {f.name: get_type_hints(kind)[f.name] for f in fields(kind)}
    if set(value) != set(types):
        raise ValueError(f"{name} has the fields {', '.join(types)}")
    return kind(**{field: _made(value[field], types[field]) for field in types})
