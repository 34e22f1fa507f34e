"""What a plan names is loaded, and the record can say later which files these were."""

import hashlib
from pathlib import Path

import numpy as np
import skops.io
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.inputs.loading import load_inputs
from gnomon.core.plan import make_plan


def test_the_files_of_the_target_are_named_by_their_digests(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("in", "out"):
        np.savez(tmp_path / f"{name}.npz", x=rng.normal(size=(20, 3)), y=np.arange(20) % 2)
    rows = np.load(tmp_path / "in.npz")
    skops.io.dump(DecisionTreeClassifier().fit(rows["x"], rows["y"]), tmp_path / "model.skops")
    np.savez(tmp_path / "answers.npz", probabilities=np.full((20, 2), 0.5))
    data = {"members": str(tmp_path / "in.npz"), "nonmembers": str(tmp_path / "out.npz")}

    given = make_plan({"data": data, "target": {"model": str(tmp_path / "model.skops")}})
    digest = hashlib.sha256((tmp_path / "model.skops").read_bytes()).hexdigest()
    assert load_inputs(given, trust=False).files == {"model file (SHA-256)": digest}

    answers = dict.fromkeys(("member_answers", "nonmember_answers"), str(tmp_path / "answers.npz"))
    exported = make_plan({"data": data, "target": answers, "trainer": {"kind": "none"}})
    digest = hashlib.sha256((tmp_path / "answers.npz").read_bytes()).hexdigest()
    found = load_inputs(exported, trust=False).files
    assert found == {"member answers (SHA-256)": digest, "non-member answers (SHA-256)": digest}
