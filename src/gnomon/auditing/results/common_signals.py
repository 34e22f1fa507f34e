"""Signals that several attacks read are worked out once, before attacks are sent to their processes.

Each attack would otherwise work them out for itself, and once more in every rehearsal: most of the time of all attacks
but those that train networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gnomon.core.answers import ShadowAnswers, Signal
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import Attack
from gnomon.engines.local import Engine, Task
from gnomon.stats.signals import confidence, loss, margin, negative_entropy, scaled_logit

SIGNALS: tuple[Signal, ...] = (negative_entropy, loss, confidence, scaled_logit, margin)  # the slowest one first
MOST_BYTES = 64 * 2**20  # of all of them together, which every process holds
FEWEST_READERS = 4  # attacks, from which on it pays


def with_signals(evidence: Evidence, attacks: Sequence[Attack], engine: Engine) -> Evidence:
    """The evidence whose shadow models know their signals; as it is where few attacks or too many bytes are concerned.

    Args:
        evidence: of the audited rows.
        attacks: those that will read it.
        engine: where signals are worked out.
    """
    parts = {name: part for name in ("shadows", "pool") if (part := getattr(evidence, name)) is not None}
    readers = sum(bool(attack.needs & {"shadows", "shadows_out", "pool"}) for attack in attacks)
    size = 8 * len(SIGNALS) * sum(part.n_shadows * len(part.rows) for part in parts.values())
    if readers < FEWEST_READERS or size > MOST_BYTES:
        return evidence
    wanted = [(name, signal) for signal in SIGNALS for name in parts]
    tasks = [Task(f"{signal.__name__} of {name}", _work_out, (parts[name], signal)) for name, signal in wanted]
    found = {wanted[done.position]: done.result for done in engine.run(tasks)}
    known = {name: replace(part, known={s: found[name, s] for s in SIGNALS}) for name, part in parts.items()}
    return replace(evidence, **known)


def _work_out(part: ShadowAnswers, signal: Signal) -> object:
    return replace(part, observed={}).knowing([signal]).known[signal]
