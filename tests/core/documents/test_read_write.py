"""Every document is read back as it was written, and what can't be read is one line."""

from pathlib import Path

import pytest
from tests.report.sample_documents import sample_defence, sample_reproduction, sample_study
from tests.report.sample_records import leaking

from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import FILES, file_of, read_any, read_document, write_document
from gnomon.core.documents.record import Record
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.study import Study
from gnomon.core.errors import DataError, StoreError

Document = Record | DefenceReport | Study | Reproduction
SAMPLES: tuple[Document, ...] = (leaking(), sample_defence(), sample_study(), sample_reproduction())
by_kind = pytest.mark.parametrize("document", SAMPLES, ids=lambda document: type(document).__name__)


def test_every_kind_has_a_sample() -> None:
    assert {type(document) for document in SAMPLES} == set(FILES.values())


@by_kind
def test_a_document_is_read_back_from_its_file_and_its_folder(document: Document, tmp_path: Path) -> None:
    file = tmp_path / file_of(type(document))
    write_document(document, file)
    assert read_document(tmp_path, type(document)) == document
    assert read_document(file, type(document)) == document
    assert read_any(tmp_path) == document
    assert read_any(file) == document


@by_kind
def test_a_file_of_another_name_is_read_where_its_kind_is_known(document: Document, tmp_path: Path) -> None:
    write_document(document, tmp_path / "other.json")
    assert read_document(tmp_path / "other.json", type(document)) == document


@pytest.mark.parametrize("kind", FILES.values())
def test_what_is_no_such_document_is_one_line(kind: type[Document], tmp_path: Path) -> None:
    file = tmp_path / file_of(kind)
    word = file.stem
    with pytest.raises(DataError, match=f"no such {word}; expected its folder or its {file.name}$"):
        read_document(tmp_path, kind)
    for text, problem in (
        ('{"version": 2}', rf"not a gnomon {word} of version 1 \(version: "),
        ("{", rf"not a gnomon {word} of version 1 \(document: "),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=problem) as raised:
            read_document(tmp_path, kind)
        assert "\n" not in str(raised.value)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read"):
        read_document(tmp_path, kind)


def test_a_folder_with_nothing_in_it_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such record"):
        read_any(tmp_path)


def test_a_document_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_document(leaking(), tmp_path / "record.json")
    before = (tmp_path / "record.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="no space"):
        write_document(leaking(), tmp_path / "record.json")
    assert (tmp_path / "record.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
