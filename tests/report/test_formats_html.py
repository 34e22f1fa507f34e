from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from tests.report import sample_documents, sample_records
from tests.report.sample_records import HOSTILE

from gnomon.core.documents.record import Record
from gnomon.report import render
from gnomon.report.formatting import clean

VOID = {"meta", "link", "br", "img", "hr", "input"}
LIMIT = 400_000


class Page(HTMLParser):
    """Collects tags, ids and text, and checks that what is opened is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_is_well_formed(page: str) -> None:
    parsed = Page(page)
    assert page.startswith("<!DOCTYPE html>")
    assert parsed.open == []


def test_ids_are_unique_and_every_reference_has_its_target(page: str) -> None:
    tags = Page(page).tags
    ids = Counter(attrs["id"] for _, attrs in tags if "id" in attrs)
    assert [name for name, times in ids.items() if times > 1] == []
    wanted = set(re.findall(r"url\(#([^)]+)\)", page))
    for _, attrs in tags:
        if (attrs.get("href") or "").startswith("#"):
            wanted.add((attrs["href"] or "")[1:])
        wanted.update((attrs.get("aria-labelledby") or "").split())
    assert wanted - set(ids) == set()


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    for tag, attrs in Page(page).tags:
        assert tag not in {"script", "img", "iframe", "object", "embed", "base", "form", "image"}
        assert not any(key.startswith("on") or key in {"src", "srcset", "xlink:href"} for key in attrs), (tag, attrs)
        if tag == "link":
            assert attrs == {"rel": "icon", "href": "data:,"}
        if tag == "use":
            assert (attrs["href"] or "").startswith("#")
        if tag == "a":
            assert re.match(r"#|https://(arxiv\.org/abs|doi\.org)/", attrs["href"] or "")
    assert "@import" not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "default-src 'none'" in page


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < LIMIT


def test_everything_that_the_record_says_is_told(record: Record, record_name: str) -> None:
    text = Page(sample_documents.rendered(record_name, "html")).text

    def told(*words: str | None) -> None:
        for word in words:
            assert not word or " ".join(clean(word).split()) in text, word

    told(record.verdict.headline, *record.verdict.sentences, record.name, *record.not_tried)
    told(*record.threat_model.sentences, record.threat_model.shadow_data, record.data.fingerprint)
    for finding in record.findings:
        told(finding.code, finding.title, finding.explanation, finding.remedy)
    for attack in record.attacks:
        told(attack.title, attack.paper, attack.reason, *attack.notes, *attack.needs)
    for exposed in record.exposed:
        told(exposed.id, exposed.label)
    for name, version in record.provenance.packages.items():
        told(f"{name} {version}")
    told(*record.provenance.fingerprints.values())


def test_what_must_alarm_stands_before_the_figures(record_name: str) -> None:
    page = sample_documents.rendered(record_name, "html")
    places = [page.find(f'id="{part}"') for part in ("verdict", "findings", "pictures", "all-attacks")]
    there = [place for place in places if place >= 0]
    assert there == sorted(there)
    assert len(there) >= 2


@pytest.mark.parametrize("name", ["hostile", "bench", "study", "reproduction", "comparison"])
def test_hostile_text_stays_text(name: str) -> None:
    page = sample_documents.rendered(name, "html")
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert "&lt;script&gt;" in page
    assert name == "bench" or HOSTILE in Page(page).text
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert 'href="javascript' not in page


def test_a_refused_rate_is_shown_with_its_reason() -> None:
    text = Page(sample_documents.rendered("leaking", "html")).text
    assert "refused a" in text
    assert "refused at 0.01%: too few non-members (have 1600, need 10000)" in text


def test_skipped_and_failed_attacks_are_shown_with_their_reasons() -> None:
    text = Page(sample_documents.rendered("invalid", "html")).text
    assert "skipped needs shadow answers for audited rows; there are no shadows" in text
    assert "failed ValueError: class 3 has no shadow rows" in text
    assert "Traceback (most recent call last):" in text
    assert "2 of 4" in text


def test_the_oracle_is_called_so() -> None:
    text = Page(sample_documents.rendered("leaking", "html")).text
    assert "threshold chosen on shadows" in text
    assert "Oracle’s recall" in text


def test_an_invalid_audit_shows_no_headcount() -> None:
    assert 'class="picture found"' in sample_documents.rendered("leaking", "html")
    assert 'class="picture found"' not in sample_documents.rendered("invalid", "html")


def test_the_dots_are_the_record_s_figures() -> None:
    page = sample_documents.rendered("leaking", "html")
    found, accused = (
        [len(re.findall("M", path)) for path in re.findall(r' d="((?:M\d+ \d+h0)*)"', svg)]
        for svg in re.findall(r'<figure class="picture (?:found|accused)">.*?</figure>', page, re.DOTALL)
    )
    assert found == [69, 31]
    assert accused == [999, 1]


@pytest.mark.parametrize("word", ["private", "safe", "secure", "protected"])
def test_a_failed_attack_is_never_called_a_virtue(word: str) -> None:
    text = Page(sample_documents.rendered("near_chance", "html")).text
    assert not re.search(rf"\b{word}\b", text, re.IGNORECASE)
    assert "empirical lower bound" in text


def test_figures_have_names_and_take_the_page_s_colours(page: str) -> None:
    for drawing in re.findall(r'<svg [^>]*class="plot">.*?</svg>', page, re.DOTALL):
        assert re.search(r"<title id=.+?</title><desc id=.+?</desc>", drawing)
        assert "<text" in drawing
        assert "var(--" in drawing
        assert not re.search(r"(?:fill|stroke): #", drawing)
        assert "font-family" not in drawing
        assert "<!DOCTYPE" not in drawing
        assert "metadata" not in drawing


def test_the_same_record_gives_the_same_page() -> None:
    assert sample_documents.rendered("leaking", "html") == render(sample_records.leaking(), "html")


def test_the_user_s_matplotlib_style_neither_changes_nor_matters() -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "path", "grid.linestyle": "--", "xtick.direction": "in"}):
        before = dict(matplotlib.rcParams)
        page = render(sample_records.near_chance(), "html")
        assert dict(matplotlib.rcParams) == before
    assert page == sample_documents.rendered("near_chance", "html")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_aa_in_both_schemes(scheme: int) -> None:
    page = sample_documents.rendered("bare", "html")
    block = re.findall(r":root \{([^}]*)\}", page)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    text = ("ink", "soft", "link", "member", "other", "error", "warning", "note")
    for name in text:
        assert contrast(colours[name], colours["paper"]) >= 4.5, name
    for name in ("error", "warning", "note"):
        assert contrast(colours[name], colours[f"{name}-wash"]) >= 4.5, name
        assert contrast(colours["ink"], colours[f"{name}-wash"]) >= 4.5, name
    for i in range(1, 5):
        assert contrast(colours[f"curve-{i}"], colours["paper"]) >= 3, i
