"""The one-run audit in a report: what fair coins showed, the most that they could have shown, and what it speaks of."""

from __future__ import annotations

from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import CanaryFacts, CanaryTrial
from gnomon.report.formatting import count, counted, number, rate, share
from gnomon.report.sections import NONE, Cell, Cells, Section, table

_KINDS = {
    "mislabelled": "real rows that are not trained on otherwise, each with a wrong label",
    "random": "records drawn at random from the feature space, each with a random label",
    "own": "rows of your own",
}
_ONLY_COINS = (
    "Only these guesses may be turned into an epsilon, because fair coins decided who was in. The AUC, the "
    "true-positive rates and the probabilities of natural records in this report must not: nobody threw a coin for "
    "them, and they are many records before one model, not one record in many trainings."
)
_SPEAKS_OF = (
    "The bound speaks of the recipe and of the records that it remembers best, through the model's answers; a stronger "
    "attacker or better canaries may show more. It was made from one more training: the audited model holds no canary."
)
_NOTHING = "A bound of 0 is no promise of privacy: these canaries, guessed this way, showed nothing."


def canaries(record: Record) -> Section | None:
    """What one training with canaries shows of epsilon."""
    found = record.canaries
    if found is None:
        return None
    said = _said(found)
    heads = ("Guesses", "Right", "Share", "Epsilon is at least")
    rows = [_row(trial, chosen=trial.guesses == found.guesses) for trial in found.trials]
    return Section(
        "canaries",
        "Epsilon from one training with canaries",
        f"{counted(found.canaries, 'canary', 'canaries')} ({_KINDS[found.kind]}) went into the training data of one "
        f"more model of the recipe, each by a fair coin of its own: {count(found.included)} are in "
        f"({counted(found.train_size, 'training row')} in all). Whose label the model finds most probable is "
        "guessed in, whose it finds least probable is guessed out, and the rest is left open (Steinke, Nasr & "
        "Jagielski 2023).",
        sentences=said,
        tables=(table("canaries", "By number of guesses", heads, rows, left=0),),
        notes=(_ONLY_COINS, _SPEAKS_OF, *((_NOTHING,) if found.epsilon == 0 else ()), _accuracy(found, record)),
        short="Canaries",
        brief=(" ".join(said),),
    )


def _row(trial: CanaryTrial, *, chosen: bool) -> Cells:
    bound = Cell(number(trial.epsilon)) if trial.epsilon > 0 else NONE
    guesses = Cell(count(trial.guesses), tag="the bound" if chosen else "")
    return guesses, trial.right, share(trial.right / trial.guesses), bound


def _said(found: CanaryFacts) -> tuple[str, ...]:
    level, delta = rate(found.confidence), f"{found.delta:g}"
    tried = len(found.trials)
    right = f"{count(found.right)} of {counted(found.guesses, 'guess', 'guesses')} were right"
    numbers = f", the best of {tried} numbers of guesses that were fixed beforehand and share the error" * (tried > 1)
    most = f"With every guess right, these canaries would have shown {number(found.ceiling)}, and never more."
    if found.epsilon > 0:
        shown = (
            f"At a confidence of {level}, epsilon is at least {number(found.epsilon)} at delta {delta}: "
            f"{right}{numbers}."
        )
    else:
        shown = f"At a confidence of {level} and delta {delta}, no epsilon above 0 is shown: {right}{numbers}."
    return (shown, most, *_promise(found))


def _promise(found: CanaryFacts) -> tuple[str, ...]:
    if found.promised is None:
        return ()
    promised = f"The accountant of this training promises {number(found.promised)} at most at the same delta"
    if found.epsilon > found.promised:
        return (f"{promised}, which the canaries refute: see the finding epsilon-refuted.",)
    return (f"{promised}, and the canaries do not refute it.",)


def _accuracy(found: CanaryFacts, record: Record) -> str:
    if found.test_accuracy is None:
        return "How accurate the model with canaries is was not measured: no row was left for it."
    own = record.target.test_accuracy
    beside = "" if own is None else f"; the audited model is right on {share(own)} of its audited non-members"
    return (
        f"Canaries disturb a model: this one is right on {share(found.test_accuracy)} of "
        f"{counted(found.tested, 'row')} that it was not trained on{beside}."
    )
