"""The page of a reproduction: statements with their verdicts, the paper's values next to ours, what was left out."""

from __future__ import annotations

from tests.report.sample_documents import rendered, sample_reproduction

from gnomon.report.reproduction import overview, reproduction_page


def test_statements_are_remarks_in_the_tone_of_their_verdict() -> None:
    ran = next(s for s in reproduction_page(sample_reproduction()).sections if s.key == "epochs")
    assert [(r.label, r.tone) for r in ran.remarks] == [
        ("Holds", "good"),
        ("Holds in part", "good"),
        ("Does not hold", "error"),
        ("Not shown", "warning"),
    ]
    assert ran.brief == ran.remarks


def test_the_paper_s_values_stand_next_to_ours_with_their_source() -> None:
    ran = next(s for s in reproduction_page(sample_reproduction()).sections if s.key == "epochs")
    whole = ran.tables[0]
    assert [column.title for column in whole.columns] == ["", "precision, paper", "precision, here"]
    first, second = whole.rows
    assert first[0].detail == ("stand-in: not the paper's data",)
    assert [cell.text for cell in first[1:]] == ["93.0%", "81.0%"]
    assert [cell.text for cell in second[1:]] == ["60.0%", "–"]
    assert (first[1].detail, second[1].detail) == (("as recalled",), ("secondary source",))


def test_what_was_left_out_says_why_and_what_it_takes() -> None:
    for format in ("html", "md", "terminal"):
        text = rendered("reproduction", format)
        for words in ("no GPU", "a GPU", "not to be had"):
            assert words in text
    assert "2 h 0 min" in rendered("reproduction", "html")


def test_the_overview_has_a_mark_a_cell_and_needs_three() -> None:
    shown = overview(sample_reproduction())
    assert shown is not None
    assert [row[2].text for row in shown.tables[0].rows] == ["5", "20", "80"]
    assert shown.figures[0].text.startswith("5: gap 58.0%, precision 62.0%")
    assert overview(sample_reproduction(experiments=sample_reproduction().experiments[1:])) is None


def test_keys_of_several_studies_never_meet() -> None:
    one = sample_reproduction().experiments[0]
    two = one.model_copy(update={"key": "again"})
    sections = reproduction_page(sample_reproduction(experiments=[one, two])).sections
    tables = [t.key for s in sections for part in (s, *s.parts) for t in part.tables if t.rows]
    figures = [f.key for s in sections for part in (s, *s.parts) for f in part.figures]
    assert len(tables) == len(set(tables)) > 10
    assert len(figures) == len(set(figures)) > 10
