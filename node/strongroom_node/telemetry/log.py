"""The log: structlog with five levels, one level a logger, to the terminal and to a file."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TextIO

import structlog

from strongroom_node.telemetry.log_file import LogFile, log_path
from strongroom_node.telemetry.log_format import FORMATS, Entry, exception_text

LEVELS: Final[Mapping[str, int]] = {"trace": 0, "debug": 10, "info": 20, "warn": 30, "error": 40}
NAMES: Final = (
    "audit", "core", "expiration", "http", "identity", "policy", "quotas", "seals", "server", "storage", "telemetry",
    "token",
)  # fmt: skip
"""Loggers that are known before they say anything."""

LOGGERS_MAX: Final = 256
_EVENT: Final = "event"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How to log. `file` is empty for none; sizes are bytes, durations seconds, 0 meaning without end."""

    level: str = "info"
    format: str = "standard"
    file: str = ""
    rotate_bytes: int = 0
    rotate_seconds: float = 86_400.0
    rotate_files_max: int = 0


def logger_name(given: str) -> str:
    """The name shown: a module's name is cut to its package, and whatever stores data is `storage`."""
    parts = given.split(".")
    if parts[0] == "strongroom_node" and len(parts) > 1:
        return parts[1]
    if parts[0] in ("strongroom", "strongroom_storage", "strongroom_cluster"):
        return ".".join(("storage", *parts[-1:])) if len(parts) > 1 else "storage"
    return given


class _Named:
    """What structlog hands to its wrapper: the log, under a name."""

    __slots__ = ("log", "name")

    def __init__(self, log: "Log", name: str) -> None:
        self.log, self.name = log, name


class _Logger(structlog.BoundLoggerBase):
    """Decides first whether anybody listens: a message below the level costs a comparison."""

    def trace(self, event: str, **fields: Any) -> None:
        """For those who debug the program."""
        self._say(0, "trace", event, fields)

    def debug(self, event: str, **fields: Any) -> None:
        """For those who debug their use of it."""
        self._say(10, "debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """What happened."""
        self._say(20, "info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """What an operator should look at some day."""
        self._say(30, "warn", event, fields)

    warn = warning

    def error(self, event: str, **fields: Any) -> None:
        """What an operator should look at now."""
        self._say(40, "error", event, fields)

    critical = error

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the exception that is being handled."""
        self._say(40, "error", event, {"exc_info": True, **fields})

    def _say(self, number: int, level: str, event: str, fields: dict[str, Any]) -> None:
        named: _Named = self._logger
        if number >= named.log.number_of(named.name):
            self._proxy_to_logger(level, event, **fields)


class Log:
    """Where every message goes. `install` makes it the one of the process."""

    def __init__(
        self, settings: LogSettings, stream: TextIO | None = None, now: Callable[[], float] = time.time
    ) -> None:
        """Opens the file if there is one; raises OSError. `stream` is standard error unless given."""
        self._stream = sys.stderr if stream is None else stream
        self._now = now
        self._default = settings.level
        self._own: dict[str, str] = {}
        self._names: dict[str, None] = dict.fromkeys(NAMES)
        self._numbers: dict[str, int] = {}
        self._format = FORMATS[settings.format]
        self._taps: list[Callable[[Entry], None]] = []
        self._file: LogFile | None = None
        if settings.file:
            self._file = LogFile(
                log_path(settings.file),
                settings.rotate_bytes,
                settings.rotate_seconds,
                settings.rotate_files_max,
                now,
            )

    # --- levels

    def number_of(self, name: str) -> int:
        """The least severe level of a logger that is written, as a number."""
        found = self._numbers.get(name)
        if found is not None:
            return found
        if len(self._names) < LOGGERS_MAX:
            self._names[name] = None
            self._numbers[name] = LEVELS[self._default]
        return LEVELS[self._own.get(name, self._default)]

    def set_level(self, level: str, name: str = "") -> None:
        """Change one logger, or all; an empty level is the configured one. Unknown names are passed over."""
        if name:
            if name not in self._names:
                return
            self._own.pop(name, None)
            if level:
                self._own[name] = level
        else:
            self._own = dict.fromkeys(self._names, level) if level else {}
        self._numbers = {known: LEVELS[self._own.get(known, self._default)] for known in self._names}

    def configure_level(self, level: str) -> None:
        """A new configured level, for every logger."""
        self._default = level
        self.set_level("")

    def levels(self) -> dict[str, str]:
        """The level of every known logger."""
        return {name: self._own.get(name, self._default) for name in sorted(self._names)}

    # --- writing

    def write(self, level: str, name: str, event: str, fields: Mapping[str, Any]) -> None:
        """Write one message, whatever the levels. Never raises."""
        entry = Entry(self._now(), level, name, event, fields)
        line = self._format(entry)
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            pass
        if self._file is not None:
            self._file.write(line)
        for tap in tuple(self._taps):
            tap(entry)

    def tap(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with every message that is written, until what is returned is called."""
        self._taps.append(listener)
        return lambda: self._taps.remove(listener) if listener in self._taps else None

    def reopen(self) -> None:
        """Open the log file again, after somebody moved it away."""
        if self._file is not None:
            self._file.reopen()

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()

    # --- the process

    def install(self) -> None:
        """Have structlog and the standard library's loggers write here."""
        structlog.configure(
            processors=[_explain, self._finish],
            wrapper_class=_Logger,
            context_class=dict,
            logger_factory=lambda *names: _Named(self, logger_name(names[0] if names else "")),
            cache_logger_on_first_use=False,
        )
        root = logging.getLogger()
        root.handlers[:] = [_Bridge(self)]
        root.setLevel(logging.WARNING)

    def uninstall(self) -> None:
        """Undo `install`."""
        structlog.reset_defaults()
        root = logging.getLogger()
        root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, _Bridge)]

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Log what no task caught, by type and place; asyncio itself would print the exception's text."""

        def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            fields = {} if error is None else {"trace": exception_text(error)}
            self.write("error", "server", "unhandled failure in the event loop", fields)

        loop.set_exception_handler(handle)

    def _finish(self, logger: Any, method: str, fields: structlog.typing.EventDict) -> str:
        named: _Named = logger
        self.write(method, named.name, str(fields.pop(_EVENT, "")), fields)
        raise structlog.DropEvent


def _explain(_logger: Any, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Exceptions to types and places."""
    info = fields.pop("exc_info", None)
    if info:
        error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
        if error is not None:
            fields["trace"] = exception_text(error)
    fields.pop("stack_info", None)
    return fields


class _Bridge(logging.Handler):
    """Messages of libraries, under their first name."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record without its exception's text."""
        level = "error" if record.levelno >= logging.ERROR else "warn" if record.levelno >= logging.WARNING else "info"
        fields: dict[str, Any] = {}
        if record.exc_info and record.exc_info[1] is not None:
            fields["trace"] = exception_text(record.exc_info[1])
        name = record.name.split(".")[0]
        if LEVELS[level] >= self._log.number_of(name):
            self._log.write(level, name, str(record.msg) if fields else record.getMessage(), fields)
