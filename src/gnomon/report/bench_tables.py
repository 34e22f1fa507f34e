"""The tables of a bench, each built once for every renderer."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.core.bench import Bench, Leak, Option, Search, Strongest
from gnomon.core.parts import Estimate
from gnomon.report import wording
from gnomon.report.tables import NONE, Cell, Column, Table, figure_cell, share_cell

EFFECTS = {
    "better": "leaks less",
    "worse": "leaks more",
    "within noise": "no difference shown",
    "mixed": "mixed",
    "not comparable": "not comparable",
}
_UNKNOWN = Cell(NONE, muted=True)


def audited(bench: Bench) -> list[Option]:
    """The options that have figures, the plain model first."""
    return [o for o in bench.options if o.status == "ok" and o.strongest is not None]


def rate_of(leak: Leak | None, fpr: float | None) -> Estimate | None:
    """The true-positive rate at a false-positive rate, or without one the AUC."""
    if leak is None:
        return None
    return leak.auc if fpr is None else next((p.tpr for p in leak.tpr_at_fpr if abs(p.fpr - fpr) < 1e-12), None)


def figure_name(fpr: float | None) -> str:
    """What that figure is called."""
    return "AUC" if fpr is None else f"TPR at {wording.rate(fpr)}\N{NO-BREAK SPACE}FPR"


def brief(bench: Bench) -> Table:
    """What each buys and costs in so many columns as a terminal has room for."""
    rows = []
    for option in audited(bench):
        assert option.strongest is not None
        use = option.utility
        cells = (
            _verdict(option),
            spelt(rate_of(option.strongest.leak, bench.fpr), bench.fpr),
            spelt(rate_of(option.strongest.exposed, bench.fpr), bench.fpr),
            _found(option.adaptive, bench.fpr),
            _found(option.naive, bench.fpr),
            _UNKNOWN if use is None else share_cell(use.accuracy),
        )
        rows.append((Cell(wording.clean(option.label)), *cells))
    names = (figure_name(bench.fpr), "Exposed", "Adaptive", "Naive", "Accuracy")
    columns = (Column("Mitigation", numeric=False), Column("Verdict", numeric=False), *map(Column, names))
    strong = tuple(i for i, o in enumerate(audited(bench)) if o.label == bench.advice.choice)
    return Table("brief", "What each buys, and the accuracy that is left", columns, tuple(rows), strong=strong)


def leakage(bench: Bench) -> Table:
    """What each mitigation buys: the strongest attack that knows it, and beside it the attacker who does not."""
    rows = tuple(_leakage_row(option, bench) for option in audited(bench))
    name = figure_name(bench.fpr)
    columns = (
        Column("Mitigation", numeric=False),
        Column("Verdict", numeric=False),
        Column("Strongest attack", numeric=False),
        Column(name),
        *((Column("AUC"),) if bench.fpr is not None else ()),
        Column("Most exposed tenth"),
        Column("Labels alone (AUC)"),
        Column("Adaptive"),
        Column("Naive"),
    )
    notes = [("", f"Most exposed tenth, adaptive, naive: {name}.")]
    return Table("leakage", "What each buys", columns, rows, tuple(notes))


def _leakage_row(option: Option, bench: Bench) -> tuple[Cell, ...]:
    assert option.strongest is not None
    leak, fpr = option.strongest.leak, bench.fpr
    chosen = () if option.strongest.chosen_on == "shadows" else ("chosen on the audited rows",)
    chosen = ("with plain shadow models", *chosen) if option.strongest.plain_shadows else chosen
    exposed = option.strongest.exposed
    return (
        name_cell(option, bench),
        _verdict(option),
        Cell(wording.clean(leak.title), chosen),
        spelt(rate_of(leak, fpr), fpr),
        *((figure_cell(leak.auc),) if fpr is not None else ()),
        spelt(rate_of(exposed, fpr), fpr),
        _named(option.label_only),
        _found(option.adaptive, fpr),
        _found(option.naive, fpr),
    )


def name_cell(option: Option, bench: Bench) -> Cell:
    """The option's name; below it whether it is recommended, or on the frontier."""
    detail = []
    if option.label == bench.advice.choice:
        detail.append("recommended")
    if option.frontier:
        detail.append("on the frontier")
    return Cell(wording.clean(option.label), tuple(detail))


def _verdict(option: Option) -> Cell:
    if option.effect is None:
        return Cell("the plain model", muted=True)
    word = EFFECTS[option.effect]
    missed = ("above the wanted leakage",) if option.meets is False else ()
    reason = (wording.clean(option.change.reason),) if option.change and option.change.reason else ()
    return Cell(word, (*missed, *reason))


def _named(leak: Leak | None) -> Cell:
    if leak is None or leak.auc is None:
        return _UNKNOWN
    cell = figure_cell(leak.auc)
    return Cell(cell.text, (*cell.detail, wording.clean(leak.title.removeprefix("Label only: "))))


def _found(found: Strongest | None, fpr: float | None) -> Cell:
    return _UNKNOWN if found is None else spelt(rate_of(found.leak, fpr), fpr)


def spelt(estimate: Estimate | None, fpr: float | None) -> Cell:
    """A rate as a share, an AUC as a figure."""
    return figure_cell(estimate) if fpr is None else share_cell(estimate)


def price(bench: Bench) -> Table:
    """What each mitigation costs."""
    rows = tuple(_price_row(option, bench) for option in audited(bench))
    columns = (
        Column("Mitigation", numeric=False),
        Column("Accuracy"),
        Column("Against the plain model"),
        Column("Calibration error"),
        Column("Size of an answer"),
        Column("Training time"),
        *((Column("Proven epsilon"),) if any(o.guarantee for o in bench.options) else ()),
    )
    return Table("price", "What each costs", columns, rows)


def _price_row(option: Option, bench: Bench) -> tuple[Cell, ...]:
    use, spent = option.utility, option.cost
    if use is None:
        return (name_cell(option, bench), *([_UNKNOWN] * 5))
    accuracy = share_cell(use.accuracy)
    cells = [
        name_cell(option, bench),
        accuracy,
        _UNKNOWN if use.change is None else _points(use.change),
        _UNKNOWN if use.calibration_error is None else Cell(wording.share(use.calibration_error)),
        _UNKNOWN if use.answer_size is None else Cell(f"{use.answer_size:.3g}", (f"of {bench.classes} probabilities",)),
        _UNKNOWN if spent is None else _time(spent.retrains, spent.seconds, spent.times, option.acts_on == "nothing"),
    ]
    if any(o.guarantee for o in bench.options):
        proven = option.guarantee
        delta = () if proven is None or proven.delta is None else (f"delta {proven.delta:.2g}",)
        cells.append(_UNKNOWN if proven is None else Cell(f"{proven.epsilon:.3g}", delta))
    return tuple(cells)


def _points(change: Estimate) -> Cell:
    if change.low == change.high == 0:
        return Cell("0", ("every label as before",))
    sign = "+" if change.value > 0 else ""
    return Cell(
        f"{sign}{wording.points(change.value)} points",
        (f"{wording.points(change.low)} to {wording.points(change.high)}",),
    )


def _time(retrains: bool, seconds: float | None, times: float | None, plain: bool) -> Cell:
    if not retrains and not plain:
        return Cell("not retrained")
    if seconds is None:
        return _UNKNOWN
    factor = () if times is None or plain else (f"{times:.2g} times the plain model’s",)
    return Cell(wording.duration(seconds), factor)


def matrices(bench: Bench) -> tuple[Table, ...]:
    """Every attack (rows) on every mitigation (columns): one table a figure, the most telling first."""
    options = audited(bench)
    fprs = sorted({p.fpr for o in options for leak in o.attacks for p in leak.tpr_at_fpr if p.tpr is not None})
    rates = sorted(fprs, key=lambda f: (f != bench.fpr, -f))
    tables = [_matrix(options, f"rate-{i}", figure_name(f), f) for i, f in enumerate(rates)]
    area = _matrix(options, "auc", "AUC", None)
    gain = _matrix(options, "advantage", "Advantage", None)
    return (*tables, area, gain) if bench.fpr is not None else (area, *tables, gain)


def _matrix(options: Sequence[Option], key: str, title: str, fpr: float | None) -> Table:
    names = list(
        dict.fromkeys((leak.attack, leak.title) for o in options for leak in o.attacks if leak.auc is not None)
    )
    rows = []
    for attack, spelt_out in names:
        found = [next((leak for leak in o.attacks if leak.attack == attack), None) for o in options]
        cells = [_matrix_cell(leak, key, fpr, o) for leak, o in zip(found, options, strict=True)]
        rows.append((Cell(wording.clean(spelt_out)), *cells))
    columns = (Column("Attack", numeric=False), *(Column(wording.clean(o.label)) for o in options))
    return Table(f"matrix-{key}", title, columns, tuple(rows))


def _matrix_cell(leak: Leak | None, key: str, fpr: float | None, option: Option) -> Cell:
    if leak is None:
        return _UNKNOWN
    found = leak.advantage if key == "advantage" else leak.auc if key == "auc" else rate_of(leak, fpr)
    if found is None:
        return _UNKNOWN
    plain = key == "auc"
    cell = figure_cell(found) if plain else share_cell(found)
    depth = 2 * (found.value - 0.5) if plain else found.value
    best = option.adaptive or option.strongest
    mark = "*" if best is not None and best.leak.attack == leak.attack else ""
    return Cell(cell.text, cell.detail, mark=mark, heat=min(1.0, max(0.0, depth)))


def search_table(found: Search) -> Table:
    """Every strength that a search tried, in its order."""
    rows = tuple(
        (
            Cell(wording.clean(t.label), ("chosen",) if t.label == found.chosen else ()),
            _UNKNOWN if t.value is None else Cell(wording.figure(t.value)),
            Cell("yes" if t.meets else "no") if t.value is not None else Cell(wording.clean(t.reason or "no audit")),
            _UNKNOWN if t.accuracy is None else Cell(wording.share(t.accuracy)),
        )
        for t in found.trials
    )
    columns = (
        Column("Strength", numeric=False),
        Column("Limited figure, upper end"),
        Column("Met", numeric=False),
        Column("Accuracy"),
    )
    return Table(f"search-{found.name}", f"{found.name}: {found.low:g} to {found.high:g}", columns, rows)


def left_out(bench: Bench) -> Table | None:
    """Mitigations without figures, and why."""
    rows = tuple(
        (Cell(wording.clean(o.label)), Cell(o.status), Cell(wording.clean(o.reason or "no strongest attack")))
        for o in bench.options
        if o.status != "ok" or o.strongest is None
    )
    columns = (Column("Mitigation", numeric=False), Column("Status", numeric=False), Column("Why", numeric=False))
    return Table("left-out", "Without figures", columns, rows) if rows else None


def about(bench: Bench) -> Table:
    """What each mitigation is, and where its whole audit lies."""
    rows = tuple(
        (
            Cell(wording.clean(o.label)),
            Cell(wording.clean(o.title)),
            Cell(o.acts_on),
            Cell(wording.clean(o.paper) or NONE),
            Cell(wording.clean(o.folder)) if o.folder else _UNKNOWN,
        )
        for o in bench.options
    )
    titles = ("Mitigation", "What it is", "Acts on", "Paper", "Its whole audit")
    return Table("about", "The mitigations", tuple(Column(t, numeric=False) for t in titles), rows)
