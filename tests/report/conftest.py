"""Every sample document, by name, rendered once a format; and the records among them."""

from __future__ import annotations

import pytest
from tests.report import sample_documents, sample_records

from gnomon.core.documents.record import Record


@pytest.fixture(params=sorted(sample_documents.ALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(name: str) -> str:
    return sample_documents.rendered(name, "html")


@pytest.fixture
def markdown(name: str) -> str:
    return sample_documents.rendered(name, "md")


@pytest.fixture
def terminal(name: str) -> str:
    return sample_documents.rendered(name, "terminal")


@pytest.fixture(params=sorted(sample_records.ALL))
def record_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def record(record_name: str) -> Record:
    return sample_records.ALL[record_name]()
