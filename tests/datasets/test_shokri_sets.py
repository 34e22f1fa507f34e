"""The releases of Shokri et al. (2017) that no mirror has, on small archives in their form."""

from gnomon.datasets import SOURCES


def test_what_stands_in_is_a_data_set_under_its_own_name():
    sources = {source.name: source for source in SOURCES}
    pairs = {source.name: source.stand_in for source in SOURCES if source.stand_in}
    assert pairs == {"purchase100": "baskets", "texas100": "diabetes130"}
    for other in pairs.values():
        assert sources[other].name == other
        assert not sources[other].terms.startswith("no licence")
