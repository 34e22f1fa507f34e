"""How often audits that have nothing to find find something, and how often audits of leaking models find it.

The first table draws scores of related attacks that tell nothing and counts the audits in which the joint test finds
one; at most 5 % may. The second puts one attack of a known AUC, or one that finds a few members for sure, among them.
The third carries out whole audits of models that were trained on neither side, with and without shadow models; each
is of data of its own. The fourth does so with networks and attacks that see more than answers, a family of their own in
the verdict.

    python benchmarks/verdicts.py
    python benchmarks/verdicts.py --runs 2000 --attacks 40
    python benchmarks/verdicts.py --runs 0 --audits 20
    python benchmarks/verdicts.py --runs 0 --answers 1000
    python benchmarks/verdicts.py --runs 0 --inside 60
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binom, norm
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.run import run_audit
from gnomon.core.arrays import Ints, Rows
from gnomon.core.data.dataset import make_dataset
from gnomon.core.documents.record import Record
from gnomon.core.errors import PreflightError
from gnomon.core.plan import make_plan
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch import TorchModel, TorchTrainer
from gnomon.stats.intervals import clopper_pearson
from gnomon.stats.permutation.joint import LEVEL, joint_test
from gnomon.stats.signals import confidence, correct, loss, negative_entropy, negative_modified_entropy
from gnomon.store.arrays import ArrayStore

Scores = np.ndarray
ANSWERS = (correct, loss, confidence, negative_entropy, negative_modified_entropy)
APART = 100_000  # seeds of one table of whole audits from those of the next
OVERLAP = {"shadow": {"size": 150}, "data": {"keep_apart": False}}
SIDE = 150  # rows on each side of a network's audit
SEES_MORE = ("loss", "gradient_norm", "input_gradient_norm", "nasr", "trajectory", "trajectory_offline")
SEES_ALL = (*SEES_MORE, "trajectory_online", "insider", "nasr_insider")  # with shadow models of audited rows


def related(attacks: int, n: int, rng: np.random.Generator) -> Scores:
    """Scores (attacks, n) as attacks give them: related, some with ties, some with heavy tails."""
    common = rng.normal(size=n)
    scores = 0.8 * common + 0.6 * rng.normal(size=(attacks, n))
    scores[::4] = np.round(scores[::4])
    scores[1::4] = np.sinh(2 * scores[1::4])
    return scores


def found(scores: Scores, member: np.ndarray, rng: np.random.Generator, groups: np.ndarray | None = None) -> bool:
    return min(one.p for one in joint_test(scores, member, rng=rng, groups=groups).attacks) <= LEVEL


def null_table(runs: int, seed: int, only: int = 0) -> None:
    print(f"\nNull audits in which an attack is found (promised: {LEVEL:.0%} at most)")
    print("| attacks | rows | units | found | of | share | 95 % of so many runs within |")
    print("|---|---|---|---|---|---|---|")
    for attacks, n, size, share in (
        (1, 300, 1, 1.0),
        (20, 300, 1, 1.0),
        (40, 300, 1, 1.0),
        (20, 1000, 1, 0.5),
        (20, 5000, 1, 0.15),
        (10, 500, 5, 0.5),
    ):
        if only and (attacks, n) != (only, 300):
            continue
        rng, hits, count = np.random.default_rng([seed, attacks, n, size]), 0, round(runs * share)
        for _ in range(count):
            groups = np.arange(n) // size
            people = n // size
            member = (rng.permutation(people) < people // 2)[groups]
            scores = related(attacks, people, rng)[:, groups] + (size > 1) * 0.5 * related(attacks, n, rng)
            hits += found(scores, member, rng, groups if size > 1 else None)
        low, high = (float(binom.ppf(q, count, LEVEL)) / count for q in (0.025, 0.975))
        units = "records" if size == 1 else f"persons of {size}"
        print(
            f"| {attacks} | {n:,} | {units} | {hits} | {count} | {hits / count:.1%} | {low:.1%} to {high:.1%} |",
            flush=True,
        )


def power_table(runs: int, seed: int) -> None:
    print("\nLeaks that are found, among 20 attacks of which one sees them")
    print("| leak | 300 rows | 3,000 rows |\n|---|---|---|")
    leaks = {"AUC 0.55": 0.55, "AUC 0.60": 0.6, "AUC 0.70": 0.7, "2 % of the members for sure": None}
    for name, area in leaks.items():
        shares = []
        for n in (300, 3000):
            rng, hits, count = np.random.default_rng([seed, n]), 0, runs if n == 300 else max(10, runs // 4)
            for _ in range(count):
                member, scores = np.arange(n) < n // 2, related(20, n, rng)
                scores[2] = rng.normal(size=n) + (0 if area is None else np.sqrt(2) * norm.ppf(area)) * member
                if area is None:
                    scores[2, : n // 100] = 20
                hits += found(scores, member, rng)
            shares.append(f"{hits / count:.0%} of {count}")
        print(f"| {name} | {shares[0]} | {shares[1]} |", flush=True)


def quiet(seed: int) -> tuple[LogisticRegression | DecisionTreeClassifier, np.ndarray, np.ndarray]:
    """A model that was trained on none of the first 900 of its 1,200 rows, and the rows with their labels."""
    x, y = make_classification(1200, 10, n_informative=5, n_redundant=0, flip_y=0.2, random_state=seed)
    kind = DecisionTreeClassifier(max_depth=4, random_state=seed) if seed % 2 else LogisticRegression()
    return kind.fit(x[900:], y[900:]), x, y


def audit(seed: int, shadows: bool, view: str) -> Record:
    """An audit of 300 + 300 rows that the target was trained on none of; "overlap": non-members are the pool."""
    model, x, y = quiet(seed)
    return gnomon.audit(
        model.predict_proba,
        (x[:300], y[:300]),
        (x[300:600], y[300:600]),
        trainer=SklearnTrainer(model) if shadows else None,
        pool=(x[600:900], y[600:900]) if view == "adversary" else None,
        view="auditor" if view == "auditor" else "adversary",
        shadows=8,
        seed=seed,
        workers=1,
        plan={"attacks": {"ladder": False}} | (OVERLAP if view == "overlap" else {}),
    ).record


def audit_table(runs: int, seed: int) -> None:
    print("\nWhole audits of models that were trained on neither side, each of data of its own")
    print("| shadow models | view | audits | an attack is found | share, 95 % interval | levels |")
    print("|---|---|---|---|---|---|")
    for i, (shadows, view) in enumerate(
        ((False, "auditor"), *((True, v) for v in ("auditor", "adversary", "overlap")))
    ):
        levels: Counter[str] = Counter()
        for world in range(seed + APART * i, seed + APART * i + runs):
            try:
                levels[audit(world, shadows, view).verdict.level] += 1
            except PreflightError:
                levels["stopped"] += 1
        hits, told = levels["leaks"] + levels["leaks_some"], ", ".join(f"{k} {n}" for k, n in sorted(levels.items()))
        print(f"| {8 if shadows else 0} | {view} | {runs} | {hits} | {share(hits, runs)} | {told} |", flush=True)


def share(hits: int, count: int) -> str:
    low, high = (100 * float(end) for end in clopper_pearson(hits, count))
    return f"{hits / count:.1%} ({low:.1f} to {high:.1f})"


def answers_table(runs: int, seed: int) -> None:
    """The joint test of what the answers of such models show by themselves, without the rest of an audit."""
    member, hits = np.arange(600) < 300, 0
    for world in range(seed, seed + runs):
        model, x, y = quiet(world)
        answers = np.log(np.clip(model.predict_proba(x[:600]), 1e-7, 1)).astype(np.float32)
        scores = np.stack([signal(answers, y[:600]) for signal in ANSWERS])
        hits += found(scores, member, np.random.default_rng(world))
    print(f"\nThe joint test of answers alone: an attack is found in {hits} of {runs}, {share(hits, runs)}")


@dataclass(frozen=True)
class Elsewhere(TorchTrainer):
    """A trainer whose target learns from rows that nobody audits, whatever it is given: nothing leaks."""

    own: tuple[np.ndarray, np.ndarray] | None = None

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """One network, trained on rows of its own."""
        del x, y, rows
        assert self.own is not None
        return super().train(*self.own, n_classes, [np.arange(len(self.own[1]))], seeds)


def inside_audit(seed: int, view: str) -> Record:
    """An audit of a small network that was trained on neither side, by attacks that look into it."""
    pool = 2 * SIDE if view == "adversary" else 0
    kind = {"n_informative": 5, "n_redundant": 0, "n_classes": 3, "n_clusters_per_class": 1, "flip_y": 0.3}
    x, y = make_classification(3 * SIDE + pool, 10, random_state=seed, **kind)
    x, trainer = x.astype(np.float32), TorchTrainer(hidden=(32,), epochs=30, learning_rate=0.01)
    values = {
        "view": "auditor" if view == "auditor" else "adversary",
        "seed": seed,
        "data": {"source": "digits", "train_size": SIDE, "nonmember_size": SIDE, "keep_apart": view != "overlap"},
        "target": {"checkpoints": 5},
        "shadow": {"count": 8, "size": SIDE // 2 if view == "overlap" else SIDE},
        "attacks": {"names": SEES_ALL if view == "auditor" else SEES_MORE, "ladder": False, "rehearsals": 2},
    }
    target = Elsewhere(trainer.module, hidden=(32,), epochs=30, learning_rate=0.01, own=(x[-SIDE:], y[-SIDE:]))
    inputs = AuditInputs(make_dataset(x[:-SIDE], y[:-SIDE]), None, False, None, None, target, trainer)
    with tempfile.TemporaryDirectory() as folder:
        return run_audit(make_plan(values), inputs, store=ArrayStore(Path(folder)), engine=LocalEngine(1)).record


def inside_table(runs: int, seed: int) -> None:
    print("\nWhole audits of networks that were trained on neither side: attacks that see more than answers")
    print("| view | attacks | audits | found |\n|---|---|---|---|")
    for view in ("auditor", "adversary", "overlap"):
        verdicts = [inside_audit(seed + i, view).verdict for i in range(runs)]
        found = sum(any(one.found for one in verdict.inside) for verdict in verdicts)
        print(f"| {view} | {len(verdicts[0].inside)} | {runs} | {found} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400, help="null audits of synthetic scores")
    parser.add_argument("--attacks", type=int, default=0, help="of these, only so many attacks, 300 rows; no power")
    parser.add_argument("--answers", type=int, default=0, help="joint tests of models' answers alone")
    parser.add_argument("--audits", type=int, default=0, help="whole audits of each kind")
    parser.add_argument("--inside", type=int, default=0, help="whole audits by attacks that see more, in each view")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    start = time.perf_counter()
    if asked.runs:
        null_table(asked.runs, asked.seed, asked.attacks)
    if asked.runs and not asked.attacks:
        power_table(asked.runs // 4, asked.seed)
    if asked.answers:
        answers_table(asked.answers, asked.seed)
    if asked.audits:
        audit_table(asked.audits, asked.seed)
    if asked.inside:
        inside_table(asked.inside, asked.seed)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
