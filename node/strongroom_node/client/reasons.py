"""Why no answer came, in the words Go's client uses and scripts look for."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

PLAIN_ANSWER = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


def failure_reason(error: Exception, url: str) -> str:  # noqa: PLR0911  -- one return a reason
    """One line that tells the failure; it holds nothing of the request but the host."""
    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    if isinstance(error, ssl.SSLError):
        return _tls_reason(error)
    match error:
        case ConnectionRefusedError():
            return f"dial tcp {place}: connect: connection refused"
        case TimeoutError():
            return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        case socket.gaierror():
            return f"dial tcp: lookup {parts.hostname}: no such host"
        case http.client.RemoteDisconnected() | http.client.IncompleteRead():
            return "EOF"
        case OSError():
            return f"dial tcp {place}: {(error.strerror or 'connection failed').lower()}"
        case _:
            return f"malformed HTTP response ({type(error).__name__})"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {error.verify_message}"
    if error.reason in PLAIN_ANSWER:
        return "http: server gave HTTP response to HTTPS client"
    return f"tls: {(error.reason or 'handshake failed').lower().replace('_', ' ')}"
