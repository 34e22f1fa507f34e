"""Do several queries a record help? AUC and true-positive rate with and without versions of each record.

    python benchmarks/versions.py                                     # examples/baskets.toml, three targets, 16 shadows
    python benchmarks/versions.py --queries mirror shift:1 --plan examples/cifar10.toml

Each set of versions is read beside the record itself; all come from one pool of shadow models a target, trained once.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from gnomon.attacks import make_attack
from gnomon.auditing.evidence.answers import answer_all
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import prepare
from gnomon.core.data.augmentations import read_augmentations
from gnomon.core.evidence import Evidence
from gnomon.core.plan import read_plan
from gnomon.core.seeds import Seeds
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc
from gnomon.store.arrays import ArrayStore

ATTACKS = ("lira_offline", "rmia_offline", "lira", "rmia", "bavaria", "calibrated")
PLAN = Path(__file__).parent.parent / "examples" / "baskets.toml"


def main() -> None:
    """Prints one row a set of versions and one column an attack: mean AUC / TPR at FPR 0.1 % in per cent."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--plan", type=Path, default=PLAN)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--shadows", type=int, default=16)
    options.add_argument("--queries", nargs="+", default=["flips:0.005x4", "flips:0.02x4", "flips:0.05x4"])
    options.add_argument("--store", type=Path, default=Path("runs/versions/store"))
    given = options.parse_args()
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for seed in given.seeds:
        for words, evidence, member in worlds(given, seed):
            for name in ATTACKS:
                attack = make_attack(name)
                if evidence.missing(attack.needs) is not None:
                    continue
                rng = Seeds(seed).child("attack", name).generator()
                scores = attack.score(evidence.view(attack.needs), rng)
                rate = tpr_at_fpr(scores[member], scores[~member], 0.001).tpr
                area = auc(scores[member], scores[~member]).value
                found.setdefault((words, name), []).append((area, rate.value if rate else np.nan))
    print(f"mean AUC / TPR at 0.1 % FPR in per cent, targets of seeds {given.seeds}, {given.shadows} shadow models")
    print("| also asked | queries | " + " | ".join(ATTACKS) + " |\n" + "|---|---|" + "---|" * len(ATTACKS))
    for words in dict.fromkeys(key for key, _ in found):
        cells = [np.array(found.get((words, name), [(np.nan, np.nan)])).mean(axis=0) for name in ATTACKS]
        print(f"| {words} | " + " | ".join(f"{area:.3f} / {100 * rate:.1f}" for area, rate in cells) + " |")


def worlds(given: argparse.Namespace, seed: int) -> list[tuple[str, Evidence, np.ndarray]]:
    """The evidence of one target with each set of versions, in words, and who is a member."""
    plan = read_plan(given.plan)
    plan = plan.model_copy(
        update={
            "seed": seed,
            "shadow": plan.shadow.model_copy(update={"count": given.shadows}),
            "attacks": plan.attacks.model_copy(update={"queries": tuple(given.queries)}),
        }
    )
    prepared = prepare(plan, load_inputs(plan), ArrayStore(given.store))
    world = answer_all(prepared)[1][0]
    evidence, names = world.case.evidence, [v.version.name for v in world.queries.versions]
    result = [("nothing | 1", replace(evidence, variants=()), world.case.member)]
    for text in given.queries:
        wanted = {v.name for v in read_augmentations([text], prepared.data.features, prepared.seeds.child("queries"))}
        some = tuple(v for v, name in zip(evidence.variants, names, strict=True) if name in wanted)
        result.append((f"`{text}` | {len(some) + 1}", replace(evidence, variants=some), world.case.member))
    return result


if __name__ == "__main__":
    main()
