"""What the barrier asks of whoever orders writes. The cluster layer provides it."""

from collections.abc import Sequence
from typing import Protocol

from strongroom_storage.ticket import Ticket

# (key, flags byte | body), or (key, None) to delete: a record without its index, which the log will give it.
Operation = tuple[bytes, bytes | None]


class WriteLog(Protocol):
    """Orders write transactions and applies them."""

    @property
    def is_active(self) -> bool:
        """Whether this node may write."""
        ...

    def admit(self) -> None:
        """Raise NotActive, LogBusy or LogFailed if a transaction opened now could not be queued."""
        ...

    def submit(self, operations: Sequence[Operation]) -> Ticket:
        """Queue one transaction; the order of calls is the order of execution.

        The ticket gives the index once the change is durable and applied here. It fails with CommitUnknown if the log
        failed meanwhile, with NotActive, LogBusy or LogFailed if it is certain that nothing happened.
        """
        ...
