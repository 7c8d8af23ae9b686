"""The client: sends requests with the token and the headers of its settings, retries, follows one redirect."""

import http.client
import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit, urlunsplit

from strongroom_node.client.errors import APIError, ClientError, ConnectionFailed, ReplyInvalid, SettingsInvalid
from strongroom_node.client.reasons import failure_reason
from strongroom_node.client.request import (
    MERGE_PATCH,
    TOKEN_HEADER,
    Reply,
    Request,
    clean_path,
    encode_json,
    encode_path,
    encode_query,
)
from strongroom_node.client.retry import delay_seconds, is_retryable
from strongroom_node.client.settings import Settings, is_header_value, split_address
from strongroom_node.client.transport import Target, open_connection

REPLY_BYTES_MAX = 128 * 1024 * 1024
REDIRECTS = frozenset({301, 302, 307, 308})
Query = Mapping[str, str | list[str]]


class DryRun(ClientError):
    """Raised instead of sending, while the client is told to only show requests."""

    def __init__(self, request: Request) -> None:
        super().__init__("request was not sent")
        self.request = request


class Client:
    """Talks to one server. Its token is never part of an error, a repr or an output."""

    def __init__(
        self,
        settings: Settings,
        token: str = "",
        *,
        is_dry: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.is_dry = is_dry
        self._token = token
        self._sleep = sleep
        try:
            self._address = split_address(settings.address)
        except SettingsInvalid as error:
            raise SettingsInvalid(f"failed to create client: {error}") from error
        if not token.isprintable():
            raise SettingsInvalid("configured Vault token contains non-printable characters and cannot be used")
        for name, value in settings.headers:
            if not is_header_value(value):
                raise SettingsInvalid(f"the {name} header contains non-printable characters and cannot be used")
        if not is_header_value(settings.namespace) or not is_header_value(token):
            raise SettingsInvalid("the namespace or the token contains characters a header cannot hold")

    @property
    def token(self) -> str:
        """The token sent with requests; empty when there is none."""
        return self._token

    def with_token(self, token: str) -> "Client":
        """The same client with another token and no response wrapping."""
        return Client(self.settings._replace(wrap_ttl=""), token, is_dry=self.is_dry, sleep=self._sleep)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Query | None = None,
        *,
        is_certain: bool = False,
        is_wrapped: bool = True,
        not_found_ok: bool = False,
    ) -> Reply:
        """Send a request and read the whole answer.

        `is_certain` sends it even when only shown (questions a command asks to build its request). `not_found_ok`
        returns a 404 instead of raising: there is nothing, or only warnings. Raises ClientError.
        """
        content = None if body is None else encode_json(body)
        request = self.build(method, path, content, query, is_wrapped=is_wrapped)
        if self.is_dry and not is_certain:
            raise DryRun(request)
        reply = self._send_with_retries(request)
        if reply.status < 400 or (not_found_ok and reply.status == 404):
            return reply
        raise self._error(request, reply)

    def build(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Query | None = None,
        *,
        is_wrapped: bool = True,
    ) -> Request:
        """The request with its URL and all its headers."""
        cleaned = clean_path(path)
        address = self._address
        base = "http://localhost" if address.scheme == "unix" else f"{address.scheme}://{address.netloc}"
        prefix = "" if address.scheme == "unix" else address.path.rstrip("/")
        url = f"{base}{prefix}/v1/{encode_path(cleaned)}"
        if query:
            url += "?" + encode_query(query)
        headers = {"X-Vault-Request": "true"}
        if self._token:
            headers[TOKEN_HEADER] = self._token
        if self.settings.namespace:
            headers["X-Vault-Namespace"] = clean_path(self.settings.namespace) + "/"
        if self.settings.wrap_ttl and is_wrapped:
            headers["X-Vault-Wrap-TTL"] = self.settings.wrap_ttl
        if body is not None:
            headers["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
        headers.update(self.settings.headers)
        return Request(method, url, cleaned, headers, body)

    def open(
        self,
        method: str,
        path: str,
        upload: BinaryIO | None = None,
        query: Query | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request, with a file as its body if given, and return the unread answer.

        The caller reads and closes it. Nothing is retried. Raises ClientError.
        """
        request = self.build(method, path, None, query, is_wrapped=False)
        if self.is_dry:
            raise DryRun(request)
        if upload is not None:
            request.headers["Content-Length"] = str(os.fstat(upload.fileno()).st_size)
        response = self._exchange(request, upload)
        if response.status < 300:
            return response
        if response.status in REDIRECTS and not self.settings.disable_redirects and upload is None:
            followed = self._redirected(request, response)
            if followed is not None:
                response.close()
                response = self._exchange(followed, None)
                if response.status < 300:
                    return response
        with response:
            reply = Reply(response.status, dict(response.headers.items()), _read(response))
        raise self._error(request, reply)

    def _send_with_retries(self, request: Request) -> Reply:
        attempt = 0
        while True:
            try:
                reply = self._send(request)
            except ConnectionFailed as error:
                if attempt >= self.settings.retries_max or not error.is_retryable:
                    raise
            else:
                if attempt >= self.settings.retries_max or not is_retryable(reply):
                    return reply
            self._sleep(delay_seconds(attempt))
            attempt += 1

    def _send(self, request: Request) -> Reply:
        with self._exchange(request, None) as response:
            reply = Reply(response.status, dict(response.headers.items()), _read(response))
            if reply.status not in REDIRECTS or self.settings.disable_redirects:
                return reply
            followed = self._redirected(request, response)
        if followed is None:
            return reply
        with self._exchange(followed, None) as response:
            return Reply(response.status, dict(response.headers.items()), _read(response))

    def _redirected(self, request: Request, response: http.client.HTTPResponse) -> Request | None:
        """The request at the place the answer names: a standby sends clients to the active node.

        Only http(s), and never from TLS to plain: the token travels with it. Raises ConnectionFailed.
        """
        location = response.headers.get("Location", "")
        if not location:
            return None
        here = urlsplit(request.url)
        try:
            there = urlsplit(urljoin(request.url, location))
            is_usable = there.scheme in {"http", "https"} and bool(there.hostname) and there.port != 0
        except ValueError:
            is_usable = False
        if not is_usable:
            raise ConnectionFailed(request.method, request.url, "unusable redirect", is_retryable=False)
        if here.scheme == "https" and there.scheme != "https":
            reason = "redirect would cause protocol downgrade"
            raise ConnectionFailed(request.method, request.url, reason, is_retryable=False)
        return request._replace(url=urlunsplit(there))

    def _exchange(self, request: Request, upload: BinaryIO | None) -> http.client.HTTPResponse:
        url = urlsplit(request.url)
        is_own = url.netloc == "localhost" and self._address.scheme == "unix"
        target = Target(url, (self._address.netloc + self._address.path) if is_own else "")
        connection, is_absolute = open_connection(target, self.settings)
        where = request.url if is_absolute else urlunsplit(("", "", url.path, url.query, ""))
        headers = {**request.headers, "Connection": "close"}
        try:
            connection.request(request.method, where, body=upload or request.body, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            is_final = isinstance(error, ssl.SSLError)
            reason = failure_reason(error, request.url)
            raise ConnectionFailed(request.method, request.url, reason, is_retryable=not is_final) from error
        except ValueError as error:
            connection.close()
            raise ConnectionFailed(request.method, request.url, "malformed request", is_retryable=False) from error

    def _error(self, request: Request, reply: Reply) -> APIError:
        errors, is_raw = _error_lines(reply)
        return APIError(
            method=request.method,
            url=request.url,
            status=reply.status,
            errors=errors,
            is_raw=is_raw,
            namespace=request.headers.get("X-Vault-Namespace", ""),
        )


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        body = response.read(REPLY_BYTES_MAX + 1)
    except (OSError, http.client.HTTPException) as error:
        raise ReplyInvalid("the server's answer broke off") from error
    if len(body) > REPLY_BYTES_MAX:
        raise ReplyInvalid(f"the server's answer is longer than {REPLY_BYTES_MAX} bytes")
    return body


def _error_lines(reply: Reply) -> tuple[list[str], bool]:
    try:
        errors = reply.json().get("errors")
    except ReplyInvalid:
        errors = None
    if isinstance(errors, list):
        return [str(line) for line in errors], False
    return [reply.body.decode("utf-8", "replace")], True
