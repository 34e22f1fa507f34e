"""What `--try` says, read."""

import pytest

from gnomon.core.errors import UsageError
from gnomon.defending.combinations import Combination, StrengthRange, read_tries


@pytest.mark.parametrize(
    ("text", "sweeping", "words"),
    [
        ("", False, "nothing to try"),
        (" , ", False, "nothing to try"),
        ("top0", False, ">= 1"),
        ("temperature:-5", False, "> 0"),
        ("dp:0", False, "epsilon"),
        ("tpo3", False, 'did you mean "top"'),
        ("temperature:1..50", False, "needs a wanted leakage"),
        ("top3", True, "nothing to sweep"),
        ("temperature:5..x", True, "NAME:LOW..HIGH"),
        ("temperature:5..1", True, "lower end"),
        ("temperature:-1..5", True, "> 0"),
        ("tempo:1..5", True, "no mitigation"),
    ],
)
def test_what_cannot_be_tried_is_one_line(text: str, sweeping: bool, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_tries(text, sweeping=sweeping)


def test_words_are_read() -> None:
    one, two, three = read_tries("top3, top3+temperature:1e+1, noise:0.1, top3", sweeping=False)
    assert [s.label for s in (one, two, three) if isinstance(s, Combination)] == [
        "top3",
        "top3+temperature10",
        "noise:0.1",
    ]
    (strengths,) = read_tries("top:1..20", sweeping=True)
    assert strengths == StrengthRange("top", 1.0, 20.0, True)
    assert strengths.at(3.4).label == "top3"
