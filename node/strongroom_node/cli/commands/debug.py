"""`debug`: asks a server about itself for a while and keeps the answers."""

import json
import os
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from strongroom_node.cli.command import OK, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.client.client import Client
from strongroom_node.client.durations import SECOND
from strongroom_node.client.errors import APIError, ClientError

TARGETS: Final = {
    "config": "sys/config/state/sanitized",
    "host": "sys/host-info",
    "metrics": "sys/metrics",
    "replication-status": "sys/replication/status",
    "server-status": "sys/health",
}


def _run(context: Context) -> int:
    flags = context.flags
    targets = [name for text in flags.many("target") for name in text.split(",")] or list(TARGETS)
    unknown = sorted(set(targets) - set(TARGETS))
    if unknown:
        raise UsageFailed(f"Invalid targets: {', '.join(unknown)}. Valid targets are: {', '.join(TARGETS)}")
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder = Path(flags.text("output") or f"vault-debug-{stamp}")
    is_packed = flags.on("compress")
    packed = folder if folder.name.endswith(".tar.gz") else folder.with_name(folder.name + ".tar.gz")
    folder = folder.with_name(folder.name.removesuffix(".tar.gz"))
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise UsageFailed(f"Error: output already exists: {folder}") from error
    except OSError as error:
        raise UsageFailed(f"Error: {folder}: {(error.strerror or '').lower()}") from error
    interval, duration = flags.number("interval") / SECOND, flags.number("duration") / SECOND
    records = _collect(context.client(), targets, max(interval, 1.0), duration)
    for name, answers in records.items():
        (folder / f"{name.replace('-', '_')}.json").write_text(json.dumps(answers, indent=2), encoding="utf-8")
    if is_packed:
        _pack(folder, packed)
    context.streams.line(f"Success! Bundle written to: {packed if is_packed else folder}")
    return OK


def _collect(
    client: Client, targets: list[str], interval_seconds: float, duration_seconds: float
) -> dict[str, list[object]]:
    records: dict[str, list[object]] = {name: [] for name in targets}
    end = time.monotonic() + duration_seconds
    while True:
        for name in targets:
            records[name].append(_ask(client, TARGETS[name]))
        left = end - time.monotonic()
        if left <= 0:
            return records
        time.sleep(min(interval_seconds, left))


def _ask(client: Client, path: str) -> object:
    now = datetime.now(UTC).isoformat()
    try:
        return {"timestamp": now, "answer": client.call("GET", path).json()}
    except APIError as error:
        return {"timestamp": now, "status": error.status, "errors": list(error.errors)}
    except ClientError as error:
        raise CommandFailed(f"Error capturing {path}: {error}") from error


def _pack(folder: Path, packed: Path) -> None:
    descriptor = os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as bundle, tarfile.open(fileobj=bundle, mode="w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


DEBUG: Final = Command(
    "[options]",
    """Asks a server about its health, configuration and metrics every now and then, and writes the answers to a bundle.

    $ vault debug -duration=10s -interval=2s""",
    _run,
    flags=(
        Flag("compress", "Pack the bundle.", kind="bool", default="true"),
        Flag("duration", "How long to ask.", kind="duration", default="2m"),
        Flag("interval", "How often to ask.", kind="duration", default="30s"),
        Flag("log-format", "Kept for old scripts.", is_hidden=True),
        Flag("metrics-interval", "Kept for old scripts.", kind="duration", is_hidden=True),
        Flag("output", "Where the bundle goes."),
        Flag("target", "What to ask about. May be repeated.", kind="strings", choices=tuple(TARGETS)),
    ),
)
