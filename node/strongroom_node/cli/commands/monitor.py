"""`monitor`: the server's log as it is written."""

from typing import Final

from strongroom_node.cli.command import OK, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import ClientError

LEVELS: Final = ("trace", "debug", "info", "warn", "error")
FORMATS: Final = ("standard", "json")


def _run(context: Context) -> int:
    level, style = context.flags.text("log-level").lower(), context.flags.text("log-format").lower()
    if level not in LEVELS:
        raise UsageFailed(f"{level} is an unknown log level. Valid log levels are: [{' '.join(LEVELS)}]")
    if style not in FORMATS:
        raise UsageFailed(f"{style} is an unknown log format. Valid log formats are: [{' '.join(FORMATS)}]")
    try:
        with context.client().open("GET", "sys/monitor", query={"log_level": level, "log_format": style}) as response:
            for line in response:
                context.streams.stdout.write(line.decode("utf-8", "replace"))
                context.streams.stdout.flush()
    except DryRun:
        raise
    except (ClientError, OSError) as error:
        raise CommandFailed(f"Error starting monitor: {error}") from error
    return OK


MONITOR: Final = Command(
    "[options]",
    "Prints the server's log as it is written, until interrupted.",
    _run,
    flags=(
        Flag("log-format", "How the log is written.", default="standard", choices=FORMATS),
        Flag("log-level", "The least severe messages to show.", default="info", choices=LEVELS),
    ),
)
