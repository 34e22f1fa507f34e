"""The one-run audit in both border documents: the plan's table [canaries], and what the record says of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gnomon.core.documents.schema import FileName, Part, PlanTable

Kind = Literal["mislabelled", "random", "own"]


class CanariesPlan(PlanTable):
    """[canaries]: rows that fair coins put into one more training of the recipe, for a lower bound on epsilon."""

    kind: Kind = Field(
        "mislabelled",
        description="mislabelled: real rows that are not trained on, each with a wrong label; random: records drawn "
        "from the feature space, with a random label; own: rows of a file",
    )
    count: int | None = Field(None, ge=1, description="number of canaries m; default 500, own: all rows of the file")
    file: FileName | None = Field(None, description="own: file of labelled rows, with the columns of the data")
    guesses: int | tuple[int, ...] | None = Field(
        None,
        description="number of guesses r, fixed beforehand; several numbers share the error (Bonferroni); default 1, "
        "3, 10, 30 and 100 % of the canaries, as far as that makes 10 or more",
    )
    delta: float | None = Field(
        None, ge=0, lt=1, description="of the (epsilon, delta) that is refuted; default that of [trainer.dp], or 1e-5"
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="confidence of the bound")

    @model_validator(mode="after")
    def _file_of_own(self) -> CanariesPlan:
        if (self.kind == "own") != (self.file is not None):
            raise ValueError('canaries.file and kind = "own" belong together: give both or neither')
        if any(r < 1 for r in self.tried or (1,)):
            raise ValueError(f"canaries.guesses: expected 1 or more, got {min(self.tried or ())}")
        return self

    @property
    def tried(self) -> tuple[int, ...] | None:
        """The numbers of guesses that the plan names."""
        return (self.guesses,) if isinstance(self.guesses, int) else self.guesses


class CanaryTrial(Part):
    """One number of guesses, and the bound that it gives at its part of the error."""

    guesses: int  # canaries that were guessed
    right: int  # of these guessed rightly
    epsilon: float  # lower bound that these guesses give


class CanaryFacts(Part):
    """A lower bound on epsilon from one training with canaries (Steinke, Nasr & Jagielski, 2023)."""

    kind: Kind  # what canaries are made of
    canaries: int  # how many there are (m)
    included: int  # of them, by their coins
    guesses: int  # how many were guessed (r)
    right: int  # how many of these rightly (v)
    epsilon: float  # the bound; 0 = nothing shown
    ceiling: float  # the largest bound that these canaries could have shown
    delta: float  # for which epsilon is bounded
    confidence: float  # of the bounds
    trials: list[CanaryTrial]  # every number of guesses that was tried; the error is shared out evenly among them
    promised: float | None = None  # the accountant's epsilon at the same delta, where training was private
    train_size: int  # rows of this training, canaries among them
    test_accuracy: float | None = None  # of the model with canaries, on rows that it was not trained on
    tested: int = 0  # rows that this rests on
    reused: bool = False  # the model's answers were found in the store
    file: str | None = None  # next to the record: every canary with its coin and score
