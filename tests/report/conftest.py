"""Every sample record, by name, rendered once a format."""

from __future__ import annotations

import functools

import pytest
import sample_records

from gnomon.core.record import Record
from gnomon.report import render


@functools.cache
def rendered(name: str, format: str) -> str:
    return render(sample_records.ALL[name](), format)


@pytest.fixture(params=sorted(sample_records.ALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def record(name: str) -> Record:
    return sample_records.ALL[name]()


@pytest.fixture
def page(name: str) -> str:
    return rendered(name, "html")


@pytest.fixture
def markdown(name: str) -> str:
    return rendered(name, "md")


@pytest.fixture
def terminal(name: str) -> str:
    return rendered(name, "terminal")
