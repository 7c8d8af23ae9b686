"""Rules with `+`, which stands for exactly one segment of a path (an empty one, too)."""

from collections.abc import Iterable
from typing import TypeAlias

from strongroom_node.policy.permission import Permission

Priority: TypeAlias = tuple[int, bool, int, int, bytes]
"""Greater decides: place of the first wildcard, not ending in `*`, fewer `+`, longer, greater. In UTF-8 bytes."""


class SegmentRule:
    """One pattern such as `kv/+/conf` or `kv/+/team/*`, taken apart once."""

    __slots__ = ("count", "is_prefix", "literals", "parts", "permission", "priority", "tail")

    def __init__(self, path: str, permission: Permission) -> None:
        self.permission = permission
        self.is_prefix = path.endswith("*")
        bare = path[:-1] if self.is_prefix else path
        self.parts = bare.split("/")
        self.count = len(self.parts)
        fixed = self.parts[:-1] if self.is_prefix else self.parts
        self.tail = self.parts[-1] if self.is_prefix else ""
        self.literals = tuple((index, part) for index, part in enumerate(fixed) if part != "+")
        encoded = bare.encode()
        plus = self.parts.count("+")
        self.priority: Priority = (path.encode().find(b"+"), not self.is_prefix, -plus, len(encoded), encoded)

    def matches(self, parts: list[str]) -> bool:
        """Whether a path, split at its slashes, falls under the pattern."""
        if len(parts) != self.count and not (self.is_prefix and len(parts) > self.count):
            return False
        for index, literal in self.literals:
            if parts[index] != literal:
                return False
        return parts[self.count - 1].startswith(self.tail)

    def reaches_below(self, parts: list[str]) -> bool:
        """Whether some path below these segments (a mount's) may fall under the pattern."""
        if self.count < len(parts) or not self.permission.grants:
            return False
        return all(mine in ("+", theirs) for mine, theirs in zip(self.parts, parts, strict=False))


class SegmentRules:
    """All segment rules of an ACL, by their first segment, best first."""

    __slots__ = ("_anywhere", "_by_head")

    def __init__(self, rules: Iterable[SegmentRule]) -> None:
        grouped: dict[str, list[SegmentRule]] = {}
        for rule in sorted(rules, key=lambda rule: rule.priority, reverse=True):
            grouped.setdefault(rule.parts[0], []).append(rule)
        self._anywhere = tuple(grouped.pop("+", ()))
        self._by_head = {head: tuple(found) for head, found in grouped.items()}

    def best(self, path: str) -> SegmentRule | None:
        """The matching rule with the highest priority."""
        here = self._by_head.get(path.partition("/")[0])
        if here is None and not self._anywhere:
            return None
        parts = path.split("/")
        # A literal first segment puts the first `+` later, so those rules come first.
        for rules in (here or (), self._anywhere):
            for rule in rules:
                if rule.matches(parts):
                    return rule
        return None

    def reaches_below(self, prefix: str) -> bool:
        """Whether any rule permits something below a mount's path, given with its final slash."""
        parts = prefix.rstrip("/").split("/")
        groups = (self._anywhere, self._by_head.get(parts[0], ()))
        return any(rule.reaches_below(parts) for group in groups for rule in group)
