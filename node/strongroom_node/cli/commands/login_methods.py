"""How each auth method turns credentials into a login request."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from strongroom_node.client.client import Client
from strongroom_node.client.errors import APIError
from strongroom_node.client.secret import Body, Secret

Ask = Callable[[str], str]


class LoginFailed(Exception):
    """Credentials are missing or make no sense; nothing was sent."""


class Credentials(NamedTuple):
    """Where the method is mounted, what was typed, and how to ask for more (None: not at all)."""

    path: str
    values: dict[str, str]
    environment: Mapping[str, str]
    ask: Ask | None

    def __repr__(self) -> str:
        """Without the values."""
        return f"<credentials for {self.path}>"

    def need(self, name: str) -> str:
        """A value that must be there. Raises LoginFailed."""
        value = self.values.get(name, "")
        if not value:
            raise LoginFailed(f"'{name}' must be specified")
        return value

    def secret(self, name: str, question: str) -> str:
        """A value that is asked for, without echo, when it was not typed. Raises LoginFailed, NotTerminal."""
        value = self.values.get(name, "")
        if value:
            return value
        if self.ask is None:
            raise LoginFailed(f"'{name}' not supplied and refusing to pull from stdin")
        return self.ask(question)


class Method(NamedTuple):
    """One method: how to log in, and what its help says."""

    authenticate: Callable[[Client, Credentials], Secret | None]
    help: str


PASSWORD: Final = "Password (will be hidden): "


def _token(client: Client, credentials: Credentials) -> Secret | None:
    token = credentials.secret("token", "Token (will be hidden): ").strip()
    if not token:
        raise LoginFailed("missing token")
    if credentials.values.get("lookup", "true") in {"false", "0", "f"}:
        return token_secret({"id": token})
    try:
        reply = client.with_token(token).call("GET", "auth/token/lookup-self")
    except APIError as error:
        raise LoginFailed(f"error looking up token: {error}") from error
    return token_secret({**reply.data(), "id": token})


def token_secret(data: Body) -> Secret:
    """What a login would have answered for a token that is already there."""
    auth: Body = {
        "client_token": data.get("id"),
        "accessor": data.get("accessor") or "",
        "policies": _all_policies(data),
        "token_policies": data.get("policies"),
        "identity_policies": data.get("identity_policies"),
        "metadata": data.get("meta"),
        "orphan": data.get("orphan") is True,
        "entity_id": data.get("entity_id") or "",
        "lease_duration": data.get("ttl") or 0,
        "renewable": data.get("renewable") is True,
        "mfa_requirement": None,
    }
    return Secret("", "", 0, False, None, None, auth, None)


def _all_policies(data: Body) -> list[str]:
    names: set[str] = set()
    for key in ("policies", "identity_policies"):
        value = data.get(key)
        names.update(str(name) for name in (value if isinstance(value, list) else []))
    return sorted(names)


def _password(client: Client, credentials: Credentials) -> Secret | None:
    username = credentials.need("username").lower() if credentials.path == "userpass" else credentials.need("username")
    body = {"password": credentials.secret("password", PASSWORD)}
    passcode = credentials.values.get("passcode") or credentials.values.get("totp")
    if passcode:
        body["passcode"] = passcode
    for name in ("method", "provider"):
        if credentials.values.get(name):
            body[name] = credentials.values[name]
    return client.call("PUT", f"auth/{credentials.path}/login/{username}", body).secret()


def _ldap(client: Client, credentials: Credentials) -> Secret | None:
    named = credentials.values.get("username") or credentials.environment.get("LOGNAME") or ""
    named = named or credentials.environment.get("USER", "")
    return _password(client, credentials._replace(values={**credentials.values, "username": named}))


def _github(client: Client, credentials: Credentials) -> Secret | None:
    found = credentials.values.get("token") or credentials.environment.get("VAULT_AUTH_GITHUB_TOKEN", "")
    given = credentials._replace(values={**credentials.values, "token": found})
    token = given.secret("token", "GitHub Personal Access Token (will be hidden): ")
    return client.call("PUT", f"auth/{credentials.path}/login", {"token": token}).secret()


def _cert(client: Client, credentials: Credentials) -> Secret | None:
    body = {"name": credentials.values["name"]} if credentials.values.get("name") else {}
    return client.call("PUT", f"auth/{credentials.path}/login", body).secret()


def _approle(client: Client, credentials: Credentials) -> Secret | None:
    body = {"role_id": credentials.need("role_id")}
    if credentials.values.get("secret_id"):
        body["secret_id"] = credentials.values["secret_id"]
    return client.call("PUT", f"auth/{credentials.path}/login", body).secret()


def _jwt(client: Client, credentials: Credentials) -> Secret | None:
    body = {"jwt": credentials.secret("jwt", "JWT (will be hidden): ")}
    if credentials.values.get("role"):
        body["role"] = credentials.values["role"]
    return client.call("PUT", f"auth/{credentials.path}/login", body).secret()


_PASSWORD_HELP: Final = """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs in with a user name and a password, which is asked for unless given.

      $ {program} login -method={type} username=ann

Configuration:

  password=<string>
      The password.

  username=<string>
      The user's name."""
METHODS: Final[dict[str, Method]] = {
    "token": Method(
        _token,
        """Usage: {program} login TOKEN [CONFIG K=V...]

  Logs in with a token that is already there.

      $ {program} login
      Token (will be hidden):

Configuration:

  token=<string>
      The token.

  lookup=<bool>
      Whether to ask the server about the token first; true unless given.""",
    ),
    "userpass": Method(_password, _PASSWORD_HELP),
    "ldap": Method(_ldap, _PASSWORD_HELP),
    "radius": Method(_password, _PASSWORD_HELP),
    "okta": Method(_password, _PASSWORD_HELP),
    "github": Method(
        _github,
        """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs in with a personal access token; the VAULT_AUTH_GITHUB_TOKEN environment
  variable can hold it.

Configuration:

  token=<string>
      The personal access token.""",
    ),
    "cert": Method(
        _cert,
        """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs in with the TLS client certificate of -client-cert and -client-key.

Configuration:

  name=<string>
      The certificate role to try; every role unless given.""",
    ),
    "approle": Method(
        _approle,
        """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs a machine in with a role.

Configuration:

  role_id=<string>
      The role's identifier.

  secret_id=<string>
      The role's secret, if it needs one.""",
    ),
    "jwt": Method(
        _jwt,
        """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs in with a signed token of another system.

Configuration:

  jwt=<string>
      The signed token.

  role=<string>
      The role to use.""",
    ),
    "kubernetes": Method(
        _jwt,
        """Usage: {program} login -method={type} [CONFIG K=V...]

  Logs in with a service account's token.

Configuration:

  jwt=<string>
      The service account's token.

  role=<string>
      The role to use.""",
    ),
}
