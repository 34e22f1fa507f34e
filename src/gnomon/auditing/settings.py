"""How to run, as opposed to what; and what the user trusts of a plan, which may come from a stranger.

A plan names code, files, variables of the environment and addresses, and could run the first and send the others away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from gnomon.core.documents.endpoint import header_source
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan, TargetPlan, TrainerPlan
from gnomon.engines.ray import LOCAL


@dataclass(frozen=True)
class Trust:
    """What the user trusts; nothing by default.

    Attributes:
        trust: load pickle and joblib files, and import code that the plan names.
        trust_type: a type in a .skops file to take though it is not scikit-learn's, by its name; repeatable.
        send_to: a machine to which a plan may send its rows and headers, by its name; repeatable.
    """

    trust: bool = False
    trust_type: tuple[str, ...] = ()
    send_to: tuple[str, ...] = ()


NOTHING = Trust()


@dataclass(frozen=True)
class Settings(Trust):
    """How to run, as opposed to what: nothing here changes a result.

    Attributes:
        workers: processes; None for one a core.
        engine: where models are trained: ``local``, ``ray``, or the address of a Ray cluster.
        store: folder of models' answers; None for ``store/`` in the run's folder.
    """

    workers: int | None = None
    engine: str = LOCAL
    store: Path | None = None


def host_of(address: str) -> str:
    """The machine that an address names, in lower case.

    >>> host_of("https://Risk.example:8443/v1"), host_of("http://[::1]:9/x")
    ('risk.example', '::1')
    """
    return urlsplit(address).hostname or ""


def refuse_sending(plan: Plan, trusted: Trust) -> None:
    """Refuses a plan that sends something to a machine that is neither this one nor trusted.

    Args:
        plan: the plan.
        trusted: what the user trusts.

    Raises:
        UsageError: it names another machine; the message says what would be sent, and what allows it.
    """
    if trusted.trust:
        return
    allowed = {name.lower() for name in trusted.send_to}
    recipes = {"trainer": plan.trainer, "shadow.recipe": plan.shadow.recipe}
    for key, address, headers in _addresses(plan.target, recipes):
        host = host_of(address)
        if host in allowed or _is_here(host):
            continue
        variables = sorted({header_source(value)[1] for value in headers.values()})
        secrets = f" and the environment's {', '.join(variables)}" if variables else ""
        raise UsageError(
            f"{key}: the plan would send its rows{secrets} to {host}; give --send-to {host} if that is what you want"
        )


def _addresses(
    target: TargetPlan, recipes: Mapping[str, TrainerPlan | None]
) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Keys of a plan that name an address, with the address and the headers that are sent there."""
    if target.endpoint is not None:
        yield "target.endpoint", target.endpoint, target.headers
    for key, recipe in recipes.items():
        if recipe is not None and recipe.address is not None:
            yield f"{key}.address", recipe.address, recipe.headers


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
