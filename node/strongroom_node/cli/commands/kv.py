"""`kv get`, `kv put`, `kv patch` and `kv list`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, MANY, OK, OUTPUT, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.commands.data import print_listing, written
from strongroom_node.cli.commands.kv_path import MOUNT, KVPath, resolve
from strongroom_node.cli.context import Context
from strongroom_node.cli.data_input import parse_data
from strongroom_node.cli.output import (
    nothing_found,
    print_field,
    print_secret,
    print_value,
    print_warnings,
)
from strongroom_node.cli.plain import human_seconds, is_duration_name, plain
from strongroom_node.cli.table import banner, key_value, map_banner
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import APIError, ClientError
from strongroom_node.client.secret import Body, Secret

_SECTION: Final = "Common Options"


def print_block(context: Context, title: str, data: Body) -> None:
    """A titled table of a map."""
    context.streams.line(map_banner(title, data))
    rows = [(key, human_seconds(data[key]) if is_duration_name(key) else plain(data[key])) for key in sorted(data)]
    context.streams.line(key_value(rows))


def print_path(context: Context, title: str, path: str) -> None:
    """A titled path and an empty line."""
    context.streams.line(banner(title, len(path)))
    context.streams.line(path)
    context.streams.line()


def _get(context: Context) -> int:
    kv = resolve(context)
    version = context.flags.number("version")
    is_versioned = kv.version == 2
    path = kv.under("data") if is_versioned else kv.plain
    query: dict[str, str | list[str]] = {"version": str(version)} if is_versioned and version > 0 else {}
    secret = context.call(f"Error reading {path}", "GET", path, query=query, not_found_ok=True).secret()
    if secret is None or (secret.data is None and secret.wrap_info is None):
        print_warnings(context, secret.warnings if secret is not None else None)
        return nothing_found(context, path)
    if secret.wrap_info is not None:
        return print_secret(context, secret)
    if not is_versioned:
        return _print_unversioned(context, secret)
    return _print_versioned(context, path, secret)


def _print_unversioned(context: Context, secret: Secret) -> int:
    if context.flags.text("field") or context.format != "table":
        return print_secret(context, secret)
    print_warnings(context, secret.warnings)
    print_block(context, "Data", secret.data or {})
    return OK


def _print_versioned(context: Context, path: str, secret: Secret) -> int:
    body = secret.data or {}
    data = body.get("data")
    if context.flags.text("field"):
        return print_field(context, data.get(context.flags.text("field")) if isinstance(data, dict) else None)
    if context.format != "table":
        return print_value(context, secret.envelope())
    print_warnings(context, secret.warnings)
    print_path(context, "Secret Path", path)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        print_block(context, "Metadata", metadata)
        context.streams.line()
    if isinstance(data, dict):
        print_block(context, "Data", data)
    return OK


def _put(context: Context) -> int:
    if len(context.arguments) == 1:
        raise UsageFailed("Must supply data")
    data = parse_data(context.arguments[1:], context.streams)
    kv = resolve(context)
    if kv.version != 2:
        return written(
            context, context.call(f"Error writing data to {kv.plain}", "PUT", kv.plain, data).secret(), kv.plain
        )
    options: Body = {}
    if context.flags.number("cas") > -1:
        options["cas"] = context.flags.number("cas")
    return _write_version(context, kv, {"data": data, "options": options})


def _write_version(context: Context, kv: KVPath, body: Body) -> int:
    path = kv.under("data")
    return print_version(context, path, context.call(f"Error writing data to {path}", "PUT", path, body).secret())


def print_version(context: Context, path: str, secret: Secret | None) -> int:
    """Print what writing a version answered: its path and its metadata."""
    if secret is None:
        return written(context, None, path)
    is_plain = context.format == "table" and not context.flags.text("field") and secret.wrap_info is None
    if not is_plain:
        return print_secret(context, secret)
    print_warnings(context, secret.warnings)
    print_path(context, "Secret Path", path)
    print_block(context, "Metadata", secret.data or {})
    return OK


def _patch(context: Context) -> int:
    removals = context.flags.many("remove-data")
    if len(context.arguments) == 1 and not removals:
        raise UsageFailed("Must supply data")
    data = parse_data(context.arguments[1:], context.streams)
    data.update(dict.fromkeys(removals))
    kv = resolve(context)
    if kv.version != 2:
        raise CommandFailed("K/V engine mount must be version 2 for patch support")
    method = context.flags.text("method")
    if method not in {"", "patch", "rw"}:
        raise CommandFailed(f"Unsupported method provided to -method flag: {method}")
    if method == "rw":
        return _read_then_write(context, kv, data)
    return _merge(context, kv, data, is_only=method == "patch")


def _merge(context: Context, kv: KVPath, data: Body, *, is_only: bool) -> int:
    """An HTTP PATCH; where policy or server does not allow it, read and write instead unless told not to."""
    path = kv.under("data")
    options = {"cas": context.flags.number("cas")} if context.flags.number("cas") > 0 else {}
    try:
        client = context.client()
        reply = client.call("PATCH", path, {"data": data, "options": options})
    except DryRun:
        raise
    except APIError as error:
        if not is_only and error.status in {403, 405}:
            return _read_then_write(context, kv, data)
        if error.status == 404 and not any(error.errors):
            return nothing_found(context, path)
        raise CommandFailed(f"Error writing data to {path}: {error}") from error
    except ClientError as error:
        raise CommandFailed(f"Error writing data to {path}: {error}") from error
    return print_version(context, path, reply.secret())


def pre_read(context: Context, path: str, version: int = 0) -> Secret | None:
    """A version's data and metadata, read to make a write from them; None for a key that is not there."""
    client = context.client()
    query: dict[str, str | list[str]] = {"version": str(version)} if version else {}
    return context.attempt(
        f"Error doing pre-read at {path}",
        lambda: client.call("GET", path, query=query, is_certain=True, is_wrapped=False, not_found_ok=True),
    ).secret()


def _read_then_write(context: Context, kv: KVPath, data: Body) -> int:
    path = kv.under("data")
    secret = pre_read(context, path)
    body = (secret.data if secret is not None else None) or {}
    current, metadata = body.get("data"), body.get("metadata")
    if not isinstance(current, dict) or not isinstance(metadata, dict):
        return nothing_found(context, path)
    merged: dict[str, Any] = {key: value for key, value in {**current, **data}.items() if value is not None}
    cas = context.flags.number("cas")
    return _write_version(
        context, kv, {"data": merged, "options": {"cas": cas if cas > 0 else metadata.get("version")}}
    )


def _list(context: Context) -> int:
    if not context.arguments:
        if not context.flags.text("mount"):
            raise UsageFailed("Not enough arguments (expected 1, got 0)")
        context = context._replace(arguments=[""])
    kv = resolve(context)
    return print_listing(context, kv.under("metadata") if kv.version == 2 else kv.plain, {"list": "true"})


GET: Final = Command(
    "[options] KEY",
    """Reads a key's value, of its newest version unless told otherwise.

    $ vault kv get -mount=secret app
    $ vault kv get -mount=secret -version=2 app""",
    _get,
    flags=(*OUTPUT, MOUNT, Flag("version", "The version to read.", kind="int", section=_SECTION)),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
PUT: Final = Command(
    "[options] KEY [DATA]",
    """Writes a key's value, as a new version where the engine keeps versions.

    $ vault kv put -mount=secret app user=ann password=@password.txt
    $ cat app.json | vault kv put -mount=secret app -""",
    _put,
    flags=(
        *OUTPUT,
        Flag(
            "cas",
            "Write only if this is the newest version; 0 for a key that must not exist yet.",
            kind="int",
            default="-1",
            section=_SECTION,
        ),
        MOUNT,
    ),
    arguments_min=1,
    arguments_max=MANY,
    needs_data=True,
    completes="paths",
)
PATCH: Final = Command(
    "[options] KEY [DATA]",
    """Changes the named fields of a key's value and keeps the others. Needs a versioned engine.

    $ vault kv patch -mount=secret app password=new
    $ vault kv patch -mount=secret -remove-data=user app""",
    _patch,
    flags=(
        *OUTPUT,
        Flag("cas", "Write only if this is the newest version.", kind="int", section=_SECTION),
        Flag(
            "method",
            '"patch" for an HTTP PATCH, "rw" to read, merge here and write. Without it, "patch" and then "rw".',
            choices=("patch", "rw"),
            section=_SECTION,
        ),
        MOUNT,
        Flag("remove-data", "A field to remove. May be repeated.", kind="strings", section=_SECTION),
    ),
    arguments_min=1,
    arguments_max=MANY,
    needs_data=True,
    completes="paths",
)
LIST: Final = Command(
    "[options] PATH",
    """Lists the keys in a folder.

    $ vault kv list -mount=secret apps/""",
    _list,
    flags=(FORMAT, MOUNT),
    arguments_max=1,
    completes="paths",
)
