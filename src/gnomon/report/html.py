"""The report as one HTML file that fetches nothing and needs no script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from gnomon.core.record import Record
from gnomon.report import panel_plots, plots
from gnomon.report.view import View, view

if TYPE_CHECKING:
    import jinja2

_EMPTY = Markup()


@dataclass(frozen=True)
class _Pictures:
    """The drawings of a page; empty where the record has no figures for one."""

    roc_log: Markup = _EMPTY
    roc_linear: Markup = _EMPTY
    scores: Markup = _EMPTY
    classes: Markup = _EMPTY
    guessing: bool = False  # the line at 0.5 is in the picture of the classes


def render_html(record: Record) -> str:
    """The record as a self-contained page: styles inside, pictures as SVG with live text."""
    shown = view(record)
    pictures = _pictures(record, shown)
    template = page_template("report.html")
    page = template.render(
        view=shown, plots=pictures, contents=_contents(shown, pictures), drawings=_drawings(record, shown)
    )
    return page + "\n"


def page_template(name: str) -> jinja2.Template:
    """A page's template: everything that is put into it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gnomon.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def _contents(shown: View, pictures: _Pictures) -> list[tuple[str, str]]:
    sections = [
        ("findings", "Findings", shown.alarms),
        ("pictures", "Pictures", shown.dots or shown.gap or pictures != _Pictures()),
        ("all-attacks", "All attacks", True),
        *((panel.key, panel.short, True) for panel in shown.panels),
        ("exposed", "Exposed records", shown.exposed),
        *((chapter.key, chapter.title, True) for chapter in shown.people),
        ("threat-model", "Threat model", True),
        ("not-tried", "Not tried", shown.not_tried),
        ("notes", "Notes", shown.remarks),
        ("provenance", "Provenance", True),
    ]
    return [(anchor, title) for anchor, title, there in sections if there]


def _pictures(record: Record, shown: View) -> _Pictures:
    attack, pictures = shown.headliner, _Pictures()
    if shown.curves:
        curves, nonmembers = shown.curves, record.data.nonmembers
        pictures = replace(pictures, roc_log=_svg(plots.roc_log(curves, nonmembers)))
        pictures = replace(pictures, roc_linear=_svg(plots.roc_linear(curves)))
    if attack and attack.histogram and attack.histogram.members:
        pictures = replace(pictures, scores=_svg(plots.score_histogram(attack, attack.histogram)))
    if attack and any(c.auc is not None and c.members for c in attack.classes):
        pictures = replace(pictures, classes=_svg(plots.class_leakage(attack)))
        pictures = replace(pictures, guessing=plots.guessing_in_sight(attack))
    return pictures


def _drawings(record: Record, shown: View) -> dict[str, list[tuple[panel_plots.Drawing, Markup]]]:
    return {p.key: [(d, _svg(d.svg)) for d in panel_plots.draw(p, record)] for p in shown.panels}


def _svg(drawing: str) -> Markup:
    """The one place where text enters the page as it is: our own drawings, escaped by matplotlib and `ink`."""
    return Markup(drawing)
