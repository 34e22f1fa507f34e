"""The verdict's sentences. Each claims what an interval or the joint test shows, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.auditing.verdict.leak import Heard, Size, is_clear, leak_size, rounded_up
from gnomon.core.documents.record import AttackResult, JointResult, ModelFacts
from gnomon.core.evidence import INSIDE
from gnomon.stats.permutation.joint import POWER, JointTest

WANTED_AUC = 0.55  # what more records would show, where there were too few
LARGE_AUC = 0.6  # from here on a leak is not called slight
LARGE_ACCURACY = (
    0.55  # a decision that is right less often says nothing of an attack that does far better than guessing
)
SURE = 0.9  # of the records that a tail names: "recognised" or "ruled out" is then right of nearly all
NOTHING_FOUND = "No attack did significantly better than guessing"


def with_shadows(results: Sequence[AttackResult]) -> bool:
    """Whether an attack that compares the target with shadow models gave figures."""
    return any(r.auc is not None and {"shadows", "shadows_out"} & set(r.needs) for r in results)


def _learned(results: Sequence[AttackResult]) -> bool:
    """Whether anything was learned on shadow models: an attack, or the threshold of one."""
    known = {"shadows", "shadows_out", "pool"}
    return any(r.auc is not None and (known & set(r.needs) or r.rehearsals) for r in results)


def who_attacks(best: AttackResult, results: Sequence[AttackResult], view: str) -> str:
    """Who does what the headline says: no more knowledge and no less than was tested."""
    if INSIDE & set(best.needs):
        return "An attacker who sees more than the model's answers"
    if _learned(results):
        worst = "In the worst case that was tested, an attacker"
        return worst if view == "auditor" else "An attacker with black-box access and data like yours"
    return "An attacker who has black-box access and no shadow models"


def describe_found(best: AttackResult, tested: JointResult, size: Size, who: str) -> str:
    """The headline of an audit in which the joint test found the attack that speaks."""
    speaks = size.clear[0] if size.clear else "nothing"
    if tested.reversed and speaks not in ("rate", "accusations"):
        return _reversed(who, tested, size)
    if speaks == "persons" and size.persons is not None:
        point = size.person_point
        if point is not None and point.tpr is not None and is_clear(point):
            return (
                f"{who} finds {_of_hundred(point.tpr.value)} persons whose records were trained on while wrongly "
                f"accusing {_one_in(point.fpr)} others."
            )
        told = f"AUC {_digits(size.persons.value)} by person, where guessing is 0.5"
        return f"{who} recognises whose records the model was trained on ({told})."
    if speaks == "rate" and size.point is not None and size.point.tpr is not None:
        return (
            f"{who} finds {_of_hundred(size.point.tpr.value)} training records "
            f"while wrongly accusing {_one_in(size.point.fpr)} others."
        )
    if speaks == "auc":
        return f"{who} recognises training records far better than by guessing{_accuracy(best)}."
    if speaks == "accusations" and size.accused is not None:
        return (
            f"{who} can name some of the training records: of {size.accused.accused:,} records that it accuses, "
            f"{size.accused.members:,} were trained on."
        )
    if tested.rows is not None:
        return f"{who} {_few(tested)}: {_tail(tested)}."
    area = size.persons if tested.by == "persons" and size.persons is not None else size.auc
    if area.value <= 0.5:  # counted within persons, whose records stand on both sides
        return f"{who} ranks training records above others more often than chance explains."
    told = f"AUC {_digits(area.value)}{' by person' if area is size.persons else ''}, where guessing is 0.5"
    if area.low <= 0.5:
        return f"{who} ranks training records above others more often than chance explains ({told})."
    return f"{who} does {'' if area.value >= LARGE_AUC else 'slightly '}better than guessing ({told})."


def _reversed(who: str, tested: JointResult, size: Size) -> str:
    if tested.rows is not None:
        where = "below those of others" if tested.by == "bottom" else "above those of training records"
        return f"{who} {_few(tested)} by scores {where}: {_tail(tested)}."
    area = size.persons if tested.by == "persons" and size.persons is not None else size.auc
    if area.value <= 0.5:  # counted within persons, whose records stand on both sides
        return f"{who} ranks training records below others more often than chance explains."
    return (
        f"{who} distinguishes training records by scores below others': AUC {_digits(1 - area.value)}, where guessing "
        "is 0.5 and members are expected above."
    )


def _few(tested: JointResult) -> str:
    """What a tail tells: training records where these crowd it, others where these do, and whether nearly all are."""
    share = (tested.members or 0) / max(tested.rows or 0, 1)
    crowded = (tested.members or 0) > (tested.expected or 0.0)
    if max(share, 1 - share) < SURE:
        return f"finds a few records that are {'more' if crowded else 'less'} likely to be training records"
    return "recognises a few training records" if crowded else "can rule out a few records"


def _tail(tested: JointResult) -> str:
    end = "lowest" if tested.by == "bottom" else "highest"
    return (
        f"of the {tested.rows:,} records with the {end} scores {tested.members:,} were trained on, where guessing "
        f"finds {_count(tested.expected or 0.0)}"
    )


def _accuracy(best: AttackResult) -> str:
    """How often a decision is right, where the threshold fits and that is much more than guessing; else the AUC."""
    rule = best.at_threshold
    fits = rule is not None and rule.accuracy.low > 0.5 and not _threshold(best)
    if rule is not None and fits and rule.accuracy.value >= LARGE_ACCURACY:
        return f", right on {rule.accuracy.value:.0%} where guessing is right on 50%"
    return "" if best.auc is None else f" (AUC {best.auc.value:.3f}, where guessing is 0.5)"


def describe_nothing(test: JointTest, missing: Sequence[str]) -> str:
    """The headline of an audit in which the joint test found nothing."""
    if not missing:
        return (
            f"{NOTHING_FOUND}; such an audit finds an AUC of {rounded_up(test.detectable_auc())} in four of five cases."
        )
    if "few-records" in missing:
        return f"{NOTHING_FOUND}, but {_too_few(test)}."
    return f"{NOTHING_FOUND}, but this audit does not show that there is nothing to find."


def explain(
    best: AttackResult,
    heard: Heard,
    size: Size | None,
    missing: Sequence[str],
    target: ModelFacts,
    results: Sequence[AttackResult],
    fpr: float,
) -> list[str]:
    """What stands below the headline."""
    by_name = {r.name: r for r in results}
    sentences = [
        *_inside(heard, by_name, 0 if size is None else size.rank),
        *_missing(heard, missing, results),
        *_attack(best, size),
    ]
    if size is not None:
        sentences += [*_choice(best, heard, by_name), *_people(best)]
        tested = heard.of(best.name)
        sentences += [] if tested is not None and tested.reversed else _threshold(best)
    else:
        sentences += [*_alone(best, heard, by_name), *_power(heard.test, fpr, missing)]
    if target.train_accuracy is not None and target.test_accuracy is not None:
        gap = target.train_accuracy - target.test_accuracy
        sentences.append(
            f"The model is right on {target.train_accuracy:.1%} of its training records and on "
            f"{target.test_accuracy:.1%} of others: a gap of {100 * gap:.1f} points.".replace("-", "−")
        )
    failed = [r.name for r in results if r.status == "failed"]
    if failed:
        sentences.append(f"Attacks that failed and show nothing: {', '.join(failed)}.")
    sentences.append(
        "These values are what the attacks listed here achieved on one trained model: a lower bound. "
        "A better attack, more shadow models or another training run may find more."
    )
    return sentences


def _inside(heard: Heard, results: dict[str, AttackResult], rank: int) -> list[str]:
    """What attacks from inside find where the others find nothing, or no clear leak (their rank)."""
    found = [one for one in heard.inside if one.found and leak_size(results[one.name], one).rank > rank]
    if not found:
        return []
    more = "a clear leak, which these attacks don't" if rank else "what these attacks don't"
    best = min(found, key=lambda one: (one.p, -abs(_area(results[one.name]) - 0.5)))
    return [
        f"Who sees more than answers finds {more}: {results[best.name].title}, "
        f"{_inside_found(best, results[best.name])}."
    ]


def _inside_found(one: JointResult, result: AttackResult) -> str:
    """The result that the joint test found: a tail, persons, or all records."""
    if one.rows is not None:
        return f"AUC {_area(result):.3f}, and {_tail(one)}"
    by_person = one.by == "persons" and result.groups is not None
    area = result.groups.auc.value if by_person and result.groups is not None else _area(result)
    below = ", members below others" if one.reversed else ""
    size = leak_size(result, one)
    rate = ""
    if size.clear[:1] == ("rate",) and size.point is not None and size.point.tpr is not None:
        rate = f", and {size.point.tpr.value:.1%} of the training records at a false-positive rate of "
        rate += _percent(size.point.fpr)
    return f"AUC {_digits(area)}{' by person' if by_person else ''}{below}{rate}"


def _area(result: AttackResult) -> float:
    return 0.5 if result.auc is None else result.auc.value


def _missing(heard: Heard, missing: Sequence[str], results: Sequence[AttackResult]) -> list[str]:
    if heard.found:
        return []
    broken = [r.title for r in results if r.status == "failed" and not INSIDE & set(r.needs)]
    words = {
        "no-shadows": "No attack that compares the model with shadow models ran, and these are the strongest: "
        + (
            "name some of them in attacks.names (`lira`, `lira_offline`)."
            if _learned(results)
            else "give the model's recipe in [trainer], or a scikit-learn model that can be cloned."
        ),
        "no-queries": "The target shows labels only, and no attack asked it about further records: set "
        "target.query_budget, or name `boundary` or `noise_robustness`.",
        "scores-alike": "Most records have the same score in every attack, so these could hardly have found anything.",
        "shadows-unlike-target": "The shadow models are unlike the target, so attacks that learn from them look weaker "
        "than they are: give the target's own recipe and training size.",
        "answers-change": "The target answers a record otherwise each time, and an attacker who takes the mean of "
        "several answers sees more: audit that mean.",
        "attacks-failed": f"What {', '.join(broken)} would find is not known: repair the attack, or leave it out.",
    }
    return [words[code] for code in missing if code in words]


def _attack(best: AttackResult, size: Size | None) -> list[str]:
    assert best.auc is not None
    sentences = [f"Attack: {best.title} ({best.paper}). AUC {_interval(best.auc.value, best.auc.low, best.auc.high)}."]
    point = None if size is None else size.spoken
    if size is not None and point is not None and point.tpr is not None:
        persons = size.by_person and point is size.person_point
        sentences.append(
            f"At a false-positive rate of {_percent(point.fpr)} it finds "
            f"{_interval(point.tpr.value, point.tpr.low, point.tpr.high, percent=True)} of the "
            f"{'persons whose records were trained on' if persons else 'training records'}."
        )
    return sentences


def _choice(best: AttackResult, heard: Heard, results: dict[str, AttackResult]) -> list[str]:
    """How the attack was chosen, and how many attacks the test pays for."""
    count = len(heard.tested)
    tested = heard.of(best.name)
    if count == 1:
        return []
    chance = "" if tested is None else f" (p {_p(tested.p)}, {count} attacks paid for)"
    if heard.chosen_on == "shadows":
        return [f"The test of all attacks together finds it{chance}."]
    why = "there were no rehearsals on shadow models to choose it in"
    if heard.rehearsed is not None:
        why = _less(results[heard.rehearsed], heard, best)
    return [
        f"It was chosen on the audited rows themselves, because {why}: the test of all attacks together finds it"
        f"{chance}, and the choice flatters its values a little."
    ]


def _less(rehearsed: AttackResult, heard: Heard, best: AttackResult) -> str:
    """Why the attack that rehearsals chose does not speak."""
    tested = heard.of(rehearsed.name)
    if tested is None or not tested.found:
        shows = "is not significantly better than guessing"
    elif abs(_area(rehearsed) - 0.5) < abs(_area(best) - 0.5):
        shows = "shows less"
    else:
        shows = "shows no clear leak"
    return f"{rehearsed.title}, which rehearsals on shadow models chose, {shows} (AUC {_area(rehearsed):.3f})"


def _people(best: AttackResult) -> list[str]:
    if best.groups is None:
        return []
    area = best.groups.auc
    return [
        f"By person, all records of each put together: AUC {_interval(area.value, area.low, area.high)} "
        f"({best.groups.members:,} inside, {best.groups.nonmembers:,} outside); by record the same attack has "
        f"{_area(best):.3f}."
    ]


def _threshold(best: AttackResult) -> list[str]:
    """Where the threshold that shadow models taught does not fit the target."""
    rule, most = best.at_threshold, best.oracle
    if rule is None or most is None or rule.calibrated == "oracle" or most.accuracy.low <= rule.accuracy.high:
        return []
    own, possible = f"{rule.accuracy.value:.0%}", f"{most.accuracy.value:.0%}"
    if own == possible:
        return []
    return [
        f"The attack's threshold does not fit this model: it is right on {own}, where the best threshold on the "
        f"audited records is right on {possible} (guessing: 50%)."
    ]


def _alone(best: AttackResult, heard: Heard, results: dict[str, AttackResult]) -> list[str]:
    """Why an interval off 0.5, of the attack that speaks or of another, is no finding."""
    off = [one for one in heard.tested if _is_off(results[one.name])]
    if not off:
        return []
    smallest = _p(min(one.p for one in off))
    if len(heard.tested) == 1:
        return [
            "The test also looks at the highest and the lowest scores, and does not call that more than chance "
            f"(p {smallest})."
        ]
    together = f"Of {len(heard.tested)} attacks together, some come that far from 0.5 by chance (p {smallest})."
    if best.auc is not None and not best.auc.low <= 0.5 <= best.auc.high:
        return [f"That interval is of one attack on its own. {together}"]
    names = "; ".join(results[one.name].title for one in off[:3]) + ("; and others" if len(off) > 3 else "")
    return [f"An interval off 0.5 ({names}) is of one attack on its own. {together}"]


def _is_off(result: AttackResult) -> bool:
    """Whether an interval of an attack's AUC, by record or by person, lies off 0.5."""
    areas = [result.auc, None if result.groups is None else result.groups.auc]
    return any(area is not None and not area.low <= 0.5 <= area.high for area in areas)


def _power(test: JointTest | None, fpr: float, missing: Sequence[str]) -> list[str]:
    if test is None:
        return []
    rate = test.detectable_tpr(fpr)
    at = f"at a false-positive rate of {_percent(fpr)}"
    told = f"and no true-positive rate {at}" if rate is None else f"or a true-positive rate of {100 * rate:.2g}% {at}"
    sentences = [
        f"With {test.members:,} members and {test.nonmembers:,} non-members, {POWER:.0%} of audits like this one find "
        f"an AUC of {rounded_up(test.detectable_auc())}, {told}; what is smaller may have been missed."
    ]
    if "few-records" in missing:
        sizes = "{:,} audited members and {:,} non-members".format(*test.required(WANTED_AUC))
        sentences.append(f"Some {sizes} would show an AUC of {WANTED_AUC:g} as often.")
    return sentences


def _too_few(test: JointTest) -> str:
    return (
        f"an audit of these {test.members + test.nonmembers:,} records often misses an AUC below "
        f"{rounded_up(test.detectable_auc())}"
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _of_hundred(rate: float) -> str:
    """A rate in whole records: "45 of 100", "12 of 1,000"."""
    of = 100
    while round(of * rate, 1) < 9.5 and rate > 0:
        of *= 10
    return f"{of * rate:.0f} of {of:,}"


def _one_in(rate: float) -> str:
    return f"1 in {1 / rate:,.0f}"


def _percent(rate: float) -> str:
    """A rate that was chosen, with all its digits."""
    return f"{100 * rate:.6g}%"


def _digits(area: float) -> str:
    """Three digits, or as many as tell an AUC from guessing."""
    return next((told for digits in range(3, 9) if float(told := f"{area:.{digits}f}") != 0.5), f"{area:.3f}")


def _count(expected: float) -> str:
    return f"{expected:.0f}" if expected >= 10 else f"{expected:.1f}"


def _interval(value: float, low: float, high: float, *, percent: bool = False) -> str:
    return f"{value:.1%} ({low:.1%} to {high:.1%})" if percent else f"{value:.3f} ({low:.3f} to {high:.3f})"
