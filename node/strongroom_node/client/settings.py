"""What a client needs to reach the server: address, TLS, headers, limits."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from strongroom_node.client.durations import SECOND, parse_duration
from strongroom_node.client.environment import is_true, variable
from strongroom_node.client.errors import SettingsInvalid

ADDRESS_DEFAULT = "https://127.0.0.1:8200"
TIMEOUT_SECONDS_DEFAULT = 60.0
RESERVED_HEADER_PREFIX = "x-vault-"


class Settings(NamedTuple):
    """Connection settings. A named tuple, as dataclasses would cost the command line 10 ms at each start."""

    address: str = ADDRESS_DEFAULT
    namespace: str = ""
    ca_cert: str = ""
    ca_cert_pem: str = ""
    ca_path: str = ""
    client_cert: str = ""
    client_key: str = ""
    tls_server_name: str = ""
    skip_verify: bool = False
    timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT
    retries_max: int = 0
    wrap_ttl: str = ""
    proxy: str = ""
    disable_redirects: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Without headers, which can hold MFA credentials."""
        return f"<settings for {self.address}>"


def settings_from_environment(environment: Mapping[str, str]) -> Settings:
    """Read every `BAO_*`/`VAULT_*` client variable. Raises SettingsInvalid for one that cannot be parsed."""
    headers: list[tuple[str, str]] = []
    mfa = variable(environment, "MFA")
    if mfa:
        headers.append(("X-Vault-MFA", mfa))
    return Settings(
        address=variable(environment, "AGENT_ADDR") or variable(environment, "ADDR") or ADDRESS_DEFAULT,
        namespace=variable(environment, "NAMESPACE"),
        ca_cert=variable(environment, "CACERT"),
        ca_cert_pem=variable(environment, "CACERT_BYTES"),
        ca_path=variable(environment, "CAPATH"),
        client_cert=variable(environment, "CLIENT_CERT"),
        client_key=variable(environment, "CLIENT_KEY"),
        tls_server_name=variable(environment, "TLS_SERVER_NAME"),
        skip_verify=is_true(environment, "SKIP_VERIFY"),
        timeout_seconds=_timeout(variable(environment, "CLIENT_TIMEOUT")),
        retries_max=_retries(variable(environment, "MAX_RETRIES")),
        wrap_ttl=variable(environment, "WRAP_TTL"),
        proxy=variable(environment, "PROXY_ADDR") or variable(environment, "HTTP_PROXY"),
        disable_redirects=is_true(environment, "DISABLE_REDIRECTS"),
        headers=tuple(headers),
    )


def _timeout(text: str) -> float:
    if not text:
        return TIMEOUT_SECONDS_DEFAULT
    try:
        return max(parse_duration(text), 0) / SECOND or TIMEOUT_SECONDS_DEFAULT
    except ValueError as error:
        raise SettingsInvalid("could not parse VAULT_CLIENT_TIMEOUT") from error


def _retries(text: str) -> int:
    """Vault's command line does not retry unless told to; only its Go library has a default of two."""
    if not text:
        return 0
    try:
        return max(int(text), 0)
    except ValueError as error:
        raise SettingsInvalid("could not parse VAULT_MAX_RETRIES") from error


def split_address(address: str) -> SplitResult:
    """The parts of an http, https or unix address. Raises SettingsInvalid."""
    reason = "first path segment in URL cannot contain colon"
    try:
        parts = urlsplit(address)
        _ = parts.port  # a port that is no number fails here
    except ValueError as error:
        parts, reason = SplitResult("", "", "", "", ""), str(error)
    if parts.scheme not in {"http", "https", "unix"} or not (parts.hostname or parts.scheme == "unix"):
        raise SettingsInvalid(f'parse "{address}": {reason}')
    return parts


def check_header(name: str, value: str) -> None:
    """Refuse a header a user may not set, or one that would break the request in two. Raises SettingsInvalid."""
    if name.lower().startswith(RESERVED_HEADER_PREFIX):
        raise SettingsInvalid(
            f"failed to setup Headers[{name}]: Header starting by 'X-Vault-' are for internal usage only",
        )
    if not name.isascii() or not name.isprintable() or not is_header_value(value):
        raise SettingsInvalid(f"failed to setup Headers[{name!r}]: not a valid header")


def is_header_value(value: str) -> bool:
    """Whether `value` holds printable characters of Latin-1 only."""
    return value.isprintable() and all(ord(character) < 256 for character in value)
