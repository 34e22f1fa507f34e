"""Figures as SVG: own ids, the page's colours, names from outside as text, and files that stand alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from tests.report.sample_records import HOSTILE

from gnomon.report.plots.audit import dots
from gnomon.report.sections import Figure
from gnomon.report.svg import CURVES, drawn, standalone, swatch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = (
    "mark-1",
    "mark-2",
    "mark-3",
    "mark-4",
    "curve-1",
    "curve-4",
    "line-2",
    "area-member",
    "dot-ink",
    "rule",
    "mean",
)


def paint(axes: Axes) -> None:
    axes.fill_between([0, 1], [0, 0], [1, 1], color=CURVES[0], alpha=0.3)
    axes.plot([0, 1], [0, 1], color=CURVES[1], marker="o")
    axes.set_xlabel(f"key {HOSTILE} $x_{{ \x1b[31m")


def figure(key: str = "one") -> Figure:
    legend = tuple((kind, f"{kind} {HOSTILE}") for kind in (*KINDS, "chance"))
    return Figure(key, f"Title {HOSTILE}", text=f"what it shows {HOSTILE}", paint=paint, legend=legend)


def test_a_drawing_is_well_formed_and_its_ids_are_its_own() -> None:
    one, two = drawn(figure("one")), drawn(figure("two"))
    ElementTree.fromstring(one)
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    assert all(name.startswith("one-") for name in ids[0])
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', one)) <= ids[0]


def test_names_from_outside_are_neither_markup_nor_formulas() -> None:
    svg = drawn(figure())
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert "$x_{" in svg


def test_the_page_decides_on_the_colours() -> None:
    svg = drawn(figure())
    assert "var(--curve-1)" in svg and "var(--curve-2)" in svg
    assert not re.search(r"#[0-9a-f]{6}", re.sub(r'(?:url\(|href=")#[^)"]+', "", svg))


def test_a_figure_drawn_by_hand_has_a_name() -> None:
    svg = drawn(dots("found", 100, 31, "member", '31 of "100"'))
    found = ElementTree.fromstring(svg)
    assert found.get("aria-label") == '31 of "100"'
    assert [len(re.findall("M", path.get("d") or "")) for path in found] == [69, 31]


@pytest.mark.parametrize("kind", [*KINDS, "chance"])
def test_every_swatch_is_drawn_in_one_of_the_page_s_colours(kind: str) -> None:
    found = ElementTree.fromstring(swatch(kind))
    assert len(found) >= 1
    colours = {colour for part in found for colour in (part.get("fill"), part.get("stroke")) if colour}
    assert colours - {"none"}
    assert all(re.fullmatch(r"none|var\(--[a-z0-9-]+\)", colour) for colour in colours)


@pytest.mark.parametrize("shape", ["mark", "curve", "line"])
def test_swatches_of_different_series_differ(shape: str) -> None:
    assert len({swatch(f"{shape}-{j}") for j in (1, 2, 3, 4)}) == 4


def test_a_file_of_its_own_holds_title_legend_and_both_schemes() -> None:
    text = standalone(figure())
    root = ElementTree.fromstring(text)
    words = " ".join(root.itertext())
    assert f"Title {HOSTILE}" in words
    assert all(f"{kind} {HOSTILE}" in words for kind in KINDS)
    assert "prefers-color-scheme: dark" in text
    defined = set(re.findall(r"(--[\w-]+):", text))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= defined
    assert re.findall(r"url\((.)", text).count("#") == len(re.findall(r"url\(", text))
