"""`login`: gets a token and keeps it for the next commands."""

from typing import Final

from strongroom_node.cli.command import MANY, OK, OUTPUT, SERVER_ERROR, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.commands.login_methods import METHODS, Credentials, LoginFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.data_input import parse_strings
from strongroom_node.cli.output import print_field, print_secret, secret_field
from strongroom_node.cli.plain import wrap
from strongroom_node.cli.streams import NotTerminal
from strongroom_node.client.client import Client, DryRun
from strongroom_node.client.environment import variable
from strongroom_node.client.errors import ClientError
from strongroom_node.client.secret import Secret

UNKNOWN_METHOD: Final = (
    'Unknown auth method: {method}. Use "{program} auth list" to see the complete list of auth methods. '
    "Additionally, some auth methods are only available via the HTTP API."
)
TOKEN_IS_SET: Final = (
    "WARNING! The VAULT_TOKEN environment variable is set! The value of this variable will take precedence; "
    "if this is unwanted please unset VAULT_TOKEN or update its value accordingly."
)
NOT_STORED: Final = (
    "The token was not stored in token helper. Set the VAULT_TOKEN environment variable or pass the token below "
    "with each request to Vault."
)
DONE: Final = (
    "Success! You are now authenticated. The token information displayed below is already stored in the token "
    'helper. You do NOT need to run "{program} login" again. Future Vault requests will automatically use this token.'
)
DONE_NOT_STORED: Final = "Success! You are now authenticated. The token information is displayed below."


def _run(context: Context) -> int:
    flags = context.flags
    method = flags.text("method")
    run = METHODS.get(method)
    if run is None:
        raise UsageFailed(wrap(UNKNOWN_METHOD.format(method=method, program=context.program), 0))
    client = context.client()
    credentials = _credentials(context, method)
    is_token_only = flags.on("token-only")
    is_stored = not (flags.on("no-store") or is_token_only)
    try:
        secret = run.authenticate(client, credentials)
        if secret is not None and secret.wrap_info is not None and is_stored:
            secret = _opened(client, secret)
    except DryRun:
        raise
    except (LoginFailed, NotTerminal, ClientError) as error:
        raise CommandFailed(f"Error authenticating: {error}") from error
    if secret is None or (secret.auth is None and secret.wrap_info is None):
        raise CommandFailed("Vault returned a token, but no further information is known about it.", SERVER_ERROR)
    if is_stored:
        _store(context, secret)
    elif secret.auth is not None and not (is_token_only or flags.text("field") or context.format != "table"):
        context.streams.note(wrap(NOT_STORED, 0) + "\n")
    return _print(context, secret, is_token_only=is_token_only, is_stored=is_stored)


def _credentials(context: Context, method: str) -> Credentials:
    arguments = list(context.arguments)
    if method == "token" and arguments and "=" not in arguments[0] and arguments[0] != "-":
        arguments[0] = f"token={arguments[0]}"
    elif method == "token" and arguments[:1] == ["-"]:
        arguments[0] = f"token={context.streams.read_all().strip()}"
    try:
        values = parse_strings(arguments, context.streams)
    except UsageFailed as error:
        text = str(error).replace("Failed to parse K=V data", "Error parsing configuration", 1)
        raise UsageFailed(text) from error
    path = context.flags.text("path").strip("/") or values.pop("mount", "").strip("/") or method
    is_silent = context.flags.on("non-interactive")
    return Credentials(path, values, context.environment, None if is_silent else context.streams.ask_hidden)


def _opened(client: Client, secret: Secret) -> Secret | None:
    """A wrapped login, unwrapped: it is stored, so it must be the token itself."""
    token = str((secret.wrap_info or {}).get("token") or "")
    return client.with_token(token).call("PUT", "sys/wrapping/unwrap").secret()


def _store(context: Context, secret: Secret) -> None:
    token = str((secret.auth or {}).get("client_token") or "")
    if not token:
        return
    try:
        context.helper().store(token)
    except ClientError as error:
        raise CommandFailed(
            f"Error storing token: {error}\n\n"
            "Authentication was successful, but the token was not persisted. The resulting\n"
            "token is shown below for your records.\n",
            SERVER_ERROR,
        ) from error
    if variable(context.environment, "TOKEN"):
        context.streams.note(wrap(TOKEN_IS_SET, 0) + "\n")


def _print(context: Context, secret: Secret, *, is_token_only: bool, is_stored: bool) -> int:
    if is_token_only:
        context.streams.raw(str(secret_field(secret, "token" if secret.auth else "wrapping_token") or ""))
        return OK
    if context.flags.on("no-print"):
        return OK
    if context.flags.text("field"):
        return print_field(context, secret_field(secret, context.flags.text("field")))
    if context.format == "table" and secret.auth is not None:
        text = (DONE if is_stored else DONE_NOT_STORED).format(program=context.program)
        context.streams.line(wrap(text, 0) + "\n")
    return print_secret(context, secret)


LOGIN: Final = Command(
    "[options] [AUTH K=V...]",
    """Authenticates to the server and keeps the token for later commands.

Without -method the argument is a token; without an argument it is asked for, and
not shown. Other methods take key=value arguments.

    $ vault login
    $ vault login -method=userpass username=ann
    $ vault login -method=ldap -path=corp username=ann""",
    _run,
    flags=(
        *OUTPUT,
        Flag("method", "The type of auth method, such as userpass.", default="token", choices=tuple(METHODS)),
        Flag("no-print", "Do not show the token; still keep it.", kind="bool"),
        Flag("no-store", "Do not keep the token; show it only.", kind="bool"),
        Flag("path", "Where the method is mounted, if not at its type's name."),
        Flag("token-only", "Print the token and nothing else; do not keep it.", kind="bool"),
    ),
    arguments_max=MANY,
)
