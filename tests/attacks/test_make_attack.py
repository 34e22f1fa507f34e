import pytest

import gnomon.attacks
from gnomon.attacks import ATTACKS, Shokri, make_attack
from gnomon.core.errors import UsageError


def test_names_are_unique_and_make_their_attack():
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
    for attack in ATTACKS:
        assert make_attack(attack.name) == attack


def test_options_reach_the_attack():
    assert make_attack("shokri", {"hidden": 8, "epochs": 3}) == Shokri(hidden=8, epochs=3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("shokry", {}, r'no attack is called "shokry" \(did you mean "shokri"\?\)'),
        ("", {}, r"no attack is called \"\" \(known: "),
        ("shokri", {"epoch": 3}, r'attack "shokri" has no option "epoch" \(did you mean "epochs"\?\)'),
        ("gap", {"epochs": 3}, r'attack "gap" has no option "epochs" \(it has none\)'),
        ("shokri", {"name": "x"}, r'attack "shokri" has no option "name"'),
        ("lira", {"online": False}, r'attack "lira" has no option "online"'),
        ("entropy", {"by_class": True}, r'attack "entropy" has no option "by_class" \(it has none\)'),
        ("rmia", {"slope": 0.3}, "the slope belongs to rmia_offline"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(UsageError, match=message):
        make_attack(name, options)


def test_public_names():
    assert sorted(gnomon.attacks.__all__) == sorted({"ATTACKS", "make_attack", *(type(a).__name__ for a in ATTACKS)})
