import pytest

from gnomon.core.errors import UsageError
from gnomon.engines.local import LocalEngine
from gnomon.engines.ray import RayEngine, engine_of


@pytest.mark.parametrize("name", ["ray", "10.0.0.1:6379", "ray://head:10001"])
def test_a_cluster_has_rays_name_or_an_address(name: str) -> None:
    assert engine_of(name, 3) == RayEngine(name, 3)


def test_this_machine_is_called_local() -> None:
    assert engine_of("local") == LocalEngine(None)


@pytest.mark.parametrize("name", ["", "cluster", "ray://head", "head:"])
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--engine: expected local, ray, HOST:PORT or ray://HOST:PORT"):
        engine_of(name)
