"""Which attack makes the most of few shadow models: AUC and true-positive rate against their number.

    python benchmarks/few_shadows.py                      # examples/baskets.toml, three targets, 64 shadow models each
    python benchmarks/few_shadows.py --seeds 0 --store runs/baskets/store

One pool of shadow models a target; an attack with m shadows sees the first m of it (whole pairs). Targets are trained
from other seeds, so nothing was tuned on them. The pool is kept in the store, so a second run takes seconds.
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
from gnomon.core.evidence import Evidence
from gnomon.core.plan import read_plan
from gnomon.core.seeds import Seeds
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc
from gnomon.store.arrays import ArrayStore

ATTACKS = ("lira_offline", "bavaria_offline", "calibrated_offline", "rmia", "lira", "bavaria", "calibrated")
PLAN = Path(__file__).parent.parent / "examples" / "baskets.toml"


def first(evidence: Evidence, m: int) -> Evidence:
    """The same attacker with m shadow models."""
    population = evidence.population
    if population is not None and population.shadows is not None:
        population = replace(population, shadows=population.shadows.first(m))
    assert evidence.shadows is not None
    assert evidence.pool is not None
    return replace(evidence, shadows=evidence.shadows.first(m), pool=evidence.pool.first(m), population=population)


def main() -> None:
    """Prints one row an attack and one column a number of shadows: mean AUC / TPR at FPR 0.1 % in per cent."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--plan", type=Path, default=PLAN)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--shadows", type=int, nargs="+", default=[2, 4, 8, 16, 64])
    options.add_argument("--store", nargs="+", default=["runs/few-shadows/store"], help="one folder, or one a seed")
    given = options.parse_args()
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number, seed in enumerate(given.seeds):
        plan = read_plan(given.plan).model_copy(update={"seed": seed})
        seeds, store = Seeds(seed), ArrayStore(Path(given.store[number % len(given.store)]))
        case = answer_all(prepare(plan, load_inputs(plan), store))[1][0].case
        for m in given.shadows:
            evidence = first(case.evidence, m)
            for name in ATTACKS:
                attack = make_attack(name)
                if evidence.missing(attack.needs) is not None:
                    continue
                scores = attack.score(evidence.view(attack.needs), seeds.child("attack", name).generator())
                inside, outside = scores[case.member], scores[~case.member]
                rate = tpr_at_fpr(inside, outside, 0.001).tpr
                found.setdefault((name, m), []).append((auc(inside, outside).value, rate.value if rate else np.nan))
    print(f"mean AUC / TPR at 0.1 % FPR in per cent (smallest to largest), targets of seeds {given.seeds}")
    print("| attack | " + " | ".join(f"m = {m}" for m in given.shadows) + " |")
    print("|---|" + "---|" * len(given.shadows))
    for name in ATTACKS:
        cells = [np.array(found[name, m]) for m in given.shadows if (name, m) in found]
        texts = [
            f"{c[:, 0].mean():.3f} / {100 * c[:, 1].mean():.1f} ({100 * c[:, 1].min():.0f}–{100 * c[:, 1].max():.0f})"
            for c in cells
        ]
        print(f"| {name} | " + " | ".join(texts) + " |")


if __name__ == "__main__":
    main()
