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
from gnomon.auditing.outcome import Outcome, provenance
from gnomon.auditing.settings import Progress, Settings, Silent
from gnomon.core.documents.defence import DefenceReport, MitigationResult, Search
from gnomon.core.documents.gate import Limit
from gnomon.core.documents.record import Provenance
from gnomon.core.errors import GnomonError, StoreError, UsageError, one_line
from gnomon.core.evidence import BLACK_BOX
from gnomon.core.plan import Plan, make_plan
from gnomon.defending import measure
from gnomon.defending.advice import advise
from gnomon.defending.combinations import PLAIN, Combination, StrengthRange, read_tries
from gnomon.defending.results import AuditedCombination, Keeper, Yardstick, compared, mark_frontier, measured, rival
from gnomon.defending.search import check_limit, search

VACUOUS_DP = "dp:noise=0.2"
CHEAP_QUERIES = "noise_robustness"  # asks in batches, and few: part of every report whose target can be asked


@dataclass
class _DefenceRun:
    """The audits of one report while they run."""

    plan: Plan
    keeper: Keeper
    advance: Callable[[int], None]
    searches: list[Search] = field(default_factory=list)

    def audit(self, combination: Combination, *, knows: bool = True) -> Outcome:
        """The audit of an attacker who knows the mitigations or does not: read back if that very audit finished."""
        plan = mitigated(self.plan, combination, knows=knows)
        return self.keeper.outcome(plan, folder_of(combination, knows=knows))

    def attempt(self, combination: Combination) -> AuditedCombination:
        """The same, where mitigations that can't be audited are reported and not raised."""
        try:
            return AuditedCombination(combination, _row(combination), self.audit(combination))
        except StoreError:
            raise  # no other audit could be kept either
        except UsageError as error:
            return AuditedCombination(combination, _row(combination, "not applicable", one_line(error)))
        except Exception as error:
            kind = "" if isinstance(error, GnomonError) else f"{type(error).__name__}: "
            return AuditedCombination(combination, _row(combination, "failed", f"{kind}{one_line(error)}"))
        finally:
            self.advance(1)

    def carried_out(self, one: Combination | StrengthRange, limit: Limit | None, trials: int) -> AuditedCombination:
        """The audit of a combination, or of the strength of a range that a search chose."""
        if isinstance(one, Combination):
            return self.attempt(one)
        assert limit is not None
        tried: dict[str, AuditedCombination] = {}

        def audit(combination: Combination) -> Outcome | str:
            found = tried[combination.label] = self.attempt(combination)
            return found.outcome if found.outcome is not None else found.result.reason or found.result.status

        found = search(one, audit, measure.accuracy, limit, trials, self.plan.seed)
        self.searches.append(found.facts)
        return next(iter(tried.values())) if found.combination is None else tried[found.combination.label]

    def with_naive(self, one: AuditedCombination) -> AuditedCombination:
        """With the audit of the attacker who does not know the mitigations, where one can be made."""
        try:
            if one.outcome is None or self.plan.shadow.count == 0:
                return one
            return replace(one, naive=self.audit(one.combination, knows=False))
        except StoreError:
            raise
        except GnomonError:
            return one  # what the attacker who knows found still stands
        finally:
            self.advance(1)

    def report(
        self,
        name: str,
        tried: list[str],
        plain: Outcome,
        audited: Sequence[AuditedCombination],
        limit: Limit | None,
        made: Provenance,
    ) -> DefenceReport:
        """The report on all of them."""
        plan, searches = self.plan, self.searches
        tenth, level, fpr = measure.exposed_tenth(plain), plan.statistics.confidence, measure.telling_fpr(plain.record)
        family = sum(one.outcome is not None for one in audited) + sum(len(s.trials) - 1 for s in searches)
        yardstick = Yardstick(plain, tenth, fpr, level, max(1, family), limit)
        base = measured(AuditedCombination(PLAIN, _row(PLAIN), plain), yardstick)
        rows = [compared(measured(one, yardstick), base, yardstick) for one in audited]
        results = mark_frontier([base.result, *(one.result for one in rows)], fpr)
        by_label = {one.combination.label: one for one in rows}
        record = plain.record
        return DefenceReport(
            name=name,
            plan=plan.model_dump(mode="json"),
            tried=tried,
            fpr=fpr,
            confidence=level,
            compared=yardstick.family,
            members=record.data.members,
            nonmembers=record.data.nonmembers,
            classes=record.data.classes,
            data=record.data.name,
            view=record.threat_model.view,
            shadows=record.shadows.count if record.shadows else 0,
            exposed=None if tenth is None else tenth.facts,
            results=results,
            searches=searches,
            advice=advise(results, lambda a, b: rival(by_label[a], by_label[b], yardstick.alone), fpr, level),
            provenance=made,
        )


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
        folder: audits go to ``audits/``, models' answers to ``store/``; what is finished is not done again.
        settings: how to run.
        naive: also audit by an attacker who does not know the mitigation.
        limit: the wanted leakage, for ranges of strengths.
        trials: strengths that are tried of each range.
        progress: who is told.

    Raises:
        GnomonError: the plain model cannot be audited, or a limit that no audit has a value for.
    """
    start, settings, progress = time.perf_counter(), settings or Settings(), progress or Silent()
    shared, tries = shared_plan(plan), with_baselines(tries)
    ranges = sum(isinstance(one, StrengthRange) for one in tries)
    total = 1 + (len(tries) - ranges) * (2 if naive else 1) + ranges * (trials + (1 if naive else 0))
    run = _DefenceRun(shared, _keeper(folder, settings, progress), progress.stage("audits", total))
    plain = run.audit(PLAIN)
    if limit is not None:
        check_limit(plain.record, limit)
    run.advance(1)
    audited = [run.carried_out(one, limit, trials) for one in tries]
    if naive:
        audited = [run.with_naive(one) for one in audited]
    tried = [t.label if isinstance(t, Combination) else f"{t.name}:{t.low:g}..{t.high:g}" for t in tries]
    made = provenance(
        shared.seed, {"defend": round(time.perf_counter() - start, 3)}, plain.record.provenance.fingerprints
    )
    return run.report(plan.name, tried, plain, audited, limit, made)


def bench_audit(
    plan: Plan,
    combination: Combination,
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
) -> Outcome:
    """The audit of one mitigation as `defend` makes it, by attackers who know it: read back if it finished there.

    Args:
        plan: what is audited.
        combination: the mitigation.
        folder: of the report that `defend` writes.
        settings: how to run.
        progress: who is told.
    """
    keeper = _keeper(folder, settings or Settings(), progress or Silent())
    return _DefenceRun(shared_plan(plan), keeper, lambda _steps: None).audit(combination)


def _keeper(folder: Path, settings: Settings, progress: Progress) -> Keeper:
    """Where the audits of a report are kept, which share one store."""
    return Keeper(folder / "audits", replace(settings, store=settings.store or folder / "store"), progress)


def with_baselines(tries: Sequence[Combination | StrengthRange]) -> list[Combination | StrengthRange]:
    """What is tried, and next to differential privacy the same training with next to no noise.

    It proves nothing that matters and often protects as well against known attacks, so no report on DP-SGD is fair
    without it (Aerni, Zhang & Tramèr, 2024).
    """
    private = [t for t in tries if (t.name if isinstance(t, StrengthRange) else t.label).startswith("dp")]
    if not private or any(VACUOUS_DP in t.labels for t in private if isinstance(t, Combination)):
        return list(tries)
    return [*tries, *(t for t in read_tries(VACUOUS_DP, sweeping=False) if t not in tries)]


def shared_plan(plan: Plan) -> Plan:
    """The plan that all audits of a report share: one target, no ladder, always a label-only attack.

    >>> plan = make_plan({"data": {"source": "digits"}, "attacks": {"names": ["loss"]}})
    >>> shared_plan(plan).attacks.names
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


def mitigated(plan: Plan, combination: Combination, *, knows: bool) -> Plan:
    """The plan with mitigations more in it, for an attacker who knows them or does not."""
    values = plan.model_dump(mode="json", exclude_unset=True)
    name = plan.name if combination is PLAIN else f"{plan.name}: {combination.label}"
    values["mitigations"] = [*plan.mitigations, *combination.labels]
    if combination.acts_on in ("training", "both") and plan.target.given:
        values["target"]["train_again"] = True
    if not knows:
        name += ", naive attacker"
        values["shadow"] = {**values.get("shadow", {}), "mitigated": False}
        queries = {a.name for a in ATTACKS if "query" in a.needs}  # they use no shadow model: the same again
        values["attacks"]["names"] = [n for n in plan.attacks.names or () if n not in queries]
    return make_plan(values).model_copy(update={"name": name})


def folder_of(combination: Combination, *, knows: bool) -> str:
    """Name of an audit's folder.

    >>> folder_of(PLAIN, knows=True)
    'none'
    """
    word = "".join(c if c.isalnum() or c in "+-." else "-" for c in combination.label)
    return word if knows else f"{word}-naive"


def _row(
    combination: Combination, status: Literal["ok", "not applicable", "failed"] = "ok", reason: str | None = None
) -> MitigationResult:
    """A row of the report before anything is measured."""
    return MitigationResult(
        label=combination.label,
        title=combination.title,
        paper=combination.paper,
        acts_on=combination.acts_on,
        status=status,
        reason=reason,
        folder=f"audits/{folder_of(combination, knows=True)}" if status == "ok" else None,
    )
