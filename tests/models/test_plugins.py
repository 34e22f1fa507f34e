"""Plug-ins are found in metadata and imported only when they are named and trusted."""

import sys
from pathlib import Path

import pytest
from tests.plugin import plugin as plugin

from gnomon.attacks import make_foreign_attack
from gnomon.cli.app import run
from gnomon.core.errors import UsageError
from gnomon.mitigations import make_foreign_mitigation
from gnomon.models.plugins import PlugIn, check_name, find_plugin, installed, reader_for


def test_what_is_installed_is_listed_with_its_package_and_not_imported(
    plugin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    for kind, name in (("attacks", "margin"), ("mitigations", "ceiling"), ("readers", ".linear")):
        assert run(["list", kind]) == 0
        [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{name} ")]
        assert "gnomon-margin 0.1.0" in line
        assert "gnomon_margin." in line
    assert "gnomon_margin" not in sys.modules


def test_without_the_package_there_is_nothing() -> None:
    for kind in ("attacks", "mitigations", "readers"):
        assert not [p for p in installed(kind) if p.package == "gnomon-margin"]  # type: ignore[arg-type]


def test_a_name_leads_to_its_plugin_and_what_follows(plugin: Path) -> None:
    for text, rest in (("ceiling:0.9", "0.9"), ("ceiling0.9", "0.9"), ("ceiling", "")):
        found = find_plugin("mitigations", text)
        assert found is not None
        assert (found[0].path, found[1]) == ("gnomon_margin.mitigation:Ceiling", rest)
    assert find_plugin("mitigations", "ceilings") is None
    assert find_plugin("mitigations", "noise:1e-2") is None
    by_path = find_plugin("mitigations", "a.b:C:0.5")
    assert by_path == (PlugIn("mitigations", "a.b:C", "a.b:C"), "0.5")
    reader = reader_for("m.LINEAR")
    assert reader is not None
    assert reader.path == "gnomon_margin.reader:read"
    assert reader_for("linear") is None


@pytest.mark.parametrize("text", ["margin", "gnomon_margin.attack:Margin"])
def test_code_of_others_takes_trust(plugin: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"would run the code of the module gnomon_margin\.attack; give --trust"):
        make_foreign_attack(text, trust=False)
    assert "gnomon_margin" not in sys.modules
    attack, fact = make_foreign_attack(text, trust=True)
    assert attack.name == "margin"
    assert (fact.package, fact.version) == (("gnomon-margin", "0.1.0") if text == "margin" else (None, None))


def test_the_digest_follows_the_source_and_the_options(plugin: Path) -> None:
    content = PlugIn("attacks", "margin", "gnomon_margin.attack:Margin").content()
    sources = [make_foreign_mitigation(f"ceiling:{most}", trust=True)[1].source for most in (0.9, 0.8)]
    assert sources[0] != sources[1]
    place = plugin / "gnomon_margin" / "attack.py"
    place.write_text(place.read_text(encoding="utf-8").replace("LOWEST = -100.0", "LOWEST = -50.0"), encoding="utf-8")
    assert PlugIn("attacks", "margin", "gnomon_margin.attack:Margin").content() != content


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (('name: ClassVar[str] = "margin"', 'name: ClassVar[str] = "lira"'), 'is called \'lira\''),
        (("class Margin(Attack)", "class Margin"), "expected an attack, an object of a class that inherits"),
        (("power: float = 1.0", "power: float"), "cannot be made without arguments"),
        (("LOWEST = -100.0", "LOWEST = 1 / 0"), "ZeroDivisionError"),
    ],
)  # fmt: skip
def test_what_is_no_attack_is_one_line(plugin: Path, edit: tuple[str, str], words: str) -> None:
    place = plugin / "gnomon_margin" / "attack.py"
    text = place.read_text(encoding="utf-8")
    assert edit[0] in text
    place.write_text(text.replace(*edit), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        make_foreign_attack("margin", trust=True)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_two_packages_may_not_claim_one_name(plugin: Path) -> None:
    other = plugin / "other-1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n", encoding="utf-8")
    (other / "entry_points.txt").write_text("[gnomon.attacks]\nmargin = other:Margin\n", encoding="utf-8")
    with pytest.raises(UsageError, match='"margin" is claimed by gnomon-margin and by other'):
        installed("attacks")


@pytest.mark.parametrize("name", ["lira", "ids", "none", "../x", "Margin", "", 3, "a.b"])
def test_names_that_can_not_be(name: object) -> None:
    with pytest.raises(UsageError, match=r"gnomon's own|expected a name"):
        check_name(name, lambda one: one in ("lira", "ids", "none"), "here")


@pytest.mark.parametrize("text", ["ceiling:0.4", "ceiling:x", "ceiling"])
def test_a_strength_that_can_not_be_is_refused(plugin: Path, text: str) -> None:
    with pytest.raises(UsageError, match='mitigation "ceiling"'):
        make_foreign_mitigation(text, trust=True)


def test_an_unknown_name_is_still_a_misspelt_one(plugin: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "lira"'):
        make_foreign_attack("lirra", trust=True)
    with pytest.raises(UsageError, match='did you mean "temperature"'):
        make_foreign_mitigation("temprature5", trust=True)
    with pytest.raises(UsageError, match="expected a class that inherits"):
        make_foreign_mitigation("math:sqrt", trust=True)
