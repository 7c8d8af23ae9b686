"""Finds the mount and the version of the key-value engine behind a path."""

from typing import Final, NamedTuple

from strongroom_node.cli.command import CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import APIError, ClientError
from strongroom_node.client.request import clean_path

MOUNT: Final = Flag(
    "mount",
    "Where the engine is mounted; the argument is then the key's name. Without it the argument is both, mount first.",
    section="Common Options",
)


class KVPath(NamedTuple):
    """A key: its mount (no slash at the end), its name in the mount, and the engine's version."""

    mount: str
    key: str
    version: int

    @property
    def plain(self) -> str:
        """Mount and key, as version 1 has them."""
        return f"{self.mount}/{self.key}" if self.key else self.mount

    def under(self, prefix: str) -> str:
        """The API path below one of version 2's prefixes (`data`, `metadata`, `delete` ...)."""
        return f"{self.mount}/{prefix}/{self.key}" if self.key else f"{self.mount}/{prefix}"


def resolve(context: Context) -> KVPath:
    """The path the first argument means. Raises CommandFailed, UsageFailed."""
    argument = clean_path(context.arguments[0])
    given = clean_path(context.flags.text("mount")) if context.flags.has("mount") else ""
    if given:
        mount, version = mount_of(context, given)
        return KVPath(mount or given, argument, version)
    if not argument:
        raise UsageFailed("The path is empty")
    mount, version = mount_of(context, argument)
    if not mount or not f"{argument}/".startswith(f"{mount}/"):
        mount = argument.partition("/")[0]
    key = argument[len(mount) :].strip("/")
    return KVPath(mount, key, version)


def mount_of(context: Context, path: str) -> tuple[str, int]:
    """The mount a path lies in and its version, 1 when the server cannot tell (404, or it is too old).

    Raises CommandFailed when the server refuses or cannot be reached.
    """
    try:
        client = context.client()
        data = client.call(
            "GET",
            f"sys/internal/ui/mounts/{path}",
            is_certain=True,
            is_wrapped=False,
        ).data()
    except DryRun:
        raise
    except APIError as error:
        if error.status == 404:
            return "", 1
        raise CommandFailed(str(error)) from error
    except ClientError as error:
        raise CommandFailed(str(error)) from error
    options = data.get("options")
    version = options.get("version") if isinstance(options, dict) else None
    mount = data.get("path")
    return clean_path(mount) if isinstance(mount, str) else "", 2 if str(version) == "2" else 1
