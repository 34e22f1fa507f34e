"""The plug-ins that a plan names, or that a caller gives in Python, found once and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.attacks import ATTACKS, check_foreign_attack, make_attack, make_foreign_attack, with_options
from gnomon.core.documents.record import PlugInFacts
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.mitigations import AnswerMitigation, TrainingMitigation
from gnomon.core.plan import AttacksPlan, Plan, TargetPlan
from gnomon.core.protocols import Attack, options_of
from gnomon.mitigations import is_own, make_foreign_mitigation
from gnomon.models.plugins import PlugIn, facts_of, find_plugin, reader_for

OWN = frozenset(attack.name for attack in ATTACKS)


@dataclass(frozen=True)
class PlugIns:
    """What an audit uses of other packages.

    Attributes:
        attacks: by the text that the plan has for each.
        mitigations: likewise.
        facts: what the record says of them.
    """

    attacks: Mapping[str, Attack] = field(default_factory=dict)
    mitigations: Mapping[str, AnswerMitigation | TrainingMitigation] = field(default_factory=dict)
    facts: tuple[PlugInFacts, ...] = ()

    def attack(self, text: str, options: Mapping[str, Mapping[str, Any]]) -> Attack:
        """The attack that a plan names, with the plan's options for it.

        Raises:
            UsageError: no such attack or option.
        """
        foreign = self.attacks.get(text)
        if foreign is None:
            return make_attack(text, options.get(text))
        return with_options(foreign, options.get(text, options.get(foreign.name)))

    def selected(self, plan: AttacksPlan) -> tuple[Attack, ...]:
        """The attacks that a plan names, or all of gnomon's.

        Raises:
            UsageError: no such attack, options of none, or two of one name.
        """
        known = {*OWN, *self.attacks, *(attack.name for attack in self.attacks.values())}
        for name in sorted(set(plan.options) - known):
            make_attack(name)  # raises with "did you mean"
        found = tuple(self.attack(name, plan.options) for name in plan.names or sorted(OWN, key=_position))
        names = [attack.name for attack in found]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PlanError(f'attacks.names: "{twice}" stands there twice')
        return found


def _position(name: str) -> int:
    return [attack.name for attack in ATTACKS].index(name)


def load_plugins(plan: Plan, *, trust: bool, given: Sequence[Attack] = ()) -> PlugIns:
    """What a plan names of other packages.

    Args:
        plan: what to look through.
        trust: whether code that is not gnomon's may be imported.
        given: attacks that a caller gave as objects; the plan has them by name.

    Raises:
        UsageError: a name that nobody has, code that is not trusted, or something else than what it should be.
    """
    objects = {attack.name: attack for attack in given}
    attacks: dict[str, Attack] = {}
    mitigations: dict[str, AnswerMitigation | TrainingMitigation] = {}
    facts: list[PlugInFacts] = []
    for text in plan.attacks.names or ():
        if text in objects:
            attacks[text] = check_foreign_attack(objects[text], "attacks")
            facts.append(facts_of("attacks", text, objects[text], None))
        elif text not in OWN:
            attacks[text], fact = make_foreign_attack(text, trust=trust)
            facts.append(fact)
    for text in plan.mitigations:
        if not is_own(text):
            mitigations[text], fact = make_foreign_mitigation(text, trust=trust)
            facts.append(fact)
    reader = _reader(plan.target)
    if reader is not None:
        facts.append(facts_of("readers", reader.name, reader.load(trust=trust), reader))
    return PlugIns(attacks, mitigations, tuple(facts))


def plugin_contents(plan: Plan) -> Iterator[list[Any]]:
    """What decides what the plug-ins of a plan do, read without importing them: for keys of finished audits."""
    foreign = [find_plugin("attacks", name) for name in plan.attacks.names or () if name not in OWN]
    foreign += [find_plugin("mitigations", text) for text in plan.mitigations if not is_own(text)]
    plugins = [found[0] for found in foreign if found is not None]
    reader = _reader(plan.target)
    yield from (plugin.content() for plugin in [*plugins, *([reader] if reader else [])])


def _reader(target: TargetPlan) -> PlugIn | None:
    """The plug-in that reads the plan's model, if one does."""
    if target.model is None:
        return None
    if target.reader is not None:
        return PlugIn("readers", target.model.rpartition(".")[2], target.reader)
    return reader_for(target.model)


def named(attacks: Sequence[str | Attack]) -> tuple[dict[str, Any], tuple[Attack, ...]]:
    """The [attacks] table for names and objects, and the objects that are not gnomon's own.

    An object of gnomon's own becomes its name and its options, so that the record's plan says all.

    Raises:
        UsageError: neither names nor attacks.

    >>> from gnomon.attacks import Shokri
    >>> table, foreign = named(["loss", Shokri(hidden=32)])
    >>> table, foreign
    ({'names': ['loss', 'shokri'], 'options': {'shokri': {'hidden': 32}}}, ())
    """
    if isinstance(attacks, str) or not isinstance(attacks, Sequence):
        raise UsageError(f'attacks: expected a list of names or attacks, such as ["loss"], got {attacks!r}')
    names: list[str] = []
    options: dict[str, dict[str, Any]] = {}
    foreign: list[Attack] = []
    for one in attacks:
        if isinstance(one, str):
            names.append(one)
            continue
        own = next((a for a in ATTACKS if type(a) is type(one) and a.name == one.name), None)
        if own is None:
            foreign.append(check_foreign_attack(one, "attacks"))
        else:
            changed = {key: value for key, value in options_of(one).items() if value != options_of(own)[key]}
            options |= {one.name: changed} if changed else {}
        names.append(one.name)
    return {"names": names, **({"options": options} if options else {})}, tuple(foreign)
