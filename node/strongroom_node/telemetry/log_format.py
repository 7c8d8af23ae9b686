"""One log line, as text or as JSON. Pure.

Lines never break: whatever a client put into a value stays inside its quotes. Exceptions are shown by type and by
where they were raised, without their messages and without local variables: both may hold keys.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final

VALUE_CHARACTERS_MAX: Final = 2048
FRAMES_MAX: Final = 12
_CAUSES_MAX: Final = 4

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:+@%,*~\[\]{}<>()^$!?&;-]+\Z")
_TOKEN: Final = re.compile(r"\b(hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}")
"""Vault's tokens, new and old. None belongs in a log; this is the last line of defence."""

LABELS: Final[Mapping[str, str]] = {
    "trace": "[TRACE]",
    "debug": "[DEBUG]",
    "info": "[INFO] ",
    "warn": "[WARN] ",
    "error": "[ERROR]",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is logged. `at` is Unix seconds; `level` one of the five names."""

    at: float
    level: str
    name: str
    event: str
    fields: Mapping[str, Any]


def standard_line(entry: Entry) -> str:
    """`TIME [LEVEL] name: event: key=value`, with a line break."""
    moment = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name = f" {_shown(entry.name)}:" if entry.name else ""
    event = _one_line(_text(entry.event))
    fields = " ".join(f"{_shown(key)}={_shown(value)}" for key, value in entry.fields.items())
    return f"{moment} {LABELS[entry.level]}{name} {event}{': ' if fields else ''}{fields}\n"


def json_line(entry: Entry) -> str:
    """One JSON object with `@level`, `@message`, `@module` and `@timestamp`, with a line break."""
    moment = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    made: dict[str, Any] = {"@level": entry.level, "@message": _text(entry.event), "@timestamp": moment}
    if entry.name:
        made["@module"] = entry.name
    for key, value in entry.fields.items():
        made[key if not key.startswith("@") else f"_{key[1:]}"] = _json_value(value)
    return json.dumps(made, separators=(",", ":"), sort_keys=True) + "\n"


FORMATS: Final[Mapping[str, Callable[[Entry], str]]] = {"standard": standard_line, "json": json_line}


def exception_text(error: BaseException) -> str:
    """Types and places of an exception and its causes: `KeyError at store.py:12 get < pipeline.py:40 handle`."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < _CAUSES_MAX:
        parts.append(f"{type(seen).__name__}{_places(seen.__traceback__)}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " from ".join(parts)


def _places(traceback: TracebackType | None) -> str:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{PurePath(code.co_filename).name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return f" at {' < '.join(reversed(frames[-FRAMES_MAX:]))}" if frames else ""


def _text(value: Any) -> str:
    """A value as text of bounded length, without anything that looks like a token. Bytes are counted, not shown."""
    if isinstance(value, BaseException):
        return exception_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    text = value if isinstance(value, str) else repr(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        text = text[:VALUE_CHARACTERS_MAX] + "..."
    return _TOKEN.sub(r"\1.<hidden>", text)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = _text(value)
    return text if _PLAIN.match(text) else json.dumps(text)


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else repr(value)
    return _text(value)
