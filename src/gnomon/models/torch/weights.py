"""Weights as people save them: under a key of a checkpoint, and with the prefix that a wrapper put before each name."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gnomon.core.arrays import full_parts
from gnomon.core.errors import ModelError, one_line

KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights")  # of checkpoints
SAVE = "save torch.save(module.state_dict(), path), or safetensors"


def named_tensors(found: Any, source: str) -> dict[str, torch.Tensor]:
    """The weights in what a file held: named tensors, also under a key of a training checkpoint.

    Raises:
        ModelError: there are none.

    >>> list(named_tensors({"epoch": 3, "model": {"w": torch.zeros(2)}}, "m.pt"))
    ['w']
    """
    for _ in range(len(KEYS)):
        if isinstance(found, Mapping) and not _are_tensors(found):
            found = next((found[key] for key in KEYS if isinstance(found.get(key), Mapping)), found)
    if not isinstance(found, Mapping) or not found or not _are_tensors(found):
        raise ModelError(f"{source}: expected named tensors; {SAVE}")
    return {str(name): value for name, value in found.items()}


def _are_tensors(found: Mapping[Any, Any]) -> bool:
    return all(isinstance(value, torch.Tensor) for value in found.values())


def without_prefix(weights: Mapping[str, torch.Tensor], own: Collection[str]) -> tuple[dict[str, torch.Tensor], str]:
    """The weights under a network's own names, and the prefix that all of them had before.

    ``module.`` comes from `torch.nn.DataParallel`, ``_orig_mod.`` from `torch.compile`, ``net.`` or ``model.`` from a
    Lightning module. It is left out where all names share it and the network has the rest of each.

    >>> without_prefix({"module._orig_mod.0.bias": torch.zeros(1)}, ["0.bias"])[1]
    'module._orig_mod.'
    """
    found, prefix = dict(weights), ""
    while found and not set(own) & set(found):
        first = {name.partition(".")[0] for name in found}
        if len(first) != 1 or not all("." in name for name in found):
            return dict(weights), ""
        [part] = first
        prefix += f"{part}."
        found = {name.removeprefix(f"{part}."): value for name, value in found.items()}
    return found, prefix


def why_unreadable(path: Path, error: Exception) -> str:
    """One short line for a file that holds more than weights, or none, without torch's own text."""
    if isinstance(error, pickle.UnpicklingError):
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"the Python object {named[1]}" if named else "Python objects"
        return f"{path}: holds {what} and not weights alone, and reading it would run its maker's code; {SAVE}"
    if is_program(path):
        return needs_trust(path)
    reason = one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error).split("\n", 1)[0]))[:200]
    return f"{path}: not a file of weights, or damaged ({reason}); {SAVE}"


def needs_trust(path: Path) -> str:
    """The line for a program."""
    return (
        f"{path}: a TorchScript or exported program, which may run what its maker put in; give --trust if you made it "
        f"yourself, export the network with torch.onnx, or {SAVE}"
    )


def load_program(path: Path) -> Callable[[Any], torch.Tensor]:
    """The function of rows in a file of TorchScript or an exported program; whole numbers in rows stay whole.

    Raises:
        ModelError: it can't be loaded.
    """
    try:
        if path.suffix.lower() == ".pt2":
            program = torch.export.load(path)
            module: Any = program.module()
            inputs, size = _inputs(program)
        else:
            module = torch.jit.load(str(path), map_location="cpu").eval()
            given = module.forward.schema.arguments[1:]
            inputs, size = [argument.name for argument in given if not argument.has_default_value()], None
    except Exception as error:  # torch's own, of many kinds
        raise ModelError(f"{path}: cannot be loaded ({type(error).__name__}: {one_line(error)[:200]})") from error
    if len(inputs) > 1:
        raise ModelError(
            f"{path}: it takes {len(inputs)} inputs ({', '.join(inputs)}), and nothing says which columns are whose; "
            "give a function that parts them (target.callable)"
        )

    def answer(rows: Any) -> torch.Tensor:
        array = np.asarray(rows)
        given = torch.as_tensor(array if array.dtype.kind in "iub" else array.astype(np.float32))
        with torch.no_grad():
            if size is None:
                return torch.as_tensor(module(given))
            return torch.cat([module(given[part]) for part in full_parts(len(given), size)])[: len(given)]

    return answer


def _inputs(program: torch.export.ExportedProgram) -> tuple[list[str], int | None]:
    """The inputs of a program, and the number of rows that it was exported for; None where it takes any."""
    names = program.graph_signature.user_inputs
    given = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    shape = getattr(given[0].meta.get("val"), "shape", ()) if given else ()
    return [node.name for node in given], shape[0] if shape and isinstance(shape[0], int) else None


def is_program(path: Path) -> bool:
    """Whether a file holds a program of torch's: TorchScript, or a network that was exported."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = [name.partition("/")[2] for name in archive.namelist()]
    except Exception:  # of a damaged archive: names that are no text, other compressions
        return False
    return any(name.startswith(("code/", "models/")) or name == "archive_format" for name in inner)
