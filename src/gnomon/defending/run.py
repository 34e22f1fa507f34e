"""Mitigations of one model against each other: each is an audit of the same plan with one more entry in it.

Every mitigation meets an attacker who knows it: their shadow models are trained with it and answer through it, as Song
& Mittal (2021) and Aerni, Zhang & Tramèr (2024) demand. Next to it is the attacker who does not, because that is how
mitigations have often been judged. All audits share one store: mitigations of the answers train nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from gnomon.attacks import ATTACKS
from gnomon.auditing.api import Settings
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.progress import Progress, Silent
from gnomon.auditing.provenance import provenance
from gnomon.core.documents.comparison import AttackChange, Change, Comparison
from gnomon.core.documents.defence import DefenceReport, MitigationResult, Search, Strongest
from gnomon.core.errors import GnomonError, StoreError, UsageError
from gnomon.core.evidence import BLACK_BOX
from gnomon.core.plan import Plan, make_plan
from gnomon.defending import measure as figures
from gnomon.defending.advice import advise, mark_frontier, temper
from gnomon.defending.audits import Keeper
from gnomon.defending.combinations import PLAIN, Combination, StrengthRange, read_tries
from gnomon.defending.search import check_limit, meets, search
from gnomon.runs.compare import compare
from gnomon.runs.gate import Limit

VACUOUS_DP = "dp:noise=0.2"
CHEAP_QUERIES = "noise_robustness"  # asks in batches, and few: part of every bench whose target can be asked


@dataclass(frozen=True)
class Audited:
    """A mitigation and what its audits found; ``outcome`` is None where it could not be audited."""

    setting: Combination
    outcome: Outcome | None = None
    naive: Outcome | None = None
    adaptive: Strongest | None = None
    naive_strongest: Strongest | None = None
    naive_wins: bool = False  # who knows a mitigation may still train plain shadow models, and does where they serve
    status: Literal["ok", "not applicable", "failed"] = "ok"
    reason: str | None = None

    @property
    def judged(self) -> Outcome | None:
        """The audit that the mitigation is judged by."""
        return self.naive if self.naive_wins else self.outcome

    @property
    def strongest(self) -> Strongest | None:
        """The strongest attack in it."""
        if not self.naive_wins or self.naive_strongest is None:
            return self.adaptive
        return self.naive_strongest.model_copy(update={"plain_shadows": True, "chosen_on": "audited rows"})


@dataclass
class _DefenceRun:
    """One bench while it runs."""

    plan: Plan
    keeper: Keeper
    advance: Callable[[int], None]
    searches: list[Search] = field(default_factory=list)

    def audit(self, setting: Combination, *, knows: bool = True) -> Outcome:
        """The audit of one mitigation, by an attacker who knows it or does not."""
        plan = mitigated(self.plan, setting, knows=knows)
        return self.keeper.outcome(plan, folder_of(setting, knows=knows))

    def attempt(self, setting: Combination) -> Audited:
        """The same, where a mitigation that can't be audited is told and not raised."""
        try:
            return Audited(setting, self.audit(setting))
        except StoreError:
            raise  # no other audit could be kept either
        except UsageError as error:
            return Audited(setting, status="not applicable", reason=_line(error))
        except GnomonError as error:
            return Audited(setting, status="failed", reason=_line(error))
        except Exception as error:
            return Audited(setting, status="failed", reason=f"{type(error).__name__}: {_line(error)}")
        finally:
            self.advance(1)


def defend(
    plan: Plan,
    tries: Sequence[Combination | StrengthRange],
    folder: Path,
    settings: Settings | None = None,
    *,
    naive: bool = True,
    limit: Limit | None = None,
    trials: int = 8,
    progress: Progress | None = None,
) -> DefenceReport:
    """Audits a plan without and with each mitigation, and says what each buys and costs.

    Args:
        plan: what is audited; mitigations that it names stay on in every audit.
        tries: mitigations, with a strength or with a range of strengths.
        folder: of the bench: audits in ``audits/``, models' answers in ``store/``; what is finished is not done again.
        settings: how to run.
        naive: also audit by an attacker who does not know the mitigation.
        limit: the wanted leakage, for ranges of strengths.
        trials: strengths that are tried of each range.
        progress: who is told.

    Raises:
        GnomonError: the plain model cannot be audited, or a limit that no audit has a figure for.
    """
    start, settings = time.perf_counter(), settings or Settings()
    settings = replace(settings, store=settings.store or folder / "store")
    told = progress or Silent()
    shared, tries = bench_plan(plan), with_baselines(tries)
    sweeps = sum(isinstance(one, StrengthRange) for one in tries)
    total = 1 + (len(tries) - sweeps) * (2 if naive else 1) + sweeps * (trials + (1 if naive else 0))
    run = _DefenceRun(shared, Keeper(folder / "audits", settings, told), told.stage("audits", total))
    plain = run.audit(PLAIN)
    if limit is not None:
        check_limit(plain.record, limit)
    run.advance(1)
    audited = [_carried_out(one, run, limit, trials) for one in tries]
    if naive:
        audited = [_with_naive(one, run) for one in audited]
    return _document(plan.name, shared, tries, plain, audited, run.searches, limit, time.perf_counter() - start)


def with_baselines(tries: Sequence[Combination | StrengthRange]) -> list[Combination | StrengthRange]:
    """What is tried, and beside differential privacy the same training with next to no noise.

    It proves nothing that matters and often protects as well against known attacks, so no bench of DP-SGD is fair
    without it (Aerni, Zhang & Tramèr, 2024).
    """
    private = [t for t in tries if (t.name if isinstance(t, StrengthRange) else t.label).startswith("dp")]
    if not private or any(VACUOUS_DP in t.labels for t in private if isinstance(t, Combination)):
        return list(tries)
    return [*tries, *(t for t in read_tries(VACUOUS_DP, sweeping=False) if t not in tries)]


def bench_plan(plan: Plan) -> Plan:
    """The plan that all audits of a bench share: one target, no ladder, always a label-only attack.

    >>> plan = make_plan({"data": {"source": "digits"}, "attacks": {"names": ["loss"]}})
    >>> bench_plan(plan).attacks.names
    ('gap', 'loss', 'noise_robustness')
    """
    if plan.attacks.names is None:
        names = [a.name for a in ATTACKS if a.needs <= BLACK_BOX - {"query"}]
    else:
        names = [*plan.attacks.names]
    asks = plan.target.member_answers is None and plan.target.query_budget != 0
    names = [*(n for n in ("gap",) if n not in names), *names]
    names += [CHEAP_QUERIES] if asks and CHEAP_QUERIES not in names else []
    attacks = plan.attacks.model_copy(update={"names": tuple(names), "ladder": False})
    target = plan.target.model_copy(update={"repeats": 1})
    statistics = plan.statistics.model_copy(update={"slices": ()})
    return plan.model_copy(update={"attacks": attacks, "target": target, "statistics": statistics})


def mitigated(plan: Plan, setting: Combination, *, knows: bool) -> Plan:
    """The plan with a mitigation more in it, for an attacker who knows it or does not."""
    values = plan.model_dump(mode="json", exclude_unset=True)
    name = plan.name if setting is PLAIN else f"{plan.name}: {setting.label}"
    values["mitigations"] = [*plan.mitigations, *setting.labels]
    if not knows:
        name += ", naive attacker"
        values["shadow"] = {**values.get("shadow", {}), "mitigated": False}
        names = [n for n in plan.attacks.names or () if n not in _asking()]  # they use no shadow model: the same again
        values["attacks"]["names"] = names
    return make_plan(values).model_copy(update={"name": name})


def folder_of(setting: Combination, *, knows: bool) -> str:
    """Name of an audit's folder.

    >>> folder_of(PLAIN, knows=True)
    'none'
    """
    word = "".join(c if c.isalnum() or c in "+-." else "-" for c in setting.label)
    return word if knows else f"{word}-naive"


def _carried_out(one: Combination | StrengthRange, run: _DefenceRun, limit: Limit | None, trials: int) -> Audited:
    if isinstance(one, Combination):
        return run.attempt(one)
    assert limit is not None
    tried: dict[str, Audited] = {}

    def audit(setting: Combination) -> Outcome | str:
        tried[setting.label] = run.attempt(setting)
        found = tried[setting.label]
        return found.outcome if found.outcome is not None else found.reason or found.status

    found = search(one, audit, _accuracy, limit, trials, run.plan.seed)
    run.searches.append(found.facts)
    if found.setting is not None:
        return tried[found.setting.label]
    first = next(iter(tried.values()))
    return replace(first, setting=first.setting)


def _with_naive(one: Audited, run: _DefenceRun) -> Audited:
    if one.outcome is None or run.plan.shadow.count == 0:
        run.advance(1)
        return one
    try:
        return replace(one, naive=run.audit(one.setting, knows=False))
    except StoreError:
        raise
    except GnomonError:
        return one  # what the attacker who knows found still stands
    finally:
        run.advance(1)


def _document(
    name: str,
    plan: Plan,
    tries: Sequence[Combination | StrengthRange],
    plain: Outcome,
    audited: Sequence[Audited],
    searches: list[Search],
    limit: Limit | None,
    seconds: float,
) -> DefenceReport:
    record, tenth = plain.record, figures.exposed_tenth(plain)
    level, fpr = plan.statistics.confidence, figures.telling_fpr(plain.record)
    family = max(1, sum(one.outcome is not None for one in audited) + sum(len(s.trials) - 1 for s in searches))
    base = _seen(Audited(PLAIN, plain), tenth)
    seen = [_with_winner(_seen(one, tenth), 1 - (1 - level) / family) for one in audited]
    options = [_option(base, base, family, level), *(_option(one, base, family, level) for one in seen)]
    if limit is not None:
        options = [options[0], *(_held(option, one, limit) for option, one in zip(options[1:], seen, strict=True))]
    options = mark_frontier(temper(options, fpr), fpr)
    by_label = {one.setting.label: one for one in seen}

    def rival(first: str, second: str) -> Change:
        return _compare(by_label[first], by_label[second], 1 - (1 - level) / family).change

    return DefenceReport(
        name=name,
        plan=plan.model_dump(mode="json"),
        tried=[t.label if isinstance(t, Combination) else f"{t.name}:{t.low:g}..{t.high:g}" for t in tries],
        fpr=fpr,
        confidence=level,
        compared=family,
        members=record.data.members,
        nonmembers=record.data.nonmembers,
        classes=record.data.classes,
        data=record.data.name,
        view=record.threat_model.view,
        shadows=record.shadows.count if record.shadows else 0,
        exposed=None if tenth is None else tenth.facts,
        options=options,
        searches=searches,
        advice=advise(options, rival, fpr, level),
        provenance=provenance(plan.seed, {"bench": round(seconds, 3)}, record.provenance.fingerprints),
    )


def _seen(one: Audited, tenth: figures.Tenth | None) -> Audited:
    """With the strongest attack of each audit."""
    if one.outcome is None:
        return one
    found = figures.strongest(one.outcome, tenth)
    naive = None if one.naive is None else figures.strongest(one.naive, tenth)
    return replace(
        one,
        outcome=figures.with_headline(one.outcome, found),
        adaptive=found,
        naive=None if one.naive is None else figures.with_headline(one.naive, naive),
        naive_strongest=naive,
    )


def _with_winner(one: Audited, confidence: float) -> Audited:
    if one.naive is None or one.outcome is None:
        return one
    against = compare(one.outcome, one.naive, confidence=confidence, same_model=True, adaptive=True).change
    return replace(one, naive_wins=against == "worse")


def _effect(one: Audited, plain: Audited, confidence: float) -> Change:
    """How a mitigation compares with none: better only if it is so to the adaptive and to the naive attack.

    A naive audit that can't be compared (plain shadows that are nothing like the target) takes nothing away.
    """
    found = {_compare(plain, replace(one, naive_wins=False), confidence).change}
    if one.naive is not None:
        found |= {_compare(plain, replace(one, naive_wins=True), confidence).change} - {"not comparable"}
    for change in ("worse", "not comparable", "mixed", "within noise"):
        if change in found:
            return change
    return "better"


def _option(one: Audited, plain: Audited, family: int, level: float) -> MitigationResult:
    setting = one.setting
    blank = MitigationResult(
        label=setting.label,
        title=setting.title,
        paper=setting.paper,
        acts_on=setting.acts_on,
        status=one.status,
        reason=one.reason,
    )
    if one.outcome is None:
        return blank
    assert plain.outcome is not None
    record, is_plain = one.outcome.record, one is plain
    known, facts = figures.leaks(record), figures.notes_of(record)
    shared = 1 - (1 - level) / 2 / family  # half of the error rate for leakage, half for accuracy
    change = None if is_plain else _compare(plain, one, shared).overall
    return blank.model_copy(
        update={
            "folder": f"audits/{folder_of(setting, knows=True)}",
            "strongest": one.strongest,
            "adaptive": None if is_plain else one.adaptive,
            "label_only": figures.best_label_only(known),
            "attacks": known,
            "naive": one.naive_strongest,
            "naive_change": _from_naive(one, 1 - (1 - level) / family),
            "change": change,
            "effect": None if is_plain else _effect(one, plain, shared),
            "utility": figures.utility(one.outcome, plain.outcome, shared),
            "cost": figures.cost(record, plain.outcome.record, retrains=setting.acts_on in ("training", "both")),
            "guarantee": figures.guarantee(facts),
            "facts": facts,
            "curves": figures.curves_of(record),
        }
    )


def _compare(first: Audited, second: Audited, confidence: float) -> Comparison:
    assert first.judged is not None
    assert second.judged is not None
    untouched = {"nothing", "answers"}
    same = first.setting.acts_on in untouched and second.setting.acts_on in untouched
    return compare(first.judged, second.judged, confidence=confidence, same_model=same, adaptive=True)


def _from_naive(one: Audited, confidence: float) -> AttackChange | None:
    if one.naive is None or one.outcome is None:
        return None
    return compare(one.naive, one.outcome, confidence=confidence, same_model=True, adaptive=True).overall


def _held(option: MitigationResult, one: Audited, limit: Limit) -> MitigationResult:
    if one.outcome is None:
        return option
    return option.model_copy(update={"meets": meets(one.outcome.record, limit)})


def _accuracy(outcome: Outcome) -> float:
    return figures.utility(outcome, outcome, 0.95).accuracy.value


def _asking() -> set[str]:
    return {a.name for a in ATTACKS if "query" in a.needs}


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
