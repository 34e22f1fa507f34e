"""What a label-only attacker gets for his queries: AUC and true-positive rate against the budget.

    python benchmarks/queries.py                          # the target of examples/white-box.toml, labels only

Every query is counted by the target itself, and no budget is ever passed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from gnomon.attacks import make_attack
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import prepare, train_target
from gnomon.core.answers import Reveal
from gnomon.core.arrays import take_rows
from gnomon.core.evidence import Evidence
from gnomon.core.plan import read_plan
from gnomon.models.target import Target
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc
from gnomon.store.arrays import ArrayStore

PLAN = Path(__file__).parent.parent / "examples" / "white-box.toml"


def main() -> None:
    """Prints one row a budget."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--attack", default="noise_robustness")
    options.add_argument("--copies", type=int, default=100, help="most queries a record")
    options.add_argument(
        "--budgets", type=int, nargs="+", default=[0, 10_000, 20_000, 50_000, 100_000, 200_000, 1_000_000]
    )
    given = options.parse_args()
    plan = read_plan(PLAN)
    prepared = prepare(plan, load_inputs(plan), ArrayStore(Path(tempfile.mkdtemp())))
    data, roles, labels, model = prepared.data, prepared.roles, Reveal("labels"), train_target(prepared)
    rows = np.random.default_rng(0).permutation(roles.audited)
    x, y, member = take_rows(data.x, rows), data.y[rows], np.isin(rows, roles.members)
    attack = make_attack(given.attack, {"copies": given.copies})
    print(f"{given.attack}, {len(rows):,} audited rows\n| budget | asked | AUC | TPR at 1 % FPR |\n|---|---|---|---|")
    for budget in given.budgets:
        target = Target(model, labels, budget)
        answers = labels.apply(model.log_probs(x))
        evidence = Evidence(y, data.n_classes, answers, query=target, x=x, features=data.features, reveal=labels)
        scores = np.asarray(attack.score(evidence.view(attack.needs), np.random.default_rng(0)))
        rate = tpr_at_fpr(scores[member], scores[~member], 0.01).tpr
        area = auc(scores[member], scores[~member]).value
        print(f"| {budget:,} | {target.asked:,} | {area:.3f} | {100 * rate.value if rate else 0:.1f} % |", flush=True)
        if target.asked > budget:
            raise SystemExit(f"the budget of {budget} was passed: {target.asked} asked")


if __name__ == "__main__":
    main()
