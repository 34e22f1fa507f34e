"""The lists of labels and values in a report."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.record import AttackResult, Record
from gnomon.report import wording


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


def headline(record: Record, finished: list[AttackResult]) -> tuple[Fact, ...]:
    """What stands below the verdict."""
    data, total = record.data, len(record.attacks)
    done = f"{len(finished)}" if len(finished) == total else f"{len(finished)} of {total}"
    shadows = wording.count(record.shadows.count) if record.shadows else "none"
    mitigations = ", ".join(wording.clean(m.label) for m in record.mitigations)
    facts = (
        Fact("Data", f"{wording.clean(data.name)}, {wording.counted(data.classes, 'class', 'classes')}"),
        Fact("Audited", f"{wording.count(data.members)} members, {wording.count(data.nonmembers)} non-members"),
        Fact("Attacks", done),
        Fact("Shadow models", shadows),
        Fact("Mitigations", mitigations),
        Fact("Point of view", record.threat_model.view),
        Fact("Made", wording.moment(record.provenance.created)),
    )
    return tuple(fact for fact in facts if fact.value)


def threat(record: Record) -> tuple[Fact, ...]:
    """What the attacker is assumed to have."""
    threat = record.threat_model
    facts = [
        Fact("Point of view", threat.view),
        Fact("The model reveals", wording.clean(threat.reveals)),
        Fact("The attacker knows the recipe", "yes" if threat.knows_recipe else "no"),
        Fact("Rows of the shadow models", wording.clean(threat.shadow_data)),
    ]
    if record.mitigations:
        facts.append(Fact("Mitigations", ", ".join(wording.clean(m.label) for m in record.mitigations)))
    if threat.knows_mitigations is not None:
        facts.append(Fact("The attacker knows the mitigations", "yes" if threat.knows_mitigations else "no (naive)"))
    return tuple(facts)


def mitigated(record: Record) -> str:
    """One line on the mitigations; empty if there are none."""
    if not record.mitigations:
        return ""
    known = {True: "The attacker knows them.", False: "The attacker does not know them (naive).", None: ""}
    named = ", ".join(f"{wording.clean(m.title)} ({wording.clean(m.label)})" for m in record.mitigations)
    return f"Mitigations: {named}. {known[record.threat_model.knows_mitigations]}".strip()


def answers(record: Record) -> str:
    """One line on which answer of a given target belongs to which class; empty where it was trained here."""
    found = record.answers_map
    return "" if found is None or found.rule == "trained here" else wording.clean(found.sentence)


def mitigations(record: Record) -> tuple[Fact, ...]:
    """What the trained target says of its mitigations, such as an accountant's epsilon."""
    return tuple(
        Fact(f"{wording.clean(m.title)}: {wording.clean(name)}", wording.clean(_plain(value)))
        for m in record.mitigations
        for name, value in m.facts.items()
    )


def _plain(value: object) -> str:
    return wording.score(value) if isinstance(value, float) else str(value)


def shadow(record: Record) -> tuple[Fact, ...]:
    """The pool of shadow models; nothing if there is none."""
    shadows = record.shadows
    if shadows is None:
        return ()
    facts = [
        Fact("Shadow models", f"{wording.count(shadows.count)}, each on {wording.counted(shadows.size, 'row')}"),
        Fact("Source of their rows", wording.clean(shadows.source)),
        Fact("Trained in this run", f"{wording.count(shadows.trained)} (found in the store: {shadows.reused})"),
        Fact("Trained at once", wording.count(shadows.stacked)),
        Fact("Time", wording.duration(shadows.seconds)),
    ]
    if shadows.remade:
        facts.append(Fact("Damaged answers, made again", ", ".join(map(wording.clean, shadows.remade))))
    if shadows.note:
        facts.append(Fact("Note", wording.clean(shadows.note)))
    return tuple(facts)


def data(record: Record) -> tuple[Fact, ...]:
    """The audited rows and the audited model."""
    data, target = record.data, record.target
    facts = [
        Fact("Data set", wording.clean(data.name)),
        Fact("About it", wording.clean(data.note)),
        Fact("Size", f"{wording.counted(data.rows, 'row')}, {wording.counted(data.features, 'feature')}"),
        Fact("Audited members", wording.count(data.members)),
        Fact("Audited non-members", wording.count(data.nonmembers)),
        Fact("Rows in the attacker's pool", wording.count(data.pool)),
        Fact("Audited non-members that also stand in the pool", wording.count(data.overlap)),
        Fact("Known non-members set aside for the attacker", wording.count(data.population)),
        Fact("Rows that the audited model was trained on", wording.count(target.train_size)),
    ]
    if record.answers_map is not None:
        facts.append(Fact("Answers and classes", wording.clean(record.answers_map.sentence)))
    losses = [("training rows", target.train_loss), ("rows it never saw", target.test_loss)]
    facts += [Fact(f"Its loss on {name}", wording.score(loss)) for name, loss in losses if loss is not None]
    return tuple(fact for fact in facts if fact.value)


def provenance(record: Record) -> tuple[Fact, ...]:
    """Versions, times, seeds and hashes."""
    origin, clean = record.provenance, wording.clean
    facts = [
        Fact("Made", wording.moment(origin.created)),
        Fact("gnomon", clean(origin.gnomon)),
        Fact("Python", clean(origin.python)),
        Fact("Packages", ", ".join(f"{clean(name)} {clean(v)}" for name, v in sorted(origin.packages.items()))),
        Fact("Machine", f"{clean(origin.machine)}, {wording.counted(origin.cores, 'core')}"),
        Fact("Root seed", str(origin.seed)),
        Fact("Time", ", ".join(f"{clean(stage)} {wording.duration(s)}" for stage, s in origin.seconds.items())),
    ]
    if origin.peak_memory_mb is not None:
        facts.append(Fact("Peak memory", f"{origin.peak_memory_mb:,.0f} MB"))
    hashes = {"data": record.data.fingerprint, **origin.fingerprints}
    facts += [Fact(f"Fingerprint: {clean(name)}", clean(value)) for name, value in hashes.items()]
    return tuple(fact for fact in facts if fact.value)
