"""Checkpoints of a climb: of this climb only, whole, and alone in their folder."""

import pytest
from tests.synthesis.test_climbing import plain, target
from tests.synthesis.toy import Failing, bits

from gnomon.core.answers import Reveal
from gnomon.core.errors import StoreError, UsageError
from gnomon.synthesis import ClimbInterruptedError, ClimbRules


@pytest.mark.parametrize(
    "other",
    [{"seed": 9}, {"rules": ClimbRules()}, {"searcher": "guided"}, {"space": bits(25)}, {"reveal": Reveal("top", 2)}],
)
def test_the_checkpoint_of_another_climb_is_refused(tmp_path, other):
    path = tmp_path / "climb.npz"
    plain(target(), checkpoint=path)
    with pytest.raises(UsageError, match="another climb"):
        plain(target(), checkpoint=path, **other)


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "climb.npz"
    plain(target(), checkpoint=path)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"nonsense"):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="not a readable checkpoint"):
            plain(target(), checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    model = target()
    with pytest.raises(StoreError, match="cannot be written"):
        plain(model, checkpoint=tmp_path / "file" / "climb.npz")
    assert model.asked == 0

    def forbid(answers):
        path.unlink()
        path.mkdir()
        raise ConnectionError("gone")

    path = tmp_path / "climb.npz"
    with pytest.raises(ClimbInterruptedError, match=r"gone .*\.partial; .*cannot be written") as caught:
        plain(Failing(target(), 9, forbid), checkpoint=path)
    assert len(caught.value.partial) > 0


def test_checkpoints_leave_no_other_files(tmp_path):
    plain(target(), checkpoint=tmp_path / "climb.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["climb.npz"]
