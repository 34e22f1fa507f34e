"""What to do now: one table of rules, from which reports and docs/advice.md are made.

A rule applies where a value of the record says so, never by mood. The rules stand in order of weight; a report shows
the first five that apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.auditing.evidence.access import SEES_SHADOWS, TRAINS_AGAIN
from gnomon.auditing.verdict.sentences import with_shadows
from gnomon.core.documents.record import Estimate, Record, Rung
from gnomon.core.evidence import WHITE_BOX
from gnomon.mitigations import kind_and_strength

MOST = 5
GAP = 0.05  # of accuracy between training rows and others, from which a model is called overfitted
FEW_ROWS = 20  # audited members of a class
SMALL_CLASSES = 0.05  # by which the AUC of small classes must exceed that of the others
RARE = 0.02  # the share of records that are surely exposed while most are not
WORTH = 0.02  # a gain in AUC that answers give over labels
LEAKING = ("leaks", "leaks_some")
GAPS = {  # what an undecided verdict lacks (codes of `speak.MISSING`), and what to do about it
    "few-records": ("too few records", "Audit more members and non-members; the verdict says how many would do."),
    "no-shadows": (
        "no attack with shadow models ran",
        "Let shadow models be trained: give a model that can be cloned, or its recipe in [trainer] (attacks.names must "
        "not leave out those that use them).",
    ),
    "no-queries": (
        "labels only, and no attack queried further records",
        "Set target.query_budget, or name `boundary` or `noise_robustness` in attacks.names.",
    ),
    "scores-alike": (
        "most records have the same score",
        "Show the attacks finer answers (target.reveals), or audit more and other records.",
    ),
    "shadows-unlike-target": (
        "the shadow models are unlike the model",
        "Give the model's own recipe in [trainer] and its training size in [shadow] size.",
    ),
    "answers-change": (
        "answers change from query to query",
        "Audit the mean of several answers to a record, as an attacker would take it.",
    ),
    "attacks-failed": ("attacks failed", "Repair the attacks that failed, or leave them out of attacks.names."),
}


@dataclass(frozen=True)
class AdviceRule:
    """One rule.

    Attributes:
        code: its name.
        when: the condition in words.
        applies: from a record, the values that it rests on, in a sentence; None where it does not apply.
        title: what is found.
        remedy: what would help.
        tries: mitigations that `gnomon defend --try` can measure, the ones in training first; a model gets those that
            its trainer can do.
        limit: what makes a gate catch its return; {rate} and {auc} stand for the headline's limits.
        source: who showed it.
        advise: the remedy where it depends on the record.
    """

    code: str
    when: str
    applies: Callable[[Record], str | None]
    title: str
    remedy: str
    tries: tuple[str, ...]
    limit: str
    source: str
    advise: Callable[[Record], str] | None = None


def leaks(record: Record) -> bool:
    """Whether the verdict is that membership leaks."""
    return record.verdict.level in LEAKING


def opened(record: Record) -> bool:
    """Whether the declared release lets users look into the model: changed answers keep nothing from them."""
    return _context(record) in ("public-weights", "internal")


def _context(record: Record) -> str | None:
    return (record.plan.get("release") or {}).get("context")


def _as_found(record: Record, area: Estimate) -> Estimate:
    """An AUC in the direction that the verdict speaks of: above 0.5 = members are told apart."""
    return area.turned if record.verdict.members_below else area


def _broken(record: Record) -> str | None:
    errors = [f"{f.title} ({f.code})" for f in record.findings if f.severity == "error"]
    return f"The audit has errors: {'; '.join(errors)}." if errors else None


def _kept(record: Record) -> str | None:
    found = [f for f in (record.structure.findings if record.structure else []) if f.severity == "error"]
    return f"{found[0].title}. {found[0].explanation}" if found else None


def _undecided(record: Record) -> str | None:
    missing = record.verdict.missing
    found = "; ".join(GAPS[code][0] for code in missing)
    return f"The audit could have missed a clear leak: {found} ({', '.join(missing)})." if missing else None


def _fill(record: Record) -> str:
    return " ".join(GAPS[code][1] for code in record.verdict.missing)


def _weaker(record: Record) -> str | None:
    flags = weaknesses(record)
    return " ".join(flags) if flags else None


def _persons(record: Record) -> str | None:
    attack = record.headline
    if attack is None or attack.groups is None or attack.auc is None or not leaks(record):
        return None
    if _as_found(record, attack.groups.auc).low <= _as_found(record, attack.auc).high:
        return None
    return (
        f"With all records of a person put together the AUC is {attack.groups.auc.value:.3f}, by single record "
        f"{attack.auc.value:.3f}; a person has {attack.groups.rows:.3g} audited records on average."
    )


def _overfitted(record: Record) -> str | None:
    train, test = record.target.train_accuracy, record.target.test_accuracy
    if train is None or test is None or train - test < GAP or not leaks(record):
        return None
    return (
        f"The model is right on {train:.1%} of its training rows and on {test:.1%} of others. Attacks can "
        "read this difference."
    )


def _few_rows(record: Record) -> str | None:
    attack = record.headline
    if attack is None or not leaks(record):
        return None
    known = [(c.members, c.auc) for c in attack.classes if c.auc is not None and c.members and c.nonmembers]
    sign = -1 if record.verdict.members_below else 1
    small = [auc for members, auc in known if members < FEW_ROWS]
    rest = [auc for members, auc in known if members >= FEW_ROWS]
    if len(small) < 3 or not rest:
        return None
    first, second = sum(small) / len(small), sum(rest) / len(rest)
    if sign * (first - second) < SMALL_CLASSES:
        return None
    return (
        f"{len(small)} classes have fewer than {FEW_ROWS} audited members; their mean AUC is {first:.3f}, that of the "
        f"other {len(rest)} classes {second:.3f}."
    )


def _rung(record: Record, key: str) -> Rung | None:
    return next((rung for rung in record.ladder if rung.key == key), None)


def _confident(record: Record) -> str | None:
    labels, answers = _rung(record, "labels"), _rung(record, "answers")
    if labels is None or answers is None or not leaks(record) or _context(record) not in (None, "api-scores"):
        return None
    first, second = (_as_found(record, rung.auc) for rung in (labels, answers))
    if second.low <= first.high or second.value - first.value < WORTH:
        return None
    return (
        f"Whoever sees labels alone has an AUC of {labels.auc.value:.3f}, whoever sees {record.threat_model.reveals} "
        f"{answers.auc.value:.3f}, without shadow models."
    )


def _outliers(record: Record) -> str | None:
    attack, worst = record.headline, None if record.decision is None else record.decision.most_exposed
    if attack is None or attack.auc is None or worst is None or not leaks(record):
        return None
    if _as_found(record, attack.auc).high >= 0.6 or worst.right.low < 0.75:
        return None
    return (
        f"Most records are hardly exposed (AUC {attack.auc.value:.3f}), a few are: of the {worst.ranked} that an "
        f"attacker names first {worst.members} are members."
    )


def _found(record: Record) -> str | None:
    return "Attacks recognise training records." if leaks(record) else None


def _more_shadows(record: Record) -> str | None:
    found = record.by_shadows
    if found is None or found.gain.auc.low <= 0.005:
        return None
    return (
        f"Going from {found.gain.before} to {found.gain.after} shadow models raised the AUC by "
        f"{found.gain.auc.value:.3f}: the values here are still growing."
    )


def _structure(record: Record) -> str | None:
    found = [f.title for f in (record.structure.findings if record.structure else []) if f.severity == "warning"]
    return f"Against the risk appetite: {'; '.join(found)}." if found else None


def _structure_remedies(record: Record) -> str:
    found = record.structure.findings if record.structure else []
    return " ".join(dict.fromkeys(f.remedy for f in found if f.severity == "warning"))


def _warned(record: Record) -> str | None:
    found = [f"{f.title} ({f.code})" for f in record.findings if f.severity == "warning"]
    told = "; ".join(found)
    return f"{told[0].upper()}{told[1:]}." if found else None


def weaknesses(record: Record) -> list[str]:
    """Where the attacks that ran see less than the declared release will show."""
    return [flag for flag, _ in _gaps(record)]


def _see_as_much(record: Record) -> str:
    return " ".join(remedy for _, remedy in _gaps(record))


def _look_inside(record: Record) -> str:
    """How the weights would be read by an attack; some kinds of model no attack here can read."""
    target = record.plan.get("target") or {}
    if any(target.get(name) for name in ("member_answers", "endpoint", "callable")):
        return "Give the model itself in target.model, so that it can be looked into."
    named = [a.name for a in record.attacks if a.reason in (SEES_SHADOWS, TRAINS_AGAIN)]
    if named:
        return f"Name the attacks that look inside in attacks.names: {', '.join(named)}."
    return (
        "No attack of this audit can read the weights of such a model: go by what the model itself holds, and count "
        "this as untested."
    )


def _gaps(record: Record) -> list[tuple[str, str]]:
    """Each weakness with what would close it."""
    release = record.plan.get("release") or {}
    context, target = release.get("context"), record.plan.get("target") or {}
    ran = [a for a in record.attacks if a.status == "ok"]
    reveals = target.get("reveals", "full")
    flags: list[tuple[str, str]] = []
    if opened(record) and not any(WHITE_BOX & set(a.needs) for a in ran):
        flags.append(
            (
                f'The release is declared as "{context}", whose users can look into the model, but no attack that '
                "reads its weights ran.",
                _look_inside(record),
            )
        )
    if context in ("public-weights", "internal", "api-scores") and reveals != "full":
        flags.append(
            (
                f'The release is declared as "{context}", which shows whole answers, but attacks saw '
                f"{record.threat_model.reveals}.",
                'Set target.reveals = "full".',
            )
        )
    if context is not None and not with_shadows(ran):
        flags.append(
            (
                "No attack with shadow models ran; these are the strongest that need answers only.",
                "Give the model's recipe in [trainer] and rows in data.pool, so that shadow models can be trained."
                if record.shadows is None
                else "Name attacks with shadow models in attacks.names, such as lira and lira_offline.",
            )
        )
    if release.get("unit") == "person" and record.data.groups is None:
        flags.append(
            (
                "The release counts persons, but the audit was given no groups, so it counts records.",
                "Name the column of persons in data.group.",
            )
        )
    return flags


CARLINI = "Carlini et al. 2022 (arXiv 2112.03570)"
RULES: tuple[AdviceRule, ...] = (
    AdviceRule(
        "audit-has-errors",
        "a finding of severity error stands",
        _broken,
        "Repair the audit before anything is decided on it",
        "Do what the findings below say, and run the audit again.",
        (),
        "any limit: a gate leaves limits unresolved while a record has errors",
        "docs/verdicts.md",
    ),
    AdviceRule(
        "stored-rows",
        "the look into the model finds something that the risk appetite refuses",
        _kept,
        "Do not hand out this model's file",
        "Serve answers only, or train a kind of model that keeps no rows, and audit that.",
        (),
        "structure<=warning",
        "docs/structure.md; SACRO-ML's structural attack",
    ),
    AdviceRule(
        "not-decided",
        "the verdict is undecided; its missing codes say why",
        _undecided,
        "Get the evidence that is missing",
        "Give what the verdict names: more records, the model's own recipe for shadow models, a budget of queries.",
        (),
        "{auc} (exit code 3 or 4 until an audit can tell: attacks did not run, or values are unresolved)",
        "docs/verdicts.md",
        _fill,
    ),
    AdviceRule(
        "whole-persons",
        "by person the AUC is significantly above that by record",
        _persons,
        "Whole persons are recognised better than single records",
        "Take fewer rows of each person, or train with differential privacy whose unit is the person.",
        ("dp:8", "l2:1e-2", "leaf:20", "dropout:0.5"),
        "{auc}, and verdict.unit in the record is person",
        "NIST SP 800-226 (unit of privacy); docs/people.md",
    ),
    AdviceRule(
        "overfitted",
        f"membership leaks, and accuracy on training rows is {GAP:.0%} or more above that on others",
        _overfitted,
        "The model fits its training rows much better than others",
        "Regularise: a penalty, dropout, fewer epochs, larger leaves, more neighbours; or train on more rows.",
        ("l2:1e-2", "dropout:0.5", "early_stopping:5", "leaf:20", "depth:8"),
        "{rate}",
        "Yeom et al. 2018 (arXiv 1709.01604); Shokri et al. 2017 (arXiv 1610.05820)",
    ),
    AdviceRule(
        "few-rows-a-class",
        f"classes with fewer than {FEW_ROWS} audited members have a mean AUC {SMALL_CLASSES:g} above the others'",
        _few_rows,
        "Small classes are exposed more than large ones",
        "Merge rare classes, collect more rows of them, or leave them out of the release.",
        ("l2:1e-2", "leaf:20"),
        '{auc} per class: statistics.slices = ["class"]',
        "Shokri et al. 2017 (arXiv 1610.05820), on rows for each class",
    ),
    AdviceRule(
        "outlying-records",
        "the AUC is below 0.6, but three quarters or more of those whom an attacker names first are surely members",
        _outliers,
        "A few outlying records are exposed, most are not",
        "Look at the most exposed records: leave them out only with a new audit, because others may take their place. "
        "Differential privacy bounds every record.",
        ("dp:8",),
        "{rate}",
        f"{CARLINI}; Carlini et al. 2022, the privacy onion effect (arXiv 2206.10469)",
    ),
    AdviceRule(
        "telling-answers",
        "probabilities tell an attacker significantly more than labels alone, and the declared release shows them, but "
        "not the model itself",
        _confident,
        "The probabilities tell more than the labels",
        "Reveal labels, or few and rounded probabilities, if the users can do with them. Attacks on labels remain, and "
        "whoever gets the file itself is not kept from anything.",
        ("labels", "top1", "round1"),
        "{rate}",
        "Shokri et al. 2017 (arXiv 1610.05820); Song & Mittal 2021 (arXiv 2003.10595)",
    ),
    AdviceRule(
        "leak",
        "membership leaks",
        _found,
        "Keep the leak from growing unnoticed",
        "Measure what mitigations buy and cost, and put a limit into the build pipeline.",
        ("labels", "round1", "temperature5", "l2:1e-2", "dropout:0.5", "leaf:20", "dp:8"),
        "{rate}",
        "docs/gate.md",
    ),
    AdviceRule(
        "weaker-than-release",
        "attacks that ran see less than the release that the plan declares",
        _weaker,
        "Test what the release will show",
        'Enable attacks that see as much as its users (attacks.names for weights; target.reveals = "full" for scores; '
        "[trainer] for shadow models; data.group for persons).",
        (),
        "{auc} on the attacks that are enabled then; one that did not run ends a gate with exit code 3",
        "EDPB Opinion 28/2024; NIST SP 800-226 (unit of privacy)",
        _see_as_much,
    ),
    AdviceRule(
        "held-rows",
        "the look into the model gives warnings",
        _structure,
        "The model holds more than the risk appetite accepts",
        "Do what the findings of the structure say before the model is released.",
        ("leaf:20", "depth:8"),
        "structure<=note",
        "docs/structure.md; SACRO-ML's structural attack",
        _structure_remedies,
    ),
    AdviceRule(
        "warnings",
        "a finding of severity warning stands",
        _warned,
        "Settle the warnings of this audit",
        "Do what the findings below say; until then the values may be off.",
        (),
        "{auc}, after the audit was repeated",
        "docs/verdicts.md",
    ),
    AdviceRule(
        "more-shadow-models",
        "the last doubling of shadow models raised the AUC by more than 0.005",
        _more_shadows,
        "More shadow models would find more",
        "Audit again with shadow.count doubled before you rely on these values.",
        (),
        "{auc}",
        CARLINI,
    ),
)

TRAININGS = {label for rule in RULES for label in rule.tries if kind_and_strength(label)[0].acts_on == "training"}


def applying(record: Record) -> Sequence[tuple[AdviceRule, str]]:
    """The rules that apply, heaviest first, with what they rest on; `leak` only where no rule names a cause."""
    found = [(rule, meaning) for rule in RULES if (meaning := rule.applies(record)) is not None]
    causes = {"whole-persons", "overfitted", "few-rows-a-class", "outlying-records", "telling-answers"}
    if any(rule.code in causes for rule, _ in found):
        found = [(rule, meaning) for rule, meaning in found if rule.code != "leak"]
    return found[:MOST]
