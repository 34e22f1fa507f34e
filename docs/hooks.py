"""MkDocs' hooks: pages that are not Markdown files in this folder, and links that leave it.

README and its kin stand at the root of the repository, notebooks are rendered with the outputs that they were committed
with, reference pages are made from the code. Links are those of the repository, so that they work there too.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

import nbconvert
import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

import gnomon

sys.path.insert(0, str(Path(__file__).resolve().parent))
import reference

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {  # path in the repository -> page
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "benchmarks/RESULTS.md": "speed.md",
    "examples": "examples.md",
}
ORIGINS = {page: path for path, page in ELSEWHERE.items()}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")

FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|icon))[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>"
)


def on_files(files: Files, config: Any) -> Files:
    """Adds pages that are made here."""
    made = {page: (ROOT / path).read_text(encoding="utf-8") for path, page in ELSEWHERE.items() if path != "examples"}
    made["examples.md"] = examples_page()
    made["findings.md"] = reference.findings_page()
    made["documents.md"] = reference.documents_page()
    made["commands.md"] = reference.commands_page()
    made["python.md"] = python_page()
    for file in [one for one in files if one.src_uri.endswith(".ipynb")]:
        files.remove(file)
        page, pictures = notebook_page(Path(file.abs_src_path or ""))
        made[file.src_uri.removesuffix(".ipynb") + ".md"] = page
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 - MkDocs' names
    """Turns links of the repository into links of the site."""
    here = page.file.src_uri
    origin = ORIGINS.get(here, f"docs/{here}")

    def moved(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), found[1]))
        return f"]({posixpath.relpath(_page_of(target), posixpath.dirname(here) or '.')}{found[2] or _anchor(target)})"

    return LINK.sub(moved, markdown)


def on_post_page(output: str, page: Any, config: Any) -> str:  # noqa: ARG001 - MkDocs' names
    """Ends the build where a page would fetch something from elsewhere; links are fetched by readers only."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri}: expected nothing that is fetched from elsewhere, got {found[0]}")
    return output


def _page_of(target: str) -> str:
    if target.startswith("examples"):
        return "examples.md"
    inside = ELSEWHERE.get(target, target.removeprefix("docs/"))
    return f"{inside.removesuffix('.ipynb')}.md" if inside.endswith(".ipynb") else inside


def _anchor(target: str) -> str:
    name = target.removeprefix("examples").strip("/")
    return f"#{_slug(name)}" if target.startswith("examples") and name else ""


def _slug(name: str) -> str:
    return re.sub(r"[^\w-]+", "", name.lower())


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its pictures by name."""
    exporter = nbconvert.MarkdownExporter()
    body, parts = exporter.from_notebook_node(
        nbformat.read(path, as_version=4), {"unique_key": path.stem, "output_files_dir": f"{path.stem}-files"}
    )
    return body, parts["outputs"]


def examples_page() -> str:
    """Every example with its source; the first lines of each say what it shows and how it is run."""
    lines = ["# Examples", "", "Plans and scripts of the folder `examples`. Tests run those that take seconds.", ""]
    for path in sorted((ROOT / "examples").glob("*.*")):
        kind = {".toml": "toml", ".py": "python"}.get(path.suffix)
        if kind:
            lines += [f"## {path.name} {{#{_slug(path.name)}}}", "", f"```{kind}"]
            lines += [path.read_text(encoding="utf-8").rstrip(), "```", ""]
    return "\n".join(lines)


def python_page() -> str:
    """The public names of the package, each with its whole documentation."""
    names = [name for name in gnomon.__all__ if name != "__version__"]
    lines = ["# Python", "", "All names of `gnomon`; those of its subpackages stand in [public names](api.md).", ""]
    for name in names:
        home = f"{gnomon._HOME[name]}.{name}"  # names are imported on first use, which a reader of the source can't see
        lines += [f"## `gnomon.{name}` {{#gnomon.{name}}}", "", f"::: {home}", ""]
    lines += [
        "## What plug-ins are made of",
        "",
        "::: gnomon.core.protocols.Attack",
        "",
        "::: gnomon.core.evidence.Evidence",
    ]
    return "\n".join(lines) + "\n"
