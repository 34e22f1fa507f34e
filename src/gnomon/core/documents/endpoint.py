"""How a plan says that a model behind an endpoint is queried.

Secrets never stand in a plan: a header names the environment variable that holds its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from gnomon.core.documents.schema import PlanTable

Protocol: TypeAlias = Literal["oip", "invocations", "tf", "template"]
Form: TypeAlias = Literal["dataframe_split", "inputs", "instances", "records", "csv", "csv_no_header"]
AnswerKind: TypeAlias = Literal["probabilities", "map", "positive", "labels", "confidence"]

PROTOCOLS: dict[Protocol, str] = {
    "oip": "Open Inference Protocol v2 (KServe, MLServer, Triton)",
    "invocations": "/invocations (MLflow, SageMaker)",
    "tf": ":predict (TensorFlow Serving, Vertex AI)",
    "template": "a JSON template of your own",
}
FORMS: dict[Protocol, tuple[Form, ...]] = {  # the first is the default
    "oip": (),
    "invocations": ("dataframe_split", "inputs", "instances", "records", "csv", "csv_no_header"),
    "tf": ("instances", "records"),
    "template": (),
}
PROTOCOL_WORDS = "; ".join(f"{name}: {title}" for name, title in PROTOCOLS.items())

_FROM_ENVIRONMENT = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9-]*) )?env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_NAMES = re.compile(r"key|token|secret|sig|passw|auth|credential|code", re.IGNORECASE)


class RequestsPlan(PlanTable):
    """[target.requests]: what is sent to an endpoint, how its answers are read, and how fast it is queried."""

    form: Form | None = Field(
        None,
        description="how rows are written; invocations: dataframe_split (default), inputs, instances, records, csv, "
        "csv_no_header; tf: instances (rows as lists, default) or records (rows as objects by column)",
    )
    request: str | None = Field(
        None,
        description='template: the request as JSON, with "{rows}" (all rows as lists), "{records}" (as objects), '
        '"{columns}", "{ids}", or "{row}", "{record}", "{id}" for one row a request',
    )
    answer: str | None = Field(
        None, description="JMESPath to the answers within the response; default where the protocol has them"
    )
    answer_ids: str | None = Field(
        None, description="template: JMESPath to the ids of the answers, where they may come in another order"
    )
    answers: AnswerKind = Field(
        "probabilities",
        description="what an answer is: probabilities (in the order of the classes; target.outputs may say logits), "
        "map (class to probability), positive (one number, that of the second class), labels, or confidence (a label "
        "and its probability)",
    )
    output: str | None = Field(None, description="oip: the name of the output to read, e.g. predict_proba")
    classes: tuple[str | int, ...] | None = Field(
        None, description="the model's classes in the order of its answers; default the sorted labels of the rows"
    )
    batch: int = Field(256, ge=1, description="most rows in a request")
    concurrency: int = Field(4, ge=1, le=256, description="requests at the same time")
    per_second: float | None = Field(None, ge=1e-5, description="most requests in a second; default no limit")
    timeout: float = Field(30.0, gt=0, le=86400, description="seconds in which a request must be answered wholly")
    tries: int = Field(8, ge=1, description="how often a request is sent before the audit stops")
    backoff: float = Field(
        1.0,
        gt=0,
        le=86400,
        description="seconds before the second try; doubled with each further one, with some chance",
    )
    twice: int = Field(4, ge=0, description="records that are queried twice, to see whether answers change")

    @field_validator("classes")
    @classmethod
    def _distinct(cls, value: tuple[str | int, ...] | None) -> tuple[str | int, ...] | None:
        if value is not None and (len(value) < 2 or len({str(v) for v in value}) < len(value)):
            raise ValueError(f"expected 2 or more different classes, got {list(value)}")
        return value

    def check_for(self, protocol: Protocol) -> None:
        """Whether these keys belong to this protocol.

        Raises:
            ValueError: one that does not, or one that is missing.
        """
        forms = FORMS[protocol]
        if self.form is not None and self.form not in forms:
            known = f"expected {', '.join(forms)}" if forms else "it has one form only"
            raise ValueError(f'requests.form: "{self.form}" is no form of protocol = "{protocol}" ({known})')
        if self.output is not None and protocol != "oip":
            raise ValueError(f'requests.output is for protocol = "oip", got protocol = "{protocol}"')
        for name in ("request", "answer_ids"):
            if getattr(self, name) is not None and protocol != "template":
                raise ValueError(f'requests.{name} is for protocol = "template", got protocol = "{protocol}"')
        if protocol == "template" and (self.request is None or self.answer is None):
            missing = "request" if self.request is None else "answer"
            raise ValueError(f'requests.{missing} is missing: protocol = "template" needs request and answer')


def check_endpoint(url: str) -> str:
    """An address without secrets, which stands in plans, records and messages.

    >>> check_endpoint("http://localhost:8080/v2/models/risk/infer")
    'http://localhost:8080/v2/models/risk/infer'
    >>> check_endpoint("https://me:secret@example.org/predict")
    Traceback (most recent call last):
    ValueError: no user name or password may stand in it; put them into headers, as "env:NAME"
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("expected an address such as http://localhost:8080/v2/models/risk/infer") from None
    if "@" in parts.netloc:
        raise ValueError('no user name or password may stand in it; put them into headers, as "env:NAME"')
    if any(_SECRET_NAMES.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError('its query may hold a secret; put keys and tokens into headers, as "env:NAME"')
    if parts.scheme not in ("http", "https") or not host or parts.fragment or any(c.isspace() for c in url):
        raise ValueError("expected an address such as http://localhost:8080/v2/models/risk/infer")
    return url


def check_headers(headers: Any) -> None:
    """Whether every value names an environment variable; the message never repeats a value.

    Raises:
        ValueError: a name that is none, or a value that stands there itself.

    >>> check_headers({"Authorization": "Bearer env:TOKEN", "X-Key": "env:KEY"})
    """
    if not isinstance(headers, dict):
        raise ValueError('expected a table such as { Authorization = "Bearer env:TOKEN" }')
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            raise ValueError("a header's name holds characters that no header may have")
        if not isinstance(value, str) or not _FROM_ENVIRONMENT.fullmatch(value):
            raise ValueError(
                f'the header {name}: expected "env:NAME" or "Bearer env:NAME", the environment variable that holds '
                "its value, and got something else, which is not repeated here"
            )


def header_source(value: str) -> tuple[str, str]:
    """The word before a header's value ("" if none) and the environment variable that holds it.

    >>> header_source("Bearer env:TOKEN")
    ('Bearer', 'TOKEN')
    """
    found = _FROM_ENVIRONMENT.fullmatch(value)
    assert found is not None
    return found["scheme"] or "", found["name"]


def variables_in(headers: Mapping[str, str]) -> list[str]:
    """Environment variables that headers name, each once.

    >>> variables_in({"Authorization": "Bearer env:TOKEN", "X-Key": "env:KEY"})
    ['KEY', 'TOKEN']
    """
    return sorted({header_source(value)[1] for value in headers.values()})


def _checked(headers: Any) -> Any:
    check_headers(headers)
    return headers


Address = Annotated[str, AfterValidator(check_endpoint)]
Headers = Annotated[dict[str, str], BeforeValidator(_checked)]
