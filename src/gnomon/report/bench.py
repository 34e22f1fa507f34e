"""A bench of mitigations, rendered: HTML, Markdown, JSON, terminal. Like reports, it computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup
from rich.box import HEAVY
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from gnomon.core.bench import Bench, ExposedRows
from gnomon.core.record import write_text
from gnomon.report import bench_plots, bench_tables, wording
from gnomon.report.facts import Fact
from gnomon.report.formats import format_of, renderer_of
from gnomon.report.html import page_template
from gnomon.report.ink import CURVES
from gnomon.report.markdown import escape, markdown_table
from gnomon.report.tables import Table
from gnomon.report.terminal import grid, plain_text

CAVEAT = (
    "Every figure is what these attacks found on these records: a lower bound. That a mitigation lowers it says "
    "nothing of attacks that were not tried."
)
KNOWING = (
    "Adaptive: shadow models are trained with the mitigation and answer through it. Naive: they are plain. Whoever "
    "knows a mitigation can do either, so it leaks less only if neither attack keeps up, and the stronger one is its "
    "figure. A mitigation that looks good against the naive attack alone only hides what it leaves."
)
FRONTIER = (
    "Towards the upper left a model is more useful and leaks less. What lies on the line is on the frontier: nothing "
    "that was tried is better in one and as good in the other, by the figures; whiskers are their intervals. A name "
    "that has no room is left to the table."
)
MATRIX = (
    "The adaptive attacker. An asterisk marks the attack that counts as his strongest: chosen on shadow models, or an "
    "attack by queries that is surely stronger."
)
_LEVELS = {"free": ("none_found", "A mitigation helps"), "dear": ("leaks_some", "Helps at a price")}
_NONE = ("leaks", "No mitigation helps")
_COLUMNS = 5  # of a matrix on a terminal


@dataclass(frozen=True)
class Picture:
    """A drawing with its caption."""

    title: str
    lead: str
    svg: Markup
    legend: tuple[tuple[str, str], ...]  # kind of mark, text


@dataclass(frozen=True)
class BenchView:
    """One bench, spelt out."""

    level: str
    level_label: str
    name: str
    headline: str
    sentences: tuple[str, ...]
    facts: tuple[Fact, ...]
    leakage: Table
    price: Table
    exposed: str
    matrices: tuple[Table, ...]
    searches: tuple[tuple[str, Table], ...]
    left_out: Table | None
    about: Table
    origin: tuple[Fact, ...]


def bench_view(bench: Bench) -> BenchView:
    """The view that all renderers share; all text in it is on one line and free of control characters."""
    clean = wording.clean
    level, label = _level(bench)
    exposed = bench.exposed
    return BenchView(
        level=level,
        level_label=label,
        name=clean(bench.name),
        headline=clean(bench.advice.headline),
        sentences=tuple(map(clean, bench.advice.sentences)),
        facts=_facts(bench),
        leakage=bench_tables.leakage(bench),
        price=bench_tables.price(bench),
        exposed="" if exposed is None else _exposed(exposed),
        matrices=bench_tables.matrices(bench),
        searches=tuple((_searched(s.limit, s.chosen), bench_tables.search_table(s)) for s in bench.searches),
        left_out=bench_tables.left_out(bench),
        about=bench_tables.about(bench),
        origin=_origin(bench),
    )


def _exposed(rows: ExposedRows) -> str:
    members = wording.counted(rows.members, "member")
    return f"{wording.clean(rows.chosen_by)} {members} of {wording.count(rows.rows)} records, against all non-members."


def _level(bench: Bench) -> tuple[str, str]:
    chosen = next((o for o in bench.options if o.label == bench.advice.choice), None)
    if chosen is None:
        return _NONE
    dear = chosen.utility is not None and chosen.utility.change is not None and chosen.utility.change.high < 0
    return _LEVELS["dear" if dear else "free"]


def _facts(bench: Bench) -> tuple[Fact, ...]:
    return (
        Fact("Data", f"{wording.clean(bench.data)}, {wording.counted(bench.classes, 'class', 'classes')}"),
        Fact("Audited", f"{wording.count(bench.members)} members, {wording.count(bench.nonmembers)} non-members"),
        Fact("Mitigations", wording.count(len(bench.options) - 1)),
        Fact("Shadow models each", wording.count(bench.shadows)),
        Fact("Point of view", bench.view),
        Fact("Made", wording.moment(bench.provenance.created)),
    )


def _origin(bench: Bench) -> tuple[Fact, ...]:
    origin, clean = bench.provenance, wording.clean
    return (
        Fact("Tried", ", ".join(map(clean, bench.tried))),
        Fact("Intervals", f"{wording.rate(bench.confidence)}, each on its own; verdicts hold together"),
        Fact("Comparisons that share the error rate", wording.count(bench.compared)),
        Fact("gnomon", clean(origin.gnomon)),
        Fact("Python", clean(origin.python)),
        Fact("Packages", ", ".join(f"{clean(name)} {clean(v)}" for name, v in sorted(origin.packages.items()))),
        Fact("Machine", f"{clean(origin.machine)}, {wording.counted(origin.cores, 'core')}"),
        Fact("Root seed", str(origin.seed)),
        Fact("Time of the last run", wording.duration(origin.seconds.get("bench", 0.0))),
        *(Fact(f"Fingerprint: {clean(k)}", clean(v)) for k, v in origin.fingerprints.items() if k != "target_answers"),
    )


def _searched(limit: str, chosen: str | None) -> str:
    limit = wording.clean(limit)
    end = (
        f"{wording.clean(chosen)} is the most accurate that meets it."
        if chosen
        else "No strength that was tried meets it."
    )
    return (
        f"Strengths were proposed by a search for the best accuracy with {limit}. {end} It was chosen on the audited "
        "records, which flatters it a little: audit it once more with another seed before relying on it."
    )


def _pictures(bench: Bench) -> tuple[Picture, ...]:
    made = []
    if svg := bench_plots.frontier(bench):
        legend = (("ink", "plain model"), ("member", "on the frontier"), ("other", "not on it"))
        made.append(Picture("Useful and tight-lipped", FRONTIER, Markup(svg), legend))
    if svg := bench_plots.knowing_or_not(bench):
        name = bench_tables.figure_name(bench.fpr)
        lead = f"{name} of the strongest attack, by the attacker’s shadow models. The dotted line is guessing."
        marks = (("1", "with the mitigation (adaptive)"), ("2", "plain (naive)"))
        made.append(Picture("Adaptive and naive attackers", lead, Markup(svg), marks))
    return tuple(made)


def _curves(bench: Bench) -> tuple[Picture, ...]:
    """What trainings note of themselves, such as the two losses of a game."""
    made = []
    for i, option in enumerate(o for o in bench.options if o.curves):
        names = [wording.clean(name) for name in list(option.curves)[: len(CURVES)]]
        title = f"Training with {wording.clean(option.label)}"
        svg = Markup(
            bench_plots.training_curves(f"curves-{i}", title, dict(zip(names, option.curves.values(), strict=False)))
        )
        legend = tuple((f"line-{j}", name) for j, name in enumerate(names, 1))
        made.append(Picture(title, "What the training of the target noted, epoch by epoch.", svg, legend))
    return tuple(made)


def _html(bench: Bench) -> str:
    template = page_template("bench.html")
    texts = {"caveat": CAVEAT, "knowing": KNOWING, "matrix": MATRIX}
    return template.render(view=bench_view(bench), pictures=_pictures(bench), curves=_curves(bench), texts=texts) + "\n"


def _json(bench: Bench) -> str:
    return bench.model_dump_json(indent=1) + "\n"


def _markdown(bench: Bench) -> str:
    return "\n\n".join(block for block in _blocks(bench_view(bench)) if block) + "\n"


def _blocks(shown: BenchView) -> Iterator[str]:
    yield f"# {escape(shown.headline)}"
    yield f"**{shown.level_label}** · mitigations of {escape(shown.name)}"
    yield from map(escape, shown.sentences)
    yield f"*{CAVEAT}*"
    yield _listed(shown.facts)
    for table, lead in ((shown.leakage, KNOWING), (shown.price, "")):
        yield f"## {table.title}"
        yield escape(lead)
        yield markdown_table(table)
    yield escape(shown.exposed)
    yield "## Every attack on every mitigation"
    yield MATRIX
    for table in shown.matrices:
        yield f"### {escape(table.title)}"
        yield markdown_table(table)
    for said, table in shown.searches:
        yield f"## Strengths of {escape(table.title)}"
        yield escape(said)
        yield markdown_table(table)
    for rest in (shown.left_out, shown.about):
        if rest is not None:
            yield f"## {rest.title}"
            yield markdown_table(rest)
    yield "## Where the figures come from"
    yield _listed(shown.origin)


def _listed(facts: tuple[Fact, ...]) -> str:
    return "\n".join(f"- {escape(f.label)}: {escape(f.value)}" for f in facts)


def print_bench(bench: Bench, console: Console) -> None:
    """Prints the recommendation, what each mitigation buys and costs, and the most telling matrix.

    Args:
        bench: what to show.
        console: where to; its width and colours are respected.
    """
    shown = bench_view(bench)
    style = {"none_found": "green", "leaks_some": "yellow"}.get(shown.level, "red")
    lines = [Text(shown.headline, style="bold"), Text(), *map(Text, shown.sentences), Text(), Text(CAVEAT, style="dim")]
    console.print(
        Panel(
            Text("\n").join(lines),
            title=Text(f" {shown.level_label} ", style=f"bold {style}"),
            title_align="left",
            subtitle=Text(f" {shown.name} "),
            subtitle_align="right",
            border_style=style,
            box=HEAVY,
            padding=(1, 2),
        )
    )
    table = bench_tables.brief(bench)
    console.print()
    console.print(Text(table.title, style="bold"))
    console.print(grid(table, len(table.columns), len(table.rows)))
    for said, table in shown.searches:
        console.print()
        console.print(Text(table.title, style="bold"))
        console.print(grid(table, _COLUMNS, len(table.rows)))
        console.print(Text(said, style="dim"))
    if shown.left_out is not None:
        console.print()
        for row in shown.left_out.rows:
            console.print(Text.assemble((row[0].text, "bold"), f", {row[1].text}: {row[2].text}"))


def _terminal(bench: Bench) -> str:
    return plain_text(lambda console: print_bench(bench, console))


_RENDERERS: MappingProxyType[str, Callable[[Bench], str]] = MappingProxyType(
    {"html": _html, "json": _json, "md": _markdown, "terminal": _terminal}
)


def render_bench(bench: Bench, format: str) -> str:
    """The bench as text in one format: "html", "md", "json" or "terminal".

    Raises:
        UsageError: an unknown format.

    >>> render_bench(None, "htlm")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: expected a bench's format, got "htlm" (did you mean "html"?)
    """
    return renderer_of("bench", format, _RENDERERS)(bench)


def write_bench_report(bench: Bench, path: Path) -> None:
    """Writes the bench in the format that the path's extension asks for, atomically.

    Raises:
        UsageError: an extension that no format has; nothing is written.
    """
    write_text(path, render_bench(bench, format_of(path)))
