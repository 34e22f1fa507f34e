"""Three small models that leak, do not, and cannot be told: their reports and annexes, as files and as pictures.

    python -m scripts.three_verdicts FOLDER   # models, rows, plans, audits; reports and annexes as HTML, PDF, pictures

The rows are shopping baskets of households (embedded in gnomon). The first model is a forest whose file is to be handed
out, the second a shallow tree behind a service; the third is known by its exported answers to a few records only. To
see what an officer reads, start here: reports of invented records show what reports can say, these what they do say.
Pictures (PNG) are taken by headless Chromium at 1,200 and at 390 pixels, light and dark.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from docs.picture import picture
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import gnomon

MODEL = """
[target]
model = "{folder}/{name}.skops"
"""
ANSWERS = """
[target]
member_answers = "{folder}/{name}-member-answers.npz"
nonmember_answers = "{folder}/{name}-nonmember-answers.npz"
"""
PLAN = """name = "{name}"

[data]
members = "{folder}/{name}-members.parquet"
nonmembers = "{folder}/{name}-nonmembers.parquet"
label = "kind"
group = "household"
{target}
[release]
context = "{context}"
purpose = "sorts the shopping baskets of a region into kinds"
unit = "person"

[shadow]
count = 16
"""


@dataclass(frozen=True)
class Case:
    """A model, how it is trained and audited, and what for.

    Attributes:
        name: also the expected end of the story.
        model: unfitted.
        classes: of the baskets.
        products: of each basket; the most frequent ones.
        trained: baskets that it is trained on.
        audited: baskets of either side that are audited.
        context: of the release.
        target: the plan's table.
    """

    name: str
    model: Any
    classes: int
    products: int
    trained: int
    audited: int
    context: str
    target: str


CASES = (
    Case("leaking", RandomForestClassifier(50, random_state=0), 10, 600, 1200, 1200, "public-weights", MODEL),
    Case(
        "harmless",
        DecisionTreeClassifier(max_depth=3, min_samples_leaf=300, random_state=0),
        2,
        150,
        6000,
        6000,
        "api-scores",
        MODEL,
    ),
    Case("undecided", LogisticRegression(C=0.01, max_iter=2000), 2, 600, 2000, 120, "internal", ANSWERS),
)


def write(folder: Path, case: Case) -> None:
    """A model, its members, others, and the plan of its audit; all rows of a household are on one side."""
    data = gnomon.load_dataset("baskets", classes=case.classes)
    x = data.x[:, np.sort(np.argsort(-data.x.mean(axis=0))[: case.products])]
    halves = np.array_split(np.random.default_rng(0).permutation(np.unique(data.groups)), 2)
    order, other = (np.concatenate([np.flatnonzero(data.groups == one) for one in half]) for half in halves)
    fitted = case.model.fit(x[order[: case.trained]], data.y[order[: case.trained]])
    for side, rows in (("member", order[: case.audited]), ("nonmember", other[: case.audited])):
        frame = pd.DataFrame(x[rows], columns=[f"product_{j}" for j in range(x.shape[1])])
        frame["kind"], frame["household"] = data.y[rows], data.groups[rows]
        frame.to_parquet(folder / f"{case.name}-{side}s.parquet")
        np.savez(folder / f"{case.name}-{side}-answers.npz", probabilities=fitted.predict_proba(x[rows]))
    skops.io.dump(fitted, folder / f"{case.name}.skops")
    words = {"name": case.name, "folder": folder, "context": case.context}
    (folder / f"{case.name}.toml").write_text(
        PLAN.format(target=case.target.format(**words), **words), encoding="utf-8"
    )


def run(*words: str | Path) -> None:
    """One command of gnomon."""
    subprocess.run([sys.executable, "-m", "gnomon", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def photograph(page: Path) -> None:
    """The whole page at two widths, light and dark."""
    for width, height in ((1200, 2600), (390, 4200)):
        for dark in (False, True):
            to = page.with_name(f"{page.stem}-{width}{'-dark' if dark else ''}.png")
            picture(page, to, width, height, dark=dark)


def main() -> None:
    """Makes all of it in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        plan, made = folder / f"{case.name}.toml", folder / case.name
        write(folder, case)
        run("audit", plan, "--to", made)
        for ending in ("html", "pdf"):
            run("report", made, "--to", folder / f"{case.name}-report.{ending}")
            for kind in ("edpb", "tre"):
                run("report", made, "--annex", kind, "--to", folder / f"{case.name}-{kind}.{ending}")
        for page in sorted(folder.glob(f"{case.name}-*.html")):
            photograph(page)


if __name__ == "__main__":
    main()
