"""`kv metadata`: what a versioned engine knows about a key."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.commands.data import deleted, written
from strongroom_node.cli.commands.kv import print_block, print_path
from strongroom_node.cli.commands.kv_path import MOUNT, KVPath, resolve
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import nothing_found, print_secret, print_value, print_warnings
from strongroom_node.client.client import DryRun
from strongroom_node.client.durations import format_duration
from strongroom_node.client.errors import APIError, ClientError
from strongroom_node.client.secret import Body

_SECTION: Final = "Common Options"
SETTINGS: Final = (
    Flag("cas-required", "Whether every write must carry the version it replaces.", kind="*bool", section=_SECTION),
    Flag("custom-metadata", "A key=value note about the key. May be repeated.", kind="key=value", section=_SECTION),
    Flag("delete-version-after", "How long a version lives before it is deleted.", kind="duration", section=_SECTION),
    Flag("max-versions", "How many versions to keep.", kind="int", section=_SECTION),
)


def _versioned(context: Context) -> KVPath:
    kv = resolve(context)
    if kv.version != 2:
        raise UsageFailed("Metadata not supported on KV Version 1")
    return kv


def _get(context: Context) -> int:
    path = _versioned(context).under("metadata")
    secret = context.call(f"Error reading {path}", "GET", path, not_found_ok=True).secret()
    if secret is None or (secret.data is None and secret.wrap_info is None):
        return nothing_found(context, path)
    if secret.wrap_info is not None:
        return print_secret(context, secret)
    if context.format != "table":
        return print_value(context, secret.envelope())
    print_warnings(context, secret.warnings)
    data = dict(secret.data or {})
    versions = data.pop("versions", None)
    print_path(context, "Metadata Path", path)
    print_block(context, "Metadata", data)
    numbers = versions if isinstance(versions, dict) else {}
    for number in sorted(numbers, key=lambda text: (len(text), text)):
        context.streams.line()
        print_block(context, f"Version {number}", numbers[number])
    return OK


def _settings(context: Context) -> Body:
    flags = context.flags
    body: Body = {}
    if flags.given("cas-required"):
        body["cas_required"] = flags.on("cas-required")
    if flags.given("custom-metadata"):
        body["custom_metadata"] = flags.pairs("custom-metadata")
    if flags.given("delete-version-after"):
        body["delete_version_after"] = format_duration(flags.number("delete-version-after"))
    if flags.given("max-versions"):
        body["max_versions"] = flags.number("max-versions")
    return body


def _put(context: Context) -> int:
    path = _versioned(context).under("metadata")
    secret = context.call(f"Error writing data to {path}", "PUT", path, _settings(context)).secret()
    return written(context, secret, path)


def _patch(context: Context) -> int:
    path = _versioned(context).under("metadata")
    body = _settings(context)
    removals = context.flags.many("remove-custom-metadata")
    if removals:
        body["custom_metadata"] = {**body.get("custom_metadata", {}), **dict.fromkeys(removals)}
    try:
        reply = context.client().call("PATCH", path, body)
    except DryRun:
        raise
    except APIError as error:
        if error.status == 404 and not any(error.errors):
            return nothing_found(context, path)
        raise CommandFailed(f"Error writing data to {path}: {error}") from error
    except ClientError as error:
        raise CommandFailed(f"Error writing data to {path}: {error}") from error
    return written(context, reply.secret(), path)


def _delete(context: Context) -> int:
    path = _versioned(context).under("metadata")
    return deleted(context, context.call(f"Error deleting {path}", "DELETE", path).secret(), path)


GET: Final = Command(
    "[options] KEY",
    """Prints a key's metadata and that of each version.

    $ vault kv metadata get -mount=secret app""",
    _get,
    flags=(FORMAT, MOUNT),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
PUT: Final = Command(
    "[options] KEY",
    """Sets a key's limits and notes; makes an empty key where there is none.

    $ vault kv metadata put -mount=secret -max-versions=5 -custom-metadata=owner=ann app""",
    _put,
    flags=(FORMAT, *SETTINGS, MOUNT),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
PATCH: Final = Command(
    "[options] KEY",
    """Changes the given settings of a key and keeps the others.

    $ vault kv metadata patch -mount=secret -remove-custom-metadata=owner app""",
    _patch,
    flags=(
        FORMAT,
        *SETTINGS,
        MOUNT,
        Flag("remove-custom-metadata", "A note to remove. May be repeated.", kind="strings", section=_SECTION),
    ),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
DELETE: Final = Command(
    "[options] PATH",
    """Deletes a key with all its versions and its metadata.

    $ vault kv metadata delete -mount=secret app""",
    _delete,
    flags=(MOUNT,),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
