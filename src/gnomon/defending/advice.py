"""What a report on mitigations recommends, in plain words that follow from the intervals.

An effect is one only if it is larger than noise after all mitigations share one error rate (Bonferroni). A loss of
accuracy counts as one only if its interval lies below 0; else its largest size is said. Each sentence is a function of
the case that is empty where it does not apply; which are said, and in which order, stands in two tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.core.documents.comparison import Change
from gnomon.core.documents.defence import Advice, Answer, Leak, MitigationResult
from gnomon.core.documents.schema import Estimate

MISCALIBRATED = 0.05  # a rise of the expected calibration error that is worth a sentence
CHANCE = 0.5
SAME: Change = "within noise"

Rival = Callable[[str, str], Change]  # labels of two rows -> how the second compares with the first
Sentence = Callable[["AdviceCase"], str]  # empty where it does not apply


@dataclass(frozen=True)
class AdviceCase:
    """All that a sentence may speak of.

    Attributes:
        rows: of the report; the plain model first.
        tried: those with an effect.
        helping: those that leak significantly less, and no more than is wanted.
        free: those of them without a loss of accuracy.
        choice: the recommended one; the plain model where none is.
        rival: compares two mitigated models on the same rows.
        fpr: at which true-positive rates are given; None: AUCs are.
        confidence: that all verdicts of "leaks less" hold together.
    """

    rows: Sequence[MitigationResult]
    tried: Sequence[MitigationResult]
    helping: Sequence[MitigationResult]
    free: Sequence[MitigationResult]
    choice: MitigationResult
    rival: Rival
    fpr: float | None
    confidence: float

    @property
    def plain(self) -> MitigationResult:
        """The model without a mitigation."""
        return self.rows[0]

    def having(self, *effects: Change) -> list[str]:
        """Labels of the rows with one of these effects."""
        return [row.label for row in self.tried if row.effect in effects]

    def with_status(self, status: str) -> list[str]:
        """Labels of the rows that could not be audited for this reason."""
        return [row.label for row in self.rows if row.status == status]

    def spell(self, found: Estimate) -> str:
        """The value that sentences speak of, with its interval."""
        if self.fpr is None:
            return f"an AUC of {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
        spread = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
        rate = f"a false-positive rate of {100 * self.fpr:.6g}%"
        return f"{100 * found.value:.1f}% of the members ({spread}) at {rate}"

    def short(self, found: Estimate) -> str:
        """The same without the interval."""
        return f"an AUC of {found.value:.3f}" if self.fpr is None else f"{100 * found.value:.1f}%"

    def pair(self, first: Leak | None, second: Leak | None) -> tuple[Estimate, Estimate] | None:
        """The values of two attacks; None where one has none."""
        found = [None if leak is None else leak.at(self.fpr) for leak in (first, second)]
        return None if found[0] is None or found[1] is None else (found[0], found[1])


def advise(rows: Sequence[MitigationResult], rival: Rival, fpr: float | None, confidence: float) -> Advice:
    """The recommendation.

    Args:
        rows: the plain model first.
        rival: compares two mitigated models on the same rows.
        fpr: at which true-positive rates are given; None: AUCs are.
        confidence: that all verdicts of "leaks less" hold together.
    """
    tried = [row for row in rows[1:] if row.effect is not None]
    helping = [row for row in tried if row.meets is not False and row.effect == "better"]
    free = [row for row in helping if not _dear(row)]
    if free:
        choice = min(free, key=lambda row: row.leakage(fpr))
    else:
        choice = max(helping, key=lambda row: (_accuracy(row), -row.leakage(fpr)), default=rows[0])
    case = AdviceCase(rows, tried, helping, free, choice, rival, fpr, confidence)
    said = [sentence(case) for sentence in (RECOMMENDED if helping else NOTHING_RECOMMENDED)]
    answer, headline = _headline(case) if helping else _nothing(case)
    return Advice(
        answer=answer,
        choice=choice.label if helping else None,
        headline=headline,
        sentences=[sentence for sentence in said if sentence],
    )


def _headline(case: AdviceCase) -> tuple[Answer, str]:
    title, label = case.choice.title, case.choice.label
    name = f"{title} ({label})" if title.lower() != label else title
    if case.free:
        return "helps", f"{name} lowers what attackers learn, and no loss of accuracy was shown."
    dear = f"{name} lowers what attackers learn, at a price in accuracy; nothing that was tried does so for free."
    return "helps at a price", dear


def _nothing(case: AdviceCase) -> tuple[Answer, str]:
    tried, strongest = case.tried, case.plain.strongest
    area, found = (strongest.leak.auc, strongest.leak.at(case.fpr)) if strongest else (None, None)
    which = "the mitigation" if len(tried) == 1 else f"any of the {len(tried)} mitigations"
    guessed = area is None or area.low <= CHANCE <= area.high
    rare = found is not None and case.fpr is not None and found.low > case.fpr  # a few members, which an AUC hides
    rest = "" if found is None else f" The strongest attack on the plain model has {case.spell(found)}."
    table: tuple[tuple[bool, Answer, str], ...] = (
        (
            not tried,
            "nothing audited",
            "Nothing is known of any mitigation: none that was tried could be audited on this model.",
        ),
        (
            area is not None and guessed and not rare,
            "nothing to lower",
            "Attacks found next to nothing on the plain model, so there is nothing here that a mitigation can lower.",
        ),
        (
            bool(case.having("better")),
            "target missed",
            "No mitigation reaches the wanted leakage at a strength that was tried.",
        ),
        (
            len(case.having(SAME)) < len(tried),
            "none helps",
            f"No mitigation that was tried significantly lowers {'all values of ' * bool(case.having('mixed'))}what "
            "attackers learn.",
        ),
        (
            True,
            "no difference",
            f"No difference shown: what attackers learn is the same with {which} as without, within noise.{rest}",
        ),
    )
    return next((answer, sentence) for holds, answer, sentence in table if holds)


def _unseen(case: AdviceCase) -> str:
    """How large an effect could be and still not show."""
    halves = [
        (spread.high - spread.low) / 2
        for row in case.tried
        if row.change is not None
        for f in row.change.figures
        if f.figure == "AUC" and (spread := f.retrained or f.difference) is not None and spread.high > spread.low
    ]
    if not halves or not case.having(SAME):
        return ""
    return (
        f"That does not prove that they do nothing: with so many records and shadow models, an AUC that falls by less "
        f"than about {min(halves):.3f} does not show."
    )


def _bought(case: AdviceCase) -> str:
    ours, plain = case.choice.strongest, case.plain.strongest
    found = case.pair(plain.leak, ours.leak) if plain and ours else None
    if found is None or plain is None or ours is None:
        return "The values are in the table."
    tenth = case.pair(plain.exposed, ours.exposed)
    tail = f" On the most exposed tenth of the records: {', then '.join(map(case.short, tenth))}." if tenth else ""
    return (
        f"The strongest attack on it has {case.spell(found[1])}; on the plain model the strongest has "
        f"{case.spell(found[0])}.{tail}"
    )


def _accuracy_price(case: AdviceCase) -> str:
    change = case.choice.utility.change if case.choice.utility else None
    if change is None:
        return ""
    table = (
        (change.high < 0, f"It costs {_points(-change.high)} to {_points(-change.low)} points of accuracy."),
        (change.low == change.high == 0, "Every predicted label stays as it was."),
        (change.low > 0, f"Accuracy rises by {_points(change.low)} to {_points(change.high)} points."),
        (True, f"If it costs accuracy, then at most {_points(-change.low)} points."),
    )
    return next(sentence for holds, sentence in table if holds)


def _calibration(case: AdviceCase) -> str:
    before, after = (row.utility.calibration_error if row.utility else None for row in (case.plain, case.choice))
    if before is None or after is None or _labels_only(case.choice) or after - before <= MISCALIBRATED:
        return ""
    return (
        f"Its probabilities mean less: they are off by {100 * after:.0f} points on average, those of the plain model "
        f"by {100 * before:.0f}."
    )


def _bare_label(case: AdviceCase) -> str:
    return "Its answers hold nothing but a label." if _labels_only(case.choice) else ""


def _slower(case: AdviceCase) -> str:
    cost = case.choice.cost
    if cost is None or not cost.retrains or cost.times is None:
        return ""
    return f"Training takes {cost.times:.1f} times as long."


def _ties(case: AdviceCase) -> str:
    choice, others = case.choice, case.free or case.helping
    equal = [row.label for row in others if row is not choice and case.rival(choice.label, row.label) == SAME]
    verb = "does" if len(equal) == 1 else "do"
    return f"{_list(equal)} {verb} as well, as far as these records show." if equal else ""


def _softer(case: AdviceCase) -> str:
    """Where the choice leaves labels alone: the best that leaves more."""
    keeping = [row for row in case.free if not _labels_only(row)]
    if not _labels_only(case.choice) or not keeping:
        return ""
    best = min(keeping, key=lambda row: row.leakage(None))
    return f"Where users need probabilities: of the mitigations that keep some, {best.label} leaks least."


def _remains(case: AdviceCase) -> str:
    leak = case.choice.strongest.leak if case.choice.strongest else None
    left = None if leak is None else leak.at(case.fpr)
    if leak is None or leak.auc is None or leak.auc.low <= CHANCE or left is None:
        return "What is left is within chance for these attacks; a better attack may find more."
    return (
        f"That does not make the model safe: {leak.title} still recognises members ({case.spell(left)}), and a "
        "better attack may find more."
    )


def _by_area(case: AdviceCase) -> str:
    """An attack on labels alone that is stronger by AUC: its votes take few values, so a low rate does not show it."""
    labels, best = case.choice.label_only, case.choice.strongest.leak.auc if case.choice.strongest else None
    if labels is None or labels.auc is None or best is None or labels.auc.low <= best.high:
        return ""
    return (
        f"By AUC an attack that reads labels alone is stronger ({labels.title}: {labels.auc.value:.3f}, against "
        f"{best.value:.3f}), though not at so low a false-positive rate."
    )


def _together(case: AdviceCase) -> str:
    if not case.tried:
        return ""
    if len(case.tried) == 1:
        return f"The verdict holds with {case.confidence:.0%} confidence, for leakage and accuracy together."
    return (
        f"All {len(case.tried)} verdicts hold together with {case.confidence:.0%} confidence: the mitigations share "
        "one error rate (Bonferroni), half of it for leakage and half for accuracy."
    )


def _dearer(case: AdviceCase) -> list[str]:
    """Those that leak less than the choice for more accuracy."""
    least = case.choice.leakage(case.fpr)
    less = [row for row in case.helping if _dear(row) and row.frontier and row.leakage(case.fpr) < least]
    prices = [(row.label, row.utility.change if row.utility else None) for row in less]
    return [f"{label} ({_points(-change.value)} points)" for label, change in prices if change]


def _flattered(case: AdviceCase) -> list[str]:
    """Those that a naive attacker makes look better than they are."""
    worse = [row for row in case.tried if row.naive_change is not None and row.naive_change.change == "worse"]
    pairs = [(row.label, case.pair(row.naive.leak, row.adaptive.leak)) for row in worse if row.naive and row.adaptive]
    return [f"{label} ({case.short(p[0])}, in truth {case.short(p[1])})" for label, p in pairs if p]


def _better_plain(case: AdviceCase) -> list[str]:
    """Those under which mitigated shadow models serve an attacker worse."""
    pairs = [
        (row.label, case.pair(row.adaptive.leak, row.strongest.leak))
        for row in case.tried
        if row.adaptive and row.strongest and row.strongest.plain_shadows
    ]
    return [f"{label} ({case.short(p[0])}, with plain ones {case.short(p[1])})" for label, p in pairs if p]


def _no_effect(case: AdviceCase) -> list[str]:
    """Those without an effect; nothing where the headline says so of all."""
    same = case.having(SAME)
    return [] if not case.helping and len(same) == len(case.tried) else same


def _of(labels: Callable[[AdviceCase], Sequence[str]], sentence: str) -> Sentence:
    """A sentence on all rows that something is true of; empty where there are none."""

    def say(case: AdviceCase) -> str:
        found = labels(case)
        return sentence.format(_list(found)) if found else ""

    return say


NAIVE = (
    _of(
        _flattered,
        "An attacker who does not know of the mitigation would make these look better than they are: {}.",
    ),
    _of(_better_plain, "Here mitigated shadow models serve an attacker worse than plain ones: {}."),
)
NO_EFFECT = _of(_no_effect, "No difference to the plain model was shown for {}.")
REST = (
    _of(lambda c: c.having("worse"), "With {} the model leaks more than without."),
    _of(lambda c: c.having("mixed"), "{}: significantly less by one value, but not by all."),
    _of(lambda c: c.with_status("not applicable"), "Not applicable here: {} (the reasons stand below)."),
    _of(lambda c: c.with_status("failed"), "Failed: {} (the reasons stand below)."),
    _of(lambda c: c.having("not comparable"), "Not comparable with the plain model: {}."),
    _of(lambda c: [r.label for r in c.rows if r.meets is False], "The wanted leakage was not reached by {}."),
    _together,
)
RECOMMENDED: tuple[Sentence, ...] = (
    _bought,
    _accuracy_price,
    _calibration,
    _bare_label,
    _slower,
    _ties,
    _softer,
    _of(_dearer, "A lower value costs more accuracy: {}."),
    _remains,
    _by_area,
    *NAIVE,
    NO_EFFECT,
    *REST,
)
NOTHING_RECOMMENDED: tuple[Sentence, ...] = (_unseen, NO_EFFECT, *NAIVE, *REST)


def _accuracy(row: MitigationResult) -> float:
    return row.utility.accuracy.value if row.utility else 0.0


def _dear(row: MitigationResult) -> bool:
    return row.utility is not None and row.utility.change is not None and row.utility.change.high < 0


def _labels_only(row: MitigationResult) -> bool:
    size = row.utility.answer_size if row.utility else None
    return size is not None and size <= 1.0 and "labels" in row.label


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
