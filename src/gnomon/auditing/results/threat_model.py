"""The sentences and lists of a record that follow from the plan and the rows, and from no attack's figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnomon.attacks import ATTACKS
from gnomon.auditing.checks.preflight import overlap
from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.evidence.mitigations import Mitigations
from gnomon.auditing.inputs.roles import nonmembers_to_give
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.scoring import Scored
from gnomon.core.arrays import Floats, fingerprint
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import (
    AttackResult,
    DataFacts,
    Exposed,
    Finding,
    MitigationFacts,
    ShadowSourceFacts,
    SourceAttack,
    ThreatModel,
)
from gnomon.core.mitigations import (
    Mitigation,
)
from gnomon.core.plan import ShadowPlan
from gnomon.core.protocols import ModelAbilities
from gnomon.engines.local import Warned
from gnomon.stats.low_fpr import required_nonmembers

MOST_EXPOSED = 20
WARNINGS_SHOWN = 5
SOURCE_WORDS = {
    "real": "come from the same population as the target's (the setting of Shokri et al. 2017).",
    "noisy": "are noisy versions of real records of the same population.",
    "marginals": "are made up: each feature is drawn on its own from its frequencies, and the target names the class.",
    "climbing": "are made up by climbing the target's own confidence, without any real record.",
}


def notes(prepared: Prepared) -> list[Finding]:
    """Findings that every reader must know, whatever came out."""
    plan, nonmembers = prepared.plan, len(prepared.roles.nonmembers)
    refused = [f for f in plan.statistics.fprs if nonmembers * f < 1]
    notes = []
    said = ModelAbilities.of(prepared.inputs.model).remarks
    if said:
        notes.append(
            Finding(
                code="model-as-read",
                title="what the model's file holds, and how it was read",
                severity="note",
                explanation=" ".join(said),
                remedy="Where that is not so, give parameters in [trainer] params, a recipe, or another form of the "
                "model.",
            )
        )
    if not all(table.by_ids for table in prepared.inputs.tables):
        notes.append(
            Finding(
                code="answers-in-order",
                title="the files of answers hold no row ids, so that their order was assumed to be that of the rows",
                severity="note",
                explanation="Answers in another order, or of another file, belong to other records: then no attack "
                "finds anything, whatever the model leaks.",
                remedy="Export the row ids with the answers, under the name that data.id has in the rows' files.",
            )
        )
    if plan.target.repeats == 1:
        notes.append(
            Finding(
                code="single-target",
                title="one trained model was audited",
                severity="note",
                explanation="Training is random: another run of the same recipe on other rows leaks somewhat more or "
                "less, and exposes partly other records. The intervals cover the sampling of records, not of models.",
                remedy="Audit several trained models of the recipe ([target] repeats = 5) before you rely on a small "
                "difference.",
            )
        )
    if refused:
        notes.append(
            Finding(
                code="too-few-nonmembers",
                title=f"{nonmembers} non-members cannot resolve a false-positive rate of {max(refused):g}"
                + (f" or of {', '.join(f'{f:g}' for f in sorted(refused)[:-1])}" if len(refused) > 1 else ""),
                severity="note",
                explanation="A true-positive rate at such a rate would be decided by less than one record.",
                remedy=_more_nonmembers(required_nonmembers(min(refused)), prepared),
            )
        )
    return notes


def _more_nonmembers(audited: int, prepared: Prepared) -> str:
    """How to come to so many audited non-members, counting those that are held out."""
    needed = nonmembers_to_give(audited, prepared.split, prepared.plan)
    said = f"Give at least {needed.nonmembers:,} rows that the target is not trained on"
    if needed.nonmember_size is not None:
        said += f", and set data.nonmember_size = {needed.nonmember_size}"
    if needed.nonmembers > audited:
        said += f": {audited:,} of them are then audited, the others are held out for the attacker"
    return f"{said}."


def library_warnings(warned: Warned) -> list[Finding]:
    """A note of what libraries warned of, each once and counted."""
    counts = warned.counts()
    if not counts:
        return []
    shown = [f'"{text}" ({count:,} times)' if count > 1 else f'"{text}"' for text, count in counts.items()]
    more = f"; and {len(shown) - WARNINGS_SHOWN} others" if len(shown) > WARNINGS_SHOWN else ""
    return [
        Finding(
            code="library-warnings",
            title=f"libraries warned {sum(counts.values()):,} times while models were trained and queried",
            severity="note",
            explanation=f"{'; '.join(shown[:WARNINGS_SHOWN])}{more}.",
            remedy="",
        )
    ]


def data_facts(data: Dataset, roles: Roles) -> DataFacts:
    """The audited rows in numbers."""
    return DataFacts(
        name=data.name,
        note=data.note,
        fingerprint=data.fingerprint,
        rows=len(data),
        features=len(data.features),
        classes=data.n_classes,
        members=len(roles.members),
        nonmembers=len(roles.nonmembers),
        pool=len(roles.pool),
        population=len(roles.population),
        overlap=overlap(roles),
        groups=None if data.groups is None else len(np.unique(data.groups[roles.audited])),
    )


def threat_model(answers: AnswerSet, prepared: Prepared) -> ThreatModel:
    """What the attacker is assumed to have, in words."""
    roles, source, plan, pool = answers.case.roles, answers.source, prepared.plan, answers.shadows
    same = prepared.inputs.shadow_trainer is not None and plan.shadow.recipe is None
    told = prepared.inputs.model is not None and plan.trainer.kind != "clone"  # of a finished model nobody can check it
    sentences = [
        f"The attacker sees {prepared.reveal} that the model answers to a record, and knows the record's true label."
    ]
    if pool is not None:
        own = "the training recipe that the plan names" if told else "the target's own training recipe"
        recipe = own if same else "a recipe that the attacker guesses"
        sentences.append(f"They train {pool.count} shadow models of {pool.size:,} rows each with {recipe}.")
    if pool is None:
        sentences.append("Without shadow models the strongest attacks could not run: what the others find is a floor.")
    elif roles.view == "auditor":
        sentences.append(
            "Their shadow models are trained on random parts of the audited records themselves, so they know how a "
            "model answers with and without each of them: the worst case, which an owner should test, not what any "
            "stranger can do."
        )
    if pool is not None and roles.view == "adversary" and len(roles.pool):
        words = SOURCE_WORDS[source.source.partition(":")[0]]
        sentences.append(f"Their {len(roles.pool):,} rows {words} None of them is one of the target's members.")
        if source.queries:
            sentences.append(f"Making them cost {source.queries:,} queries to the target.")
    sentences += mitigation_sentences(prepared.mitigations, plan.shadow)
    queries = [v.version.name for v in answers.queries.versions]
    if queries:
        sentences.append(
            f"They also query {len(queries)} version{'s' * (len(queries) > 1)} of each record "
            f"({', '.join(queries)}): {answers.asked:,} further queries, the known non-members' included."
        )
    return ThreatModel(
        view=roles.view,
        reveals=str(prepared.reveal),
        knows_recipe=same,
        knows_mitigations=plan.shadow.mitigated if prepared.mitigations and pool is not None else None,
        shadow_data=source.source if pool is not None else "none",
        sentences=sentences,
        queries=queries,
        queries_asked=answers.asked,
    )


def describe_source(answers: AnswerSet, results: Sequence[AttackResult]) -> ShadowSourceFacts:
    """What one source of shadow rows cost, and what the attacks that learn from it achieve."""
    learned = [
        SourceAttack(
            name=r.name,
            auc=r.auc,
            accuracy=r.at_threshold.accuracy,
            precision=r.at_threshold.precision,
            recall=r.at_threshold.recall,
            unreached_precision=_mean_precision(r, answers.source.unreached),
        )
        for r in results
        if "pool" in r.needs and r.auc is not None and r.at_threshold is not None
    ]
    shadows = answers.shadows
    tested = None if shadows is None or shadows.test_accuracy is None else shadows.test_accuracy.value
    return answers.source.model_copy(update={"attacks": learned, "shadow_test_accuracy": tested})


def _mean_precision(result: AttackResult, names: Sequence[str]) -> float | None:
    known = [c.precision for c in result.classes if c.name in names and c.precision is not None]
    return float(np.mean(known)) if known else None


def most_exposed(name: str | None, scored: Sequence[Scored], case: AuditCase, *, below: bool = False) -> list[Exposed]:
    """The members that an attack ranks highest; lowest where it finds members ``below`` others."""
    scores = next((s.scores for s in scored if s.name == name), None)
    if scores is None:
        return []
    telling = -scores if below else scores
    data, nonmembers = case.data, np.sort(telling[~case.member])
    order = np.argsort(-telling, kind="stable")
    ranks = {int(i): r for r, i in enumerate(order, start=1)}
    top = [int(i) for i in order if case.member[i]][:MOST_EXPOSED]
    return [
        Exposed(
            id=str(data.ids[case.audited[i]]),
            label=data.classes[data.y[case.audited[i]]],
            score=float(np.clip(scores[i], -1e300, 1e300)),
            rank=ranks[i],
            nonmembers_above=int(len(nonmembers) - np.searchsorted(nonmembers, telling[i], side="left")),
        )
        for i in top
    ]


FAMILIES = (  # of attacks that gnomon does not run: what each looks for
    ("Attribute inference", "an unknown attribute of a known person"),
    ("Reconstruction of training records", "records from the model's weights, gradients or answers"),
    ("Model inversion", "a typical record of a class or person"),
    ("Regurgitation", "training records in generated output"),
    ("Property inference", "properties of the training data as a whole"),
)


def not_tried(results: Sequence[AttackResult]) -> list[str]:
    """What this audit leaves open: attacks that were left out, skipped or failed, and other threats."""
    chosen = {r.name: r for r in results}
    omitted = {a.name: "not enabled" for a in ATTACKS if a.name not in chosen}
    silent = {r.name: f"{r.status}, {r.reason or 'no reason'}" for r in results if r.status != "ok"}
    why = omitted | silent
    return [
        *(f"{', '.join(n for n, w in why.items() if w == one)}: {one}" for one in dict.fromkeys(why.values())),
        f"other families of attacks: {', '.join(name.lower() for name, _ in FAMILIES)}",
        "attacks on several models of the same data (updates, fine-tuning) or on training itself (federated, poisoned)",
        "records other than the audited ones: outliers that are not in the sample may be more exposed",
    ]


def fingerprints(data: Dataset, roles: Roles, answers: Floats, files: Mapping[str, str]) -> dict[str, str]:
    """Digests of what went in and of what the target answered; ``files``: of the model's files, by what they are."""
    return {
        **files,
        "data": data.fingerprint,
        "members": fingerprint(roles.members),
        "nonmembers": fingerprint(roles.nonmembers),
        "pool": fingerprint(roles.pool),
        "target_answers": fingerprint(answers),
    }


IN_TRAINING = "in training"  # of facts that belong to no mitigation, or to several


def mitigation_facts(mitigations: Mitigations, facts: Mapping[str, Any]) -> list[MitigationFacts]:
    """What a record says of the mitigations, and what the trained target says of itself.

    Facts under a mitigation's own name are its own; all others belong to the mitigation in training if there is just
    one, and otherwise to the training as a whole.
    """
    rest = {name: value for name, value in facts.items() if name not in {m.name for m in mitigations.in_training}}
    alone = len(mitigations.in_training) == 1
    found = []
    for mitigation in mitigations.named:
        own = facts.get(mitigation.name, {}) if mitigation.acts_on == "training" else {}
        given = {**(rest if alone and mitigation.acts_on == "training" else {}), **own}
        found.append(_facts(mitigation.label, mitigation.title, mitigation.paper, mitigation.acts_on, given))
    if rest and not alone:
        found.insert(0, _facts(IN_TRAINING, "The target's training", "", "training", rest))
    return found


def _facts(label: str, title: str, paper: str, acts_on: Any, given: Mapping[str, Any]) -> MitigationFacts:
    curves = {name: [float(v) for v in value] for name, value in given.items() if _is_curve(value)}
    return MitigationFacts(
        label=label,
        title=title,
        paper=paper,
        acts_on=acts_on,
        facts={name: value for name, value in given.items() if name not in curves},
        curves=curves,
    )


def _is_curve(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) > 1 and all(isinstance(v, (int, float)) for v in value)


def mitigation_sentences(mitigations: Mitigations, shadow: ShadowPlan) -> list[str]:
    """The mitigations in a threat model's words; nothing without any."""
    if not mitigations:
        return []
    parts = (("trained", mitigations.in_training), ("answering", mitigations.of_answers))
    words = [f"{how} with {_listed(named)}" for how, named in parts if named]
    sentence = f"The model is mitigated: {' and '.join(words)}."
    if shadow.count == 0:
        return [sentence]
    if shadow.mitigated:
        return [sentence, "The attacker knows that, and mitigates each of their shadow models in the same way."]
    return [sentence, "The attacker does not know that (naive): their shadow models are not mitigated."]


def _listed(named: Sequence[Mitigation]) -> str:
    return ", ".join(f"{m.title} ({m.label})" for m in named)
