"""The annex of a record: its facts in the order of an officer's questions. It states; whoever signs decides."""

from __future__ import annotations

from gnomon.auditing.decision.decide import exposed_slice
from gnomon.auditing.decision.rules import leaks
from gnomon.auditing.results.threat_model import FAMILIES
from gnomon.auditing.verdict.leak import rounded_up
from gnomon.core.documents.annex import Annex, AnnexKind, Covered, Measure, TestedAttacker, WorstSlice
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Decision, Measured, ReleasePlan, Unit
from gnomon.core.errors import UsageError

WITHHELD = "(withheld; --show-ids shows it)"
NO_EVIDENCE = "no evidence of resistance"
SIGNATURES = {
    "edpb": ["Who ran the audit", "Data-protection officer", "Controller"],
    "tre": ["Researcher", "Output checker", "Research environment"],
}
DECISIONS = {
    "leaks": "The attacks that ran recognise training records of this model.",
    "leaks_some": "The attacks that ran recognise training records of this model more often than chance explains; no "
    "value shows a clear leak.",
    "undecided": "This audit cannot tell whether training records of this model can be recognised.",
    "none_found": "The attacks that ran did not recognise training records of this model; that is evidence about these "
    "attacks only.",
    "invalid": "This audit is no basis for a statement on the model.",
}


def make_annex(record: Record, kind: AnnexKind, *, show_ids: bool = False) -> Annex:
    """The annex of an audit.

    Args:
        record: of the audit, with what a bench of the same plan has measured, if there is one.
        kind: ``edpb`` for a data-protection officer, ``tre`` for the output check of a research environment.
        show_ids: whether ids of records or persons may stand in it.

    Raises:
        UsageError: a record without a decision, made before audits had one.
    """
    decision = record.decision
    if decision is None:
        raise UsageError("the record holds no decision, which an annex is made of; run the audit again")
    worst = decision.most_exposed
    if worst is not None and not show_ids:
        worst = worst.model_copy(update={"first": WITHHELD})
    return Annex(
        kind=kind,
        name=record.name,
        identity=_identity(record),
        release=_release(record),
        decision=DECISIONS[record.verdict.level],
        level=record.verdict.level,
        asked=decision.asked,
        evidence=decision.evidence,
        coverage=_coverage(record),
        attackers=_attackers(record),
        flags=decision.flags,
        tests=_tests(record),
        results=_results(record, decision),
        most_exposed=worst,
        worst_slice=_worst_slice(record),
        structure=record.structure,
        measures=_measures(record, decision),
        to_do=decision.to_do,
        findings=[f for f in record.findings if f.severity != "note"],
        limits=_limits(record),
        signatures=SIGNATURES[kind],
        ids_shown=show_ids and worst is not None,
    )


def _release(record: Record) -> ReleasePlan:
    """As the plan declares it; whose privacy counts where it does not say: who the audit counted."""
    declared = ReleasePlan.model_validate(record.plan.get("release") or {})
    counted: Unit = "person" if record.counted_by == "group" else "record"
    return declared.model_copy(update={"unit": declared.unit or counted})


def _identity(record: Record) -> dict[str, str]:
    made = record.provenance
    hashed = {name: digest for name, digest in made.fingerprints.items() if name.endswith("(SHA-256)")}
    files = {f"{name[0].upper()}{name[1:]}": digest for name, digest in hashed.items()}
    packages = ", ".join(f"{name} {made.packages[name]}" for name in sorted(made.packages))
    return {
        "Audit": record.name,
        **(files or {"Model file": "none: the model was trained in the audit, or was in memory"}),
        "Answers of the model (fingerprint)": made.fingerprints.get("target_answers", "not recorded"),
        "Data (fingerprint)": record.data.fingerprint,
        "Data": f"{record.data.name}, {record.data.rows:,} rows",
        "Audited members (fingerprint)": made.fingerprints.get("members", "not recorded"),
        "Made": made.created,
        "Versions": f"gnomon {made.gnomon}, Python {made.python}, {packages}",
        "Root seed": str(made.seed),
    }


def _coverage(record: Record) -> list[Covered]:
    ran = [a for a in record.attacks if a.status == "ok"]
    told = f"{len(ran)} of {len(record.attacks)} attacks ran."
    found: list[Covered] = [
        Covered(family="Membership inference", status="run", shown=told)
        if ran
        else Covered(family="Membership inference", status="not run", shown=NO_EVIDENCE)
    ]
    if record.canaries is not None:
        bound = f"Epsilon is at least {record.canaries.epsilon:.3g} at {record.canaries.confidence:.0%} confidence."
        found.append(Covered(family="Lower bound on epsilon (canaries)", status="run", shown=bound))
    found += [Covered(family=f"{name}: {what}", status="not run", shown=NO_EVIDENCE) for name, what in FAMILIES]
    return found


def _attackers(record: Record) -> list[TestedAttacker]:
    """Each more knowing attacker of the ladder; without one, the headline attack."""
    models = 0 if record.shadows is None else record.shadows.count
    found = [(r.title, record.attack(r.attack), r.attack_title, r.auc, r.tpr) for r in record.ladder]
    head = record.headline
    point = None if head is None else next((p for p in head.tpr_at_fpr if p.tpr is not None), None)
    if not found and head is not None and head.auc is not None and point is not None:
        found = [(record.threat_model.reveals, head, head.title, head.auc, point)]
    attackers = []
    for access, attack, title, area, tpr in found:
        shadowed = attack is not None and bool({"shadows", "shadows_out", "pool"} & set(attack.needs))
        attackers.append(
            TestedAttacker(
                access=access,
                knowledge="the training recipe and rows like the training data" if shadowed else "the records alone",
                cost=_cost(models if shadowed else 0, 0 if attack is None else attack.queries),
                attack=title,
                auc=area,
                tpr=tpr,
            )
        )
    return attackers


def _cost(models: int, queries: int) -> str:
    trained = f"{models:,} trained models" if models else "no trained model"
    return f"{trained}, one query a record" + (f" and {queries:,} further queries" if queries else "")


def _tests(record: Record) -> dict[str, str]:
    verdict, data, plan = record.verdict, record.data, record.plan
    ran = [a for a in record.attacks if a.status == "ok"]
    counted = "person" if record.counted_by == "group" else "record"
    repeats = (plan.get("target") or {}).get("repeats", 1)
    confidence = (plan.get("statistics") or {}).get("confidence", 0.95)
    models = (
        f"{record.shadows.count} shadow models of {record.shadows.size:,} rows"
        if record.shadows
        else "no shadow models"
    )
    power = (
        "" if verdict.detectable_auc is None else f" Audits like this one find an AUC of "
        f"{rounded_up(verdict.detectable_auc)} in four of five cases."
    )  # fmt: skip
    who = "a stranger" if record.threat_model.view == "adversary" else "whoever knows who was audited"
    if record.shadows is not None and record.threat_model.view == "auditor":
        who = "worst case: shadow models may hold audited records"
    return {
        "Scope": f"Membership of {data.members:,} training records (of {record.target.train_size:,}); attackers see "
        f"{record.threat_model.reveals}; point of view: {record.threat_model.view} ({who}).",
        "Frequency": f"Once, on {record.provenance.created[:10]}, on {_models(repeats)}. A model that is trained again "
        "is another model: audit it again, or put the limits into a gate.",
        "Quantity": f"{len(ran)} attacks, {data.members:,} members and {data.nonmembers:,} non-members"
        + (f" of {data.groups:,} persons" if data.groups else "")
        + f", {models}, further queries: {sum(a.queries for a in ran):,}.",
        "Quality": f"One test of all attacks together, their number paid for (5% false alarms); intervals at "
        f"{confidence:.0%}, counted by {counted}.{power} Findings of severity error or warning: "
        f"{sum(f.severity != 'note' for f in record.findings)}.",
    }


def _models(repeats: int) -> str:
    return "one trained model" if repeats == 1 else f"{repeats} trained models of one recipe"


def _results(record: Record, decision: Decision) -> list[str]:
    attack = record.headline
    found = [record.verdict.headline]
    if attack is not None and attack.auc is not None:
        flattered = leaks(record) and record.verdict.chosen_on == "audited rows" and len(record.verdict.tested) > 1
        chosen = " (chosen on the audited rows, which flatters it a little)" if flattered else ""
        found.append(f"{attack.title}{chosen}: AUC {_spell(attack.auc.value, attack.auc.low, attack.auc.high)}.")
        if attack.groups is not None:
            area = attack.groups.auc
            found.append(
                f"By person: AUC {_spell(area.value, area.low, area.high)}, {attack.groups.members:,} persons inside "
                f"and {attack.groups.nonmembers:,} outside."
            )
        areas = [attack.auc, *([] if attack.groups is None else [attack.groups.auc])]
        alone, together = any(not one.low <= 0.5 <= one.high for one in areas), len(record.verdict.tested)
        if not leaks(record) and alone and together > 1:
            found.append(
                "An interval that leaves out 0.5 is that of one attack on its own: of the "
                f"{together} that were tested together, some come that far from 0.5 by chance."
            )
    if record.verdict.level != "invalid":
        found += [line for line in decision.exposed if line.startswith("Share")]  # the others stand apart, below
    if record.risk is not None and record.risk.calibration_error is not None:
        off, anew = record.risk.calibration_error, record.risk.basis == "audited records"
        found.append(
            f"Stated probabilities of membership{', learned anew on the audited records,' if anew else ''} are "
            f"{100 * off.value:.1f} points off on average "
            f"({100 * off.low:.1f} to {100 * off.high:.1f})."
        )
    return found


def _spell(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _worst_slice(record: Record) -> WorstSlice | None:
    found = exposed_slice(record)
    if found is None:
        return None
    slicing, part, area = found
    return WorstSlice(division=slicing.name, name=part.name, auc=area, intervals=slicing.intervals, level=slicing.level)


def _measures(record: Record, decision: Decision) -> list[Measure]:
    taken = [Measure(name=f"{m.title} ({m.label})", taken=True, effect=_facts(m.facts)) for m in record.mitigations]
    tried: dict[str, Measure] = {}
    for todo in decision.to_do:
        for one in todo.measured:
            tried.setdefault(one.label, Measure(name=one.label, taken=False, effect=_effect(one)))
    return [*taken, *tried.values()]


def _facts(facts: dict[str, object]) -> str:
    said = ", ".join(f"{name} {value}" for name, value in facts.items())
    return f"In place in this audit{f' ({said})' if said else ''}; before and after: gnomon defend."


def _effect(one: Measured) -> str:
    figure = "AUC" if one.fpr is None else f"TPR at {100 * one.fpr:.6g}% FPR"
    if one.before is None or one.after is None:
        return f"{figure}: no value ({one.effect or 'could not be audited'})"
    price = (
        "" if one.accuracy is None else f"; accuracy {100 * one.accuracy.low:+.1f} to {100 * one.accuracy.high:+.1f} "
        "points"
    )  # fmt: skip
    return f"{figure}: before {one.before.value:.3f}, after {one.after.value:.3f} ({one.effect}){price}"


def _limits(record: Record) -> list[str]:
    return [
        "All values are lower bounds: a better attack, more shadow models or another training run may find more. What "
        "resists known attacks is evidence about these attacks only.",
        "The audited records are a sample; records that are not in it may be more exposed.",
        *(f"Not tried: {line}." for line in record.not_tried),
    ]
