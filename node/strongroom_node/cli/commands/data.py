"""`read`, `write`, `delete`, `list`, `patch` and `unwrap`: bare access to paths."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, MANY, OK, OUTPUT, SERVER_ERROR, Command, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.data_input import parse_data
from strongroom_node.cli.output import nothing_found, print_secret, print_value, print_warnings
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table
from strongroom_node.client.request import clean_path
from strongroom_node.client.secret import Secret

FORCE: Final = Flag("force", "Go on without key=value data.", kind="bool", aliases=("f",))
DETAILED: Final = Flag("detailed", "Show more about each item, where the path knows more.", kind="bool")


def query_of(data: dict[str, Any]) -> dict[str, str | list[str]]:
    """K=V data as query parameters."""
    return {
        name: [plain(item) for item in value] if isinstance(value, list) else plain(value)
        for name, value in data.items()
    }


def _read(context: Context) -> int:
    path = clean_path(context.arguments[0])
    data = parse_data(context.arguments[1:], context.streams)
    reply = context.call(f"Error reading {path}", "GET", path, query=query_of(data), not_found_ok=True)
    secret = reply.secret()
    if secret is None or (reply.status == 404 and secret.data is None and not secret.warnings):
        return nothing_found(context, path)
    if context.format == "raw" and not context.flags.text("field"):
        context.streams.raw(reply.body.decode("utf-8", "replace"))
        return OK
    return print_secret(context, secret)


def _write(context: Context) -> int:
    return _send(context, "PUT")


def _patch(context: Context) -> int:
    return _send(context, "PATCH")


def _send(context: Context, method: str) -> int:
    path = clean_path(context.arguments[0])
    if len(context.arguments) == 1 and not context.flags.on("force"):
        raise UsageFailed("Must supply data or use -force")
    data = parse_data(context.arguments[1:], context.streams)
    body = data if len(context.arguments) > 1 else None
    if method == "PATCH":
        body = data
    return written(context, context.call(f"Error writing data to {path}", method, path, body).secret(), path)


def written(context: Context, secret: Secret | None, path: str) -> int:
    """Tell that a write is done, or print what it returned."""
    if secret is None:
        if context.format == "table" and not (context.flags.has("field") and context.flags.text("field")):
            context.streams.line(f"Success! Data written to: {path}")
        return OK
    return print_secret(context, secret)


def _delete(context: Context) -> int:
    path = clean_path(context.arguments[0])
    data = parse_data(context.arguments[1:], context.streams)
    reply = context.call(f"Error deleting {path}", "DELETE", path, query=query_of(data))
    return deleted(context, reply.secret(), path)


def deleted(context: Context, secret: Secret | None, path: str) -> int:
    """Tell that a delete is done, or print what it returned."""
    if secret is not None and (secret.data or secret.auth or secret.wrap_info):
        return print_secret(context, secret)
    if secret is not None:
        print_warnings(context, secret.warnings)
    if context.format == "table":
        context.streams.line(f"Success! Data deleted (if it existed) at: {path}")
    return OK


def _list(context: Context) -> int:
    path = clean_path(context.arguments[0])
    query: dict[str, str | list[str]] = {"list": "true"}
    if context.flags.text("after"):
        query["after"] = context.flags.text("after")
    if context.flags.number("limit") > 0:
        query["limit"] = str(context.flags.number("limit"))
    return print_listing(context, path, query)


def print_listing(context: Context, path: str, query: dict[str, str | list[str]]) -> int:
    """Fetch and print the keys at a path."""
    secret = context.call(f"Error listing {path}", "GET", path, query=query, not_found_ok=True).secret()
    keys = (secret.data or {}).get("keys") if secret is not None else None
    if secret is not None and secret.wrap_info is not None:
        return print_secret(context, secret)
    if secret is None or (not isinstance(keys, list) and not secret.warnings):
        if context.format == "table":
            return nothing_found(context, path)
        context.streams.line("{}")
        return SERVER_ERROR
    is_detailed = context.flags.has("detailed") and context.flags.on("detailed")
    if context.format != "table":
        return print_value(context, secret.envelope() if is_detailed else keys)
    print_warnings(context, secret.warnings)
    if isinstance(keys, list):
        info = (secret.data or {}).get("key_info") if is_detailed else None
        context.streams.line(_listing([plain(key) for key in keys], info if isinstance(info, dict) else {}))
    return OK


def _listing(keys: list[str], info: dict[str, Any]) -> str:
    """A column of keys, and one for every name the details know."""
    details = {key: value for key, value in info.items() if isinstance(value, dict)}
    names = sorted({name for value in details.values() for name in value})
    rows = [[key, *(plain(details.get(key, {}).get(name)) for name in names)] for key in keys]
    return table(["Keys", *names], rows)


def _unwrap(context: Context) -> int:
    client = context.client()
    token = context.arguments[0] if context.arguments else ""
    if token and client.token:
        body = {"token": token}
    else:
        body = None
        client = client.with_token(token or client.token)
    reply = context.attempt(
        "Error unwrapping",
        lambda: client.call("PUT", "sys/wrapping/unwrap", body, is_wrapped=False, not_found_ok=True),
    )
    secret = reply.secret()
    if secret is None or reply.status == 404:
        context.streams.note("Could not find wrapped response")
        return SERVER_ERROR
    return print_secret(context, secret)


READ: Final = Command(
    "[options] PATH [K=V...]",
    """Reads what is at a path: a secret, credentials made on the spot, configuration.

    $ vault read secret/data/my-secret""",
    _read,
    flags=OUTPUT,
    arguments_min=1,
    arguments_max=MANY,
    completes="paths",
)
WRITE: Final = Command(
    "[options] PATH [DATA K=V...]",
    """Writes data to a path. What that does is up to the engine mounted there.

A value that begins with "@" is read from a file, "-" from standard input. "@file.json"
and "-" alone are JSON objects. A backslash keeps a leading "@" as it is.

    $ vault write cubbyhole/notes text=hello
    $ vault write transit/keys/orders -f
    $ echo "$PASSWORD" | vault write auth/userpass/users/ann password=-""",
    _write,
    flags=(*OUTPUT, FORCE),
    arguments_min=1,
    arguments_max=MANY,
    completes="paths",
)
PATCH: Final = WRITE._replace(
    help="""Changes only the named keys of the data at a path.

    $ vault patch pki/roles/web max_ttl=72h""",
    run=_patch,
)
DELETE: Final = Command(
    "[options] PATH",
    """Deletes what is at a path: a secret, a role, a key.

    $ vault delete cubbyhole/notes""",
    _delete,
    flags=OUTPUT,
    arguments_min=1,
    arguments_max=MANY,
    completes="paths",
)
LIST: Final = Command(
    "[options] PATH",
    """Lists the keys at a path.

    $ vault list secret/metadata
    $ vault list -after=web-3 -limit=50 auth/approle/role""",
    _list,
    flags=(
        FORMAT,
        DETAILED._replace(section="Output Options", variable="DETAILED"),
        Flag("after", "Begin after this key, where the path supports pages."),
        Flag("limit", "At most this many keys, where the path supports pages.", kind="int", default="-1"),
    ),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
UNWRAP: Final = Command(
    "[options] [TOKEN]",
    """Opens a wrapped response: prints it as "read" would have. Without a token, opens the one in use.

    $ vault unwrap hvs.CAESIA...""",
    _unwrap,
    flags=OUTPUT,
    arguments_max=1,
)
