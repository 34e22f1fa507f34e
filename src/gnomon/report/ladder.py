"""What more knowledge and more shadow models bring an attacker, and whether attacks name the same records."""

from __future__ import annotations

from gnomon.core.record import Agreement, Estimate, Record, Rung, ShadowGain, TprAtFpr
from gnomon.report import wording
from gnomon.report.panel import Panel
from gnomon.report.sources import title_of
from gnomon.report.tables import NONE, Cell, Column, Table, figure_cell, share_cell

_CHOSEN = {
    "shadows": "shadow models",
    "audited rows": "the audited rows",
    "no choice": "the only one",
}
_WORTH = 0.005  # a gain in AUC below this is real, perhaps, and small


def ladder(record: Record) -> Panel | None:
    """What each more knowing attacker gains."""
    rungs = record.ladder
    if not rungs:
        return None
    rate = wording.rate(rungs[0].tpr.fpr)
    rows = tuple(_rung_row(rung) for rung in rungs)
    columns = (
        Column("The attacker sees", numeric=False),
        Column("Attack", numeric=False),
        Column("Chosen on", numeric=False),
        Column("AUC"),
        Column(f"TPR at {rate}\N{NO-BREAK SPACE}FPR"),
    )
    lead = (
        "The same model before attackers who know more and more. On each rung stands the attack that did best when "
        "shadow models played the target. The first attackers hold no shadow models; only the choice of their attack "
        "was made on some. A rung can lie below the one before it: by chance, or because the choice was a poor one."
    )
    if any(rung.chosen_on == "audited rows" for rung in rungs):
        lead += " Where the attack was chosen on the audited rows themselves, that flatters it."
    return Panel(
        key="ladder",
        title="What more knowledge buys",
        short="Ladder",
        lead=lead,
        tables=(Table("ladder", "Rung by rung", columns, rows),),
        terminal_lines=(_brief(rungs, rate),),
    )


def _rung_row(rung: Rung) -> tuple[Cell, ...]:
    attack, chosen = Cell(wording.clean(rung.attack_title)), Cell(_CHOSEN[rung.chosen_on])
    return Cell(wording.clean(rung.title)), attack, chosen, figure_cell(rung.auc), tpr_cell(rung.tpr)


def tpr_cell(point: TprAtFpr) -> Cell:
    """A true-positive rate, or why there is none."""
    if point.tpr is None:
        return Cell(NONE, (wording.clean(point.refused or ""),) if point.refused else (), muted=True)
    return share_cell(point.tpr)


def _brief(rungs: list[Rung], rate: str) -> str:
    if all(rung.tpr.tpr is None for rung in rungs):
        parts = [f"{wording.clean(rung.title)} {wording.figure(rung.auc.value)}" for rung in rungs]
        return f"What more knowledge buys (AUC): {', '.join(parts)}"
    parts = [f"{wording.clean(r.title)} {wording.share(r.tpr.tpr.value) if r.tpr.tpr else NONE}" for r in rungs]
    return f"What more knowledge buys (TPR at {rate} FPR): {', '.join(parts)}"


def by_shadows(record: Record) -> Panel | None:
    """The curve over the number of shadow models, and whether more would help."""
    found = record.by_shadows
    if found is None or not found.points:
        return None
    rows = tuple((Cell(wording.count(p.count)), figure_cell(p.auc), tpr_cell(p.tpr)) for p in found.points)
    heads = (Column("AUC"), Column(f"TPR at {wording.rate(found.fpr)}\N{NO-BREAK SPACE}FPR"))
    table = Table("by-shadows", "By number", (Column("Shadow models", numeric=False), *heads), rows)
    return Panel(
        key="by-shadows",
        title="Would more shadow models help?",
        short="More shadows",
        lead=f"{wording.clean(found.attack_title)} with the first 2, 4, 8, ... of the shadow models, on the same "
        f"{wording.count(found.rows)} audited rows.",
        tables=(table,),
        sentences=(_gain(found.gain, wording.rate(found.fpr)),),
    )


def _gain(gain: ShadowGain, rate: str) -> str:
    step = f"Going from {gain.before} to {gain.after} shadow models"
    changes = [f"the AUC by {_signed(gain.auc, 1.0, 3)}"]
    if gain.tpr is not None:
        changes.append(f"the TPR at {rate} FPR by {_signed(gain.tpr, 100.0, 1)} points")
    changed = f"{step} changed {' and '.join(changes)}."
    if gain.auc.low > _WORTH or (gain.tpr is not None and gain.tpr.low > 0):
        return f"{changed} That is a sure gain: more shadow models would probably find more."
    if gain.auc.low > 0:
        return f"{changed} The gain in AUC is sure but small: more shadow models may still help a little."
    return f"{changed} That is no gain that this many records can show: more shadow models would hardly help."


def _signed(estimate: Estimate, scale: float, digits: int) -> str:
    value, low, high = (f"{scale * v:+.{digits}f}".replace("-", "−") for v in _ends(estimate))
    return f"{value} ({low} to {high})"


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def agreement(record: Record) -> Panel | None:
    """How far attacks name the same records."""
    found = record.agreement
    if found is None:
        return None
    return Panel(
        key="agreement",
        title="Do attacks name the same records?",
        short="Agreement",
        lead=f"Each attack names the {wording.count(found.top)} of {wording.count(found.rows)} audited records that it "
        "ranks highest. A cell is the overlap of two attacks: records that both name, as a share of those that either "
        f"names. Attacks that name records at random overlap in {wording.share(found.chance)}.",
        tables=(_overlaps(found, record),),
    )


def _overlaps(found: Agreement, record: Record) -> Table:
    titles = [title_of(record, name) for name in found.attacks]
    rows = []
    for i, (title, shares, members) in enumerate(zip(titles, found.overlap, found.member_share, strict=True)):
        cells = [Cell(NONE, muted=True) if i == j else Cell(wording.share(s), heat=s) for j, s in enumerate(shares)]
        rows.append((Cell(title), *cells, Cell(wording.share(members))))
    columns = (Column("Attack", numeric=False), *map(Column, titles), Column("Members among them"))
    return Table("agreement", "Overlap of the records ranked highest", columns, tuple(rows))
