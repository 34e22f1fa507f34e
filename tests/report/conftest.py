"""Every sample record, by name, rendered once a format."""

from __future__ import annotations

import pytest
from tests.report import sample_records

from gnomon.core.record import Record


@pytest.fixture(params=sorted(sample_records.ALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def record(name: str) -> Record:
    return sample_records.ALL[name]()


@pytest.fixture
def page(name: str) -> str:
    return sample_records.rendered(name, "html")


@pytest.fixture
def markdown(name: str) -> str:
    return sample_records.rendered(name, "md")


@pytest.fixture
def terminal(name: str) -> str:
    return sample_records.rendered(name, "terminal")
