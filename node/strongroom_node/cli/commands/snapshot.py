"""`operator raft snapshot save` and `restore`."""

import contextlib
import os
import shutil
from typing import Final

from strongroom_node.cli.command import FORMAT, MANY, OK, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import ClientError

CHUNK_BYTES: Final = 1024 * 1024


def _path(context: Context) -> str:
    if len(context.arguments) != 1:
        raise UsageFailed(f"Incorrect arguments (expected 1, got {len(context.arguments)})")
    path = context.arguments[0].strip()
    if not path:
        raise UsageFailed("Output file name is required")
    return path


def _save(context: Context) -> int:
    """Stream the snapshot beside its place and move it there once it is whole: half a backup is none."""
    path = _path(context)
    partial = f"{path}.incomplete"
    try:
        with context.client().open("GET", "sys/storage/raft/snapshot") as response:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)  # noqa: PTH108
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(response, file, CHUNK_BYTES)
                file.flush()
                os.fsync(file.fileno())
            expected = response.headers.get("Content-Length")
            if expected is not None and os.path.getsize(partial) != int(expected):  # noqa: PTH202
                raise CommandFailed("Error taking the snapshot: incomplete snapshot, unable to read complete file")
        os.replace(partial, path)  # noqa: PTH105
    except DryRun:
        raise
    except (ClientError, OSError, ValueError) as error:
        raise CommandFailed(f"Error taking the snapshot: {error}") from error
    return OK


def _restore(context: Context) -> int:
    path = _path(context)
    suffix = "snapshot-force" if context.flags.on("force") else "snapshot"
    try:
        with open(path, "rb") as file, context.client().open("PUT", f"sys/storage/raft/{suffix}", file) as response:  # noqa: PTH123
            response.read(CHUNK_BYTES)
    except DryRun:
        raise
    except OSError as error:
        raise CommandFailed(f"Error opening snapshot file: open {path}: {(error.strerror or '').lower()}") from error
    except ClientError as error:
        raise CommandFailed(f"Error installing the snapshot: {error}") from error
    return OK


SAVE: Final = Command(
    "[options] FILE",
    """Saves everything in storage, encrypted as it is there, to a file.

    $ vault operator raft snapshot save backup.snap""",
    _save,
    flags=(FORMAT,),
    arguments_max=MANY,
    completes="files",
)
RESTORE: Final = Command(
    "[options] FILE",
    """Puts a snapshot back in the place of everything in storage.

    $ vault operator raft snapshot restore backup.snap""",
    _restore,
    flags=(
        FORMAT,
        Flag("force", "Even if it was made with other unseal keys.", kind="bool", aliases=("f",)),
    ),
    arguments_max=MANY,
    completes="files",
)
