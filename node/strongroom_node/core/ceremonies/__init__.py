"""Init, unseal, rekey, root generation and rotation: how the keys of a cluster are made, opened and replaced."""

from strongroom_node.core.ceremonies.custody import NodeFacts
from strongroom_node.core.ceremonies.keeper import Keeper

__all__ = ["Keeper", "NodeFacts"]
