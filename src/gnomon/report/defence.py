"""The page of a report on mitigations: what each buys and costs, and every attack on every mitigation."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.core.documents.defence import DefenceReport, Leak, MitigationResult, Search, Strongest
from gnomon.core.documents.schema import Estimate
from gnomon.report.formatting import count, counted, duration, moment, number, points, rate, tpr_at
from gnomon.report.plots.axes import whiskers
from gnomon.report.plots.defence import frontier, training
from gnomon.report.sections import (
    NONE,
    Cell,
    Cells,
    Fact,
    Figure,
    Page,
    Section,
    Table,
    area,
    cell,
    filled,
    machine,
    table,
)

CAVEAT = (
    "Every value is what these attacks found on these records: a lower bound. If a mitigation lowers it, attacks "
    "that were not tried may still find more."
)
KNOWING = (
    "Adaptive: shadow models are trained with the mitigation and answer through it. Naive: they are plain. Whoever "
    "knows a mitigation can do either, so it leaks less only if neither attack keeps up, and the stronger one is its "
    "value. A mitigation that looks good against the naive attack alone only hides what it leaves."
)
PRICE = (
    "Accuracy and calibration on audited records that the model was not trained on. The calibration error is how far "
    "stated probabilities lie from how often they are right, on average. Training time is that of one model."
)
MATRIX = (
    "The adaptive attacker. An asterisk marks the attack that counts as their strongest: chosen on shadow models, or "
    "an attack by queries that is significantly stronger."
)
EFFECTS = {
    "better": "leaks less",
    "worse": "leaks more",
    "within noise": "no difference shown",
    "mixed": "mixed",
    "not comparable": "not comparable",
}
BADGES = {
    "helps": ("none_found", "A mitigation helps"),
    "helps at a price": ("leaks_some", "Helps at a price"),
    "target missed": ("leaks_some", "Helps, but not as far as wanted"),
    "none helps": ("leaks", "No mitigation shown to help"),
    "no difference": ("undecided", "No difference shown"),
    "nothing to lower": ("undecided", "Nothing found to lower"),
    "nothing audited": ("undecided", "Nothing could be audited"),
}


def defence_page(defence: DefenceReport) -> Page:
    """The view that all renderers share."""
    level, label = BADGES[defence.advice.answer]
    return Page(
        kind="mitigations compared",
        source="one audit a mitigation; the whole audits lie next to this page",
        name=defence.name,
        headline=defence.advice.headline,
        level=level,
        label=label,
        sentences=tuple(defence.advice.sentences),
        caveat=CAVEAT,
        facts=_facts(defence),
        sections=filled(
            Section("pictures", "What is bought, and for what", figures=_figures(defence), short="Figures"),
            _leakage(defence),
            Section("price", "What each costs", PRICE, tables=(_price(defence),)),
            Section(
                "matrix", "Every attack on every mitigation", MATRIX, tables=_matrices(defence), short="Every attack"
            ),
            *map(_search, defence.searches),
            Section("curves", "Trainings from within", figures=_trainings(defence)),
            _left_out(defence),
            _about(defence),
            Section("provenance", "Where the values come from", facts=_origin(defence), short="Provenance"),
        ),
    )


def _facts(defence: DefenceReport) -> tuple[Fact, ...]:
    return (
        ("Data", f"{defence.data}, {counted(defence.classes, 'class', 'classes')}"),
        ("Audited", f"{count(defence.members)} members, {count(defence.nonmembers)} non-members"),
        ("Mitigations", len(defence.results) - 1),
        ("Shadow models each", defence.shadows),
        ("Point of view", defence.view),
        ("Made", moment(defence.provenance.created)),
    )


def _origin(defence: DefenceReport) -> tuple[Fact, ...]:
    origin = defence.provenance
    return (
        ("Tried", ", ".join(defence.tried)),
        ("Intervals", f"{rate(defence.confidence)}, each on its own; verdicts hold together"),
        ("Comparisons that share the error rate", defence.compared),
        *machine(origin),
        ("Root seed", str(origin.seed)),
        ("Time of the last run", duration(origin.seconds.get("defend", 0.0))),
        *((f"Fingerprint: {k}", v) for k, v in origin.fingerprints.items() if k != "target_answers"),
    )


def audited(defence: DefenceReport) -> list[tuple[MitigationResult, Strongest]]:
    """The rows that have values, with their strongest attack; the plain model first."""
    return [(o, o.strongest) for o in defence.results if o.status == "ok" and o.strongest is not None]


def _spelt(leak: Leak | None, fpr: float | None) -> Cell:
    """A rate as a share, an AUC as a number."""
    found = leak.at(fpr) if leak else None
    return area(found) if fpr is None else cell(found)


def _found(found: Strongest | None, fpr: float | None) -> Cell:
    return _spelt(found.leak if found else None, fpr)


def _figures(defence: DefenceReport) -> tuple[Figure, ...]:
    found, fpr = [], defence.fpr
    points = [
        (o, leak, o.utility.accuracy)
        for o, strongest in audited(defence)
        if o.utility and (leak := strongest.leak.at(fpr))
    ]
    if len(points) > 1:
        found.append(frontier(points, fpr))
    options = [o for o, _ in audited(defence) if o.naive is not None]
    rows = [(o.label, tuple(s.leak.at(fpr) if s else None for s in (o.adaptive, o.naive))) for o in options]
    if rows:
        lead = f"{tpr_at(fpr)} of the strongest attack, by the attacker’s shadow models. The dotted line is guessing."
        chance, series = 0.5 if fpr is None else fpr, ("with the mitigation (adaptive)", "plain (naive)")
        title, label = "Adaptive and naive attackers", tpr_at(fpr)
        shares = fpr is not None
        found.append(whiskers("naive", title, rows, series, chance, lead=lead, shares=shares, label=label))
    return tuple(found)


def _trainings(defence: DefenceReport) -> tuple[Figure, ...]:
    told = [o for o in defence.results if o.curves]
    return tuple(training(f"curves-{i}", o.label, o.curves) for i, o in enumerate(told))


def _leakage(defence: DefenceReport) -> Section:
    """What each mitigation buys: the strongest attack that knows it, and next to it the attacker who does not."""
    fpr, name, exposed = defence.fpr, tpr_at(defence.fpr), defence.exposed
    rows: list[Cells] = []
    for option, strongest in audited(defence):
        plain = ("with plain shadow models",) if strongest.plain_shadows else ()
        chosen = () if strongest.chosen_on == "shadows" else ("chosen on the audited rows",)
        rows.append(
            (
                _name(option, defence),
                _verdict(option),
                Cell(strongest.leak.title, plain + chosen),
                _spelt(strongest.leak, fpr),
                *([] if fpr is None else [area(strongest.leak.auc)]),
                _spelt(strongest.exposed, fpr),
                _label_only(option.label_only),
                _found(option.adaptive, fpr),
                _found(option.naive, fpr),
            )
        )
    measured = (name,) if fpr is None else (name, "AUC")
    rest = ("Most exposed tenth", "Labels alone (AUC)", "Adaptive", "Naive")
    heads = ("Mitigation", "Verdict", "Strongest attack", *measured, *rest)
    whole = table(
        "leakage", "What each buys", heads, rows, left=3, notes=(("", f"Most exposed tenth, adaptive, naive: {name}."),)
    )
    notes = []
    if exposed is not None:
        which = f"{exposed.chosen_by} {counted(exposed.members, 'member')} of {count(exposed.rows)} records"
        notes.append(f"The most exposed tenth: {which}, against all non-members.")
    return Section("leakage", whole.title, KNOWING, tables=(whole,), notes=tuple(notes), brief=(_brief(defence),))


def _brief(defence: DefenceReport) -> Table:
    """What each buys and costs in so many columns as a terminal has room for."""
    rows: list[Cells] = []
    for option, strongest in audited(defence):
        tag = "recommended" if option.label == defence.advice.choice else ""
        leaks = (_spelt(strongest.leak, defence.fpr), _spelt(strongest.exposed, defence.fpr))
        both = (_found(option.adaptive, defence.fpr), _found(option.naive, defence.fpr))
        accuracy = option.utility.accuracy if option.utility else None
        rows.append((Cell(option.label, tag=tag), _verdict(option), *leaks, *both, accuracy))
    heads = ("Mitigation", "Verdict", tpr_at(defence.fpr), "Exposed", "Adaptive", "Naive", "Accuracy")
    return table("brief", "What each buys, and the accuracy that is left", heads, rows, left=2)


def _name(option: MitigationResult, defence: DefenceReport) -> Cell:
    """The option's name; below it whether it is recommended, or on the frontier."""
    chosen = ("recommended",) if option.label == defence.advice.choice else ()
    return Cell(option.label, (*chosen, *(("on the frontier",) if option.frontier else ())))


def _verdict(option: MitigationResult) -> Cell:
    if option.effect is None:
        return Cell("the plain model", muted=True)
    missed = ("above the wanted leakage",) if option.meets is False else ()
    reason = (option.change.reason,) if option.change and option.change.reason else ()
    return Cell(EFFECTS[option.effect], (*missed, *reason))


def _label_only(leak: Leak | None) -> Cell:
    if leak is None or leak.auc is None:
        return NONE
    shown = area(leak.auc)
    return Cell(shown.text, (*shown.detail, leak.title.removeprefix("Label only: ")))


def _price(defence: DefenceReport) -> Table:
    """What each mitigation costs."""
    proven = any(o.guarantee for o in defence.results)
    rows = [_price_row(option, defence)[: 7 if proven else 6] for option, _ in audited(defence)]
    costs = ("Accuracy", "Against the plain model", "Calibration error", "Size of an answer", "Training time")
    return table("price", "What each costs", ("Mitigation", *costs, *(("Proven epsilon",) if proven else ())), rows)


def _price_row(option: MitigationResult, defence: DefenceReport) -> Cells:
    use, proven = option.utility, option.guarantee
    if use is None:
        return (_name(option, defence), *(None,) * 6)
    size = None if use.answer_size is None else Cell(f"{use.answer_size:.3g}", (f"of {defence.classes} probabilities",))
    delta = () if proven is None or proven.delta is None else (f"delta {proven.delta:.2g}",)
    return (
        _name(option, defence),
        use.accuracy,
        None if use.change is None else _points(use.change),
        use.calibration_error,
        size,
        _time(option),
        None if proven is None else Cell(f"{proven.epsilon:.3g}", delta),
    )


def _points(change: Estimate) -> Cell:
    if change.low == change.high == 0:
        return Cell("0", ("every label as before",))
    sign = "+" if change.value > 0 else ""
    return Cell(f"{sign}{points(change.value)} points", (f"{points(change.low)} to {points(change.high)}",))


def _time(option: MitigationResult) -> Cell:
    spent, plain = option.cost, option.acts_on == "nothing"
    if spent is None:
        return NONE
    if not spent.retrains and not plain:
        return Cell("not retrained")
    if spent.seconds is None:
        return NONE
    times = () if spent.times is None or plain else (f"{spent.times:.2g} times the plain model’s",)
    return Cell(duration(spent.seconds), times)


def _matrices(defence: DefenceReport) -> tuple[Table, ...]:
    """Every attack (rows) on every mitigation (columns): one table a kind of value, the most telling first and open."""
    options = [option for option, _ in audited(defence)]
    fprs = {p.fpr for o in options for leak in o.attacks for p in leak.tpr_at_fpr if p.tpr is not None}
    rates = [(f"rate-{i}", f) for i, f in enumerate(sorted(fprs, key=lambda f: (f != defence.fpr, -f)))]
    kinds = [*rates, ("auc", None)] if defence.fpr is not None else [("auc", None), *rates]
    kinds.append(("advantage", None))
    return tuple(_matrix(options, key, fpr, folded=i > 0) for i, (key, fpr) in enumerate(kinds))


def _matrix(options: Sequence[MitigationResult], key: str, fpr: float | None, *, folded: bool) -> Table:
    titles = {leak.attack: leak.title for o in options for leak in o.attacks if leak.auc is not None}
    found = [{leak.attack: leak for leak in o.attacks} for o in options]
    rows: list[Cells] = [
        (title, *(_matrix_cell(leaks.get(name), key, fpr, o) for leaks, o in zip(found, options, strict=True)))
        for name, title in titles.items()
    ]
    title = "Advantage" if key == "advantage" else tpr_at(fpr)
    heads = ("Attack", *(o.label for o in options))
    return table(f"matrix-{key}", title, heads, rows, folded=title if folded else "")


def _matrix_cell(leak: Leak | None, key: str, fpr: float | None, option: MitigationResult) -> Cell:
    found = None if leak is None else leak.advantage if key == "advantage" else leak.at(fpr)
    if leak is None or found is None:
        return NONE
    shown = area(found) if key == "auc" else cell(found)
    depth = 2 * (found.value - 0.5) if key == "auc" else found.value
    best = option.adaptive or option.strongest
    mark = "*" if best is not None and best.leak.attack == leak.attack else ""
    return Cell(shown.text, shown.detail, mark=mark, heat=min(1.0, max(0.0, depth)))


def _search(found: Search) -> Section:
    """Every strength that a search tried, in its order."""
    end = (
        f"{found.chosen} is the most accurate that meets it."
        if found.chosen
        else "No strength that was tried meets it."
    )
    lead = (
        f"Strengths were proposed by a search for the best accuracy with {found.limit}. {end} It was chosen on the "
        "audited records, which flatters it a little: audit it once more with another seed before relying on it."
    )
    rows = [
        (
            Cell(t.label, ("chosen",) if t.label == found.chosen else ()),
            ("yes" if t.meets else "no") if t.value is not None else t.reason or "no audit",
            None if t.value is None else number(t.value),
            t.accuracy,
        )
        for t in found.trials
    ]
    title = f"Strengths of {found.name}: {found.low:g} to {found.high:g}"
    whole = table(
        f"search-{found.name}", title, ("Strength", "Met", "Limited value, upper end", "Accuracy"), rows, left=2
    )
    return Section(whole.key, title, lead, tables=(whole,), brief=(whole, lead))


def _left_out(defence: DefenceReport) -> Section:
    """Mitigations without values, and why."""
    rows = [
        (o.label, o.status, o.reason or "no strongest attack")
        for o in defence.results
        if o.status != "ok" or o.strongest is None
    ]
    whole = table("left-out", "Without values", ("Mitigation", "Status", "Why"), rows, left=3)
    return Section(whole.key, whole.title, tables=(whole,), brief=tuple(f"{a}, {b}: {c}" for a, b, c in rows))


def _about(defence: DefenceReport) -> Section:
    """What each mitigation is, and where its whole audit lies."""
    rows = [(o.label, o.title, o.acts_on, o.paper or None, o.folder or None) for o in defence.results]
    heads = ("Mitigation", "What it is", "Acts on", "Paper", "Its whole audit")
    whole = table("about", "The mitigations", heads, rows, left=5)
    return Section(whole.key, whole.title, tables=(whole,))
