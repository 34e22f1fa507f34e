"""Secrets come from the environment, and stand in no message, whatever form they are sent back in."""

import base64
import json
import urllib.parse

import pytest

from gnomon.core.errors import UsageError
from gnomon.models.endpoint.headers import read_headers

SECRET = 'a"b/c+d ee-ff-gg'


def test_each_form_of_a_secret_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", f" {SECRET}\n")
    headers = read_headers({"Authorization": "Bearer env:TOKEN"})
    assert headers.values == {"Authorization": f"Bearer {SECRET}"}
    assert SECRET not in repr(headers)
    encoded = base64.b64encode(SECRET.encode()).decode()
    for form in (SECRET, json.dumps(SECRET), urllib.parse.quote(SECRET, safe=""), encoded, "ee-ff-gg"):
        hidden = headers.hide(f"you sent {form} to us")
        assert "[hidden]" in hidden
        assert "ee-ff" not in hidden
        assert encoded[:12] not in hidden


@pytest.mark.parametrize("value", ["", "se\ncret", "sécret"])
def test_a_value_that_no_header_may_have_is_refused_and_not_repeated(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", value)
    with pytest.raises(UsageError, match="TOKEN") as error:
        read_headers({"X-Key": "env:TOKEN"})
    assert "cret" not in str(error.value)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(UsageError, match="X-Key takes its value from the variable TOKEN, which is not set"):
        read_headers({"X-Key": "env:TOKEN"})
