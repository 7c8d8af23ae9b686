"""The server's process: from flags and configuration to a running node, and back to nothing."""

from strongroom_node.server.start import run

__all__ = ["run"]
