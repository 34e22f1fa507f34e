"""The search for a strength: the most useful model among those that leak no more than is wanted.

Optuna's tree-structured Parzen estimator proposes strengths; both ends of the range and their middle are tried first,
so that a range which can't reach the wanted leakage shows it at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gnomon.auditing.outcome import Outcome
from gnomon.core.documents.defence import Search, StrengthTrial
from gnomon.core.documents.gate import Held, Limit
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError, import_extra
from gnomon.defending.combinations import Combination, StrengthRange
from gnomon.runs.gate import hold, summed_up
from gnomon.runs.limits import parse_limit

FEWEST_TRIALS = 3  # both ends and the middle
MISSED = 1e-6  # how far above its limit a strength counts at least that does not meet it
DECADES = 10.0  # a range that spans more than this factor is searched on a logarithmic scale

Audit = Callable[[Combination], Outcome | str]  # the outcome, or in one line why there is none
Accuracy = Callable[[Outcome], float]  # how useful an audited model is


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        combination: the most useful strength that meets the limit, or else the one that came closest; None if no audit
            ended.
        facts: every trial.
    """

    combination: Combination | None
    facts: Search


def read_until(text: str) -> Limit:
    """A wanted leakage, in the words of `gnomon gate`.

    Raises:
        UsageError: no limit.

    >>> read_until("tpr@0.01<=0.05").most
    0.05
    """
    limit = parse_limit(text)
    if limit.figure in ("epsilon", "structure"):
        raise UsageError(f'limit "{text}": a search needs a value of attacks (auc, advantage, accuracy or tpr@FPR)')
    return limit


def meets(record: Record, limit: Limit) -> bool:
    """Whether a record meets a limit: every attack's whole interval lies below it, as `gnomon gate` has it.

    Raises:
        UsageError: the record has no such figure.
    """
    return summed_up(hold(record, limit)) == "met"


def check_limit(record: Record, limit: Limit) -> None:
    """Refuses a limit that could hold nothing, before hours of work.

    Raises:
        UsageError: no attack of the plain model's record has a value of this figure.
    """
    held = hold(record, limit)
    if all(one.estimate is None for one in held):
        raise UsageError(f'limit "{limit.text}": {held[0].line.removeprefix("unresolved: ")}')


def upper_end(held: Sequence[Held]) -> float | None:
    """The largest upper end of an interval that a limit is held against; None where no attack has a value."""
    return max((one.estimate.high for one in held if one.estimate is not None), default=None)


def search(strengths: StrengthRange, audit: Audit, accuracy: Accuracy, limit: Limit, trials: int, seed: int) -> Found:
    """Looks for the strength of the best accuracy that meets the limit.

    Args:
        strengths: the mitigation and its range.
        audit: what tries a strength.
        accuracy: usefulness of an audited model.
        limit: the wanted leakage.
        trials: strengths to try, at least 3.
        seed: of the proposals.

    Raises:
        MissingExtraError: Optuna is not installed.
        UsageError: audits have no such figure.
    """
    seen: dict[str, tuple[StrengthTrial, Combination]] = {}
    with _optuna() as optuna:
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=FEWEST_TRIALS)
        )
        for strength in _first(strengths):
            study.enqueue_trial({"strength": strength})
        for _ in range(max(trials, FEWEST_TRIALS)):
            proposal = study.ask({"strength": _scale(strengths, optuna)})
            combination = strengths.at(proposal.params["strength"])
            if combination.label not in seen:
                seen[combination.label] = (_try(combination, audit, accuracy, limit), combination)
            _tell(study, proposal, seen[combination.label][0], limit, optuna)
    return _found(strengths, list(seen.values()), limit)


def _try(combination: Combination, audit: Audit, accuracy: Accuracy, limit: Limit) -> StrengthTrial:
    outcome = audit(combination)
    if isinstance(outcome, str):
        return StrengthTrial(label=combination.label, value=None, accuracy=None, meets=False, reason=outcome)
    held = hold(outcome.record, limit)
    value, met = upper_end(held), summed_up(held) == "met"
    reason = held[0].line if value is None else None
    return StrengthTrial(label=combination.label, value=value, accuracy=accuracy(outcome), meets=met, reason=reason)


def _tell(study: Any, proposal: Any, trial: StrengthTrial, limit: Limit, optuna: Any) -> None:
    if trial.value is None:
        study.tell(proposal, state=optuna.trial.TrialState.FAIL)
        return
    above = trial.value - limit.most
    proposal.set_constraint("leakage", above if trial.meets else max(above, MISSED))
    study.tell(proposal, trial.accuracy)


def _found(strengths: StrengthRange, tried: list[tuple[StrengthTrial, Combination]], limit: Limit) -> Found:
    ended = [(trial, combination) for trial, combination in tried if trial.value is not None]
    meeting = [(trial, combination) for trial, combination in ended if trial.meets]
    best = max(meeting, key=lambda one: (one[0].accuracy or 0.0, -(one[0].value or 0.0)), default=None)
    closest = min(ended, key=lambda one: one[0].value or 0.0, default=None)
    chosen = best or closest
    facts = Search(
        name=strengths.name,
        low=strengths.low,
        high=strengths.high,
        limit=limit.text,
        chosen=None if best is None else best[1].label,
        trials=[trial for trial, _ in tried],
    )
    return Found(None if chosen is None else chosen[1], facts)


def _first(strengths: StrengthRange) -> list[float]:
    middle = (
        (strengths.low * strengths.high) ** 0.5 if _logarithmic(strengths) else (strengths.low + strengths.high) / 2
    )
    ends = [strengths.low, strengths.high, middle]
    return [round(end) for end in ends] if strengths.whole else ends


def _scale(strengths: StrengthRange, optuna: Any) -> Any:
    if strengths.whole:
        return optuna.distributions.IntDistribution(
            int(strengths.low), int(strengths.high), log=_logarithmic(strengths)
        )
    return optuna.distributions.FloatDistribution(strengths.low, strengths.high, log=_logarithmic(strengths))


def _logarithmic(strengths: StrengthRange) -> bool:
    return strengths.low > 0 and strengths.high / strengths.low >= DECADES


@contextmanager
def _optuna() -> Iterator[Any]:
    """Optuna, quiet; its verbosity is put back afterwards."""
    optuna = import_extra("optuna", "search", "a search for a strength (--until)")
    loud = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield optuna
    finally:
        optuna.logging.set_verbosity(loud)
