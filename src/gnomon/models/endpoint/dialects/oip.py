"""Open Inference Protocol, version 2: KServe, MLServer, Triton, and others.

What the model takes stands in its metadata: one tensor of all columns, or one for each column. A server that does not
say (MLServer without settings) gets one tensor of numbers, or, where columns hold text, one a column with the content
type ``pd``, which MLServer makes a data frame of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects import AnswerPlace, Look, place_in
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows
from gnomon.models.endpoint.transport import Request

FLOATS = ("FP16", "FP32", "FP64", "BF16")


@dataclass(frozen=True)
class Tensor:
    """An input or output, as metadata has it; -1 in a shape is any number."""

    name: str
    datatype: str
    shape: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.datatype} {list(self.shape)})"


@dataclass
class Oip:
    """The protocol with what one model's metadata says."""

    output: str | None
    place: AnswerPlace | None
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    name: str = field(default="")

    def learn(self, url: str, look: Look) -> list[str]:
        """Reads the metadata, which stands at the address without ``/infer``."""
        parts = urlsplit(url)
        if not parts.path.endswith("/infer"):
            raise ModelError("an address of the Open Inference Protocol ends with /infer: .../v2/models/NAME/infer")
        found = look(urlunsplit(parts._replace(path=parts.path.removesuffix("/infer"))))
        if not isinstance(found, dict):
            raise ModelError(f"expected metadata as an object, got {str(found)[:120]}")
        self.inputs, self.outputs = _tensors(found.get("inputs")), _tensors(found.get("outputs"))
        self.name = json.dumps([found.get("name"), found.get("versions"), found.get("platform")], default=str)
        if self.output is not None and self.outputs and self.output not in [t.name for t in self.outputs]:
            names = ", ".join(t.name for t in self.outputs)
            raise ModelError(f'it has no output "{self.output}" (its metadata has {names})')
        said = [f"model {found.get('name')}" + (f", {found['platform']}" if found.get("platform") else "")]
        for word, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            said.append(f"{word}: {', '.join(map(str, tensors[:6])) or 'not named in its metadata'}")
        return said

    def most(self) -> int | None:
        """The first dimension of its inputs, where that is a number."""
        fixed = [t.shape[0] for t in self.inputs if len(t.shape) > 1 and t.shape[0] > 0]
        return min(fixed, default=None)

    def version(self) -> str:
        """Name, versions and platform."""
        return self.name

    def request(self, batch: RequestRows) -> Request:
        """Rows as one tensor, or as one a column."""
        document: dict[str, Any] = {"id": batch.ids[0], "inputs": self._inputs(batch)}
        if not self.inputs and len(document["inputs"]) > 1:
            document["parameters"] = {"content_type": "pd"}
        if self.output is not None:
            document["outputs"] = [{"name": self.output}]
        return Request(json.dumps(document, allow_nan=False).encode())

    def _inputs(self, batch: RequestRows) -> list[dict[str, Any]]:
        wanted = self.inputs
        if not wanted:
            if all(_kind(column) != "BYTES" for column in _columns(batch)):
                return [_tensor(Tensor("input-0", "FP64", ()), batch.rows, _shape(batch.rows))]
            wanted = tuple(
                Tensor(name, _kind(column), (-1, 1))
                for name, column in zip(batch.columns, _columns(batch), strict=True)
            )
        if len(wanted) == 1:
            shape = _shape(batch.rows)
            if len(wanted[0].shape) == 1 and shape[1:] == (1,):
                shape = shape[:1]
            return [_tensor(wanted[0], batch.rows, shape)]
        if len(wanted) != len(batch.columns):
            raise ModelError(
                f"it takes {len(wanted)} inputs ({', '.join(t.name for t in wanted[:8])}), but the rows have "
                f"{len(batch.columns)} columns"
            )
        return [self._column(tensor, i, batch, wanted) for i, tensor in enumerate(wanted)]

    def _column(self, tensor: Tensor, position: int, batch: RequestRows, wanted: tuple[Tensor, ...]) -> dict[str, Any]:
        if batch.named:
            strange = [t.name for t in wanted if t.name not in batch.columns]
            if strange:
                raise ModelError(
                    f'it takes an input "{strange[0]}", and no column has this name ({", ".join(batch.columns[:8])})'
                )
            position = batch.columns.index(tensor.name)
        shape = (len(batch),) if len(tensor.shape) == 1 else (len(batch), 1)
        return _tensor(tensor, [row[position] for row in batch.rows], shape)

    def answers(self, response: Response, batch: RequestRows) -> Any:
        """The output that holds the answers, a list of n."""
        document = response.json()
        if self.place is not None:
            return self.place.of(document)
        if not isinstance(document, dict) or not isinstance(document.get("outputs"), list):
            raise ModelError(f"expected outputs, got {str(document)[:120]}")
        if document.get("id") not in (None, "", batch.ids[0]):
            raise BadAnswerError("it answered to another request: the id is not the one that was sent")
        chosen = self._chosen(document["outputs"])
        data, shape = chosen.get("data"), chosen.get("shape")
        if not isinstance(data, list) or not isinstance(shape, list) or not all(isinstance(n, int) for n in shape):
            raise BadAnswerError("an output without data and shape")
        flat = list(_flat(data))
        if int(np.prod(shape)) != len(flat) or not shape:
            raise BadAnswerError(f"an output of shape {shape} with {len(flat)} values")
        width = len(flat) // shape[0] if shape[0] else 0
        return flat if width == 1 else [flat[i * width : (i + 1) * width] for i in range(shape[0])]

    def _chosen(self, outputs: list[Any]) -> dict[str, Any]:
        """The output of the plan's name, or the only one, or the only one of fractions."""
        named = [o for o in outputs if isinstance(o, dict)]
        if self.output is not None:
            named = [o for o in named if o.get("name") == self.output]
        if len(named) > 1:
            fractions = [o for o in named if str(o.get("datatype")).upper() in FLOATS]
            named = fractions if len(fractions) == 1 else named
        if len(named) == 1:
            found: dict[str, Any] = named[0]
            return found
        names = ", ".join(str(o.get("name")) for o in outputs if isinstance(o, dict))
        raise ModelError(f"name the output to read in requests.output (it answered with {names or 'none'})")


def _tensors(found: Any) -> tuple[Tensor, ...]:
    """Tensors of metadata; servers that do not know send null or nothing."""
    given = [t for t in found if isinstance(t, dict)] if isinstance(found, list) else []
    try:
        return tuple(
            Tensor(str(t.get("name")), str(t.get("datatype")).upper(), tuple(int(n) for n in t.get("shape") or ()))
            for t in given
        )
    except (TypeError, ValueError, OverflowError):
        raise ModelError("its metadata has a tensor whose shape is no list of numbers") from None


def _columns(batch: RequestRows) -> list[list[Any]]:
    return [list(column) for column in zip(*batch.rows, strict=True)]


def _kind(column: list[Any]) -> str:
    """A datatype for a column that no metadata speaks of."""
    values = [v for v in column if v is not None]
    if any(isinstance(v, str) for v in values):
        return "BYTES"
    whole = values and len(values) == len(column) and all(type(v) is int for v in values)
    return "INT64" if whole else "FP64"


def _tensor(tensor: Tensor, values: list[Any], shape: tuple[int, ...]) -> dict[str, Any]:
    data = [_cast(value, tensor) for value in _flat(values)]
    found = {"name": tensor.name, "shape": list(shape), "datatype": tensor.datatype, "data": data}
    return found | ({"parameters": {"content_type": "str"}} if tensor.datatype == "BYTES" else {})


def _cast(value: Any, tensor: Tensor) -> Any:
    """A value in the datatype of its tensor.

    Raises:
        ModelError: it has none there: nothing is rounded or dropped.
    """
    datatype = tensor.datatype
    if datatype == "BYTES":
        return "" if value is None else str(value)
    if isinstance(value, (bool, int, float)):
        if datatype == "BOOL" and value in (0, 1):
            return bool(value)
        if datatype.startswith(("INT", "UINT")) and float(value).is_integer():
            return int(value)
        if datatype in FLOATS:
            return float(value)
    raise ModelError(f'the input "{tensor.name}" takes {datatype}, but a row has {value!r} there')


def _flat(values: Any) -> Any:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _shape(rows: Any) -> tuple[int, ...]:
    shape, part = [], rows
    while isinstance(part, list):
        shape.append(len(part))
        part = part[0] if part else None
    return tuple(shape)


def dialect(plan: RequestsPlan) -> Oip:
    """The protocol before any metadata is read."""
    return Oip(plan.output, place_in(plan.answer))
