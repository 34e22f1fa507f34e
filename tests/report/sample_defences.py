"""A bench made up by hand: mitigations that help, that cost, that do nothing, and one that can't be audited."""

from __future__ import annotations

from typing import Any, Literal

from tests.report.sample_records import leaking

from gnomon.core.documents.comparison import AttackChange, Change, FigureChange
from gnomon.core.documents.defence import (
    Advice,
    Cost,
    DefenceReport,
    ExposedRows,
    Guarantee,
    Leak,
    MitigationResult,
    Search,
    StrengthTrial,
    Strongest,
    Utility,
)
from gnomon.core.documents.schema import Estimate, TprAtFpr

TITLES = {"lira": "LiRA", "gap": "Gap: right or wrong", "noise_robustness": "Label only: robustness to noise"}


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def leak(attack: str, tpr: float, area: float) -> Leak:
    return Leak(
        attack=attack,
        title=TITLES[attack],
        label_only=attack != "lira",
        auc=around(area, 0.01),
        advantage=around(2 * area - 1, 0.02),
        tpr_at_fpr=[
            TprAtFpr(fpr=0.01, tpr=around(tpr, 0.01)),
            TprAtFpr(fpr=0.001, tpr=around(tpr / 3, tpr / 4)),
            TprAtFpr(fpr=0.0001, tpr=None, refused="too few non-members (have 4,000, need 10,000)"),
        ],
    )


def change(kind: Change, value: float) -> AttackChange:
    half = 0.01 if kind in ("better", "worse") else abs(value) + 0.01
    figure = FigureChange(figure="AUC", first=0.8, second=0.8 + value, difference=around(value, half), change=kind)
    return AttackChange(name="strongest", title="The strongest attack of each run", change=kind, figures=[figure])


def option(
    label: str,
    tpr: float,
    area: float,
    accuracy: float,
    effect: Change | None,
    *,
    loss: tuple[float, float] | None = (0.0, 0.0),
    naive: float | None = None,
    acts_on: Literal["nothing", "answers", "training", "both"] = "answers",
    size: float = 100.0,
    attack: str = "lira",
    **more: Any,
) -> MitigationResult:
    strongest = Strongest(
        leak=leak(attack, tpr, area), chosen_on="shadows", exposed=leak(attack, min(1, 3 * tpr), area)
    )
    return MitigationResult(
        label=label,
        title=label.title(),
        paper="Shokri et al. 2017 (arXiv 1610.05820)",
        acts_on=acts_on,
        status="ok",
        folder=f"audits/{label}",
        strongest=strongest,
        adaptive=None if acts_on == "nothing" else strongest,
        label_only=leak("gap", 0.015, 0.61),
        attacks=[leak("lira", tpr, area), leak("gap", 0.015, 0.61), leak("noise_robustness", 0.02, 0.65)],
        naive=None if naive is None else Strongest(leak=leak("lira", naive, 0.55), chosen_on="shadows"),
        naive_change=None if naive is None else change("worse" if naive < tpr - 0.02 else "within noise", 0.1),
        change=None if effect is None else change(effect, area - 0.8),
        effect=effect,
        utility=Utility(
            accuracy=around(accuracy, 0.015),
            train_accuracy=1.0,
            change=None if loss is None else Estimate(value=sum(loss) / 2, low=loss[0], high=loss[1]),
            calibration_error=0.12,
            answer_size=size,
        ),
        cost=Cost(retrains=acts_on == "training", seconds=4.2, times=1.3 if acts_on == "training" else 1.0),
        **more,
    )


PLAIN = option("none", 0.25, 0.8, 0.62, None, loss=None, acts_on="nothing")


def sample_defence(**changes: Any) -> DefenceReport:
    """Eight mitigations."""
    record = leaking()
    curves = {"loss of the classifier": [2.0, 1.0, 0.6, 0.5], "gain of the attacker": [0.1, 0.4, 0.3, 0.25]}
    options = [
        PLAIN,
        option("top3", 0.24, 0.8, 0.62, "within noise", naive=0.24, size=3),
        option("round1", 0.23, 0.79, 0.62, "within noise", naive=0.22, size=2.4),
        option("temperature5", 0.25, 0.8, 0.62, "within noise", naive=0.04),
        option("labels", 0.02, 0.65, 0.62, "better", size=1, frontier=True, attack="noise_robustness"),
        option("l2:0.001", 0.08, 0.68, 0.61, "better", loss=(-0.02, 0.005), acts_on="training", naive=0.07),
        option("dropout:0.5", 0.18, 0.74, 0.64, "better", loss=(0.01, 0.03), acts_on="training", frontier=True),
        option(
            "dp:8",
            0.011,
            0.51,
            0.41,
            "better",
            loss=(-0.24, -0.18),
            acts_on="training",
            frontier=True,
            guarantee=Guarantee(epsilon=8.0, delta=1e-5),
        ),
        option("adversarial:3", 0.05, 0.6, 0.59, "better", loss=(-0.05, -0.01), acts_on="training", curves=curves),
        MitigationResult(
            label="depth:3",
            title="Tree depth",
            paper="",
            acts_on="training",
            status="not applicable",
            reason='mitigation "depth": expected a scikit-learn tree or forest, got TorchTrainer <script>',
        ),
    ]
    bench = DefenceReport(
        name="baskets",
        plan={"data": {"source": "baskets"}},
        tried=["top3", "round1", "l2:1e-05..0.1"],
        fpr=0.01,
        confidence=0.95,
        compared=8,
        members=4000,
        nonmembers=4000,
        classes=100,
        data="baskets",
        view="auditor",
        shadows=16,
        exposed=ExposedRows(rows=800, members=401, chosen_by="The tenth that shadow models remember best."),
        results=options,
        searches=[
            Search(
                name="l2",
                low=1e-5,
                high=0.1,
                limit="tpr@0.01<=0.1",
                chosen="l2:0.001",
                trials=[
                    StrengthTrial(label="l2:1e-05", value=0.25, accuracy=0.62, meets=False),
                    StrengthTrial(label="l2:0.1", value=0.01, accuracy=0.02, meets=True),
                    StrengthTrial(label="l2:0.001", value=0.08, accuracy=0.61, meets=True),
                    StrengthTrial(label="l2:0.05", value=None, accuracy=None, meets=False, reason="training diverged"),
                ],
            )
        ],
        advice=Advice(
            answer="helps",
            choice="labels",
            headline="Label only (labels) lowers what attackers learn, and no loss of accuracy was shown.",
            sentences=["The strongest attack finds less.", "All 8 verdicts hold together."],
        ),
        provenance=record.provenance,
    )
    return bench.model_copy(update=changes)
