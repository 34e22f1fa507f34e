"""A small paper end to end: it runs until the time is spent, and a second run takes all from its folder."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from gnomon.cli.app import run
from gnomon.core.documents.read_write import read_document
from gnomon.core.documents.reproduction import Reproduction
from gnomon.report.reproduction import overview, spots
from gnomon.studies.cells import run_cell

MODULE = import_module("gnomon.reproducing.run")  # the package has a function of this name
STUDY = """
view = "adversary"
[data]
source = "digits"
train_size = 300
nonmember_size = 300
[trainer]
kind = "sklearn"
estimator = "sklearn.tree:DecisionTreeClassifier"
[shadow]
count = 3
[attacks]
names = ["gap", "shokri"]
rehearsals = 0
ladder = false
[attacks.options.shokri]
epochs = 2
"""
INDEX = """
[[experiment]]
key = "depth"
file = "depth.toml"
title = "Depth"
question = "Does depth matter?"
group = "depth"
seconds = { "1" = 1, "9" = 2 }
show = ["gap", "precision"]
paper = [{ label = "9", table = "t", row = "deep" }]
shapes = [
  { says = "The gap rises with depth", kind = "rises", axis = "trainer.params.max_depth", figure = "gap" },
  { says = "It falls", kind = "rises", axis = "trainer.params.max_depth", figure = "gap", labels = ["9", "1"] },
]

[[experiment]]
key = "sources"
file = "sources.toml"
title = "Sources"
question = "And other data?"
group = "data"
seconds = 1
notes = ["<b>not</b> the paper's"]

[[experiment]]
key = "costly"
file = "large.toml"
title = "Costly"
question = "What does not fit?"
seconds = 100
gpu = true

"""
FIGURES = {
    "paper": "Somebody (2020) & others",
    "meaning": {"as recalled": "from memory"},
    "figures": [{"table": "t", "row": "deep", "column": "precision", "value": 0.9, "source": "as recalled"}],
}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("papers") / "toy2020"
    place.mkdir()
    (place / "index.toml").write_text(INDEX)
    (place / "figures.json").write_text(json.dumps(FIGURES))
    depths = '[study.vary]\n"trainer.params.max_depth" = [1, 9]\n'
    (place / "depth.toml").write_text(STUDY + depths)
    (place / "large.toml").write_text(STUDY + '[study.vary]\n"data.train_size" = [301]\n')
    cells = '[study]\naxis = "data set"\n[[study.cells]]\nname = "digits"\n[[study.cells]]\nname = "moons"\n'
    (place / "sources.toml").write_text(STUDY + cells + 'data = { source = "moons" }\n')
    return place


@pytest.fixture(scope="module")
def made(paper: Path) -> Iterator[Reproduction]:
    command = ["reproduce", str(paper), "--budget", "30m", "--to", str(paper.parent / "out"), "--workers", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE.networks, "resolve_device", lambda _: "cpu")
        assert run(command) == 0
        yield read_document(paper.parent / "out", Reproduction)


def test_what_can_be_run_is_run_and_what_cannot_is_listed(made: Reproduction) -> None:
    assert {e.key: e.status for e in made.experiments} == {"depth": "run", "sources": "run", "costly": "left out"}
    costly = made.experiments[2]
    assert costly.reason == "there is no GPU"
    assert costly.wanted == "a GPU; about 5 min on two quiet cores"
    assert costly.estimate == 300
    assert [e.estimate for e in made.experiments[:2]] == [0, 0]


def test_where_there_is_a_gpu_the_budget_decides(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE.networks, "resolve_device", lambda _: "cuda")
    monkeypatch.setattr(MODULE, "run_cell", lambda *a: replace(run_cell(*a), seconds=100.0))
    assert run(["reproduce", str(paper), "--budget", "1s", "--seeds", "1", "--to", str(paper.parent / "gpu")]) == 0
    costly = read_document(paper.parent / "gpu", Reproduction).experiments[2]
    assert (costly.reason, costly.wanted) == ("the budget was spent", "about 2 min on two quiet cores")


def test_statements_follow_from_the_cells(made: Reproduction) -> None:
    assert [s.verdict for s in made.experiments[0].statements] == ["holds", "does not hold"]


def test_the_papers_figures_stand_beside_ours_with_their_tag(made: Reproduction) -> None:
    [compared] = made.experiments[0].compared
    assert (compared.label, compared.paper, compared.source) == ("9", 0.9, "as recalled")
    assert compared.ours is not None
    assert compared.ours.repeats == 3


def test_data_that_cannot_be_had_costs_its_cells_only(made: Reproduction) -> None:
    sources = made.experiments[1]
    assert sources.done == 3
    assert any('no data set "moons"' in note for note in sources.notes)


def test_a_second_run_takes_everything_from_its_folder(paper: Path, made: Reproduction) -> None:
    out = paper.parent / "out"
    assert run(["reproduce", str(paper), "--budget", "30m", "--to", str(out), "--workers", "1"]) == 0
    again = read_document(out, Reproduction)
    assert again.made.reused == sum(e.done for e in again.experiments) == 9
    assert again.spent == made.spent
    assert [e.status for e in again.experiments] == [e.status for e in made.experiments]


def test_it_stops_when_the_time_is_spent_and_a_second_run_stops_there_too(
    paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = paper.parent / "short"
    monkeypatch.setattr(MODULE, "run_cell", lambda *a: replace(run_cell(*a), seconds=100.0))
    for reused in (0, 3):
        assert run(["reproduce", str(paper), "--budget", "260s", "--to", str(out), "--workers", "1"]) == 0
        made = read_document(out, Reproduction)
        depth, sources, *_ = made.experiments
        assert (depth.status, depth.done, depth.seconds, made.spent) == ("cut short", 3, 300.0, 300.0)
        assert "after 3 of 6 cells" in depth.reason
        assert depth.wanted == "about 5 s more on two quiet cores"
        assert (sources.status, sources.reason, sources.study) == ("left out", "the budget was spent", None)
        assert made.made.reused == reused


def test_a_cell_that_fails_is_told_by_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "index.toml").write_text(
        '[[experiment]]\nkey = "k"\nfile = "k.toml"\ntitle = "K"\nquestion = "?"\nseconds = 1\n'
    )
    (tmp_path / "figures.json").write_text(json.dumps(FIGURES))
    (tmp_path / "k.toml").write_text(f'{STUDY}[study.vary]\n"data.train_size" = [9000]\n')
    words = ["reproduce", str(tmp_path), "--seeds", "1", "--to", str(tmp_path / "out"), "--workers", "1"]
    assert run(words) == 3
    assert "9000 of 1797 rows leave no non-members" in " ".join(capsys.readouterr().err.split())
    [only] = read_document(tmp_path / "out", Reproduction).experiments
    assert only.done == 0


def test_a_cell_that_two_experiments_share_is_paid_once(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = paper.parent / "twice"
    shutil.copytree(paper, twice)
    first, _, rest = INDEX.partition("\n\n")
    again = first.replace('key = "depth"', 'key = "again"')
    (twice / "index.toml").write_text(f"{first}\n\n{again}\n\n{rest}")
    monkeypatch.setattr(MODULE, "run_cell", lambda *a: replace(run_cell(*a), seconds=100.0))
    command = ["reproduce", str(twice), "--budget", "150s", "--seeds", "1", "--to", str(paper.parent / "shared")]
    assert run([*command, "--workers", "1"]) == 0
    *shared, sources, _ = read_document(paper.parent / "shared", Reproduction).experiments
    assert [(e.status, e.done, e.seconds) for e in shared] == [("run", 2, 200.0), ("run", 2, 0.0)]
    assert sources.status == "left out"


def test_the_reports_say_it_all(paper: Path, made: Reproduction) -> None:
    out = paper.parent / "out"
    page, text = (out / "report.html").read_text(), (out / "README.md").read_text()
    for words in ("The gap rises with depth", "as recalled", "there is no GPU", "gnomon reproduce"):
        assert words in page
        assert words in text.replace("\\", "")
    assert "<b>not</b>" not in page
    assert "<script" not in page
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    pictures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert pictures
    assert all((out / name).is_file() for name in pictures)


def test_one_picture_sets_precision_against_the_gap(paper: Path, made: Reproduction) -> None:
    assert [(spot.group, spot.label) for spot in spots(made)] == [("depth", "1"), ("depth", "9"), ("data", "digits")]
    out = paper.parent / "out"
    picture = out / "overview-gap.svg"
    assert "precision of the paper's attack" in (out / "README.md").read_text()
    assert picture.name in (out / "README.md").read_text()
    assert all(f">{group}</text>" in picture.read_text() for group in ("depth", "data"))
    assert 'id="overview"' in (out / "report.html").read_text()
    one = made.model_copy(update={"experiments": made.experiments[:1]})
    assert overview(one) is None


def test_a_reproduction_is_rendered_again(paper: Path, made: Reproduction) -> None:
    again = paper.parent / "again.html"
    assert run(["report", str(paper.parent / "out"), "--to", str(again)]) == 0
    assert "The gap rises with depth" in again.read_text()
