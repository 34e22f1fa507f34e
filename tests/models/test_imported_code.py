"""An edit of a module after its import is seen; what a module does with itself while it runs is none."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnomon.models.imported_code import first_change


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("mod_ic", None)


def change(before: str, after: str, then: str = "") -> str | None:
    """What differs after a module was imported with one source, something was done to it, and its file was edited."""
    sys.modules.pop("mod_ic", None)
    Path("mod_ic.py").write_text(before)
    importlib.invalidate_caches()
    module = importlib.import_module("mod_ic")
    exec(then, {"mod": module})
    Path("mod_ic.py").write_text(after)
    return first_change(module, after.encode())


EDITS = {
    "a function": ("def f(x): return x + 1\n", "def f(x): return x + 2\n", "f"),
    "a function within": (
        "def f():\n    def g(): return 1\n    return g\n",
        "def f():\n    def g(): return 2\n    return g\n",
        "f",
    ),
    "a coroutine": ("async def f(): return 1\n", "async def f(): return 2\n", "f"),
    "a lambda": ("f = lambda x: x\ndef g(): return f\n", "f = lambda x: x\ndef g(): return f(1)\n", "g"),
    "a default": ("def f(x=1): return x\n", "def f(x=2): return x\n", "f"),
    "a default by name": ("def f(*, x=1): return x\n", "def f(*, x=2): return x\n", "f"),
    "one default more": ("def f(x, y=1): return x\n", "def f(x=0, y=1): return x\n", "f"),
    "a method": ("class A:\n    def f(self): return 1\n", "class A:\n    def f(self): return 2\n", "A.f"),
    "a method of a class within": (
        "class A:\n    class B:\n        def f(self): return 1\n",
        "class A:\n    class B:\n        def f(self): return 2\n",
        "A.B.f",
    ),
    "a property": (
        "class A:\n    @property\n    def f(self): return 1\n",
        "class A:\n    @property\n    def f(self): return 2\n",
        "A.f",
    ),
    "a class method": (
        "class A:\n    @classmethod\n    def f(cls): return 1\n",
        "class A:\n    @classmethod\n    def f(cls): return 2\n",
        "A.f",
    ),
    "a constant": ("RATE = 1\n", "RATE = 2\n", "RATE"),
    "a constant with a type": ("RATE: float = 0.1\n", "RATE: float = 0.2\n", "RATE"),
    "a list": ("LAYERS = [8, 4]\n", "LAYERS = [8, 8]\n", "LAYERS"),
    "a dictionary": ("P = {'a': 1}\n", "P = {'a': 2}\n", "P"),
    "a set": ("P = {'a', 'b'}\n", "P = {'a', 'c'}\n", "P"),
    "a constant of a class": ("class A:\n    rate = 1\n", "class A:\n    rate = 2\n", "A.rate"),
    "a field's default": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    rate: int = 1\n",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    rate: int = 2\n",
        "A.rate",
    ),
    "behind a decorator": (
        "from functools import lru_cache\n@lru_cache\ndef f(): return 1\n",
        "from functools import lru_cache\n@lru_cache\ndef f(): return 2\n",
        "f",
    ),
    "one function more": ("x = None\n", "x = None\ndef f(): return 1\n", "f"),
    "no Python any more": ("x = 1\n", "x = (\n", "its code"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_named(what: str) -> None:
    before, after, name = EDITS[what]
    assert change(before, after) == name


@pytest.mark.parametrize("what", EDITS)
def test_the_same_content_is_no_edit(what: str) -> None:
    before, _, _ = EDITS[what]
    assert change(before, before) is None
    assert change(before, f"# a comment\n\n{before}") is None


def test_what_is_set_from_outside_is_named() -> None:
    code = "RATE = 1\ndef f(): return RATE\nclass A:\n    rate = 1\n"
    assert change(code, code, "mod.RATE = 5") == "RATE"
    assert change(code, code, "mod.A.rate = 5") == "A.rate"
    assert change(code, code, "mod.f = lambda: 3") == "f"


OWN_DOING = {
    "state": "DONE = False\ndef f():\n    global DONE\n    DONE = True\nf()\n",
    "a cache": "CACHE = {}\ndef f(): CACHE['a'] = 1\nf()\n",
    "a list that grows": "PATHS = ['a']\nPATHS.append('b')\n",
    "a value by key": "P = {'a': 1}\nP['a'] = 2\n",
    "a counter": "class A:\n    count = 0\ndef f(): A.count += 1\nf()\n",
    "a late value": "MODEL = None\ndef f():\n    global MODEL\n    MODEL = 3\nf()\n",
    "bound twice": "x = 1\nx = 2\ndef f(): return 1\nf = 3\n",
    "unpacked": "a, b = 1, 2\nc = d = 3\n",
    "deleted": "a = 1\ndef f(): ...\ndel a, f\n",
    "by case": "import sys\nif sys: a = 1\nelse: a = 2\ntry: b = 1\nexcept ValueError: b = 2\n",
    "overloads": "from typing import overload\n@overload\ndef f(x: int): ...\n@overload\ndef f(x: str): ...\n"
    "def f(x): return x\n",
    "a decorator that replaces": "def d(f): return lambda: 1\n@d\ndef f(): return 2\n",
    "a decorator of a class": "def d(c): return type('Other', (), {})\n@d\nclass A:\n    x = 1\n    def f(self): ...\n",
    "slots": "from dataclasses import dataclass\n@dataclass(slots=True)\nclass A:\n    x: int = 1\n"
    "    def f(self): ...\n",
    "an enumeration": "from enum import Enum, IntEnum\nclass A(Enum):\n    x = 1\nclass B(IntEnum):\n    y = 2\n",
    "a named tuple": "from typing import NamedTuple\nclass A(NamedTuple):\n    x: int = 1\n    y: str = 'a'\n",
    "a property with a setter": "class A:\n    @property\n    def x(self): return 1\n"
    "    @x.setter\n    def x(self, v): ...\n",
    "annotations": "from __future__ import annotations\ndef f(x: Foo = 1) -> Bar: return x\nclass A:\n    x: Foo\n",
    "numbers": "A = 1e-3\nB = -1\nC = 1 + 2j\nD = b'x'\nE = (1, ('a', None))\nF = float('nan')\n",
}


@pytest.mark.parametrize("what", OWN_DOING)
def test_what_a_module_does_itself_is_no_edit(what: str) -> None:
    assert change(OWN_DOING[what], OWN_DOING[what]) is None


def test_what_is_computed_is_compared_by_the_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = "RATE = 2 * 3 + len('a')\n", "RATE = 2 * 33 + len('a')\n"
    assert change(before, after) is None
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    assert change(before, before) is None
    assert change(before, after) == "its code"
    assert change(before, f"{before}# a comment\n") is None


def test_modules_of_other_loaders_are_not_compared() -> None:
    this = sys.modules[__name__]  # pytest rewrites its assertions
    assert first_change(this, b"def change(): return 1\n") is None
