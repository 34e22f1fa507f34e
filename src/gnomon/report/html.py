"""A page as one HTML file that fetches nothing and needs no script."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from gnomon.report.formatting import clean_lines
from gnomon.report.sections import Page
from gnomon.report.svg import drawn, swatch

if TYPE_CHECKING:
    from jinja2 import Template


def render_html(page: Page) -> str:
    """The page with its styles inside and its figures as SVG with live text."""
    # the one place where text enters the page as it is: our own drawings, escaped by matplotlib and `svg`
    trusted = {"draw": lambda figure: Markup(drawn(figure)), "swatch": lambda kind: Markup(swatch(kind))}
    return _template().render(page=page, **trusted) + "\n"


@cache  # compiling it takes as long as two drawings
def _template() -> Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gnomon.report", "templates"),
        autoescape=True,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("page.html")


def _unbroken(text: str) -> Markup:
    """Text whose options (`--try`) stay in one line: browsers break a line behind a hyphen."""
    return Markup(re.sub(r"(--[a-z][a-z-]*)", r'<span class="option">\1</span>', str(escape(clean_lines(text)))))


def _cleaned(value: object) -> object:
    """Text from outside, without control characters; jinja escapes it afterwards."""
    return clean_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value
