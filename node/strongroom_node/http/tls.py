"""TLS of a listener, with certificates that may be read anew while it runs."""

import ssl
from typing import Final

from strongroom_node.http.settings import TLSSettings

_VERSIONS: Final = {
    "tls10": ssl.TLSVersion.TLSv1,
    "tls11": ssl.TLSVersion.TLSv1_1,
    "tls12": ssl.TLSVersion.TLSv1_2,
    "tls13": ssl.TLSVersion.TLSv1_3,
}
_CIPHERS: Final = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Go's names to OpenSSL's; suites without forward secrecy or AEAD are not offered. TLS 1.3 has its own."""


class TLSInvalid(ValueError):
    """The files or rules of a listener's TLS do not work; the message says which."""


class ServerContext(ssl.SSLContext):
    """What a listener is given once and for all; every handshake goes on with `current`, the newest certificates.

    Loading into a context that is in use would not do: OpenSSL keeps one certificate for each kind of key, so a
    replaced RSA certificate would still be shown to some clients after an EC one was read.
    """

    current: ssl.SSLContext


def make_context(settings: TLSSettings) -> ServerContext:
    """A server context. Raises TLSInvalid naming the file or setting at fault."""
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    _set_up(context, settings)
    context.current = context
    context.sni_callback = _go_on_with_current
    return context


def _go_on_with_current(handshake: ssl.SSLObject, _name: str | None, context: ssl.SSLContext) -> None:
    """Called within every handshake, whether or not the client names a server."""
    if isinstance(context, ServerContext):
        handshake.context = context.current


def _set_up(context: ssl.SSLContext, settings: TLSSettings) -> None:
    try:
        context.minimum_version = _VERSIONS[settings.version_min]
        context.maximum_version = _VERSIONS[settings.version_max]
    except KeyError as error:
        raise TLSInvalid(f"unknown TLS version {error.args[0]}") from error
    if context.minimum_version > context.maximum_version:
        raise TLSInvalid("tls_min_version is above tls_max_version")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    _choose_ciphers(context, settings.cipher_suites)
    _load_certificate(context, settings)
    _ask_clients(context, settings)


def _choose_ciphers(context: ssl.SSLContext, suites: tuple[str, ...]) -> None:
    unknown = [suite for suite in suites if suite not in _CIPHERS and not _is_13(suite)]
    if unknown:
        raise TLSInvalid(f"unsupported cipher suite {unknown[0]}")
    chosen = ":".join(_CIPHERS[suite] for suite in suites if suite in _CIPHERS)
    if chosen:
        context.set_ciphers(chosen)


def _ask_clients(context: ssl.SSLContext, settings: TLSSettings) -> None:
    if settings.client_ca is not None:
        try:
            context.load_verify_locations(cafile=settings.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise TLSInvalid(f"{settings.client_ca}: {_plain(error)}") from error
    if settings.requires_client_certificate:
        if settings.client_ca is None:
            raise TLSInvalid("tls_require_and_verify_client_cert needs tls_client_ca_file")
        context.verify_mode = ssl.CERT_REQUIRED
    elif settings.asks_client_certificate and settings.client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL


def _is_13(suite: str) -> bool:
    return suite in {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def load_certificates(context: ssl.SSLContext, settings: TLSSettings) -> None:
    """Read certificate, key and client CA; new handshakes use them, open connections keep theirs.

    `context` is one of `make_context`. Raises TLSInvalid, and then everything stays as it was.
    """
    if not isinstance(context, ServerContext):
        raise TypeError("only a context of make_context can take up other certificates")
    fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_up(fresh, settings)
    context.current = fresh


def _load_certificate(context: ssl.SSLContext, settings: TLSSettings) -> None:
    try:
        context.load_cert_chain(settings.certificate, settings.key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TLSInvalid(f"{settings.certificate}, {settings.key}: {_plain(error)}") from error


def _no_password() -> str:
    """Asked for an encrypted key's password: refuse instead of prompting on the terminal."""
    raise ValueError("the key is encrypted; a server cannot ask for its password")


def _plain(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) and error.strerror else str(error)
