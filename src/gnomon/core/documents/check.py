"""What a plan comes to before anything is trained, as one versioned JSON document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.record import DataFacts, Finding
from gnomon.core.documents.schema import Part


class PlannedAttack(Part):
    """An attack that an audit by this plan would try."""

    name: str = Field(description="its name in a plan")
    title: str = Field(description="what a report calls it")
    refused: str | None = Field(description="why the plan keeps it out; null: it runs if its evidence is there")


class PlanCheck(Part):
    """A plan with the rows and the model that it names, checked as an audit would check them at first."""

    version: Literal[1] = Field(1, description="of this document")
    name: str = Field(description="of the run")
    target: Literal["given", "answers only", "trained here"] = Field(description="what is attacked")
    data: DataFacts = Field(description="the audited rows")
    shadows: int = Field(description="shadow models that the audit would train")
    training_rows: int = Field(description="rows that each of them is trained on")
    attacks: list[PlannedAttack] = Field(description="attacks that would be tried")
    findings: list[Finding] = Field(description="what would make the verdict false, as far as rows alone show it")

    @property
    def stops(self) -> bool:
        """Whether the audit would stop at once."""
        return any(f.severity == "error" and not f.overridden for f in self.findings)
