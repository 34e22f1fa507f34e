"""Figures as inline SVG: live text, and colours that the page's style sheet decides.

A figure is drawn in placeholder colours; afterwards each becomes a CSS variable, so that one drawing serves the light
and the dark scheme. Nothing in the result depends on the clock, and no id in it collides with another figure's.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from importlib import resources
from typing import Any

from gnomon.report.formatting import clean
from gnomon.report.sections import Figure

INK, SOFT, RULE, MEMBER, OTHER = "#000001", "#000002", "#000003", "#000004", "#000005"
CURVES = ("#000006", "#000007", "#000008", "#000009")
MARKS = ("o", "D", "s", "^")
_SHAPES = (  # the same marks in a legend
    "M9.9 5.5a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    "M13.5 .8l4.7 4.7-4.7 4.7-4.7-4.7z",
    "M10.2 2.2h6.6v6.6h-6.6z",
    "M13.5 1.4l4.2 7.6h-8.4z",
)
_SWATCH_DASHES = ("none", "8 3", "3 2.4", "9 3 2 3")
DASHES = ("solid", (0, (6, 2)), (0, (2, 1.6)), (0, (7, 2, 1.5, 2)))
VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    RULE: "--rule",
    MEMBER: "--member",
    OTHER: "--other",
    **{colour: f"--curve-{i}" for i, colour in enumerate(CURVES, 1)},
}
WIDTH = 420  # units of the drawing; the page scales it to its column
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
    return left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height


def drawn(figure: Figure) -> str:
    """A figure as SVG to be put into a page: its title and text are for those who can't see it."""
    if figure.svg:
        return f'<svg role="img" aria-label="{_text(figure.text)}" class="plot" {figure.svg}</svg>'
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas
    from matplotlib.text import Text

    with matplotlib.rc_context(), warnings.catch_warnings():
        # a class name in a script that DejaVu lacks: the reader's browser has the glyph, matplotlib only measures
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()  # the user's own style must not reach the report
        matplotlib.rcParams.update({**_STYLE, "svg.hashsalt": figure.key})
        canvas = Canvas(figsize=(WIDTH / _POINTS, figure.height / _POINTS))
        FigureCanvasSVG(canvas)
        axes = canvas.add_axes(_frame(figure.height))
        if figure.paint is not None:
            figure.paint(axes)
        for text in canvas.findobj(Text):  # names from outside are neither formulas nor control characters
            assert isinstance(text, Text)
            text.set_parse_math(False)
            text.set_text(clean(text.get_text()))
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    return _inline(buffer.getvalue(), figure)


def swatch(kind: str) -> str:
    """The small mark of a legend: "mark-1", "curve-2", "line-1", "area-member", "dot-ink", "rule", "mean", "chance"."""
    shape, _, name = kind.partition("-")
    colour = f"var(--{f'curve-{name}' if name.isdigit() else name})"
    line = '<path d="M1 5.5h25" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>'
    j = int(name) - 1 if name.isdigit() else 0
    match shape:
        case "rule" | "mean":
            inner = line.format("var(--ink)", 1.4, "5 3.5" if shape == "rule" else "none")
        case "chance":
            inner = line.format("var(--soft)", 1.4, "1.4 2.6")
        case "area":
            inner = f'<path d="M4 1h19v9h-19z" fill="{colour}" fill-opacity=".3" stroke="{colour}" stroke-width="1.4"/>'
        case "dot":
            inner = f'<circle cx="13.5" cy="5.5" r="4" fill="{colour}"/>'
        case "mark":
            whisker = f'<path d="M2 5.5h23" stroke="{colour}" stroke-width="2" stroke-opacity=".55"/>'
            inner = f'{whisker}<path d="{_SHAPES[j]}" fill="{colour}"/>'
        case _:
            inner = line.format(colour, 2.4, _SWATCH_DASHES[j] if shape == "curve" else "none")
    return f'<svg viewBox="0 0 27 11" aria-hidden="true">{inner}</svg>'


def standalone(figure: Figure) -> str:
    """A figure as a file of its own: with its title and legend, in the page's colours."""
    css = resources.files("gnomon.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    light, dark = (" ".join(found.split()) for found in re.findall(r":root \{([^}]*)\}", css)[:2])
    style = (
        f"<style>:root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }} "
        "svg { font-family: var(--sans); background: var(--paper); } "
        "text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }</style>"
    )
    svg = drawn(figure)
    found = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(found[1]), float(found[2])) if found else (float(WIDTH), float(WIDTH))
    above, line = 34, 18
    tall = above + height + (line * len(figure.legend) + 10 if figure.legend else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {tall:g}" width="{width:g}" '
        f'height="{tall:g}">{style}',
        f'<text x="12" y="22" font-size="14" font-weight="600" fill="var(--ink)">{_text(figure.title)}</text>',
        svg.replace("<svg ", f'<svg y="{above}" width="{width:g}" height="{height:g}" overflow="visible" ', 1),
    ]
    for j, (kind, name) in enumerate(figure.legend):
        y = above + height + line * j + 12
        parts.append(swatch(kind).replace("<svg ", f'<svg x="12" y="{y - 9:g}" width="27" height="11" '))
        parts.append(f'<text x="44" y="{y:g}" font-size="12" fill="var(--ink)">{_text(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(text: str) -> str:
    return html.escape(clean(text))


def _inline(svg: str, figure: Figure) -> str:
    key = figure.key
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
        f'<title id="{key}-title">{_text(figure.title)}</title>'
        f'<desc id="{key}-text">{_text(figure.text)}</desc>'
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
