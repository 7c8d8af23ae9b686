"""`namespace create`, `patch`, `delete`, `list`, `lookup`, `lock` and `unlock`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, OUTPUT, SERVER_ERROR, Command, CommandFailed, Flag
from strongroom_node.cli.commands.data import print_listing
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret, print_value
from strongroom_node.client.request import clean_path

METADATA: Final = Flag("custom-metadata", "A key=value note. May be repeated.", kind="key=value")


def _create(context: Context) -> int:
    path = clean_path(context.arguments[0])
    body = {"custom_metadata": context.flags.pairs("custom-metadata")}
    reply = context.call("Error creating namespace", "PUT", f"sys/namespaces/{path}", body)
    secret = reply.secret()
    if secret is None or secret.data is None:
        secret = context.call("Error reading namespace", "GET", f"sys/namespaces/{path}").secret()
    return print_secret(context, secret)


def _patch(context: Context) -> int:
    path = clean_path(context.arguments[0])
    notes: dict[str, str | None] = {**context.flags.pairs("custom-metadata")}
    notes.update(dict.fromkeys(context.flags.many("remove-custom-metadata")))
    reply = context.call("Error patching namespace", "PATCH", f"sys/namespaces/{path}", {"custom_metadata": notes})
    return print_secret(context, reply.secret())


def _delete(context: Context) -> int:
    path = clean_path(context.arguments[0]) + "/"
    context.call("Error deleting namespace", "DELETE", f"sys/namespaces/{path}", not_found_ok=True)
    context.streams.line(f"Success! Namespace deleted at: {path}")
    return OK


def _list(context: Context) -> int:
    if context.format != "table" or context.flags.on("detailed"):
        return print_listing(context, "sys/namespaces", {"list": "true"})
    reply = context.call("Error listing namespaces", "GET", "sys/namespaces", query={"list": "true"}, not_found_ok=True)
    keys = reply.data().get("keys")
    if not isinstance(keys, list) or not keys:
        context.streams.note("No namespaces found")
        return SERVER_ERROR
    context.streams.line("\n".join(["Keys", "----", *(str(key) for key in keys)]))
    return OK


def _lookup(context: Context) -> int:
    path = clean_path(context.arguments[0])
    secret = context.call("Error looking up namespace", "GET", f"sys/namespaces/{path}", not_found_ok=True).secret()
    if secret is None or secret.data is None:
        raise CommandFailed("Namespace not found")
    return print_secret(context, secret)


def _lock(context: Context) -> int:
    return _api_lock(context, "lock", {})


def _unlock(context: Context) -> int:
    key = context.flags.text("unlock-key")
    return _api_lock(context, "unlock", {"unlock_key": key} if key else {})


def _api_lock(context: Context, verb: str, body: dict[str, str]) -> int:
    path = f"sys/namespaces/api-lock/{verb}"
    if context.arguments:
        path += f"/{clean_path(context.arguments[0])}"
    secret = context.call(f"Error {verb}ing namespace", "PUT", path, body).secret()
    if secret is None:
        return OK
    return print_secret(context, secret) if context.format == "table" else print_value(context, secret.envelope())


CREATE: Final = Command(
    "[options] PATH",
    """Creates a namespace below the one of -namespace.

    $ vault namespace create team""",
    _create,
    flags=(*OUTPUT, METADATA),
    arguments_min=1,
    arguments_max=1,
)
PATCH: Final = CREATE._replace(
    help="Changes the notes of a namespace.",
    run=_patch,
    flags=(*OUTPUT, METADATA, Flag("remove-custom-metadata", "A note to remove. May be repeated.", kind="strings")),
)
DELETE: Final = Command("[options] PATH", "Deletes a namespace.", _delete, arguments_min=1, arguments_max=1)
LIST: Final = Command(
    "[options]",
    "Lists the namespaces below the one of -namespace.",
    _list,
    flags=(FORMAT, Flag("detailed", "Show every setting.", kind="bool", variable="DETAILED")),
)
LOOKUP: Final = Command(
    "[options] PATH", "Tells about a namespace.", _lookup, flags=(FORMAT,), arguments_min=1, arguments_max=1
)
LOCK: Final = Command(
    "[options] [PATH]", "Closes the API of a namespace and those below it.", _lock, flags=(FORMAT,), arguments_max=1
)
UNLOCK: Final = LOCK._replace(help="Opens the API of a locked namespace again.", run=_unlock)
