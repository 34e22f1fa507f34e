"""The verdict: what the figures say, in words that claim no more than they show.

"The attacks failed" is never turned into a promise: every figure is a lower bound on what a better attacker may do. The
levels and their conditions stand in one table, `RULES`, from which docs/verdicts.md is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.auditing.verdict.leak import CLEAR_AUC, CLEAR_RATIO, FEWEST_ACCUSED, Heard, Size, leak_size
from gnomon.auditing.verdict.sentences import describe_found, describe_nothing, explain, who_attacks, with_shadows
from gnomon.core.documents.record import AttackResult, Finding, Level, ModelFacts, Verdict
from gnomon.core.documents.record_parts import RatePoint
from gnomon.stats.permutation.joint import POWER

LARGEST_UNSEEN = CLEAR_AUC  # "none found" must have been able to find what would be called a clear leak
LEAST_APART = 0.5  # of the variance that the ranks of an attack's scores have where none tie
CONFIRMED = frozenset({"tables-swapped?"})  # an override of these says that the tables are right: the verdict counts
UNLIKE = "shadows-unlike-target"
UNSTEADY = "answers-change"

REVERSED = Finding(
    code="scores-reversed",
    title="members score significantly below non-members",
    severity="warning",
    explanation="An attacker who knows this recognises members as well as by scores above. The model may treat "
    "its training records worse than others (unlearning, heavy regularisation), the tables may be swapped, or the "
    "shadow models that attacks learned from may do the opposite of the target.",
    remedy="Make sure which table is which, and that the shadow models have the target's recipe.",
)

MISSING = {
    "few-records": f"the smallest AUC that the audit finds with {POWER:.0%} probability is above {LARGEST_UNSEEN:g}: a "
    "leak that would be called clear may have been missed",
    "no-shadows": "no attack that compares the target with shadow models ran; these are the strongest",
    "no-queries": "the target shows labels only and no attack queried it with further records: labels near known "
    "records may show what their own labels do not",
    "scores-alike": "no attack ranks most pairs of records at all: their scores tie",
    UNLIKE: "the shadow models are unlike the target (the finding of this name is then an error), and attacks learn "
    "from them",
    UNSTEADY: "the target answered a record otherwise the second time: who takes the mean of several answers sees more "
    "than the attacks did",
    "attacks-failed": "a black-box attack failed, and shows nothing",
}  # what stands against "none found": code -> what it means


@dataclass(frozen=True)
class VerdictFacts:
    """What the level follows from."""

    scored: bool  # an attack could be scored
    errors: tuple[str, ...]  # codes of findings of severity error that were overridden
    size: Size | None  # of the attack that speaks; None: the joint test found no attack
    missing: tuple[str, ...]  # codes of `MISSING`


@dataclass(frozen=True)
class Rule:
    """A level of a verdict: when it is given, in code and in words."""

    level: Level
    holds: Callable[[VerdictFacts], bool]
    words: str


RULES = (
    Rule(
        "invalid",
        lambda facts: not facts.scored or bool(facts.errors),
        "No attack could be scored, or the plan overrides a finding of severity error (other than `tables-swapped?`, "
        "whose override confirms that members and non-members are what the plan says they are).",
    ),
    Rule(
        "leaks",
        lambda facts: facts.size is not None and facts.size.rank == 2,
        "The joint test finds an attack, and one of its values shows a clear leak: the interval of its AUC lies above "
        f"{CLEAR_AUC:g} (by record or by person), that of a true-positive rate above {CLEAR_RATIO:g} times the "
        f"false-positive rate, {FEWEST_ACCUSED} or more accusations at a wanted false-discovery rate hold, or among "
        f"the records that it ranks highest members are significantly more than {CLEAR_RATIO:g} times as frequent. "
        "Scores below those of others count as scores above them.",
    ),
    Rule(
        "leaks_some",
        lambda facts: facts.size is not None,
        "The joint test finds an attack, and none of its values shows a clear leak.",
    ),
    Rule(
        "undecided",
        lambda facts: bool(facts.missing),
        "The joint test finds no attack, but something stands against saying so (below).",
    ),
    Rule(
        "none_found",
        lambda facts: not facts.missing,
        "The joint test finds no attack, attacks with shadow models like the target ran, none broke, and the records "
        f"were enough to find an AUC of {LARGEST_UNSEEN:g} or less. The verdict states the smallest AUC and the "
        f"smallest true-positive rate that this audit finds with {POWER:.0%} probability.",
    ),
)  # the first that holds


def decide(facts: VerdictFacts) -> Level:
    """The level that the facts give.

    >>> decide(VerdictFacts(scored=True, errors=(), size=None, missing=("no-shadows",)))
    'undecided'
    """
    return next(rule.level for rule in RULES if rule.holds(facts))


def speak(
    results: Sequence[AttackResult],
    heard: Heard,
    findings: Sequence[Finding],
    target: ModelFacts,
    view: str,
    fpr: float,
    reveals: str = "full",
) -> Verdict:
    """The verdict of an audit.

    Args:
        results: all attacks.
        heard: what the joint test says of them, and which speaks.
        findings: of preflight.
        target: the target's accuracies.
        view: adversary or auditor.
        fpr: the lowest false-positive rate that the audited rows resolve.
        reveals: what the target shows of its answers, as a plan says it.
    """
    errors = tuple(f.code for f in findings if f.severity == "error" and f.code not in CONFIRMED | {UNLIKE})
    best = next((r for r in results if r.name == heard.speaker), None)
    if best is None or best.auc is None or heard.test is None:
        return Verdict(
            level=decide(VerdictFacts(False, errors, None, ())),
            headline="No attack could run, so this audit shows nothing about the model.",
            sentences=["See the attacks below for the reasons."],
            attack=None,
        )
    tested = heard.of(best.name)
    size = leak_size(best, tested) if tested is not None and tested.found else None
    missing = _missing(results, heard, findings, reveals)
    level = decide(VerdictFacts(True, errors, size, missing))
    smallest, rate = heard.test.detectable_auc(), heard.test.detectable_tpr(fpr)
    if size is not None and tested is not None:
        headline = describe_found(best, tested, size, who_attacks(best, results, view))
    else:
        headline = describe_nothing(heard.test, missing)
    sentences = explain(best, heard, size, missing, target, results, fpr)
    if errors:
        codes = ", ".join(errors)
        sentences = [f"This verdict does not count: the audit went on in spite of {codes}.", *sentences]
    return Verdict(
        level=level,
        headline=headline,
        sentences=sentences,
        attack=best.name,
        unit="person" if size is not None and size.by_person else "record",
        fpr=None if size is None or size.spoken is None else size.spoken.fpr,
        chosen_on=heard.chosen_on,
        rehearsed=heard.rehearsed,
        tested=heard.tested,
        inside=heard.inside,
        detectable_auc=smallest,
        detectable_tpr=None if rate is None else RatePoint(fpr=fpr, tpr=rate),
        missing=[] if size is not None else list(missing),
    )


def _missing(
    results: Sequence[AttackResult], heard: Heard, findings: Sequence[Finding], reveals: str
) -> tuple[str, ...]:
    """What stands against "none found", in the order of `MISSING`."""
    names = {one.name for one in heard.tested}
    speaking = [r for r in results if r.name in names]
    inside = {one.name for one in heard.inside}
    stands = {
        "few-records": heard.test is not None and heard.test.detectable_auc() > LARGEST_UNSEEN,
        "no-shadows": not with_shadows(speaking),
        "no-queries": reveals == "labels" and not any(r.queries for r in speaking),
        "scores-alike": heard.test is not None and heard.test.apart < LEAST_APART,
        UNLIKE: any(f.code == UNLIKE for f in findings),
        UNSTEADY: any(f.code == UNSTEADY for f in findings),
        "attacks-failed": any(r.status == "failed" and r.name not in inside for r in results),
    }
    return tuple(code for code in MISSING if stands[code])


def conclude(findings: Sequence[Finding], verdict: Verdict) -> list[Finding]:
    """Findings as they stand in the record, with what follows from the verdict.

    Shadow models unlike the target do no harm where attacks find a leak all the same; where they find none, they are an
    error. And members that stand below others are a finding of their own.

    Args:
        findings: of preflight.
        verdict: the audit's.
    """
    marked = [
        f.model_copy(update={"severity": "error"}) if f.code == UNLIKE and UNLIKE in verdict.missing else f
        for f in findings
    ]
    speaks = next((one for one in verdict.tested if one.name == verdict.attack), None)
    if speaks is None or not (speaks.found and speaks.reversed) or any(f.code in CONFIRMED for f in findings):
        return marked
    return [*marked, REVERSED]
