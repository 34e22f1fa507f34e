"""What is to be tried: mitigations of one strength, or of a range of strengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.mitigations import AnswerMitigation, Mitigation, TrainingMitigation
from gnomon.mitigations import MITIGATIONS, is_own, make_foreign_mitigation, make_mitigation

JOIN = "+"  # "l2:1e-3+top3": both at once
# Where no range is given: from hardly noticed to hardly usable, for models of some hundred thousand weights.
RANGES: dict[str, tuple[float, float]] = {
    "adversarial": (0.3, 30.0),
    "depth": (2, 20),
    "dp": (0.5, 1000.0),
    "dropout": (0.05, 0.9),
    "early_stopping": (1, 20),
    "hamp_training": (0.1, 1.0),
    "l2": (1e-6, 1e-1),
    "label_smoothing": (0.01, 0.9),
    "leaf": (1, 50),
    "noise": (1e-3, 1.0),
    "relaxloss": (0.05, 2.0),
    "round": (1, 4),
    "temperature": (1.0, 100.0),
    "top": (1, 10),
}


@dataclass(frozen=True)
class Combination:
    """Mitigations that are put on one model together."""

    mitigations: tuple[Mitigation, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """As the plan has them."""
        return tuple(m.label for m in self.mitigations)

    @property
    def label(self) -> str:
        """One word for all of them."""
        return JOIN.join(self.labels) or "none"

    @property
    def title(self) -> str:
        """What a report calls them."""
        return " and ".join(m.title for m in self.mitigations) or "Plain model"

    @property
    def paper(self) -> str:
        """Authors and years."""
        return "; ".join(dict.fromkeys(m.paper for m in self.mitigations))

    @property
    def acts_on(self) -> Literal["nothing", "answers", "training", "both"]:
        """Where they act."""
        places = {m.acts_on for m in self.mitigations}
        if len(places) == 2:
            return "both"
        return next(iter(places), "nothing")


@dataclass(frozen=True)
class StrengthRange:
    """A mitigation of unknown strength, between two ends (both are tried)."""

    name: str
    low: float
    high: float
    whole: bool  # whole numbers only

    def at(self, strength: float) -> Combination:
        """The mitigation at one strength, to three digits."""
        text = f"{round(strength)}" if self.whole else f"{strength:.3g}"
        return Combination((make_mitigation(f"{self.name}:{text}"),))


PLAIN = Combination(())


def read_tries(text: str, *, sweeping: bool, trust: bool = False) -> list[Combination | StrengthRange]:
    """What to try, in words.

    Args:
        text: "top3,l2:1e-3,l2:1e-3+top3", separated by commas; where strengths are swept also "l2:1e-5..1e-1", or a
            bare name for its usual range.
        sweeping: whether strengths are swept.
        trust: whether mitigations of other packages may be imported.

    Raises:
        UsageError: nothing to try, an unknown mitigation, a strength that it can't have, a broken range.

    >>> [combination.label for combination in read_tries("top3, temperature:5", sweeping=False)]
    ['top3', 'temperature5']
    >>> read_tries("temperature:1..50", sweeping=True)
    [StrengthRange(name='temperature', low=1.0, high=50.0, whole=False)]
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError(f"nothing to try: name mitigations, such as top3,temperature5 ({_known()})")
    found: list[Combination | StrengthRange] = []
    for word in words:
        one = _sweep(word) if ".." in word or (sweeping and word in RANGES) else _setting(word, trust)
        if isinstance(one, StrengthRange) and not sweeping:
            raise UsageError(f'"{word}": a range of strengths needs a wanted leakage, such as --until "tpr@0.01<=0.05"')
        if one not in found:
            found.append(one)
    if sweeping and not any(isinstance(one, StrengthRange) for one in found):
        raise UsageError(
            f'nothing to sweep in "{text}": give a range, such as l2:1e-5..1e-1, or a name alone for its usual range'
        )
    return found


def _setting(word: str, trust: bool) -> Combination:
    return Combination(tuple(_mitigation(part.strip(), trust) for part in _parts(word)))


def _mitigation(text: str, trust: bool) -> AnswerMitigation | TrainingMitigation:
    """A mitigation of gnomon's or of an installed package; its label must name it in the audits' plans again."""
    if is_own(text):
        return make_mitigation(text)
    made, fact = make_foreign_mitigation(text, trust=trust)
    if fact.package is None:
        raise UsageError(
            f'"{text}": to be compared, a mitigation of another package needs an entry point (gnomon.mitigations) of '
            f'its name, "{made.name}"'
        )
    return made


def _parts(word: str) -> Sequence[str]:
    """Parts of "l2:1e+3+top3": a plus behind an exponent's e belongs to the number."""
    parts: list[str] = []
    for piece in word.split(JOIN):
        exponent = parts and parts[-1][-2:-1].isdigit() and parts[-1][-1:] in "eE"
        if exponent:
            parts[-1] += JOIN + piece
        else:
            parts.append(piece)
    return parts


def _sweep(word: str) -> StrengthRange:
    name, _, ends = word.partition(":")
    if ".." not in word:
        low, high = RANGES[name]
    else:
        left, _, right = ends.partition("..")
        try:
            low, high = float(left), float(right)
        except ValueError:
            raise UsageError(f'"{word}": expected NAME:LOW..HIGH, such as l2:1e-5..1e-1') from None
    if not low < high:
        raise UsageError(f'"{word}": the lower end must be below the upper one')
    for end in (low, high):  # says what is wrong with a name, or an end
        make_mitigation(f"{name}:{end:g}")
    return StrengthRange(name, low, high, _whole_only(name, low))


def _whole_only(name: str, low: float) -> bool:
    if low != int(low):
        return False
    try:
        make_mitigation(f"{name}:{int(low) + 0.5}")
    except UsageError:
        return True
    return False


def _known() -> str:
    return did_you_mean("", [m.name for m in MITIGATIONS]).strip(" ()")
