"""A paper's experiments: every plan is sound, every reference leads somewhere."""

from pathlib import Path

import pytest

from gnomon.auditing.settings import Trust
from gnomon.core.errors import PlanError, UsageError
from gnomon.reproducing.experiments import read_paper
from gnomon.studies.spec import lay_out


def test_every_plan_of_the_paper_is_sound_with_and_without_stand_ins() -> None:
    for stand_ins in (False, True):
        paper = read_paper("shokri2017", repeats=3, stand_ins=stand_ins)
        for experiment, spec in paper.experiments:
            cells = lay_out(spec, Trust(trust=True))
            assert len(cells) == 3 * len({cell.title.rpartition(", ")[0] for cell in cells})
            names = {name for cell in cells for name in [cell.plan.data.source]}
            assert stand_ins != bool(names & {"purchase100", "texas100"}) or "purchase100" not in str(spec.values)
            assert experiment.question.endswith("?")


def test_every_reference_of_the_index_leads_to_a_figure_and_a_label() -> None:
    paper = read_paper("shokri2017", repeats=1, stand_ins=False)
    for experiment, spec in paper.experiments:
        labels = {axis.key: [choice.label for choice in axis.choices] for axis in spec.axes}
        for row in experiment.paper:
            assert paper.figures_of(row), row
            assert row.label in labels[spec.axes[0].key], row
        for shape in experiment.shapes:
            known = {*labels[shape.axis], "baskets", "diabetes130"}
            assert set(shape.labels or ()) <= known, shape
        if isinstance(experiment.seconds, dict):
            assert set(labels[spec.axes[0].key]) <= set(experiment.seconds), experiment.key


def test_an_unknown_paper_gets_one_line() -> None:
    with pytest.raises(UsageError, match='did you mean "shokri2017"'):
        read_paper("shokri2016", repeats=1, stand_ins=False)


PLAN = '[data]\nsource = "digits"\n[trainer]\nkind = "torch"\n'
INDEX = '[[experiment]]\nkey = "depth"\nfile = "depth.toml"\ntitle = "Depth"\nquestion = "Does it?"\nseconds = 1\n'


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("figures.json", None, "figures.json: can't be read"),
        ("figures.json", b"{", "figures.json: can't be read"),
        ("figures.json", b'{"paper": "p", "meaning": {}}', "figures in figures.json"),
        ("figures.json", b'{"paper": "p", "meaning": {}, "figures": [{"row": "r"}]}', "figures in figures.json"),
        ("figures.json", b"[]", "figures in figures.json"),
        ("index.toml", b"\xff", "index.toml: can't be read"),
        ("index.toml", b'title = "none"', "expected .*experiment.* tables in index.toml"),
        ("depth.toml", None, "depth.toml: can't be read"),
        ("depth.toml", b"[data", "depth.toml: can't be read"),
    ],
)
def test_a_papers_broken_file_is_named_in_one_line(
    tmp_path: Path, file: str, content: bytes | None, words: str
) -> None:
    files = {"index.toml": INDEX, "figures.json": '{"paper": "p", "meaning": {}, "figures": []}', "depth.toml": PLAN}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")  # nobody's business
    assert read_paper(str(tmp_path), repeats=1, stand_ins=False).reference == "p"
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(PlanError, match=words) as error:
        read_paper(str(tmp_path), repeats=1, stand_ins=False)
    assert "\n" not in str(error.value)
