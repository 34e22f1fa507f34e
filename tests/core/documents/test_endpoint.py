"""Endpoints in a plan: keys that belong to a protocol, and no secret anywhere."""

from typing import Any

import pytest
from pydantic import ValidationError

from gnomon.core.documents.endpoint import FORMS, PROTOCOLS, RequestsPlan, check_endpoint, check_headers, header_source


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_form_belongs_to_its_protocol_alone(protocol: Any) -> None:
    more = {"request": '{"a": "{rows}"}', "answer": "a"} if protocol == "template" else {}
    RequestsPlan(**more).check_for(protocol)
    for form in {form for forms in FORMS.values() for form in forms}:
        plan = RequestsPlan(form=form, **more)
        if form in FORMS[protocol]:
            plan.check_for(protocol)
        else:
            with pytest.raises(ValueError, match=f'"{form}" is no form of protocol = "{protocol}"'):
                plan.check_for(protocol)


@pytest.mark.parametrize(
    ("keys", "protocol", "words"),
    [
        ({"output": "p"}, "tf", 'for protocol = "oip"'),
        ({"request": "{}"}, "oip", 'for protocol = "template"'),
        ({"answer_ids": "i"}, "invocations", 'for protocol = "template"'),
        ({"answer": "a"}, "template", "requests.request is missing"),
        ({"request": "{}"}, "template", "requests.answer is missing"),
    ],
)
def test_keys_of_another_protocol_are_refused(keys: dict[str, Any], protocol: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RequestsPlan(**keys).check_for(protocol)


@pytest.mark.parametrize("classes", [("a",), ("a", "a"), ("1", 1)])
def test_classes_are_two_or_more_and_different(classes: Any) -> None:
    with pytest.raises(ValidationError, match="2 or more different classes"):
        RequestsPlan(classes=classes)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:tok5ecret@h/x", "https://tok5ecret@h/x", "http://h/x?api_key=tok5ecret", "http://h/x?SIG=tok5ecret",
        "ftp://h/x", "h/x", "http:///x", "http://h/x#tok5ecret", "http://h/a b", "http://h:port/x", "http://[h/x", "",
    ],
)  # fmt: skip
def test_an_address_with_a_secret_or_without_a_host_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected an address|put ") as error:
        check_endpoint(url)
    assert "tok5ecret" not in str(error.value)


@pytest.mark.parametrize("url", ["http://h:1/v2/models/m/infer", "https://h/x?version=3", "http://[::1]:8080/x"])
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert check_endpoint(url) == url


@pytest.mark.parametrize(
    "headers",
    [{"A": "tok5ecret"}, {"A": "Bearer tok5ecret"}, {"A b": "env:X"}, {"A": 3}, {"A": "env:tok5ecret-x"}, "tok5ecret"],
)
def test_headers_name_variables_and_a_message_repeats_no_value(headers: Any) -> None:
    with pytest.raises(ValueError, match=r"env:|characters") as error:
        check_headers(headers)
    assert "tok5ecret" not in str(error.value)


def test_the_word_before_a_secret_is_kept() -> None:
    assert header_source("env:KEY") == ("", "KEY")
