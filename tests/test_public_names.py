import types

import gnomon


def test_public_names_are_all_there_is_and_sorted() -> None:
    assert gnomon.__all__ == sorted(gnomon.__all__)
    public = {
        name
        for name, value in vars(gnomon).items()
        if not name.startswith("_") and name != "VERSION" and not isinstance(value, types.ModuleType)
    }
    assert public == set(gnomon.__all__) - {"__version__"}


def test_every_public_name_is_documented() -> None:
    undocumented = [n for n in gnomon.__all__ if n != "__version__" and not (getattr(gnomon, n).__doc__ or "").strip()]
    assert undocumented == []
