"""What a record says next to the attacks' values: who is most exposed, what was not tried, what went in."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestCentroid
from sklearn.svm import LinearSVC
from tests.auditing.worlds import case_of
from tests.report.sample_records import leaking

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.api import audit
from gnomon.auditing.results.scoring import Scored
from gnomon.auditing.results.threat_model import MOST_EXPOSED, most_exposed, not_tried
from gnomon.models import SklearnTrainer
from gnomon.testing import noise_world


class LabelsOnly(ClassifierMixin, BaseEstimator):
    """A classifier that only predicts."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "LabelsOnly":
        self.classes_ = np.unique(y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.classes_[(x[:, 0] > 0).astype(int)]


def scored(name: str, scores: np.ndarray | None) -> Scored:
    attack = make_attack(name)
    return Scored(name, attack.title, attack.paper, attack.needs, {}, "ok", scores=scores)


def test_the_most_exposed_are_members_in_order_with_the_strangers_above_them() -> None:
    world = noise_world(np.random.default_rng(0), n=60, m=2)
    case = case_of(world.evidence, world.member)
    scores = np.random.default_rng(1).permutation(60).astype(float)
    scores[0] = np.inf
    found = most_exposed("loss", [scored("gap", None), scored("loss", scores)], case)
    members = np.flatnonzero(world.member)
    expected = members[np.argsort(-scores[members], kind="stable")][:MOST_EXPOSED]
    assert [one.id for one in found] == [str(case.data.ids[case.audited[i]]) for i in expected]
    for one, row in zip(found, expected, strict=True):
        assert one.rank == 1 + (scores > scores[row]).sum()
        assert one.nonmembers_above == (scores[~world.member] >= scores[row]).sum()
        assert np.isfinite(one.score)
    mirrored = most_exposed("loss", [scored("loss", -scores)], case, below=True)
    told = [(one.id, one.rank, one.nonmembers_above) for one in found]
    assert [(one.id, one.rank, one.nonmembers_above) for one in mirrored] == told


@pytest.mark.parametrize(
    ("kind", "here", "seen"),
    [
        (LinearSVC, False, "the margin of each class (there are no probabilities)"),
        (LinearSVC, True, "the margin of each class (there are no probabilities)"),
        (NearestCentroid, False, "the full probability vector"),
        (LabelsOnly, False, "the predicted label only"),
        (LabelsOnly, True, "the predicted label only"),
    ],
)
def test_the_attacker_sees_what_the_model_has(kind: type, here: bool, seen: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    model = None if here else kind().fit(x[:60], y[:60])
    outcome = audit(
        model,
        (x[:60], y[:60]),
        (x[60:], y[60:]),
        trainer=SklearnTrainer(kind()),
        shadows=0,
        attacks=("gap",),
        workers=1,
    )
    told = outcome.record.threat_model
    assert told.reveals == seen
    assert told.sentences[0].startswith(f"The attacker sees {seen} that the model answers")


def test_without_scores_nobody_is_exposed() -> None:
    world = noise_world(np.random.default_rng(0), n=10, m=2)
    case = case_of(world.evidence, world.member)
    assert most_exposed("gap", [scored("gap", None)], case) == []
    assert most_exposed(None, [], case) == []


def test_what_was_not_tried_is_every_other_attack() -> None:
    done = [result for result in leaking().attacks if result.status == "ok"][:2]
    left = not_tried(done)
    names, why = left[0].split(": ")
    assert (why, len(left)) == ("not enabled", 4)  # one line for a reason, and three sentences
    assert set(names.split(", ")) == {a.name for a in ATTACKS} - {result.name for result in done}
    skipped = [one.model_copy(update={"status": "skipped", "reason": "no shadow models"}) for one in done]
    assert f"{skipped[0].name}, {skipped[1].name}: skipped, no shadow models" in not_tried(skipped)
