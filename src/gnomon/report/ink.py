"""Matplotlib figures as inline SVG: live text, and colours that the page's style sheet decides.

A figure is drawn in placeholder colours; afterwards each becomes a CSS variable, so that one drawing serves the light
and the dark scheme. Nothing in the result depends on the clock, and no id in it collides with another figure's.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, RULE, MEMBER, OTHER = "#000001", "#000002", "#000003", "#000004", "#000005"
CURVES = ("#000006", "#000007", "#000008", "#000009")
DASHES = ("solid", (0, (6, 2)), (0, (2, 1.6)), (0, (7, 2, 1.5, 2)))
VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    RULE: "--rule",
    MEMBER: "--member",
    OTHER: "--other",
    **{colour: f"--curve-{i}" for i, colour in enumerate(CURVES, 1)},
}
_WIDTH = 420  # units of the drawing; the page scales it to its column
_POINTS = 72  # matplotlib's SVG units an inch
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # ships with matplotlib: the layout does not depend on the machine's fonts
    "font.size": 12,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def _frame(height: int) -> tuple[float, float, float, float]:
    """The same margins in every drawing, so that neighbours stand in line: left, bottom, width, height as shares."""
    left, right, bottom, top = 62, 20, 46, 10
    return left / _WIDTH, bottom / height, 1 - (left + right) / _WIDTH, 1 - (bottom + top) / height


def standalone(svg: str, title: str, series: Sequence[str] = ()) -> str:
    """A drawing as a file of its own: with its title and the names of its curves, in the page's colours."""
    css = resources.files("gnomon.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    light, dark = (" ".join(found.split()) for found in re.findall(r":root \{([^}]*)\}", css)[:2])
    style = (
        f"<style>:root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }} "
        "svg { font-family: var(--sans); background: var(--paper); } "
        "text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }</style>"
    )
    found = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(found[1]), float(found[2])) if found else (float(_WIDTH), float(_WIDTH))
    above, line = 34, 18
    tall = above + height + (line * len(series) + 10 if len(series) > 1 else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {tall:g}" width="{width:g}" '
        f'height="{tall:g}">{style}',
        f'<text x="12" y="22" font-size="14" font-weight="600" fill="var(--ink)">{html.escape(title)}</text>',
        svg.replace("<svg ", f'<svg y="{above}" width="{width:g}" height="{height:g}" overflow="visible" ', 1),
    ]
    for j, name in enumerate(series if len(series) > 1 else ()):
        y = above + height + line * j + 12
        parts.append(f'<path d="M14 {y - 4:g}h22" stroke="var(--curve-{j + 1})" stroke-width="3"/>')
        parts.append(f'<text x="44" y="{y:g}" font-size="12" fill="var(--ink)">{html.escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class Sheet:
    """One drawing: an axes to draw on, and after the ``with`` block its ``svg``."""

    def __init__(self, figure: Figure, axes: Axes) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


@contextmanager
def sheet(key: str, title: str, description: str, height: int) -> Iterator[Sheet]:
    """Opens a drawing; the key makes its ids unique, title and description are for those who can't see it."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with (
        matplotlib.rc_context(),
        warnings.catch_warnings(),
    ):
        # a class name in a script that DejaVu lacks: the reader's browser has the glyph, matplotlib only measures
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()  # the user's own style must not reach the report
        matplotlib.rcParams.update({**_STYLE, "svg.hashsalt": key})
        figure = Figure(figsize=(_WIDTH / _POINTS, height / _POINTS))
        FigureCanvasSVG(figure)
        drawing = Sheet(figure, figure.add_axes(_frame(height)))
        yield drawing
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    drawing.svg = _inline(buffer.getvalue(), key, title, description)


def _inline(svg: str, key: str, title: str, description: str) -> str:
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    view_box = re.search(r'viewBox="([^"]+)"', body)
    inner = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body[body.index(">") + 1 :], flags=re.DOTALL)
    inner = _own_ids(re.sub(r"<[^>]+>", _restyled, inner), key)
    head = (
        f'<svg viewBox="{view_box[1] if view_box else ""}" role="img" '
        f'aria-labelledby="{key}-title {key}-text" class="plot">'
        f'<title id="{key}-title">{html.escape(title)}</title>'
        f'<desc id="{key}-text">{html.escape(description)}</desc>'
    )
    return re.sub(r"\n\s*", "\n", head + inner).strip()


def _restyled(match: re.Match[str]) -> str:
    """One tag (never the text between tags: names may look like anything) in the page's own font and colours."""
    tag = re.sub(r"font:[^;\"]*?([\d.]+)px[^;\"]*", r"font-size: \1px", match[0])
    tag = re.sub(r"\s*font-family:[^;\"]*;?", "", tag)
    tag = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag)
    for placeholder, variable in VARIABLES.items():
        tag = tag.replace(placeholder, f"var({variable})")
    return tag


def _own_ids(svg: str, key: str) -> str:
    """Drops the ids that nothing points to, and gives the others the figure's own prefix."""
    used = set(re.findall(r'url\(#([^)"]+)\)', svg)) | set(re.findall(r'href="#([^"]+)"', svg))

    def rename(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', rename, svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{key}-\1"', svg)
