"""The page of a comparison of two runs: what changed, attack by attack, and what may explain it."""

from __future__ import annotations

from collections.abc import Callable

from gnomon.core.documents.comparison import AttackChange, Comparison, FigureChange, RunFacts
from gnomon.report.formatting import count, moment, number, points, share
from gnomon.report.sections import NONE, Cell, Cells, Page, Section, Table, filled, table

LABELS = {  # level of a verdict, label
    "worse": ("leaks", "Leaks more than before"),
    "better": ("none_found", "Leaks less than before"),
    "within noise": ("none_found", "Within noise"),
    "mixed": ("leaks_some", "Mixed"),
    "not comparable": ("invalid", "Not comparable"),
}
LEAD = (
    "Each value of the first run, then of the second; below, the difference with its interval. AUC: how often a member "
    "scores above a non-member (0.5 is guessing). TPR at an FPR: members found when that share of non-members may be "
    "wrongly accused."
)
_TERMINAL_ATTACKS = 12


def comparison_page(comparison: Comparison) -> Page:
    """The view that all renderers share."""
    level, label = LABELS[comparison.change]
    overall = _changes("overall", "The clearest change", [comparison.overall])
    attacks = _changes("attacks", "Every attack of either run", comparison.attacks)
    runs, told = _runs(comparison), tuple(comparison.differences)
    return Page(
        kind="comparison of two audits",
        source="two records",
        name=f"{comparison.first.name} → {comparison.second.name}",
        headline=comparison.headline,
        level=level,
        label=label,
        sentences=tuple(comparison.sentences),
        sections=filled(
            Section("overall", overall.title, LEAD, tables=(overall,), brief=(overall,)),
            Section("attacks", attacks.title, tables=(attacks,), brief=(attacks.cut(_TERMINAL_ATTACKS),)),
            Section("runs", runs.title, tables=(runs,), brief=(runs,)),
            Section("differences", "What else is different", notes=told, brief=tuple(f"  - {line}" for line in told)),
        ),
    )


def _runs(comparison: Comparison) -> Table:
    labels = (
        "Name",
        "Made",
        "Strongest attack",
        "Audited members and non-members",
        "Rows that the model was trained on",
        "Accuracy on training rows",
        "Accuracy on rows it never saw",
        "Shadow models",
    )
    rows = zip(labels, _run(comparison.first), _run(comparison.second), strict=True)
    return table("runs", "The two runs", ("", "First run", "Second run"), rows, left=3)


def _run(run: RunFacts) -> Cells:
    audited = f"{count(run.members)} and {count(run.nonmembers)}"
    known = (run.name, moment(run.created), run.attack or "none", audited, run.train_size)
    return *known, run.train_accuracy, run.test_accuracy, run.shadows


def _changes(key: str, title: str, attacks: list[AttackChange]) -> Table:
    # a rate that too few non-members were audited for in every attack needs no column
    names = list(dict.fromkeys(f.figure for attack in attacks for f in attack.figures if f.difference is not None))
    rows: list[Cells] = []
    for attack in attacks:
        found = {f.figure: f for f in attack.figures}
        change = Cell(attack.change, (attack.reason,) if attack.reason else ())
        rows.append((attack.title, change, *(_cell(found.get(name)) for name in names)))
    return table(key, title, ("Attack", "Change", *names), rows, left=2)


def _cell(figure: FigureChange | None) -> Cell:
    if figure is None:
        return NONE
    if figure.difference is None or figure.first is None or figure.second is None:
        return Cell("refused", (figure.refused,) if figure.refused else (), muted=True)
    area = figure.figure == "AUC"
    spell: Callable[[float], str] = number if area else share
    gap: Callable[[float], str] = number if area else points
    spread = figure.retrained or figure.difference
    sign, unit = "+" if spread.value >= 0 else "", "" if area else " points"
    details = (f"{sign}{gap(spread.value)}{unit}", f"{gap(spread.low)} to {gap(spread.high)}", figure.change)
    return Cell(f"{spell(figure.first)} → {spell(figure.second)}", details)
