"""Errors a request may end with; `http/errors.py` alone knows their status codes."""

from typing import Any


class RequestError(Exception):
    """A request that was refused, with the sentences the caller is told.

    `data` is sent along in the rare answers that carry both (a batch with failed items).
    """

    def __init__(self, *messages: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.data = data


class BadRequest(RequestError):
    """The caller sent something that cannot be right."""


class PermissionDenied(RequestError):
    """The token is missing, unknown or not allowed to do this."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or ("permission denied",)))


class PolicyDenied(PermissionDenied):
    """A valid token without the right, told in the words clients look for."""

    def __init__(self) -> None:
        super().__init__("1 error occurred:\n\t* permission denied\n\n")


class NotFound(RequestError):
    """Nothing is there; without a message the error list is empty."""


class UnsupportedPath(NotFound):
    """No path of the mount matches."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or ("1 error occurred:\n\t* unsupported path\n\n",)))


class UnsupportedOperation(RequestError):
    """The path exists, the operation on it does not."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or ("1 error occurred:\n\t* unsupported operation\n\n",)))


class PreconditionFailed(RequestError):
    """This node cannot reach the asked-for index in time."""


class RequestTooLarge(RequestError):
    """The body is over the listener's limit."""


class UnsupportedMediaType(RequestError):
    """PATCH came without its content type."""


class TooManyRequests(RequestError):
    """A quota is used up; `headers` tell when to come back."""

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = headers or {}


class NotInitialized(RequestError):
    """The cluster has no keys yet."""


class Sealed(RequestError):
    """The barrier is sealed."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or ("Vault is sealed",)))


class Unavailable(RequestError):
    """This node cannot answer now; another may, or later."""


class UpstreamFailed(RequestError):
    """A remote service that the engine depends on failed."""


class Internal(RequestError):
    """A fault of ours that the caller may be told about in these words."""
