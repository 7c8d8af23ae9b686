"""What becomes of a forwarded request: an answer, or one of two errors that must not be mixed up."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from strongroom_cluster.errors import ClusterError


class ForwardRefused(ClusterError):
    """The request was not begun and will not be: it is safe to try again, here or elsewhere."""


class ForwardUnknown(ClusterError):
    """The request was sent, and nobody can say whether it happened: it must not be repeated for the caller."""


class Answer(NamedTuple):
    """What the active node says."""

    header: Mapping[str, str]
    payload: bytes


class Forwarded(NamedTuple):
    """A request from another node, whose name is proved."""

    peer: str
    header: Mapping[str, str]
    payload: bytes
    patience_seconds: float


# Raises ForwardRefused if it did nothing. Whatever else it raises is told as unknown. It is cancelled when nobody
# waits for its answer any more.
Handler = Callable[[Forwarded], Awaitable[Answer]]
