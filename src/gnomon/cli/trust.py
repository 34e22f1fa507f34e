"""What the user trusts, as all commands that load a model take it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

TrustTypes: TypeAlias = Annotated[tuple[str, ...], Parameter(name="--trust-type")]
SendTo: TypeAlias = Annotated[tuple[str, ...], Parameter(name="--send-to")]


def own_modules_first(trust: bool, types: Sequence[str] = ()) -> None:
    """Lets module:function mean the user's own module first, where any code of theirs may be imported."""
    if trust or types:
        sys.path.insert(0, str(Path.cwd()))
