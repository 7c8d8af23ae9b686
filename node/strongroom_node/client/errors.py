"""Errors of the HTTP client, one type for each thing a caller does differently."""

from collections.abc import Sequence


class ClientError(Exception):
    """Base of every error the client raises."""


class SettingsInvalid(ClientError):
    """An address, header, certificate or variable cannot be used; nothing was sent."""


class ConnectionFailed(ClientError):
    """No answer came back. The text names the method and the URL, as Go's client does."""

    def __init__(self, method: str, url: str, reason: str, *, is_retryable: bool = True) -> None:
        super().__init__(f'{method.capitalize()} "{url}": {reason}')
        self.is_retryable = is_retryable


class ReplyInvalid(ClientError):
    """The answer is too long or not the JSON it should be."""


class APIError(ClientError):
    """The server answered with a status of 400 or more.

    `errors` holds the server's own lines; `is_raw` says the body was not Vault's JSON and stands there as it came.
    """

    def __init__(
        self,
        *,
        method: str,
        url: str,
        status: int,
        errors: Sequence[str],
        is_raw: bool = False,
        namespace: str = "",
    ) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.errors = tuple(errors)
        self.is_raw = is_raw
        self.namespace = namespace
        super().__init__(self._text())

    def _text(self) -> str:
        head = "Error making API request.\n\n"
        if self.namespace:
            head += f"Namespace: {self.namespace}\n"
        kind = "Raw Message" if self.is_raw else "Errors"
        head += f"URL: {self.method} {self.url}\nCode: {self.status}. {kind}:\n\n"
        if self.is_raw:
            return head + "\n".join(self.errors)
        return head + "\n".join(f"* {line}" for line in self.errors)
