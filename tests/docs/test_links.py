"""Links between the repository's documents lead somewhere, anchors too."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benchmarks/RESULTS.md")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]


def prose(text: str) -> str:
    """Without what only looks like a link."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(path: Path) -> set[str]:
    """Of the headings, as they are made from their text."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def dead(path: Path, text: str) -> list[str]:
    found = []
    for target, anchor in LINK.findall(prose(text)):
        place = (path.parent / target).resolve() if target else path
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            found.append(f"{target}#{anchor}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_is_dead(path: Path) -> None:
    assert dead(path, path.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_found() -> None:
    text = "[a](nowhere.md) [b](README.md#install) [c](README.md#nowhere) [d](https://x.example/y) `[e](code.md)`"
    assert dead(ROOT / "x.md", text) == ["nowhere.md#", "README.md#nowhere"]


def test_the_site_s_navigation_names_every_page() -> None:
    """MkDocs would say so too, but its environment is not that of the tests."""
    named = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    notebooks = {f"notebooks/{path.stem}.md" for path in (ROOT / "docs" / "notebooks").glob("*.ipynb")}
    made = {"index", "examples", "speed", "commands", "documents", "findings", "python"}
    made |= {"contributing", "security", "changelog", "conduct"}
    assert named == there | notebooks | {f"{name}.md" for name in made}
