"""Path declarations, and finding the one that a request means."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom_node.sdk.fields import Field, Text
from strongroom_node.sdk.request import LISTS, Operation, Request
from strongroom_node.sdk.response import Response

Handler = Callable[[Any, Request], Awaitable[Response | None]]
Exists = Callable[[Any, Request], bool]

_PLACEHOLDER = re.compile(r"\{(\w+)([+*]?)\}")
_SEGMENT = r"(?P<{0}>[^/]+)"
_REST = r"(?P<{0}>.+)"
_REST_OR_NOTHING = r"(?P<{0}>.*)"


@dataclass(frozen=True, slots=True)
class Path:
    """One pattern below a mount, with what may be done there.

    `{name}` stands for one segment, `{name+}` for the rest of the path with slashes, `{name*}` also for nothing.
    `create` defaults to `update`. `exists` (synchronous, over storage) tells create from update; without it every
    write is an update. `unauthenticated` needs no token; `sudo` needs the sudo capability as well; where only some
    operations do, declare the pattern twice. `arbitrary` paths take any fields (KV v1). `forward` is False for what
    each node answers for itself.
    """

    pattern: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    read: Handler | None = None
    update: Handler | None = None
    create: Handler | None = None
    patch: Handler | None = None
    delete: Handler | None = None
    list: Handler | None = None
    scan: Handler | None = None
    exists: Exists | None = None
    unauthenticated: bool = False
    sudo: bool = False
    arbitrary: bool = False
    forward: bool = True
    help: str = ""
    description: str = ""

    def handler(self, operation: Operation) -> Handler | None:
        """The function for an operation, if there is one."""
        if operation is Operation.CREATE:
            return self.create or self.update
        found: Handler | None = getattr(self, operation.value, None)
        return found

    @property
    def captures(self) -> tuple[str, ...]:
        """Names of the fields that the URL fills."""
        return tuple(match[1] for match in _PLACEHOLDER.finditer(self.pattern))

    @property
    def all_fields(self) -> dict[str, Field]:
        """The declared fields, with a plain text for every capture that declares none."""
        return {**{name: Text() for name in self.captures if name not in self.fields}, **self.fields}

    def expression(self) -> re.Pattern[str]:
        """The pattern as a regular expression over the path below the mount, without a trailing slash."""
        parts, at = [], 0
        for match in _PLACEHOLDER.finditer(self.pattern):
            parts.append(re.escape(self.pattern[at : match.start()]))
            form = {"": _SEGMENT, "+": _REST, "*": _REST_OR_NOTHING}[match[2]]
            parts.append(form.format(match[1]))
            at = match.end()
        parts.append(re.escape(self.pattern[at:]))
        return re.compile("".join(parts), re.DOTALL)


class PathTable:
    """The declared paths of one engine, ready to be matched in order."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        """Sort the patterns by their first literal segment, keeping their order."""
        self.paths = paths
        self._by_head: dict[str, list[tuple[re.Pattern[str], Path]]] = {}
        self._any: list[tuple[int, re.Pattern[str], Path]] = []
        order: dict[str, list[tuple[int, re.Pattern[str], Path]]] = {}
        for number, path in enumerate(paths):
            head = path.pattern.split("/", 1)[0]
            entry = (number, path.expression(), path)
            if "{" in head:
                self._any.append(entry)
            else:
                order.setdefault(head, []).append(entry)
        for head, entries in order.items():
            self._by_head[head] = [(e, p) for _, e, p in sorted([*entries, *self._any], key=lambda item: item[0])]
        self._rest = [(e, p) for _, e, p in self._any]

    def match(self, relative: str, operation: Operation) -> tuple[Path, dict[str, str]] | None:
        """The first declared path that fits, with what the URL captured.

        A trailing slash is dropped for LIST and SCAN. A pattern that fits but lacks the operation is kept as second
        best,
        so that a later pattern with the operation wins.
        """
        if relative.endswith("/") and operation in LISTS:
            relative = relative[:-1]
        head = relative.split("/", 1)[0]
        second: tuple[Path, dict[str, str]] | None = None
        for expression, path in self._by_head.get(head, self._rest):
            found = expression.fullmatch(relative)
            if found is None:
                continue
            if operation is Operation.HELP or path.handler(operation) is not None:
                return path, found.groupdict()
            second = second or (path, found.groupdict())
        return second
