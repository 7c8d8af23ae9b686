"""The flags of every command that talks to the server, and the settings they make."""

from collections.abc import Mapping
from typing import Final

from strongroom_node.cli.command import Flag
from strongroom_node.cli.flags import Flags
from strongroom_node.client.durations import format_duration, parse_duration
from strongroom_node.client.errors import SettingsInvalid
from strongroom_node.client.settings import Settings, check_header, settings_from_environment

_SECTION: Final = "HTTP Options"


def _http(name: str, help_text: str, variable: str = "", **more: object) -> Flag:
    if variable:
        help_text += f" The VAULT_{variable} environment variable gives a default."
    return Flag(name, help_text, section=_SECTION)._replace(**more)  # type: ignore[arg-type]  # fields of Flag


HTTP_FLAGS: Final = (
    _http("address", "The server's address; https://127.0.0.1:8200 unless given.", "ADDR"),
    _http("agent-address", "The address of an agent, used instead of the server's.", "AGENT_ADDR"),
    _http("ca-cert", "A PEM file with the CA certificate that signed the server's. Wins over -ca-path.", "CACERT"),
    _http("ca-path", "A folder of PEM files with CA certificates.", "CAPATH"),
    _http("client-cert", "A PEM file with a client certificate; needs -client-key.", "CLIENT_CERT"),
    _http("client-key", "A PEM file with the client certificate's private key.", "CLIENT_KEY"),
    _http("disable-redirects", "Do not follow a redirect.", "DISABLE_REDIRECTS", kind="bool"),
    _http("header", "A key=value header to send with requests. May be repeated.", kind="key=value"),
    _http("mfa", "Credentials for the X-Vault-MFA header. May be repeated.", "MFA", kind="strings"),
    _http("namespace", "The namespace to work in. -ns is short for it.", "NAMESPACE", aliases=("ns",)),
    _http("non-interactive", "Never ask for input.", kind="bool"),
    _http("output-curl-string", "Print a curl command that does the request, and do nothing.", kind="bool"),
    _http("output-policy", "Print the policy the request needs, and do nothing.", kind="bool"),
    _http("policy-override", "Override a soft-mandatory Sentinel policy.", kind="bool"),
    _http("tls-server-name", "The name to expect in the server's certificate.", "TLS_SERVER_NAME"),
    _http("tls-skip-verify", "Do not check the server's certificate. Unsafe.", "SKIP_VERIFY", kind="bool"),
    _http("unlock-key", "The key that opens a namespace's API lock."),
    _http("wrap-ttl", 'Wrap the answer in a token that lives this long ("30s", "5m").', "WRAP_TTL", kind="string"),
)

_TEXTS: Final = {
    "ca-cert": "ca_cert",
    "ca-path": "ca_path",
    "client-cert": "client_cert",
    "client-key": "client_key",
    "namespace": "namespace",
    "tls-server-name": "tls_server_name",
}


def client_settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The environment's settings with the flags' on top. Raises SettingsInvalid."""
    settings = settings_from_environment(environment)
    texts = {field: flags.text(name) for name, field in _TEXTS.items() if flags.given(name)}
    settings = settings._replace(**texts)  # type: ignore[arg-type]  # every one of these fields is a text
    if flags.given("address"):
        settings = settings._replace(address=flags.text("address"))
    if flags.given("agent-address"):
        settings = settings._replace(address=flags.text("agent-address"))
    if flags.given("tls-skip-verify"):
        settings = settings._replace(skip_verify=flags.on("tls-skip-verify"))
    if flags.given("disable-redirects"):
        settings = settings._replace(disable_redirects=flags.on("disable-redirects"))
    wrap_ttl = flags.text("wrap-ttl") if flags.given("wrap-ttl") else settings.wrap_ttl
    return settings._replace(wrap_ttl=_wrap_ttl(wrap_ttl), headers=_headers(flags, settings))


def _wrap_ttl(text: str) -> str:
    try:
        length = parse_duration(text) if text else 0
    except ValueError as error:
        raise SettingsInvalid(f'invalid value "{text}" for flag -wrap-ttl: {error}') from error
    return format_duration(length) if length > 0 else ""


def _headers(flags: Flags, settings: Settings) -> tuple[tuple[str, str], ...]:
    headers = dict(settings.headers)
    if flags.given("mfa"):
        headers["X-Vault-MFA"] = ",".join(flags.many("mfa"))
    if flags.on("policy-override"):
        headers["X-Vault-Policy-Override"] = "true"
    if flags.text("unlock-key"):
        headers["X-Vault-Unlock-Key"] = flags.text("unlock-key")
    for name, value in flags.pairs("header").items():
        check_header(name, value)
        headers[name] = value
    return tuple(headers.items())
