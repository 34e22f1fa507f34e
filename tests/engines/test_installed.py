from gnomon.engines.installed import difference, installed


def test_what_is_installed_here_differs_in_nothing_from_itself() -> None:
    assert difference(installed(), installed()) is None
    assert {"Python", "gnomon's source", "numpy", "scikit-learn"} <= set(installed())


def test_each_thing_that_is_another_is_named_with_both_versions() -> None:
    here, there = {"Python": "3.11.7", "torch": "2.13.0"}, {"Python": "3.11.7", "torch": "2.4.0", "numba": "0.68.1"}
    assert difference(here, there) == "torch 2.4.0 (here 2.13.0), numba 0.68.1 (here none)"
