"""What a gate holds a record against, and what came of it, as one versioned JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import Estimate, Part

Figure = Literal["auc", "advantage", "accuracy", "tpr", "epsilon", "structure", "verdict"]
GRADES = ("none", "note", "warning", "error")  # what the worst finding of the structure may be
LEVELS = ("none_found", "leaks_some", "leaks")  # of a verdict; undecided and invalid are none of them
WORDS: Mapping[Figure, tuple[str, ...]] = MappingProxyType({"structure": GRADES, "verdict": LEVELS})
State = Literal["met", "not met", "unresolved"]
LimitSeverity = Literal["error", "warning", "note"]


class Limit(Part):
    """A value of one attack (None: of every attack) that must not be above a number, or how bad a finding may be."""

    text: str = Field(description="the limit in words, as it was given: tpr@0.01<=0.05")
    attack: str | None = Field(description="name of the attack; null: every attack that ran")
    figure: Figure = Field(description="which value is held against the number")
    fpr: float | None = Field(description="tpr: at which false-positive rate")
    most: float = Field(
        description="the number that the whole interval must not be above; structure: 0 none, 1 note, 2 warning; "
        "verdict: 0 none_found, 1 leaks_some"
    )
    severity: LimitSeverity = Field(
        "error", description="error: decides the exit code; warning, note: is reported and passes"
    )
    reason: str = Field("", description="why there is this limit, in the words of whoever set it")

    @property
    def words(self) -> str:
        """The figure's name."""
        return self.figure if self.fpr is None else f"{self.figure}@{self.fpr:g}"

    @property
    def bound(self) -> str:
        """What is accepted, in a word or a number."""
        return WORDS[self.figure][int(self.most)] if self.figure in WORDS else f"{self.most:g}"


class Held(Part):
    """One limit against one attack (None: against the canaries, the model itself, or no attack at all)."""

    limit: Limit = Field(description="what was held against the record")
    state: State = Field(description="met, not met or unresolved")
    attack: str | None = Field(description="name of the attack whose value it is")
    finding: str | None = Field(None, description="structure: code of the finding of the model itself")
    parameter: str | None = Field(None, description="structure: the parameter that a finding of that code is about")
    estimate: Estimate | None = Field(
        description="the value with its interval, mirrored where one below guessing counts; null: there is none"
    )
    line: str = Field(description="the same in one line, with what would resolve it")

    @property
    def subject(self) -> str:
        """What was held: an attack, or a finding of the structure."""
        return self.attack or " ".join(filter(None, [self.finding, self.parameter]))


class Missing(Part):
    """An attack that did not run although nothing in the plan kept it out."""

    attack: str = Field(description="its name")
    reason: str = Field(description="why it did not run")
    allowed: bool = Field(description="whether the gate was told to pass without it")


class GateResult(Part):
    """A record held against limits."""

    version: Literal[1] = Field(1, description="of this document")
    run: str = Field(description="name of the record that was held")
    created: str = Field(description="when the record was made (ISO 8601, UTC)")
    code: Literal[0, 1, 3, 4] = Field(
        description="exit code: 0 all limits are met, 1 one is not met, 3 an attack did not run, 4 one is unresolved"
    )
    held: list[Held] = Field(description="every limit against every attack that it speaks of")
    missing: list[Missing] = Field(description="attacks that did not run although nothing kept them out")

    @property
    def lines(self) -> list[str]:
        """A line for each reason."""
        lines = [_line(one) for one in self.held]
        closed = [one for one in self.missing if not one.allowed]
        lines += [f"did not run: {one.attack} ({one.reason})" for one in closed]
        if closed:
            lines.append(f"to pass without them: --allow-missing {','.join(one.attack for one in closed)}")
        return lines


def _line(one: Held) -> str:
    told = "" if one.limit.severity == "error" or one.state == "met" else f"{one.limit.severity}, "
    because = f" ({one.limit.reason})" if one.limit.reason and one.state != "met" else ""
    return f"{told}{one.line}{because}"
