"""The registries of secrets engines and auth methods."""

import pytest
from support.mounted import a_mount

from strongroom_node.auth import registry as auth_registry
from strongroom_node.engines import registry


@pytest.mark.parametrize("name", sorted(registry.BUILTIN))
def test_every_engine_loads_under_its_name(name):
    engine = registry.load(name)
    assert engine.name == name
    assert not engine.is_auth
    paths = engine.paths_for(a_mount(name)) if engine.paths_for else engine.paths
    assert paths
    assert all(path.help for path in paths)


@pytest.mark.parametrize("name", sorted(auth_registry.BUILTIN))
def test_every_auth_method_loads_under_its_name(name):
    method = auth_registry.load(name)
    assert method.name == name
    assert method.is_auth
    assert any(path.unauthenticated for path in method.paths)
    assert all(path.help for path in method.paths)


def test_aliases_stand_for_engines_that_exist():
    for kind, options in registry.ALIASES.values():
        registry.load(kind).prepare(a_mount(kind, options=options))


def test_other_names_are_unknown():
    for name in ("", "kv-v2", "../kv", "os"):
        for known in (registry, auth_registry):
            with pytest.raises(KeyError):
                known.load(name)
