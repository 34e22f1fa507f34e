"""Attacks: one paper a module, each a frozen record of hyper-parameters with one method, `score`.

An attack declares what evidence it needs and is handed nothing else; it returns one score a record, higher = more
likely a member. To add one, write a module and name its class in `ATTACKS` below; the contract suite in `tests/` picks
it up from there.
"""
