"""What the rest of the system may ask of any ordered log: one node's journal, Raft, a database.

The contract, which every implementation keeps:

- Commands are applied in the order of their indexes, each exactly once per store, on every node.
- A command is acknowledged when it is durable (on this disk; with Raft on a majority's) and applied on this node.
- A command proposed after another never happens without it: if the first is refused or lost, so is the second.
- The result of a proposal is one of three: acknowledged; `ProposalRefused`, and then it never happens; or
  `ProposalUnknown`, and then it may have happened or may still happen. An implementation that cannot prove a refusal
  says unknown. Nothing is retried inside.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class Leadership(StrEnum):
    """What this node may do."""

    ACTIVE = "active"  # orders writes
    STANDBY = "standby"  # follows; another node is or will be active
    FAILED = "failed"  # stopped after a failure; stays so until it is started again


class OrderedLog(Protocol):
    """An ordered log of commands with a state machine behind it. Belongs to the event loop's thread."""

    @property
    def is_active(self) -> bool:
        """Whether `propose` may be called on this node."""
        ...

    @property
    def applied_index(self) -> int:
        """Index of the last command applied here."""
        ...

    def propose(self, command: bytes) -> asyncio.Future[int]:
        """Append a command; the future gives its index when it is acknowledged.

        Does not block longer than one fast disk sync. The order of calls is the order of the log. May only be called
        while `is_active`; otherwise the future raises ProposalRefused.
        """
        ...

    async def read_index(self) -> int:
        """An index such that a read which has applied it is linearizable with everything acknowledged before.

        Raises ProposalRefused if this node cannot know (it is cut off, or not a member any more).
        """
        ...

    def watch(self, listener: Callable[[Leadership], None]) -> None:
        """Call `listener` on each change of leadership, on the event loop; first with the present one."""
        ...

    async def start(self) -> None:
        """Recover, replay what is not applied, and take part."""
        ...

    async def close(self) -> None:
        """Let what is in flight finish, then stop. Idempotent."""
        ...
