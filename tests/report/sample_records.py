"""Records as audits write them: figures of Gaussian worlds in closed form, so that tables and curves agree."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

from gnomon.core.documents.record import (
    AttackResult,
    AtThreshold,
    ClassResult,
    Curve,
    DataFacts,
    Estimate,
    Exposed,
    Finding,
    Histogram,
    JointResult,
    ModelFacts,
    Percentiles,
    PrecisionAtPrior,
    Provenance,
    Record,
    ShadowFacts,
    ThreatModel,
    TprAtFpr,
    Verdict,
)
from gnomon.core.documents.record_parts import (
    FdrAccusations,
    GroupResult,
    Repeats,
    RepeatSpread,
    RiskBand,
    RiskFacts,
    SliceResult,
    Slicing,
)

NORMAL = NormalDist()
HOSTILE = "<script>alert('x')</script>"
TITLES = {
    "shokri": ("Shadow models (Shokri)", "Shokri, Stronati, Song & Shmatikov 2017, arXiv 1610.05820", 2.3),
    "modified_entropy": ("Modified entropy", "Song & Mittal 2021, arXiv:2003.10595", 2.1),
    "confidence": ("Confidence", "Song & Mittal 2021, arXiv:2003.10595", 1.9),
    "loss": ("Loss", "Yeom, Giacomelli, Fredrikson & Jha 2018, arXiv:1709.01604", 1.85),
    "lira": ("Likelihood ratio, online (LiRA)", "Carlini et al. 2022, arXiv:2112.03570", 2.6),
    "entropy": ("Entropy", "Salem et al. 2019, arXiv:1806.01246", 1.3),
    "gap": ("Correctness (gap)", "Yeom, Giacomelli, Fredrikson & Jha 2018, arXiv:1709.01604", 0.7),
    "global_threshold": ("Attack R, reference models", "Ye et al. 2022, arXiv:2111.09679", 1.0),
}


def estimate(value: float, spread: float, low: float = 0.0) -> Estimate:
    return Estimate(value=value, low=max(low, value - spread), high=min(1.0, value + spread))


def tpr(shift: float, fpr: float) -> float:
    """True-positive rate of unit Gaussians that lie `shift` apart."""
    return 1 - NORMAL.cdf(NORMAL.inv_cdf(1 - fpr) - shift)


def curve(shift: float, n: int) -> Curve:
    grid = [0.0, *(10 ** (-4.5 + 4.5 * i / 120) for i in range(120)), 1.0]
    grid = [fpr for fpr in grid if fpr == 0 or fpr >= 1 / n]
    rates = [0.0 if fpr == 0 else 1.0 if fpr == 1 else tpr(shift, fpr) for fpr in grid]
    halves = [1.96 * (rate * (1 - rate) / n + 1 / n**2) ** 0.5 for rate in rates]
    pairs = list(zip(rates, halves, strict=True))
    return Curve(fpr=grid, tpr=rates, low=[max(0, r - h) for r, h in pairs], high=[min(1, r + h) for r, h in pairs])


def histogram(shift: float, n: int) -> Histogram:
    edges = [-4 + 0.25 * i for i in range(16 * 2 + 13)]

    def counts(mean: float) -> list[int]:
        return [
            round(n * (NORMAL.cdf(high - mean) - NORMAL.cdf(low - mean))) for low, high in itertools.pairwise(edges)
        ]

    return Histogram(edges=edges, members=counts(shift), nonmembers=counts(0))


def at_threshold(shift: float, where: float, calibrated: Any) -> AtThreshold:
    recall, fpr = 1 - NORMAL.cdf(where - shift), 1 - NORMAL.cdf(where)
    return AtThreshold(
        threshold=where,
        calibrated=calibrated,
        accuracy=estimate((recall + 1 - fpr) / 2, 0.015),
        precision=estimate(recall / (recall + fpr), 0.018),
        recall=estimate(recall, 0.02),
        fpr=estimate(fpr, 0.02),
    )


def class_results(shift: float, names: list[str]) -> list[ClassResult]:
    results, chance = [], random.Random(0)
    for name in names:
        own = shift + 1.1 * chance.uniform(-0.7, 0.3)
        auc = NORMAL.cdf(own / 2**0.5)
        size = round(6 + 90 * chance.random() ** 1.5)
        results.append(
            ClassResult(
                name=name,
                members=size,
                nonmembers=size,
                precision=0.4 + 0.5 * auc,
                recall=min(1.0, auc + 0.05),
                auc=auc,
            )
        )
    return results


def attack(
    name: str, n: int = 1600, scale: float = 1.0, classes: list[str] | None = None, **changes: Any
) -> AttackResult:
    title, paper, full_shift = TITLES[name]
    shift = full_shift * scale
    points = []
    for fpr in (0.1, 0.01, 0.001, 0.0001):
        if n * fpr < 1:
            reason = f"too few non-members (have {n}, need {round(1 / fpr)})"
            points.append(TprAtFpr(fpr=fpr, tpr=None, refused=reason))
        else:
            value = tpr(shift, fpr)
            points.append(TprAtFpr(fpr=fpr, tpr=estimate(value, 0.025 * value + 0.002), false_positives=round(n * fpr)))
    auc = NORMAL.cdf(shift / 2**0.5)
    values: dict[str, Any] = {
        "name": name,
        "title": title,
        "paper": paper,
        "status": "ok",
        "needs": ["answers", "shadows"],
        "options": {"hidden": 64, "epochs": 50} if name == "shokri" else {},
        "seconds": 3.21,
        "auc": estimate(auc, 0.009),
        "advantage": Estimate(
            value=2 * NORMAL.cdf(shift / 2) - 1,
            low=2 * NORMAL.cdf(shift / 2) - 1.03,
            high=2 * NORMAL.cdf(shift / 2) - 0.97,
        ),
        "tpr_at_fpr": points,
        "at_threshold": at_threshold(shift, shift / 2 + 0.1, "shadow"),
        "oracle": at_threshold(shift, shift / 2, "oracle"),
        "precision_at_prior": [
            PrecisionAtPrior(
                prior=p,
                fpr=0.01,
                precision=estimate(p * tpr(shift, 0.01) / (p * tpr(shift, 0.01) + (1 - p) * 0.01), 0.03),
            )
            for p in (0.5, 0.1, 0.01)
        ],
        "roc": curve(shift, n),
        "histogram": histogram(shift, n),
        "tied_share": 0.0131,
        "scores_file": f"scores/{name}.npy",
    }
    if classes:
        values["classes"] = class_results(shift, classes)
        values["class_precision"] = Percentiles(p10=0.61, p25=0.7, p50=0.83, p75=0.9, p90=0.97)
        values["class_recall"] = Percentiles(p10=0.9, p25=0.94, p50=0.98, p75=1.0, p90=1.0)
    values.update(changes)
    return AttackResult(**values)


def finding(code: str, severity: Any, title: str, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "code": code,
        "title": title,
        "severity": severity,
        "explanation": "The two sets overlap: an attack that recognises the overlap needs no model at all.",
        "remedy": "Give a third file of rows that neither set holds, or fewer shadow rows.",
    }
    return Finding(**{**values, **changes})


def record(verdict: Verdict, attacks: list[AttackResult], **changes: Any) -> Record:
    n = 1600
    values: dict[str, Any] = {
        "name": "location30",
        "plan_given": {"name": "location30", "data": {"source": "location30"}},
        "plan": {"name": "location30", "seed": 0, "statistics": {"confidence": 0.95}, "data": {"source": "location30"}},
        "verdict": verdict,
        "data": DataFacts(
            name="location30",
            note="Foursquare check-ins, Bangkok: 446 binary features",
            fingerprint="9f2c1b7d5e0a4c3388e1b0aa7d6f5e4c3b2a19087f6e5d4c3b2a1908f7e6d5c4",
            rows=5010,
            features=446,
            classes=30,
            members=n,
            nonmembers=n,
            pool=3410,
            population=0,
            overlap=0,
        ),
        "target": ModelFacts(train_size=n, train_accuracy=1.0, test_accuracy=0.613, train_loss=0.011, test_loss=1.42),
        "shadows": ShadowFacts(
            count=60,
            size=n,
            source="real rows of the attacker's pool",
            train_accuracy=Estimate(value=1.0, low=0.999, high=1.0),
            test_accuracy=Estimate(value=0.604, low=0.581, high=0.627),
            stacked=6,
            trained=48,
            reused=12,
            remade=["shadow-17"],
            seconds=23.4,
        ),
        "threat_model": ThreatModel(
            view="adversary",
            reveals="the full vector of probabilities",
            knows_recipe=True,
            shadow_data="real rows of the same population, disjoint from the members",
            sentences=[
                "The attacker asks the model once for each record and sees all class probabilities.",
                "They know how the model was trained, and train 60 shadow models on 1,600 rows of their own.",
            ],
        ),
        "findings": [
            finding("nonmembers-in-pool", "warning", "Audited non-members also stand in the attacker's pool"),
            finding("shadow-accuracy", "note", "Shadows are as accurate as the target, within 2 points"),
        ],
        "attacks": attacks,
        "exposed": [
            Exposed(
                id=f"user-{i * 7919 % 5010:04d}",
                label=f"type {i % 30}",
                score=4.9 - 0.06 * i,
                rank=i + 1,
                nonmembers_above=i // 9,
            )
            for i in range(40)
        ],
        "not_tried": [
            "White-box attacks (gradients): the audit saw answers only.",
            "More than one query a record (augmented copies).",
        ],
        "recipe": {"kind": "torch", "module": "mlp", "hidden": [128], "activation": "tanh", "epochs": 100},
        "provenance": Provenance(
            created="2026-03-04T10:20:30+00:00",
            gnomon="0.1.0",
            packages={"numpy": "2.1.0", "scikit-learn": "1.5.2", "torch": "2.13.0"},
            python="3.12.4",
            machine="Linux x86_64",
            cores=2,
            seed=0,
            seconds={"target": 1.2, "shadows": 23.4, "attacks": 9.9, "statistics": 2.1},
            peak_memory_mb=812.4,
            fingerprints={"plan": "b1" * 32, "target": "c7" * 32},
        ),
    }
    return Record(**{**values, **changes})


def leaking() -> Record:
    names = [f"type {i}" for i in range(30)]
    verdict = Verdict(
        level="leaks",
        headline="An attacker with black-box access and data like yours finds 31 of 100 training records while wrongly "
        "accusing 1 in 1,000.",
        sentences=[
            "The best attack, Likelihood ratio, ranks a member above a non-member in 97 of 100 pairs.",
            "Choosing at random would find 1 in 1,000 at the same rate of false alarms.",
        ],
        attack="lira",
        fpr=0.001,
        chosen_on="shadows",
    )
    attacks = [attack(name, classes=names) for name in TITLES]
    attacks[-1] = attack(
        "global_threshold",
        classes=names,
        notes=["4 of 30 classes have too few shadow rows; they use the global model."],
    )
    return record(verdict, attacks)


def with_people() -> Record:
    """Persons, slices (some too small, some many) and risk, with names that try to break out."""
    sample = leaking()
    group = GroupResult(
        rule="sum of log odds",
        members=213,
        nonmembers=452,
        mixed=3,
        rows=7.5,
        auc=estimate(0.998, 0.001),
        tpr_at_fpr=[
            TprAtFpr(fpr=0.1, tpr=estimate(0.97, 0.01), false_positives=45),
            TprAtFpr(fpr=0.01, tpr=estimate(0.9, 0.04), false_positives=4),
            TprAtFpr(fpr=0.001, tpr=None, refused="too few non-members (have 452, need 1,000)"),
        ],
    )
    parts = [
        SliceResult(
            name=f"age {i} {HOSTILE if i == 3 else ''}",
            members=40 + i,
            nonmembers=50,
            auc=None if i == 5 else estimate(0.6 + 0.02 * i, 0.05),
            tpr=TprAtFpr(fpr=0.1, tpr=estimate(0.3, 0.1), false_positives=5),
            recall=0.5,
            fpr=0.25,
        )
        for i in range(15)
    ]
    slicing = Slicing(
        name="age:15",
        attack="lira",
        level=0.9983,
        intervals=30,
        slices=parts,
        most="age 14 ",
        least="age 0 ",
        disparity=Estimate(value=0.28, low=0.18, high=0.38),
    )
    risk = RiskFacts(
        attack="lira",
        rehearsals=4,
        basis="shadows",
        calibration_error=Estimate(value=0.0132, low=0.0, high=0.02),
        shadow_error=Estimate(value=0.0132, low=0.0, high=0.02),
        shadow_p_value=0.4,
        mean_members=0.75,
        mean_nonmembers=0.25,
        bands=[
            RiskBand(low=0.0, high=0.5, members=10, nonmembers=1500, stated=0.02, true=0.01),
            RiskBand(low=0.5, high=1.0, members=0, nonmembers=0, stated=None, true=None),
        ],
        stable_pairs=0.82,
        stable_records=500,
        file="risk.csv",
    )
    fdr = [
        FdrAccusations(fdr=0.1, accused=120, members=111, candidates=2400, calibration=800, least=3),
        FdrAccusations(fdr=0.01, accused=0, members=0, candidates=2400, calibration=50, reason="too few (have 50)"),
    ]
    spread = RepeatSpread(
        fpr=None, values=[0.9, 0.92], mean=estimate(0.91, 0.05), deviation=0.01, lowest=0.9, highest=0.92
    )
    more = {"groups": group, "accusations": fdr, "repeats": Repeats(targets=2, auc=spread)}
    attacks = [a.model_copy(update=more) if a.name != "gap" else a for a in sample.attacks]
    return sample.model_copy(update={"attacks": attacks, "slices": [slicing], "risk": risk})


def near_chance() -> Record:
    verdict = Verdict(
        level="none_found",
        headline="None of the 8 attacks did measurably better than guessing.",
        sentences=["That is not a proof that nothing leaks: a stronger attack may find more."],
        attack="lira",
        chosen_on="shadows",
    )
    target = ModelFacts(train_size=1600, train_accuracy=0.848, test_accuracy=0.842, train_loss=0.34, test_loss=0.35)
    return record(verdict, [attack(name, scale=0.02) for name in TITLES], target=target, findings=[], name="adult")


def undecided() -> Record:
    """Nothing found by so few records that nothing could have been found."""
    verdict = Verdict(
        level="undecided",
        headline="This audit cannot tell whether the model leaks.",
        sentences=["An audit of these 120 records often misses an AUC below 0.64."],
        attack="lira",
        chosen_on="shadows",
        rehearsed="lira",
        tested=[JointResult(name=name, p=0.4, found=False, by="auc") for name in TITLES],
        detectable_auc=0.64,
        missing=["few-records"],
    )
    return record(verdict, [attack(name, scale=0.02) for name in TITLES], findings=[], name="ward")


def invalid() -> Record:
    """Few non-members, an error that was overridden, attacks that were skipped and that failed."""
    verdict = Verdict(
        level="invalid",
        headline="This audit cannot judge the model: members also stand among the non-members.",
        sentences=["212 of 400 non-members are exact copies of members."],
        attack=None,
    )
    edges = [0.04 * i for i in range(26)]
    spiky = Histogram(edges=edges, members=[0] * 20 + [1, 2, 5, 12, 380], nonmembers=[8] * 20 + [10, 12, 18, 30, 170])
    own = at_threshold(0.3, 0, "attack")
    two_steps = Curve(fpr=[0, 0.3, 1], tpr=[0, 0.52, 1], low=[0, 0.47, 1], high=[0, 0.57, 1])
    failed: dict[str, Any] = {
        "auc": None,
        "advantage": None,
        "tpr_at_fpr": [],
        "at_threshold": None,
        "oracle": None,
        "precision_at_prior": [],
        "roc": None,
        "histogram": None,
    }
    attacks = [
        attack("loss", n=400, scale=0.4, histogram=spiky, classes=["ill", "well"]),
        attack("gap", n=400, scale=0.4, roc=two_steps, histogram=None, oracle=None, tied_share=1.0, at_threshold=own),
        attack(
            "lira", status="skipped", reason="needs shadow answers for audited rows; there are no shadows", **failed
        ),
        attack(
            "shokri",
            status="failed",
            reason="ValueError: class 3 has no shadow rows",
            traceback='Traceback (most recent call last):\n  File "shokri.py", line 80\nValueError: no rows of class 3',
            **failed,
        ),
    ]
    findings = [
        finding("members-overlap", "error", "Members stand among the non-members", overridden=True),
        finding("few-nonmembers", "warning", "Too few non-members for low false-positive rates"),
    ]
    return record(verdict, attacks, findings=findings, name="clinic", shadows=None, exposed=[])


def hostile() -> Record:
    """A hundred classes, and text that tries to break out of every format."""
    names = [f"procedure {i}" for i in range(97)] + [HOSTILE, "a|b`c*d_[x](y) $x_{", "診断\x1b[31m"]
    verdict = Verdict(
        level="leaks_some", headline=f"It leaks {HOSTILE}", sentences=[f"| a | {HOSTILE}"], attack="shokri"
    )
    attacks = [
        attack("shokri", classes=names, title=f"Shokri {HOSTILE} [red]x[/red] $x_{{", notes=["a | b\nc"]),
        attack("loss", classes=names, paper="javascript:alert(1)", options={"x|y": HOSTILE}),
    ]
    exposed = [
        Exposed(
            id=f"{HOSTILE}|{i}\u202eid-with-a-very-long-name-that-never-ends-and-has-no-space-{i}",
            label=names[-1 - i % 3],
            score=1e-12 * i,
            rank=i + 1,
            nonmembers_above=0,
        )
        for i in range(5)
    ]
    return record(
        verdict,
        attacks,
        exposed=exposed,
        name=f"{HOSTILE} & co",
        not_tried=[HOSTILE],
        recipe={"kind": HOSTILE},
        findings=[finding("x<y", "warning", HOSTILE, explanation="a|b\n# heading", remedy="</style>")],
    )


def bare() -> Record:
    """What an old or a hurried audit writes: every optional part is empty."""
    verdict = Verdict(level="none_found", headline="No attack was run.", sentences=[], attack=None)
    nothing = AttackResult(name="gap", title="Correctness (gap)", paper="", status="ok")
    target = ModelFacts(train_size=1, train_accuracy=None, test_accuracy=None, train_loss=None, test_loss=None)
    origin = Provenance(
        created="long ago", gnomon="0.1.0", packages={}, python="3.11", machine="unknown", cores=1, seed=0, seconds={}
    )
    return record(
        verdict,
        [nothing],
        target=target,
        shadows=None,
        findings=[],
        exposed=[],
        not_tried=[],
        recipe={},
        plan={},
        plan_given={},
        provenance=origin,
        name="bare",
    )


# every sample, by name
ALL: dict[str, Callable[[], Record]] = {
    "leaking": leaking,
    "with_people": with_people,
    "near_chance": near_chance,
    "undecided": undecided,
    "invalid": invalid,
    "hostile": hostile,
    "bare": bare,
}
