"""What attacks found: their values, their decisions, classes, the most exposed records, and what each attack needed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gnomon.core.documents.record import AttackResult, AtThreshold, Histogram, Record, TprAtFpr
from gnomon.report.formatting import counted, duration, paper_link, rate, score, tpr_at
from gnomon.report.sections import NONE, NOTHING_FOUND, Cell, Cells, Section, Table, area, cell, fold, table

_FIRST_EXPOSED = 20
_TERMINAL_ATTACKS, _TERMINAL_EXPOSED = 12, 5
_RULES = {
    "shadow": "threshold chosen on shadows",
    "attack": "the attack’s own rule",
    "oracle": "threshold chosen on the audited rows",
}
EXPOSED = (
    "Training records that the headline attack ranks {first} among all audited rows, and how many non-members score as "
    "{far}. Another training run of the same model would expose others: read it as a sample, not as a "
    "complete list."
)
CHANCE_ORDER = (
    "Training records that the headline attack ranks highest. No attack recognised members here, so their order is "
    "little more than chance."
)


def by_auc(record: Record) -> list[AttackResult]:
    """Attacks that finished, the largest AUC first."""
    done = [attack for attack in record.attacks if attack.status == "ok"]
    return sorted(done, key=lambda attack: -(attack.auc.value if attack.auc else 0.0))


def headliner(record: Record) -> AttackResult | None:
    """The attack that the verdict speaks of, otherwise the one with the largest AUC."""
    finished = by_auc(record)
    return next((a for a in finished if a.name == record.verdict.attack), finished[0] if finished else None)


def title_of(record: Record, name: str) -> str:
    """What the report calls an attack."""
    found = record.attack(name)
    return name if found is None else found.title


def name_cell(attack: AttackResult, record: Record | None = None, *, cite: bool = False) -> Cell:
    """The attack's title, stressed where it is the record's headline attack, and perhaps its paper."""
    tag = "headline" if record is not None and attack.name == record.verdict.attack else ""
    detail = (attack.paper,) if cite and attack.paper else ()
    return Cell(attack.title, detail, href=paper_link(attack.paper) if cite else "", tag=tag)


def all_attacks(record: Record) -> Section:
    """Every attack's values, why some have none, and what each needed."""
    done, first = by_auc(record), headliner(record)
    others, heads = [a for a in done if a is not first], [first] if first else []
    whole = _values(done, record)
    unfinished = [a for a in record.attacks if a.status != "ok"]
    reasons = [(name_cell(a, cite=True), a.status, a.reason or "no reason was recorded") for a in unfinished]
    return Section(
        "all-attacks",
        "All attacks",
        lead="AUC: how often a member scores above a non-member (0.5 is guessing). TPR at an FPR: members found when "
        f"that share of non-members may be wrongly accused. {_confidence(record)} Where too few non-members "
        "were audited, the value is refused.",
        sentences=() if done else ("No attack finished.",),
        tables=(
            whole,
            table("unfinished", "Skipped and failed attacks", ("Attack", "Status", "Why"), reasons, left=3),
            _decisions(done),
            _priors("priors", heads, ""),
            _priors("other-priors", others, "The other attacks"),
            _percentiles("percentiles", heads, ""),
            _percentiles("other-percentiles", others, "The other attacks"),
            _costs(record),
        ),
        texts=tuple((f"Traceback of {a.title}", a.traceback) for a in record.attacks if a.traceback),
        brief=(
            *_setting(record),
            *([whole.cut(_TERMINAL_ATTACKS)] if done else []),
            *(f"{a.title}, {a.status}: {a.reason or 'no reason was recorded'}" for a in unfinished),
        ),
    )


def _setting(record: Record) -> tuple[str, ...]:
    """What a terminal says of the target: which answer is which class, and its mitigations."""
    answers, mitigations = record.answers_map, record.mitigations
    known = {True: " The attacker knows them.", False: " The attacker does not know them (naive).", None: ""}
    named = ", ".join(f"{m.title} ({m.label})" for m in mitigations)
    mapped = (answers.sentence,) if answers is not None and answers.rule != "trained here" else ()
    return (*mapped, *([f"Mitigations: {named}.{known[record.threat_model.knows_mitigations]}"] if named else []))


def _confidence(record: Record) -> str:
    statistics = record.plan.get("statistics")
    level = statistics.get("confidence") if isinstance(statistics, dict) else None
    return f"Each value stands with its {f'{rate(level)} ' if isinstance(level, float) else ''}interval."


def _values(done: Sequence[AttackResult], record: Record) -> Table:
    """AUC, advantage and TPR at each FPR of every finished attack; repeated reasons are footnotes."""
    letters: dict[str, str] = {}

    def found(point: TprAtFpr | None) -> Cell:
        if point is None or (point.tpr is None and point.refused is None):
            return NONE
        if point.tpr is None:
            reason = f"refused at {rate(point.fpr)}: {point.refused}"
            return Cell("refused", mark=letters.setdefault(reason, chr(ord("a") + len(letters) % 26)), muted=True)
        wrong = point.false_positives
        shown = cell(point.tpr)
        return Cell(shown.text, (*shown.detail, *([] if wrong is None else [counted(wrong, "false positive")])))

    fprs = sorted({point.fpr for attack in done for point in attack.tpr_at_fpr}, reverse=True)
    rows = []
    for attack in done:
        points = {point.fpr: point for point in attack.tpr_at_fpr}
        rates = [found(points.get(fpr)) for fpr in fprs]
        rows.append((name_cell(attack, record, cite=True), area(attack.auc), area(attack.advantage), *rates))
    heads = ("Attack", "AUC", "Advantage", *map(tpr_at, fprs))
    notes = tuple((letter, reason) for reason, letter in letters.items())
    return table("attacks", "All attacks", heads, rows, notes=notes)


def _decisions(done: Sequence[AttackResult]) -> Table:
    """What happens when the attacker must decide: at the calibrated threshold, and at the oracle's."""
    rows = []
    for attack in done:
        rule, oracle = attack.at_threshold, attack.oracle
        if rule or oracle:
            name = Cell(attack.title, (_RULES[rule.calibrated],) if rule else ())
            rows.append((name, *_rates(rule), rule.fpr if rule else None, *_rates(oracle)))
    own, best = ("Balanced accuracy", "Precision", "Recall", "FPR"), ("accuracy", "precision", "recall")
    heads = ("Attack", *own, *(f"Oracle’s {name}" for name in best))
    lead = (
        "An attacker has to choose a threshold without the answers; they choose it on shadow models. The oracle’s "
        "threshold is the best one on the audited rows themselves, which no attacker has: it flatters the attack."
    )
    return table("decisions", "Decisions at a threshold", heads, rows, lead=lead)


def _rates(rule: AtThreshold | None) -> Cells:
    if rule is None:
        return None, None, None
    return rule.accuracy, rule.precision or Cell(NONE.text, ("nobody accused",), muted=True), rule.recall


def _priors(key: str, chosen: Sequence[AttackResult], folded: str) -> Table:
    """Precision of an accusation for each share of members among the candidates."""
    shares = sorted({p.prior for attack in chosen for p in attack.precision_at_prior}, reverse=True)
    rows: list[Cells] = []
    for attack in chosen:
        for fpr in sorted({p.fpr for p in attack.precision_at_prior}, reverse=True):
            found = {p.prior: p.precision for p in attack.precision_at_prior if p.fpr == fpr}
            rows.append((name_cell(attack), rate(fpr), *(found.get(share) for share in shares)))
    heads = ("Attack", "At FPR", *(f"{rate(share)} are members" for share in shares))
    lead = "" if folded else "Of those accused, how many are members, if this share of all candidates are."
    return table(key, "Precision when members are rare", heads, rows, lead=lead, folded=folded)


def _percentiles(key: str, chosen: Sequence[AttackResult], folded: str) -> Table:
    """Precision and recall over the classes, as Shokri et al. (2017) present them."""
    rows = [
        (name_cell(attack), name, spread.p10, spread.p25, spread.p50, spread.p75, spread.p90)
        for attack in chosen
        for name, spread in (("precision", attack.class_precision), ("recall", attack.class_recall))
        if spread is not None
    ]
    heads = ("Attack", "Over classes", "10th", "25th", "50th", "75th", "90th")
    lead = "" if folded else "Precision and recall class by class, as Shokri et al. (2017) present them."
    return table(key, "Percentiles over the classes", heads, rows, left=2, lead=lead, folded=folded)


def _costs(record: Record) -> Table:
    rows = [
        (
            name_cell(attack),
            ", ".join(attack.needs) or NONE,
            ", ".join(f"{name} = {_option(value)}" for name, value in attack.options.items()) or NONE,
            "; ".join(attack.notes) or NONE,
            attack.queries,
            duration(attack.seconds),
            attack.tied_share,
        )
        for attack in record.attacks
    ]
    heads = ("Attack", "Needs", "Options", "Notes", "Further queries", "Time", "Tied scores")
    return table(
        "costs",
        "What each attack needed, and its notes",
        heads,
        rows,
        left=4,
        folded="What each attack needed, and its notes",
    )


def _option(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def classes(attack: AttackResult) -> Table:
    """Every class under one attack, the largest AUC first."""
    ordered = sorted(attack.classes, key=lambda c: -(c.auc if c.auc is not None else -1.0))
    rows = [(c.name, c.members, c.nonmembers, area(c.auc), c.precision, c.recall) for c in ordered]
    heads = ("Class", "Members", "Non-members", "AUC", "Precision", "Recall")
    return table("classes", "Every class as a table", heads, rows, folded="Every class as a table")


def score_bins(bins: Histogram) -> Table:
    """The bins of the score histogram that are not empty."""
    edges = zip(bins.edges[:-1], bins.edges[1:], strict=True)
    rows = [
        (f"{score(low)} to {score(high)}", m, n)
        for (low, high), m, n in zip(edges, bins.members, bins.nonmembers, strict=True)
        if m or n
    ]
    return table("scores", "Counts as a table", ("Score", "Members", "Non-members"), rows, folded="Counts as a table")


def exposed(record: Record) -> Section:
    """The most exposed records."""
    rows = [(e.id, e.label, e.rank, score(e.score), e.nonmembers_above) for e in record.exposed]
    title, chance = "The most exposed records", record.verdict.level in NOTHING_FOUND
    first, far = ("lowest", "low") if record.verdict.members_below else ("highest", "high")
    others, told = f"Non-members as {far}", EXPOSED.format(first=first, far=f"{far} or {far}er")
    whole = table("exposed", title, ("Record", "Class", "Rank", "Score", others), rows, left=2)
    return Section(
        "exposed",
        title,
        lead=CHANCE_ORDER if chance else told,
        tables=fold(whole, _FIRST_EXPOSED, "records"),
        short="Exposed records",
        brief=(whole.cut(_TERMINAL_EXPOSED),) if rows and not chance else (),
    )
