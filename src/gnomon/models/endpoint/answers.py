"""A service's answers as natural-log probabilities: what the plan says that they are, and nothing guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnomon.core.arrays import PROBABILITY_SUM_TOLERANCE, Floats, check_log_probs
from gnomon.core.data.labels import class_name, match_classes
from gnomon.core.documents.endpoint import AnswerKind
from gnomon.core.errors import ModelError
from gnomon.core.outputs import Outputs, log_from_outputs

_SHOWN = 120


class BadAnswerError(Exception):
    """Something came that may come right when it is asked for again: a wrong number of answers, or NaN."""


@dataclass(frozen=True)
class AnswerReader:
    """Reads one kind of answer.

    Attributes:
        kind: what an answer is.
        classes: the c classes, in the order of probabilities.
        outputs: what the numbers are: probabilities, logits or log-probabilities.
        whole: probabilities sum to 1; otherwise they are rounded, or the largest only.
    """

    kind: AnswerKind
    classes: tuple[str, ...]
    outputs: Outputs = "probabilities"
    whole: bool = True

    def read(self, answers: Any, rows: int) -> Floats:
        """Natural-log probabilities, float32 (n, c).

        Args:
            answers: a list of n answers, as the dialect found them in the response.
            rows: how many were asked for.

        Raises:
            BadAnswerError: not so many, or numbers that are none.
            ModelError: answers of another kind than was declared.
        """
        if not isinstance(answers, list):
            raise ModelError(f"expected a list of answers, got {_short(answers)}; {_hint(answers)}")
        if len(answers) != rows:
            raise BadAnswerError(f"expected {rows} answers, got {len(answers)}")
        if self.kind == "labels":
            return self._one_hot(answers)
        if self.kind == "confidence":
            return self._labelled(answers)
        try:
            array = np.array([self._numbers(answer) for answer in answers], dtype=np.float64)
        except OverflowError:
            raise BadAnswerError("an answer holds a number that is too large") from None
        if not np.isfinite(array).all() and self.outputs == "probabilities":
            raise BadAnswerError("an answer holds NaN or infinity")
        if np.isnan(array).any():
            raise BadAnswerError("an answer holds NaN")
        if self.outputs != "probabilities" or self.kind == "positive":
            return log_from_outputs(array, self.outputs, rows=rows, classes=len(self.classes), source="the endpoint")
        return self._checked(array)

    def _checked(self, array: Floats) -> Floats:
        """Logarithms of probabilities (n, c) that sum to 1, or of a part of them where the plan says so."""
        source = "the endpoint"
        if array.min() < -PROBABILITY_SUM_TOLERANCE or array.max() > 1 + PROBABILITY_SUM_TOLERANCE:
            return log_from_outputs(array, self.outputs, rows=len(array), classes=len(self.classes), source=source)
        with np.errstate(divide="ignore"):
            logs = np.log(np.clip(array, 0.0, 1.0))
        try:
            return check_log_probs(logs, rows=len(array), classes=len(self.classes), source=source, whole=self.whole)
        except ModelError as error:
            raise ModelError(
                f'{error}; if it rounds, or shows the largest only, say so: target.reveals = "rounded:2" or "top:3"'
            ) from None

    def _labelled(self, answers: Sequence[Any]) -> Floats:
        """A label and its probability for each record: a list of both, or an object that holds both."""
        pairs = []
        for answer in answers:
            pair = list(answer.values()) if isinstance(answer, dict) else answer
            if not isinstance(pair, list) or len(pair) != 2:
                raise self._another_kind(answer)
            label, share = pair if _is_number(pair[1]) else pair[::-1]
            if not _is_number(share):
                raise self._another_kind(answer)
            pairs.append((label, np.nan if share is None else share))
        hot = np.exp(self._one_hot([label for label, _ in pairs]))
        shares = np.array([share for _, share in pairs], dtype=np.float64)
        if not np.isfinite(shares).all():
            raise BadAnswerError("an answer holds NaN or infinity")
        return replace(self, whole=False)._checked(hot * shares[:, None])

    def _numbers(self, answer: Any) -> list[float]:
        if self.kind == "map":
            return self._of_map(answer)
        width = 1 if self.kind == "positive" else len(self.classes)
        given = answer if isinstance(answer, list) else [answer]
        if isinstance(answer, list) != (width > 1) and not (width == 1 and len(given) == 1):
            raise self._another_kind(answer)
        if len(given) != width or not all(_is_number(v) for v in given):
            raise self._another_kind(answer)
        return [np.nan if v is None else float(v) for v in given]

    def _of_map(self, answer: Any) -> list[float]:
        if isinstance(answer, dict) and isinstance(answer.get("classes"), list):  # Vertex AI's tables
            scores = next((v for v in answer.values() if isinstance(v, list) and v is not answer["classes"]), [])
            if len(scores) == len(answer["classes"]):
                answer = dict(zip((class_name(k) for k in answer["classes"]), scores, strict=True))
        if not isinstance(answer, dict) or not all(_is_number(v) for v in answer.values()):
            raise self._another_kind(answer)
        found = match_classes(list(answer), list(self.classes))
        if found is None or found.rule == "order" or len(answer) > len(self.classes):
            raise ModelError(
                f"its answers name the classes {', '.join(map(str, list(answer)[:8]))}, but the rows have "
                f"{', '.join(self.classes[:8])}; give target.requests.classes in the service's words, or "
                "label the rows with them"
            )
        row = [0.0] * len(self.classes)
        for place, value in zip(found.places.tolist(), answer.values(), strict=True):
            row[place] = np.nan if value is None else float(value)
        return row

    def _one_hot(self, answers: Sequence[Any]) -> Floats:
        labels = [a[0] if isinstance(a, list) and len(a) == 1 else a for a in answers]
        wrong = next((a for a in labels if a is None or not isinstance(a, (str, int, float))), 0)
        if wrong != 0:
            raise self._another_kind(wrong)
        logs = np.full((len(labels), len(self.classes)), -np.inf, np.float32)
        for row, label in enumerate(labels):
            found = match_classes([label], list(self.classes))
            if found is None:
                raise ModelError(
                    f"it answered with the label {_short(label)}, which no row has (known: "
                    f"{', '.join(self.classes[:8])}); give target.requests.classes in its words, or label the rows "
                    "with them"
                )
            logs[row, int(found.places[0])] = 0.0
        return logs

    def _another_kind(self, answer: Any) -> ModelError:
        wanted = {
            "probabilities": f"{len(self.classes)} numbers a record ({', '.join(self.classes[:8])})",
            "map": "an object a record, class to probability",
            "positive": "one number a record",
            "labels": "one label a record",
            "confidence": "a label and its probability a record",
        }[self.kind]
        return ModelError(
            f'requests.answers = "{self.kind}" expects {wanted}, got {_short(answer)} for one record; {_hint(answer)}'
        )

    def describe(self) -> str:
        """What is understood of answers, in words."""
        classes = ", ".join(self.classes[:6]) + (f" and {len(self.classes) - 6} more" if len(self.classes) > 6 else "")
        words = self.outputs.replace("_", "-")
        return {
            "probabilities": f"{words} of {len(self.classes)} classes in the order {classes}",
            "map": f"{words} for each class by its name ({classes})",
            "positive": f'one number, of the class "{self.classes[-1]}" ({words}); the class "{self.classes[0]}" '
            "has the rest",
            "labels": f"a label and nothing else ({classes})",
            "confidence": f"a label and its probability ({classes})",
        }[self.kind]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _hint(answer: Any) -> str:
    """What to put into the plan for an answer like this."""
    if isinstance(answer, Mapping):
        return 'name the place of the numbers in requests.answer, or set requests.answers = "map"'
    if isinstance(answer, (str, bool, int)):
        return 'set requests.answers = "labels"'
    if isinstance(answer, float) or (isinstance(answer, list) and len(answer) == 1):
        return 'set requests.answers = "positive"'
    return "name the place of the answers in requests.answer, or the model's classes in requests.classes"
