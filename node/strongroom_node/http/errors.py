"""The only place that knows status codes, and the body of an answer that refuses."""

from typing import Any, Final, TypeVar

import msgspec

from strongroom_node.sdk import errors as sdk
from strongroom_storage import errors as storage

_REQUEST_STATUS: Final[dict[type[BaseException], int]] = {
    sdk.BadRequest: 400,
    sdk.PermissionDenied: 403,
    sdk.NotFound: 404,
    sdk.UnsupportedOperation: 405,
    sdk.PreconditionFailed: 412,
    sdk.RequestTooLarge: 413,
    sdk.UnsupportedMediaType: 415,
    sdk.TooManyRequests: 429,
    sdk.Internal: 500,
    sdk.NotInitialized: 501,
    sdk.UpstreamFailed: 502,
    sdk.Sealed: 503,
    sdk.Unavailable: 503,
}

_STORAGE_ANSWERS: Final[dict[type[BaseException], tuple[int, str]]] = {
    storage.BarrierSealed: (503, "Vault is sealed"),
    storage.BarrierUninitialized: (503, "Vault is sealed"),
    storage.NotActive: (503, "node is not active"),
    storage.LogBusy: (503, "too many writes are waiting; nothing was written"),
    storage.LogFailed: (503, "this node can no longer write; nothing was written"),
    storage.CommitUnknown: (503, "the result of this write is unknown"),
}

INTERNAL_ERROR: Final = "internal error"
TIMED_OUT: Final = "request took too long and was cancelled; the result of a write is unknown"


class WireError(Exception):
    """A request that ends at the edge, before there is a request to hand to the core.

    `status` is the HTTP status, `messages` what the caller is told. Raised while a message is still being read, it
    ends the connection; raised for a message that was read whole, it is an answer like any other.
    """

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages


def refusal(error: BaseException) -> tuple[int, tuple[str, ...]] | None:
    """Status and messages of an expected failure; None for one that only the log may know."""
    if isinstance(error, WireError):
        return error.status, error.messages
    if isinstance(error, sdk.RequestError):
        return _lookup(_REQUEST_STATUS, error, 500), error.messages
    if isinstance(error, storage.InputRefused):
        return 400, (str(error),)
    if isinstance(error, storage.StorageError):
        status, message = _lookup(_STORAGE_ANSWERS, error, (0, ""))
        return (status, (message,)) if status else None
    return None


_T = TypeVar("_T")


def _lookup(table: dict[type[BaseException], _T], error: BaseException, default: _T) -> _T:
    """What the table says of the error's class, or of the nearest class above it."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), default)


def error_body(messages: tuple[str, ...], data: dict[str, Any] | None = None) -> bytes:
    """`{"errors": [...]}`, with `data` beside it in the rare answers that have both."""
    body: dict[str, Any] = {"errors": list(messages)}
    if data is not None:
        body["data"] = data
    return msgspec.json.encode(body)
