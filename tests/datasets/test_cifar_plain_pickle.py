import os
import pickle
import pickletools
import subprocess
from collections import OrderedDict
from functools import partial

import numpy as np
import pytest

from gnomon.core.errors import DataError
from gnomon.datasets.cifar import ALLOWED, read_plain_pickle


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_and_containers_come_back(protocol):
    held = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "y": [1, 2], "z": ("a", None, 1.5, True)}
    if protocol == 2:
        held["x"] = held["y"]  # bytes need another name below protocol 3
    back = read_plain_pickle(pickle.dumps(held, protocol=protocol), "f")
    assert np.array_equal(back["x"], held["x"])
    assert back["y"] == [1, 2]
    assert back["z"] == held["z"]


@pytest.mark.parametrize(
    "held",
    [
        Calls(os.system, "touch MARK"),
        Calls(eval, "open('MARK', 'w')"),
        Calls(getattr, 1, "real"),
        Calls(__import__, "os"),
        Calls(subprocess.check_output, ["touch", "MARK"]),
        Calls(np.load, "MARK.npy"),
        {"data": [Calls(exec, "open('MARK', 'w')")]},
        np.array([Calls(exec, "open('MARK', 'w')")], dtype=object),
        partial(open, "MARK", "w"),
        OrderedDict(a=1),
    ],
    ids=lambda held: type(held).__name__,
)
def test_a_pickle_that_asks_for_more_is_refused_and_runs_nothing(held, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"f: refused: .*asks for"):
        read_plain_pickle(pickle.dumps(held), "f")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'touch MARK'\ntR.",
        b"(S'touch MARK'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\ntouch MARK\x85R.",
        b"cnumpy\nndarray.__reduce__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
        b"\x82\x01.",
        b"Pabc\n.",
    ],
    ids=["global", "inst", "stack global", "dotted", "dotted stack", "extension", "persistent"],
)
def test_every_opcode_that_names_something_is_refused(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        read_plain_pickle(program, "f")
    assert list(tmp_path.iterdir()) == []


def test_the_names_that_are_allowed_are_those_an_array_needs():
    needed = set()
    for opcode, argument, _ in pickletools.genops(pickle.dumps(np.arange(3), protocol=3)):
        if opcode.name == "GLOBAL":
            needed.add(tuple(argument.split(" ")))
    assert needed <= ALLOWED.keys() | {("_codecs", "encode")}
    assert {name for _, name in ALLOWED} == {"ndarray", "dtype", "_reconstruct"}


@pytest.mark.parametrize("content", [b"", b"\x80", b"no pickle", pickle.dumps([1, 2])[:-3], b"\x80\x05}."[:2]])
def test_damaged_pickles_give_one_line(content):
    with pytest.raises(DataError, match="f: refused") as caught:
        read_plain_pickle(content, "f")
    assert "\n" not in str(caught.value)
