"""What a bench recommends, in plain words that follow from the intervals.

An effect is one only if it is larger than noise after all mitigations share one error rate (Bonferroni). A loss of
accuracy counts as one only if its interval lies below 0; else its largest size is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnomon.core.documents.comparison import Change
from gnomon.core.documents.defence import Advice, MitigationResult
from gnomon.core.documents.record import Estimate
from gnomon.defending.measure import leakage

MISCALIBRATED = 0.05  # a rise of the expected calibration error that is worth a sentence
CHANCE = 0.5

Rival = Callable[[str, str], Change]  # labels of two options -> how the second compares with the first


def mark_frontier(options: Sequence[MitigationResult], fpr: float | None) -> list[MitigationResult]:
    """The options, those on the frontier marked: no other has both figures at least as good and one of them better."""
    points = [_point(option, fpr) for option in options]

    def beaten(mine: tuple[float, float]) -> bool:
        return any(p is not None and p != mine and p[0] >= mine[0] and p[1] <= mine[1] for p in points)

    return [
        option.model_copy(update={"frontier": point is not None and not beaten(point)})
        for option, point in zip(options, points, strict=True)
    ]


def temper(options: Sequence[MitigationResult], fpr: float | None) -> list[MitigationResult]:
    """The options; one that is surely better by some figure, but not by the one that the page speaks of, is "mixed".

    An AUC can fall, surely and by little, while the true-positive rate at the page's false-positive rate does not.
    """
    plain = _leak_value(options[0], fpr)
    return [
        o.model_copy(update={"effect": "mixed"}) if o.effect == "better" and _leak_value(o, fpr) >= plain else o
        for o in options
    ]


def advise(options: Sequence[MitigationResult], rival: Rival, fpr: float | None, confidence: float) -> Advice:
    """The recommendation.

    Args:
        options: the plain model first.
        rival: compares two mitigated models on the same rows.
        fpr: at which true-positive rates are given; None: AUCs are.
        confidence: that all verdicts of "leaks less" hold together.
    """
    plain, tried = options[0], [o for o in options[1:] if o.effect is not None]
    wanted = [o for o in tried if o.meets is not False]
    helping = [o for o in wanted if o.effect == "better"]
    free = [o for o in helping if not _dear(o)]
    if free:
        choice = min(free, key=lambda o: _leak_value(o, fpr))
    elif helping:
        choice = max(helping, key=lambda o: (o.utility.accuracy.value if o.utility else 0.0, -_leak_value(o, fpr)))
    else:
        sentences = [
            *_unseen(tried),
            *_no_effect(tried, but_all=True),
            *_naive(tried, fpr),
            *_plain_shadows(tried, fpr),
            *_worse(tried),
            *_left_out(options),
            _together(tried, confidence),
        ]
        return Advice(choice=None, headline=_nothing(plain, tried, fpr), sentences=sentences)
    sentences = [
        _bought(choice, plain, fpr),
        *_price(choice, plain),
        *_ties(choice, free if free else helping, rival),
        *_softer(choice, free),
        *_dearer(choice, helping, fpr),
        _remains(choice, fpr),
        *_by_area(choice),
        *_naive(tried, fpr),
        *_plain_shadows(tried, fpr),
        *_no_effect(tried),
        *_worse(tried),
        *_left_out(options),
        _together(tried, confidence),
    ]
    return Advice(choice=choice.label, headline=_headline(choice, bool(free)), sentences=sentences)


def _headline(choice: MitigationResult, free: bool) -> str:
    name = f"{choice.title} ({choice.label})" if choice.title.lower() != choice.label else choice.title
    if free:
        return f"{name} lowers what attackers learn, and no loss of accuracy was shown."
    return f"{name} lowers what attackers learn, at a price in accuracy; nothing that was tried does so for free."


def _nothing(plain: MitigationResult, tried: Sequence[MitigationResult], fpr: float | None) -> str:
    found = plain.strongest.leak.auc if plain.strongest else None
    if found is not None and found.low <= CHANCE:
        return "Attacks found next to nothing on the plain model, so there is nothing here that a mitigation can lower."
    if not tried:
        return "No mitigation could be audited."
    if any(o.effect == "better" for o in tried):
        return "No mitigation reaches the wanted leakage at a strength that was tried."
    if any(o.effect != "within noise" for o in tried):
        return "No mitigation that was tried significantly lowers what attackers learn."
    which = "the mitigation" if len(tried) == 1 else f"any of the {len(tried)} mitigations"
    figure = leakage(plain.strongest.leak, fpr) if plain.strongest else None
    rest = "" if figure is None else f" The strongest attack on the plain model has {_spell(figure, fpr)}."
    return f"No difference shown: what attackers learn is the same with {which} as without, within noise.{rest}"


def _unseen(tried: Sequence[MitigationResult]) -> list[str]:
    """How large an effect could be and still not show."""
    if not any(o.effect == "within noise" for o in tried):
        return []
    halves = [
        (spread.high - spread.low) / 2
        for o in tried
        if o.change is not None
        for f in o.change.figures
        if f.figure == "AUC" and (spread := f.retrained or f.difference) is not None and spread.high > spread.low
    ]
    if not halves:
        return []
    return [
        f"That does not prove that they do nothing: with so many records and shadow models, an AUC that falls by less "
        f"than about {min(halves):.3f} does not show."
    ]


def _bought(choice: MitigationResult, plain: MitigationResult, fpr: float | None) -> str:
    assert choice.strongest is not None
    assert plain.strongest is not None
    before, after = (leakage(o.strongest.leak, fpr) for o in (plain, choice) if o.strongest)
    if before is None or after is None:
        return "The values are in the table."
    exposed = [leakage(o.strongest.exposed, fpr) for o in (plain, choice) if o.strongest and o.strongest.exposed]
    tail = ""
    if len(exposed) == 2 and exposed[0] is not None and exposed[1] is not None:
        tail = f" On the most exposed tenth of the records: {_short(exposed[0], fpr)}, then {_short(exposed[1], fpr)}."
    return (
        f"The strongest attack on it has {_spell(after, fpr)}; on the plain model the strongest has "
        f"{_spell(before, fpr)}.{tail}"
    )


def _price(choice: MitigationResult, plain: MitigationResult) -> list[str]:
    found = choice.utility
    if found is None or found.change is None or plain.utility is None:
        return []
    change = found.change
    if change.high < 0:
        said = f"It costs {_points(-change.high)} to {_points(-change.low)} points of accuracy."
    elif change.low == change.high == 0:
        said = "Every predicted label stays as it was."
    elif change.low > 0:
        said = f"Accuracy rises by {_points(change.low)} to {_points(change.high)} points."
    else:
        said = f"If it costs accuracy, then at most {_points(-change.low)} points."
    sentences = [said]
    errors = (plain.utility.calibration_error, None if _labels_only(choice) else found.calibration_error)
    if errors[0] is not None and errors[1] is not None and errors[1] - errors[0] > MISCALIBRATED:
        sentences.append(
            f"Its probabilities mean less: they are off by {100 * errors[1]:.0f} points on average, those of the plain "
            f"model by {100 * errors[0]:.0f}."
        )
    if _labels_only(choice):
        sentences.append("Its answers hold nothing but a label.")
    if choice.cost is not None and choice.cost.retrains and choice.cost.times is not None:
        sentences.append(f"Training takes {choice.cost.times:.1f} times as long.")
    return sentences


def _ties(choice: MitigationResult, others: Sequence[MitigationResult], rival: Rival) -> list[str]:
    equal = [o.label for o in others if o is not choice and rival(choice.label, o.label) == "within noise"]
    if not equal:
        return []
    verb = "does" if len(equal) == 1 else "do"
    return [f"{_list(equal)} {verb} as well, as far as these records show."]


def _softer(choice: MitigationResult, free: Sequence[MitigationResult]) -> list[str]:
    """Where the choice leaves labels alone: the best that leaves more."""
    keeping = [o for o in free if not _labels_only(o)]
    if not _labels_only(choice) or not keeping:
        return []
    best = min(keeping, key=lambda o: _leak_value(o, None))
    return [f"Where users need probabilities: of the mitigations that keep some, {best.label} leaks least."]


def _dearer(choice: MitigationResult, helping: Sequence[MitigationResult], fpr: float | None) -> list[str]:
    less = [o for o in helping if _dear(o) and _leak_value(o, fpr) < _leak_value(choice, fpr) and o.frontier]
    if not less:
        return []
    said = [f"{o.label} ({_points(-o.utility.change.value)} points)" for o in less if o.utility and o.utility.change]
    return [f"A lower value costs more accuracy: {_list(said)}."]


def _remains(choice: MitigationResult, fpr: float | None) -> str:
    assert choice.strongest is not None
    area, left = choice.strongest.leak.auc, leakage(choice.strongest.leak, fpr)
    if area is not None and area.low > CHANCE and left is not None:
        return (
            f"That does not make the model safe: {choice.strongest.leak.title} still recognises members "
            f"({_spell(left, fpr)}), and a better attack may find more."
        )
    return "What is left is within chance for these attacks; a better attack may find more."


def _by_area(choice: MitigationResult) -> list[str]:
    """An attack on labels alone that is stronger by AUC: its votes take few values, so a low rate does not show it."""
    labels, best = choice.label_only, choice.strongest.leak.auc if choice.strongest else None
    if labels is None or labels.auc is None or best is None or labels.auc.low <= best.high:
        return []
    return [
        f"By AUC an attack that reads labels alone is stronger ({labels.title}: {labels.auc.value:.3f}, against "
        f"{best.value:.3f}), though not at so low a false-positive rate."
    ]


def _naive(tried: Sequence[MitigationResult], fpr: float | None) -> list[str]:
    said = []
    for option in tried:
        if option.naive_change is None or option.naive_change.change != "worse":
            continue
        assert option.naive is not None
        assert option.adaptive is not None
        figures = [leakage(s.leak, fpr) for s in (option.naive, option.adaptive)]
        if figures[0] is not None and figures[1] is not None:
            said.append(f"{option.label} ({_short(figures[0], fpr)}, in truth {_short(figures[1], fpr)})")
    if not said:
        return []
    return [
        f"An attacker who does not know of the mitigation would make these look better than they are: {_list(said)}."
    ]


def _plain_shadows(tried: Sequence[MitigationResult], fpr: float | None) -> list[str]:
    said = []
    for option in tried:
        if option.strongest is None or option.adaptive is None or not option.strongest.plain_shadows:
            continue
        figures = [leakage(s.leak, fpr) for s in (option.adaptive, option.strongest)]
        if figures[0] is not None and figures[1] is not None:
            said.append(f"{option.label} ({_short(figures[0], fpr)}, with plain ones {_short(figures[1], fpr)})")
    return [f"Here mitigated shadow models serve an attacker worse than plain ones: {_list(said)}."] if said else []


def _no_effect(tried: Sequence[MitigationResult], *, but_all: bool = False) -> list[str]:
    """Mitigations without an effect; nothing where the headline says so of all."""
    same = [o.label for o in tried if o.effect == "within noise"]
    if but_all and len(same) == len(tried):
        return []
    return [f"No difference to the plain model was shown for {_list(same)}."] if same else []


def _worse(tried: Sequence[MitigationResult]) -> list[str]:
    worse = [o.label for o in tried if o.effect == "worse"]
    mixed = [o.label for o in tried if o.effect == "mixed"]
    said = [f"With {_list(worse)} the model leaks more than without."] if worse else []
    return [*said, *([f"{_list(mixed)}: significantly less by one value, but not by all."] if mixed else [])]


def _left_out(options: Sequence[MitigationResult]) -> list[str]:
    said = []
    for status, word in (("not applicable", "Not applicable here"), ("failed", "Failed")):
        names = [o.label for o in options if o.status == status]
        said += [f"{word}: {_list(names)} (the reasons stand below)."] if names else []
    unfit = [o.label for o in options if o.effect == "not comparable"]
    missed = [o.label for o in options if o.meets is False]
    said += [f"Not comparable with the plain model: {_list(unfit)}."] if unfit else []
    return said + ([f"The wanted leakage was not reached by {_list(missed)}."] if missed else [])


def _together(tried: Sequence[MitigationResult], confidence: float) -> str:
    if len(tried) < 2:
        return f"The verdict holds with {confidence:.0%} confidence, for leakage and accuracy together."
    return (
        f"All {len(tried)} verdicts hold together with {confidence:.0%} confidence: the mitigations share one error "
        "rate (Bonferroni), half of it for leakage and half for accuracy."
    )


def _dear(option: MitigationResult) -> bool:
    return option.utility is not None and option.utility.change is not None and option.utility.change.high < 0


def _labels_only(option: MitigationResult) -> bool:
    size = option.utility.answer_size if option.utility else None
    return size is not None and size <= 1.0 and "labels" in option.label


def _point(option: MitigationResult, fpr: float | None) -> tuple[float, float] | None:
    """Accuracy and leakage."""
    if option.utility is None or option.strongest is None:
        return None
    found = leakage(option.strongest.leak, fpr)
    return None if found is None else (option.utility.accuracy.value, found.value)


def _leak_value(option: MitigationResult, fpr: float | None) -> float:
    found = leakage(option.strongest.leak, fpr) if option.strongest else None
    return 1.0 if found is None else found.value


def _spell(figure: Estimate, fpr: float | None) -> str:
    if fpr is None:
        return f"an AUC of {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
    spread = f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"
    return f"{100 * figure.value:.1f}% of the members ({spread}) at a false-positive rate of {100 * fpr:.6g}%"


def _short(figure: Estimate, fpr: float | None) -> str:
    return f"an AUC of {figure.value:.3f}" if fpr is None else f"{100 * figure.value:.1f}%"


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
