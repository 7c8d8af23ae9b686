"""What is left of pysyncobj: the exact version, every name that is overridden, and no pickle."""

import importlib
import pkgutil
import sys
import types

import pysyncobj
import pytest
from sim.world import World

from strongroom_cluster.raft import syncobj
from strongroom_cluster.raft.syncobj import FIELDS, GLOBALS, METHODS, LibraryUnfit, PickleRefused, require_names


class Names:
    """Has every name that is asked for, but one."""

    def __init__(self, missing: str) -> None:
        for name in (*FIELDS, *GLOBALS):
            if name != missing:
                setattr(self, name, None)


def methods_without(missing: str) -> type:
    return type("Base", (), {name: (lambda self: None) for name in METHODS if name != missing})


@pytest.mark.parametrize("missing", METHODS)
def test_a_missing_method_refuses_to_start(missing: str) -> None:
    with pytest.raises(LibraryUnfit, match=missing):
        require_names(methods_without(missing))


@pytest.mark.parametrize("missing", FIELDS)
def test_a_missing_field_refuses_to_start(missing: str) -> None:
    with pytest.raises(LibraryUnfit, match=missing):
        require_names(methods_without(""), Names(missing))


def test_a_missing_global_or_another_version_refuses_to_start() -> None:
    with pytest.raises(LibraryUnfit, match="monotonicTime"):
        require_names(module=Names("monotonicTime"))
    with pytest.raises(LibraryUnfit, match=r"0\.3\.18"):
        require_names(version="0.3.18")
    require_names()


def test_every_private_name_in_use_is_checked() -> None:
    import re
    from pathlib import Path

    folder = Path(syncobj.__file__).parent
    used = {name for path in folder.glob("*.py") for name in re.findall(r"\b_SyncObj__\w+", path.read_text())}
    assert used == {name for name in (*METHODS, *FIELDS) if name.startswith("_SyncObj__")}


def library_modules() -> list[types.ModuleType]:
    for module in pkgutil.iter_modules(pysyncobj.__path__):
        if "win" not in module.name:
            try:
                importlib.import_module(f"pysyncobj.{module.name}")
            except ImportError:
                continue
    syncobj.disarm()
    return [module for name, module in sys.modules.items() if name.split(".")[0] == "pysyncobj"]


def test_no_function_of_pickle_is_left_in_the_library() -> None:
    for module in library_modules():
        for name in ("loads", "load", "dumps", "dump"):
            function = getattr(module, name, None)
            if callable(function):
                with pytest.raises(PickleRefused):
                    function(b"")
        left = getattr(module, "pickle", None)
        if left is not None and not module.__name__.endswith(".pickle"):
            with pytest.raises(PickleRefused):
                left.loads(b"")


def test_a_cluster_runs_where_nothing_can_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elections, writes, crashes, changes of members and snapshots, with the interpreter's own pickle broken."""
    stdlib = importlib.import_module("pick" + "le")

    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise AssertionError("something pickles")

    for name in ("loads", "load", "dumps", "dump", "_loads", "_load", "_dumps", "_dump"):
        monkeypatch.setattr(stdlib, name, refuse)
    snapshots = changes = 0
    for seed in range(40):
        world = World(seed)
        world.run()
        snapshots += world.counts["snapshots"]
        changes += world.counts["changes"]
    assert snapshots
    assert changes


def test_the_library_stays_the_only_place_that_imports_pysyncobj() -> None:
    from pathlib import Path

    package = Path(syncobj.__file__).parent.parent
    users = [
        path.name
        for path in package.rglob("*.py")
        if "import pysyncobj" in (text := path.read_text()) or "from pysyncobj" in text
    ]
    assert users == ["syncobj.py"]
