"""`kv delete`, `undelete`, `destroy`, `rollback` and `enable-versioning`: what is done to versions."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OUTPUT, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.commands.data import deleted, written
from strongroom_node.cli.commands.kv import pre_read
from strongroom_node.cli.commands.kv_path import MOUNT, resolve
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import nothing_found, print_secret
from strongroom_node.client.request import clean_path

VERSIONS: Final = Flag(
    "versions",
    "The versions meant, with commas or the flag repeated.",
    kind="strings",
    section="Common Options",
)


def _versions(context: Context) -> list[str]:
    """The version numbers of every `-versions` flag."""
    numbers = [number.strip() for text in context.flags.many("versions") for number in text.split(",")]
    return [number for number in numbers if number]


def _delete(context: Context) -> int:
    kv = resolve(context)
    versions = _versions(context)
    if kv.version == 2 and versions:
        path = kv.under("delete")
        reply = context.call(f"Error deleting {path}", "PUT", path, {"versions": versions})
    else:
        path = kv.under("data") if kv.version == 2 else kv.plain
        reply = context.call(f"Error deleting {path}", "DELETE", path)
    return deleted(context, reply.secret(), path)


def _undelete(context: Context) -> int:
    return _mark(context, "undelete", "Undelete")


def _destroy(context: Context) -> int:
    return _mark(context, "destroy", "Destroy")


def _mark(context: Context, verb: str, title: str) -> int:
    versions = _versions(context)
    if not versions:
        raise UsageFailed(f'No versions provided, use the "-versions" flag to specify the version to {verb}.')
    kv = resolve(context)
    if kv.version != 2:
        raise UsageFailed(f"{title} not supported on KV Version 1")
    path = kv.under(verb)
    secret = context.call(f"Error writing data to {path}", "PUT", path, {"versions": versions}).secret()
    return written(context, secret, path)


def _rollback(context: Context) -> int:
    version = context.flags.number("version")
    if not context.flags.given("version"):
        raise UsageFailed("Version flag must be specified")
    if version <= 0:
        raise UsageFailed(f'Invalid value "{version}" for the version flag')
    kv = resolve(context)
    if kv.version != 2:
        raise CommandFailed("K/V engine mount must be version 2 for rollback support")
    path = kv.under("data")
    newest = pre_read(context, path)
    metadata = ((newest.data if newest else None) or {}).get("metadata")
    if not isinstance(metadata, dict) or "version" not in metadata:
        return nothing_found(context, path)
    wanted = pre_read(context, path, version)
    body = (wanted.data if wanted else None) or {}
    data, about = body.get("data"), body.get("metadata")
    if isinstance(about, dict) and about.get("destroyed"):
        raise CommandFailed("Cannot roll back to a version that has been destroyed")
    if isinstance(about, dict) and about.get("deletion_time"):
        raise CommandFailed("Cannot roll back to a version that has been deleted")
    if not isinstance(data, dict):
        return nothing_found(context, path)
    write = {"data": data, "options": {"cas": metadata["version"]}}
    secret = context.call(f"Error writing data to {path}", "PUT", path, write).secret()
    return print_secret(context, secret)


def _enable_versioning(context: Context) -> int:
    mount = clean_path(context.arguments[0]) + "/"
    context.call(
        f"Error tuning secrets engine {mount}",
        "POST",
        f"sys/mounts/{mount}tune",
        {"options": {"version": "2"}},
    )
    context.streams.line(f"Success! Tuned the secrets engine at: {mount}")
    return 0


DELETE: Final = Command(
    "[options] PATH",
    """Deletes the newest version of a key, or the versions given. "kv undelete" brings them back.

    $ vault kv delete -mount=secret app
    $ vault kv delete -mount=secret -versions=1,2 app""",
    _delete,
    flags=(*OUTPUT, MOUNT, VERSIONS),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
UNDELETE: Final = Command(
    "[options] KEY",
    """Brings deleted versions of a key back.

    $ vault kv undelete -mount=secret -versions=2 app""",
    _undelete,
    flags=(FORMAT, MOUNT, VERSIONS),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
DESTROY: Final = UNDELETE._replace(
    help="""Removes versions of a key for good.

    $ vault kv destroy -mount=secret -versions=2 app""",
    run=_destroy,
)
ROLLBACK: Final = Command(
    "[options] KEY",
    """Writes an earlier version's data as a new version.

    $ vault kv rollback -mount=secret -version=2 app""",
    _rollback,
    flags=(FORMAT, MOUNT, Flag("version", "The version to go back to.", kind="int", section="Common Options")),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
ENABLE_VERSIONING: Final = Command(
    "[options] MOUNT",
    """Turns a key-value engine without versions into one with versions.

    $ vault kv enable-versioning secret""",
    _enable_versioning,
    flags=(FORMAT,),
    arguments_min=1,
    arguments_max=1,
)
