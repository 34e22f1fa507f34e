"""What the attacker has: more knowledge, more shadow models, rows of other sources, and whether attacks agree."""

from __future__ import annotations

from gnomon.core.documents.record import Estimate, Record, Rung, ShadowGain, ShadowSourceFacts, SourceAttack, TprAtFpr
from gnomon.report.audit.attacks import title_of
from gnomon.report.formatting import count, duration, number, one_in, rate, share, tpr_at
from gnomon.report.plots.audit import by_shadows as shadows_plot
from gnomon.report.plots.axes import Row, whiskers
from gnomon.report.sections import NONE, Cell, Cells, Figure, Section, Table, area, cell, table

_CHOSEN = {"shadows": "shadow models", "audited rows": "the audited rows", "no choice": "the only one"}
_WORTH = 0.005  # a gain in AUC below this is real, perhaps, and small
_NAMED_CLASSES = 12


def ladder(record: Record) -> Section | None:
    """What each more knowing attacker gains."""
    rungs = record.ladder
    if not rungs:
        return None
    fpr = rungs[0].tpr.fpr
    rows = [(r.title, r.attack_title, _CHOSEN[r.chosen_on], area(r.auc), _tpr(r.tpr)) for r in rungs]
    heads = ("The attacker sees", "Attack", "Chosen on", "AUC", tpr_at(fpr))
    lead = (
        "The same model before attackers who know more and more. Each row shows the attack that did best when a shadow "
        "model stood in for the target. The first attackers hold no shadow models; only the choice of their attack was "
        "made on some. A row can lie below the one before it: by chance, or because the choice was a poor one."
    )
    if any(rung.chosen_on == "audited rows" for rung in rungs):
        lead += " Where the attack was chosen on the audited rows themselves, that flatters it."
    return Section(
        "ladder",
        "What more knowledge buys",
        lead,
        figures=_ladder_figures(rungs),
        tables=(table("ladder", "Rung by rung", heads, rows, left=3),),
        short="Ladder",
        brief=(_ladder_line(rungs, fpr),),
    )


def _ladder_figures(rungs: list[Rung]) -> tuple[Figure, ...]:
    if len(rungs) < 2:
        return ()
    fpr = rungs[0].tpr.fpr
    areas: list[Row] = [(r.title, (r.auc,)) for r in rungs]
    rates: list[Row] = [(r.title, (r.tpr.tpr,)) for r in rungs]
    lead = "How often a member scores above a non-member, with intervals."
    title = "Telling members from others"
    plots = [whiskers("ladder-auc", title, areas, ("AUC",), 0.5, lead=lead, shares=False)]
    if any(r.tpr.tpr is not None for r in rungs):
        name, title = f"members found (TPR at {rate(fpr)} FPR)", "Nearly certain accusations"
        lead = f"Members found while {one_in(fpr)} non-members may be wrongly accused."
        plots.insert(0, whiskers("ladder-tpr", title, rates, (name,), fpr, lead=lead))
    return tuple(plots)


def _ladder_line(rungs: list[Rung], fpr: float) -> str:
    if all(rung.tpr.tpr is None for rung in rungs):
        return f"AUC: {', '.join(f'{r.title} {number(r.auc.value)}' for r in rungs)}"
    parts = [f"{r.title} {share(r.tpr.tpr.value) if r.tpr.tpr else NONE.text}" for r in rungs]
    return f"TPR at {rate(fpr)} FPR: {', '.join(parts)}"


def _tpr(point: TprAtFpr) -> Cell:
    """A true-positive rate, or why there is none."""
    reason = (point.refused,) if point.refused else ()
    return Cell(NONE.text, reason, muted=True) if point.tpr is None else cell(point.tpr)


def by_shadows(record: Record) -> Section | None:
    """The curve over the number of shadow models, and whether more would help."""
    found = record.by_shadows
    if found is None or not found.points:
        return None
    rows = [(count(p.count), area(p.auc), _tpr(p.tpr)) for p in found.points]
    return Section(
        "by-shadows",
        "Would more shadow models help?",
        f"{found.attack_title} with the first 2, 4, 8, ... of the shadow models, on the same {count(found.rows)} "
        "audited rows.",
        sentences=(_gain(found.gain, rate(found.fpr)),),
        figures=(shadows_plot(found),) if len(found.points) > 1 else (),
        tables=(table("by-shadows", "By number", ("Shadow models", "AUC", tpr_at(found.fpr)), rows),),
        short="More shadows",
    )


def _gain(gain: ShadowGain, fpr: str) -> str:
    changes = [f"the AUC by {_signed(gain.auc, 1.0, 3)}"]
    if gain.tpr is not None:
        changes.append(f"the TPR at {fpr} FPR by {_signed(gain.tpr, 100.0, 1)} points")
    changed = f"Going from {gain.before} to {gain.after} shadow models changed {' and '.join(changes)}."
    if gain.auc.low > _WORTH or (gain.tpr is not None and gain.tpr.low > 0):
        return f"{changed} That gain is significant: more shadow models would probably find more."
    if gain.auc.low > 0:
        return f"{changed} The gain in AUC is significant but small: more shadow models may still help a little."
    return f"{changed} That is no gain that this many records can show: more shadow models would hardly help."


def _signed(estimate: Estimate, scale: float, digits: int) -> str:
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{scale * v:+.{digits}f}".replace("-", "−") for v in ends)
    return f"{value} ({low} to {high})"


def sources(record: Record) -> Section | None:
    """What the attacker's rows cost and bring, source by source; nothing where they simply hold real rows."""
    found = record.shadow_sources
    if not found or [s.source for s in found] == ["real"]:
        return None
    names = [attack.name for source in found for attack in source.attacks]
    name = "shokri" if "shokri" in names else next(iter(names), None)
    compared = len(found) > 1 and name is not None
    lead = (
        "An attacker without records like the model’s own can make some. For each source of their rows: what they "
        "cost, and what an attack achieves that was trained on them."
        if len(found) > 1
        else "The attacker made the rows of the shadow models."
    )
    return Section(
        "sources",
        "Where the shadow models’ rows come from",
        lead,
        figures=_source_figures(record, name),
        tables=(_source_costs(found), *([_source_attacks(record)] if compared else [])),
        notes=tuple(f"{s.source}: {note}.".replace("..", ".") for s in found for note in s.notes),
        short="Shadow rows",
        brief=(_source_brief(record, name),) if compared else (),
    )


def _result(source: ShadowSourceFacts, name: str | None) -> SourceAttack | None:
    return next((attack for attack in source.attacks if attack.name == name), None)


def _source_figures(record: Record, name: str | None) -> tuple[Figure, ...]:
    found = [(source.source, _result(source, name)) for source in record.shadow_sources]
    rows = [(source, (r.accuracy, r.precision)) for source, r in found if r is not None]
    if name is None or len(rows) < 2:
        return ()
    lead = f"{title_of(record, name)}, trained on shadow models of each source and applied to the same records."
    series = ("balanced accuracy", "precision")
    return (whiskers("sources-plot", "What each source is worth", rows, series, 0.5, lead=lead),)


def _source_costs(found: list[ShadowSourceFacts]) -> Table:
    rows: list[Cells] = [
        (
            s.source,
            s.rows,
            s.queries,
            None if s.queries_per_record is None else f"{s.queries_per_record:,.1f}",
            Cell(count(len(s.unreached)), _names(s.unreached)),
            s.shadow_test_accuracy,
            duration(s.seconds),
        )
        for s in found
    ]
    costs = ("Rows", "Queries to the target", "Queries a record", "Classes not reached")
    heads = ("Source", *costs, "Shadows’ test accuracy", "Time to make")
    return table("sources", "What the rows cost the attacker", heads, rows)


def _source_attacks(record: Record) -> Table:
    rows = [
        (source.source, title_of(record, a.name), a.accuracy, a.precision, a.recall, area(a.auc))
        for source in record.shadow_sources
        for a in source.attacks
    ]
    heads = ("Source", "Attack", "Balanced accuracy", "Precision", "Recall", "AUC")
    return table("source-attacks", "What attacks trained on them achieve", heads, rows, left=2)


def _source_brief(record: Record, name: str | None) -> Table:
    rows: list[Cells] = []
    for source in record.shadow_sources:
        r = _result(source, name)
        values: Cells = (r.accuracy, r.precision, r.recall, area(r.auc)) if r else (None,) * 4
        rows.append((source.source, source.rows, source.queries, *values))
    heads = ("Source", "Rows", "Queries", "Accuracy", "Precision", "Recall", "AUC")
    return table("sources-brief", f"{title_of(record, name or '')}, by source of the shadow models’ rows", heads, rows)


def _names(classes: list[str]) -> tuple[str, ...]:
    more = f" and {len(classes) - _NAMED_CLASSES} more" if len(classes) > _NAMED_CLASSES else ""
    return (", ".join(classes[:_NAMED_CLASSES]) + more,) if classes else ()


def agreement(record: Record) -> Section | None:
    """How far attacks name the same records."""
    found = record.agreement
    if found is None:
        return None
    titles = [title_of(record, name) for name in found.attacks]
    rows: list[Cells] = []
    for i, (title, shares, members) in enumerate(zip(titles, found.overlap, found.member_share, strict=True)):
        cells = [NONE if i == j else Cell(share(s), heat=s) for j, s in enumerate(shares)]
        rows.append((title, *cells, members))
    heads = ("Attack", *titles, "Members among them")
    return Section(
        "agreement",
        "Do attacks name the same records?",
        f"Each attack names the {count(found.top)} of {count(found.rows)} audited records that it ranks highest. A "
        "cell is the overlap of two attacks: records that both name, as a share of those that either names. Attacks "
        f"that name records at random overlap in {share(found.chance)}.",
        tables=(table("agreement", "Overlap of the records ranked highest", heads, rows),),
        short="Agreement",
    )
