"""Puts a node together: the core, and the engines that see more of it than others."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from strongroom_cluster.store import Store
from strongroom_node.core.core import Core, CoreConfig
from strongroom_node.system.engine import system_type

if TYPE_CHECKING:
    from strongroom_storage.seal.protocol import Seal


def make_core(store: Store, seal: "Seal", config: CoreConfig, now: Callable[[], float] = time.time) -> Core:
    """A core with `sys/` in place, ready to be started."""
    core = Core(store, seal, config, now)
    core.plugins.provide(system_type(core))
    return core
