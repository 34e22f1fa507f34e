"""The tables of a report, each built once for every renderer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.record import AttackResult, AtThreshold, Estimate, Record
from gnomon.report import wording

NONE = "–"
_FIRST_EXPOSED = 20
_RULES = {
    "shadow": "threshold chosen on shadows",
    "attack": "the attack’s own rule",
    "oracle": "threshold chosen on the audited rows",
}


@dataclass(frozen=True)
class Cell:
    """One cell: its text, small lines below it, the letter of a footnote, an address."""

    text: str
    detail: tuple[str, ...] = ()
    mark: str = ""
    href: str = ""
    muted: bool = False
    heat: float = 0.0  # in [0, 1]: how deep the cell is tinted


@dataclass(frozen=True)
class Column:
    """One column; the first column of a table names its rows."""

    title: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table, with what must be said above and below it."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[tuple[str, str], ...] = ()  # letter, text
    strong: tuple[int, ...] = ()  # rows to stress


@dataclass
class _Footnotes:
    """Letters for repeated reasons, in order of appearance."""

    texts: dict[str, str] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        return self.texts.setdefault(wording.clean(text), chr(ord("a") + len(self.texts) % 26))

    def notes(self) -> tuple[tuple[str, str], ...]:
        return tuple((letter, text) for text, letter in self.texts.items())


def by_auc(record: Record) -> list[AttackResult]:
    """Attacks that finished, the largest AUC first."""
    done = [attack for attack in record.attacks if attack.status == "ok"]
    return sorted(done, key=lambda attack: -(attack.auc.value if attack.auc else 0.0))


def attacks(record: Record) -> Table:
    """AUC, advantage and TPR at each FPR of every finished attack."""
    done, foot = by_auc(record), _Footnotes()
    fprs = sorted({point.fpr for attack in done for point in attack.tpr_at_fpr}, reverse=True)
    rows = []
    for attack in done:
        points = {point.fpr: point for point in attack.tpr_at_fpr}
        cells = [_name(attack, cite=True), figure_cell(attack.auc), figure_cell(attack.advantage)]
        for fpr in fprs:
            point = points.get(fpr)
            if point is None or (point.tpr is None and point.refused is None):
                cells.append(Cell(NONE, muted=True))
            elif point.tpr is None:
                reason = f"refused at {wording.rate(fpr)}: {point.refused}"
                cells.append(Cell("refused", mark=foot.mark(reason), muted=True))
            else:
                wrong = point.false_positives
                alarms = () if wrong is None else (wording.counted(wrong, "false positive"),)
                cells.append(Cell(wording.share(point.tpr.value), (wording.shares(point.tpr), *alarms)))
        rows.append(tuple(cells))
    heads = [Column(f"TPR at {wording.rate(fpr)}\N{NO-BREAK SPACE}FPR") for fpr in fprs]
    columns = (Column("Attack", numeric=False), Column("AUC"), Column("Advantage"), *heads)
    strong = tuple(i for i, attack in enumerate(done) if attack.name == record.verdict.attack)
    return Table("attacks", "All attacks", columns, tuple(rows), foot.notes(), strong)


def decisions(record: Record) -> Table:
    """What happens when the attacker must decide: at the calibrated threshold, and at the oracle's."""
    rows = []
    for attack in by_auc(record):
        rule, oracle = attack.at_threshold, attack.oracle
        if rule is None and oracle is None:
            continue
        own = _rates(rule, ("accuracy", "precision", "recall", "fpr"))
        best = _rates(oracle, ("accuracy", "precision", "recall"))
        rows.append((Cell(wording.clean(attack.title), (_RULES[rule.calibrated],) if rule else ()), *own, *best))
    titles = (
        "Balanced accuracy",
        "Precision",
        "Recall",
        "FPR",
        "Oracle’s accuracy",
        "Oracle’s precision",
        "Oracle’s recall",
    )
    columns = (Column("Attack", numeric=False), *map(Column, titles))
    return Table("decisions", "Decisions at a threshold", columns, tuple(rows))


def _rates(rule: AtThreshold | None, names: tuple[str, ...]) -> list[Cell]:
    if rule is None:
        return [Cell(NONE, muted=True) for _ in names]
    cells = {
        "accuracy": share_cell(rule.accuracy),
        "precision": share_cell(rule.precision) if rule.precision else Cell(NONE, ("nobody accused",), muted=True),
        "recall": share_cell(rule.recall),
        "fpr": share_cell(rule.fpr),
    }
    return [cells[name] for name in names]


def priors(chosen: Sequence[AttackResult], key: str) -> Table | None:
    """Precision of an accusation for each share of members among the candidates."""
    shares = sorted({p.prior for attack in chosen for p in attack.precision_at_prior}, reverse=True)
    rows = []
    for attack in chosen:
        for fpr in sorted({p.fpr for p in attack.precision_at_prior}, reverse=True):
            found = {p.prior: p for p in attack.precision_at_prior if p.fpr == fpr}
            cells = [share_cell(found[s].precision) if s in found else Cell(NONE, muted=True) for s in shares]
            rows.append((_name(attack), Cell(wording.rate(fpr)), *cells))
    heads = [Column(f"{wording.rate(s)} are members") for s in shares]
    columns = (Column("Attack", numeric=False), Column("At FPR"), *heads)
    return Table(key, "Precision when members are rare", columns, tuple(rows)) if rows else None


def percentiles(chosen: Sequence[AttackResult], key: str) -> Table | None:
    """Precision and recall over the classes, as Shokri et al. (2017) present them."""
    rows = []
    for attack in chosen:
        for name, spread in (("precision", attack.class_precision), ("recall", attack.class_recall)):
            if spread is not None:
                values = (spread.p10, spread.p25, spread.p50, spread.p75, spread.p90)
                rows.append((_name(attack), Cell(name), *(Cell(wording.share(v)) for v in values)))
    heads = [Column(f"{p}th") for p in (10, 25, 50, 75, 90)]
    columns = (Column("Attack", numeric=False), Column("Over classes", numeric=False), *heads)
    return Table(key, "Percentiles over the classes", columns, tuple(rows)) if rows else None


def classes(attack: AttackResult | None) -> Table | None:
    """Every class under one attack, the largest AUC first."""
    if attack is None or not attack.classes:
        return None

    def cell(value: float | None, spell: Callable[[float], str]) -> Cell:
        return Cell(NONE, muted=True) if value is None else Cell(spell(value))

    rows = tuple(
        (
            Cell(wording.clean(c.name)),
            Cell(wording.count(c.members)),
            Cell(wording.count(c.nonmembers)),
            cell(c.auc, wording.figure),
            cell(c.precision, wording.share),
            cell(c.recall, wording.share),
        )
        for c in sorted(attack.classes, key=lambda c: -(c.auc if c.auc is not None else -1.0))
    )
    titles = ("Members", "Non-members", "AUC", "Precision", "Recall")
    return Table("classes", "Every class", (Column("Class", numeric=False), *map(Column, titles)), rows)


def scores(attack: AttackResult | None) -> Table | None:
    """The bins of the score histogram."""
    bins = attack.histogram if attack else None
    if bins is None or not bins.members:
        return None
    edges = zip(bins.edges[:-1], bins.edges[1:], strict=True)
    rows = tuple(
        (Cell(f"{wording.score(low)} to {wording.score(high)}"), Cell(wording.count(m)), Cell(wording.count(n)))
        for (low, high), m, n in zip(edges, bins.members, bins.nonmembers, strict=True)
        if m or n
    )
    columns = (Column("Score", numeric=False), Column("Members"), Column("Non-members"))
    return Table("scores", "The bins that are not empty", columns, rows)


def exposed(record: Record) -> tuple[Table | None, Table | None]:
    """The most exposed records: the first ones, and the rest."""
    rows = tuple(
        (
            Cell(wording.clean(e.id)),
            Cell(wording.clean(e.label)),
            Cell(wording.count(e.rank)),
            Cell(wording.score(e.score)),
            Cell(wording.count(e.nonmembers_above)),
        )
        for e in record.exposed
    )
    titles = ("Rank", "Score", "Non-members as high")
    columns = (Column("Record", numeric=False), Column("Class", numeric=False), *map(Column, titles))

    def table(key: str, part: tuple[tuple[Cell, ...], ...]) -> Table | None:
        return Table(key, "The most exposed records", columns, part) if part else None

    return table("exposed", rows[:_FIRST_EXPOSED]), table("exposed-rest", rows[_FIRST_EXPOSED:])


def unfinished(record: Record) -> Table | None:
    """Attacks that were skipped or that failed, and why."""
    rows = tuple(
        (_name(attack, cite=True), Cell(attack.status), Cell(wording.clean(attack.reason or "no reason was recorded")))
        for attack in record.attacks
        if attack.status != "ok"
    )
    columns = (Column("Attack", numeric=False), Column("Status", numeric=False), Column("Why", numeric=False))
    return Table("unfinished", "Skipped and failed attacks", columns, rows) if rows else None


def costs(record: Record) -> Table:
    """What each attack needed, and what it cost."""
    rows = []
    for attack in record.attacks:
        options = ", ".join(f"{wording.clean(k)} = {_value(v)}" for k, v in attack.options.items())
        rows.append(
            (
                _name(attack),
                Cell(", ".join(map(wording.clean, attack.needs)) or NONE),
                Cell(options or NONE),
                Cell(wording.count(attack.queries)),
                Cell(wording.duration(attack.seconds)),
                Cell(wording.share(attack.tied_share)),
                Cell("; ".join(map(wording.clean, attack.notes)) or NONE),
            )
        )
    columns = (
        Column("Attack", numeric=False),
        Column("Needs", numeric=False),
        Column("Options", numeric=False),
        Column("Further queries"),
        Column("Time"),
        Column("Tied scores"),
        Column("Notes", numeric=False),
    )
    return Table("costs", "What each attack needed", columns, tuple(rows))


def documents(record: Record) -> tuple[tuple[str, str], ...]:
    """The plans and the recipe, as JSON."""
    parts: Iterable[tuple[str, dict[str, Any]]] = (
        ("The plan as given", record.plan_given),
        ("The plan as resolved", record.plan),
        ("The training recipe", record.recipe),
    )
    return tuple(
        (title, wording.clean_lines(json.dumps(part, indent=2, ensure_ascii=False, default=str)))
        for title, part in parts
    )


def _name(attack: AttackResult, *, cite: bool = False) -> Cell:
    paper = wording.clean(attack.paper)
    detail = (paper,) if cite and paper else ()
    return Cell(wording.clean(attack.title), detail, href=wording.paper_link(paper) if cite else "")


def figure_cell(estimate: Estimate | None) -> Cell:
    """A dimensionless figure and its interval."""
    if estimate is None:
        return Cell(NONE, muted=True)
    return Cell(wording.figure(estimate.value), (wording.figures(estimate),))


def share_cell(estimate: Estimate | None) -> Cell:
    """A share and its interval."""
    if estimate is None:
        return Cell(NONE, muted=True)
    return Cell(wording.share(estimate.value), (wording.shares(estimate),))


def _value(value: object) -> str:
    return wording.clean(value if isinstance(value, str) else json.dumps(value, default=str))
