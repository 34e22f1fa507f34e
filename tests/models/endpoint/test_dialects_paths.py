"""Places in a response."""

import pytest

pytest.importorskip("jmespath")

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.endpoint.dialects import place_in


def test_a_place_is_found_however_deep() -> None:
    place = place_in("results[].p")
    assert place is not None
    assert place.of({"results": [{"p": 0.25}, {"p": 0.5}]}) == [0.25, 0.5]
    assert place_in(None) is None


def test_nothing_there_names_the_key_and_shows_the_start_of_what_came() -> None:
    place = place_in("ids", "answer_ids")
    assert place is not None
    with pytest.raises(ModelError, match=r'requests\.answer_ids = "ids" finds nothing .*\{\'other\': \'x+\.\.\.$'):
        place.of({"other": "x" * 500})


def test_what_is_no_path_is_refused_when_it_is_made() -> None:
    with pytest.raises(UsageError, match=r'target\.requests\.answer: "a\[" is no JMESPath'):
        place_in("a[")
    place = place_in("length(@)")
    assert place is not None
    with pytest.raises(ModelError, match="fails on its answer"):
        place.of(3)
