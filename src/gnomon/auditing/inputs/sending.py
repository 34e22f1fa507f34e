"""What a plan sends to other machines: only to those that the user names too.

A plan may come from a stranger. It names files, variables of the environment and addresses, and so could send any of
the first two to any of the last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from gnomon.core.documents.endpoint import header_source
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan


def host_of(address: str) -> str:
    """The machine that an address names, in lower case.

    >>> host_of("https://Risk.example:8443/v1"), host_of("http://[::1]:9/x")
    ('risk.example', '::1')
    """
    return urlsplit(address).hostname or ""


def refuse_sending(plan: Plan, send_to: Collection[str]) -> None:
    """Refuses a plan that sends something to a machine that is neither this one nor named by the user.

    Args:
        plan: the plan.
        send_to: names of machines to which it may send.

    Raises:
        UsageError: it names another machine; the message says what would be sent, and what allows it.
    """
    allowed = {name.lower() for name in send_to}
    for key, address, headers in _addresses(plan):
        host = host_of(address)
        if host in allowed or _is_here(host):
            continue
        variables = sorted({header_source(value)[1] for value in headers.values()})
        secrets = f" and the environment's {', '.join(variables)}" if variables else ""
        raise UsageError(
            f"{key}: the plan would send its rows{secrets} to {host}; give --send-to {host} if that is what you want"
        )


def _addresses(plan: Plan) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Keys of a plan that name an address, with the address and the headers that are sent there."""
    if plan.target.endpoint is not None:
        yield "target.endpoint", plan.target.endpoint, plan.target.headers
    for key, recipe in (("trainer", plan.trainer), ("shadow.recipe", plan.shadow.recipe)):
        if recipe is not None and recipe.address is not None:
            yield f"{key}.address", recipe.address, recipe.headers


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
