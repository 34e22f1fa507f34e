"""Mitigations of one model against each other: each is audited, by attackers who know it and who do not.

`combinations` reads what is to be tried, `search` finds a strength that leaks no more than is wanted, `measure` says
what each gains and costs, `advice` puts it into words, and `apply` writes the chosen one for a service.
"""

from gnomon.defending.apply import apply_mitigation, load_service

__all__ = ["apply_mitigation", "load_service"]
