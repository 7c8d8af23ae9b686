"""Compiled policies: whether a caller may do something.

A pure value: built once from policies, asked many times. Which rule decides:

1. the rule whose path is the request's path; for LIST and SCAN also the one without the final slash;
2. else, of the longest matching prefix (`x*`) and all matching segment rules (`a/+/b`), the one with the
   highest priority: first wildcard later, then not ending in `*`, then fewer `+`, then longer, then
   lexicographically greater;
3. for LIST and SCAN, step 2 again without the final slash.

That rule decides alone; rules of the same pattern in several policies were merged before (deny wins).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any, Final

from strongroom_node.policy.capability import capability_names
from strongroom_node.policy.permission import Decision, Permission
from strongroom_node.policy.rules import Policy, Shape, shape_of
from strongroom_node.policy.segments import SegmentRule, SegmentRules
from strongroom_node.sdk.request import LISTS, Operation

ROOT_POLICY: Final = "root"

_ROOT: Final = Decision(allowed=True, is_root=True, sudo=True, granting_policies=(ROOT_POLICY,))
_HELP: Final = Decision(allowed=True)
_REFUSED: Final = Decision(allowed=False)
_NO_DATA: Final[dict[str, Any]] = {}


class ACL:
    """What one list of policies permits. Make it with `compile_policies`."""

    __slots__ = ("_chain", "_exact", "_exact_paths", "_permissions", "_prefixes", "_segments", "expires", "is_root")

    def __init__(
        self,
        exact: dict[str, Permission],
        prefixes: dict[str, Permission],
        segments: dict[str, Permission],
        *,
        is_root: bool = False,
        expires: float = 0.0,
    ) -> None:
        self.is_root = is_root
        self.expires: float = expires
        """Unix seconds at which a rule ends and this value must be built anew; 0 for never."""
        self._exact = exact
        self._exact_paths = sorted(exact)
        self._prefixes = sorted(prefixes)
        self._permissions = [prefixes[path] for path in self._prefixes]
        self._chain = _enclosing(self._prefixes)
        self._segments = SegmentRules([SegmentRule(path, permission) for path, permission in segments.items()])

    def check(
        self,
        operation: Operation,
        path: str,
        data: dict[str, Any] | None = None,
        wrap_ttl: float = 0.0,
        has_wrap: bool = False,
    ) -> Decision:
        """Decide one request. `path` is the whole path below /v1/; `wrap_ttl` is seconds.

        `data` is the undeclared body or query as it was sent. A path that needs root privileges must be
        refused by the caller unless `sudo` is set.
        """
        if self.is_root:
            return _ROOT
        permission = self._exact.get(path)
        if permission is None:
            permission = self._find(operation, path)
            if permission is None:
                return _HELP if operation is Operation.HELP else _REFUSED
        decision = permission.decisions.get(operation)
        if decision is not None:
            return decision
        if operation is Operation.HELP:
            return _HELP
        return permission.check(operation, _NO_DATA if data is None else data, wrap_ttl, has_wrap)

    def _find(self, operation: Operation, path: str) -> Permission | None:
        """Everything but the quick exact match."""
        if path.startswith("/"):
            path = path.lstrip("/")
            if path in self._exact:
                return self._exact[path]
        if operation not in LISTS or not path.endswith("/"):
            return self._find_wild(path)
        bare = path[:-1]
        return self._exact.get(bare) or self._find_wild(path) or self._find_wild(bare)

    def _find_wild(self, path: str) -> Permission | None:
        index = self._longest_prefix(path)
        segment = self._segments.best(path)
        if segment is None:
            return None if index < 0 else self._permissions[index]
        if index < 0:
            return segment.permission
        prefix = self._prefixes[index].encode()
        wins = (len(prefix), False, 0, len(prefix), prefix) > segment.priority
        return self._permissions[index] if wins else segment.permission

    def _longest_prefix(self, path: str) -> int:
        """Index of the longest prefix of the path, -1 if there is none.

        It is the last entry that sorts before the path, or an entry that this one begins with.
        """
        index = bisect_right(self._prefixes, path) - 1
        while index >= 0 and not path.startswith(self._prefixes[index]):
            index = self._chain[index]
        return index

    def capabilities(self, path: str) -> list[str]:
        """Sorted capabilities on a path as sys/capabilities tells them: `["root"]`, `["deny"]` or names."""
        if self.is_root:
            return ["root"]
        permission = self._exact.get(path) or self._find(Operation.LIST, path)
        return list(capability_names(0 if permission is None else permission.bits))

    def has_mount_access(self, prefix: str) -> bool:
        """Whether anything at or below a mount's path (with its final slash) is permitted."""
        if self.is_root or self.capabilities(prefix) != ["deny"]:
            return True
        # An exact rule on the mount itself decides there alone, but not for what lies below.
        wild = self._find_wild(prefix)
        if wild is not None and wild.grants:
            return True
        if any(self._exact[path].grants for path in _starting_with(self._exact_paths, prefix)):
            return True
        start = bisect_left(self._prefixes, prefix)
        below = len(_starting_with(self._prefixes, prefix))
        if any(permission.grants for permission in self._permissions[start : start + below]):
            return True
        return self._segments.reaches_below(prefix)

    def resultant(self) -> dict[str, Any]:
        """The data of sys/internal/ui/resultant-acl; segment rules are not part of it, as in Vault."""
        if self.is_root:
            return {"root": True}
        exact = {path: self._exact[path].shown() for path in self._exact_paths}
        globs = {path: found.shown() for path, found in zip(self._prefixes, self._permissions, strict=True)}
        return {"root": False, "exact_paths": exact, "glob_paths": globs}


def compile_policies(policies: Iterable[Policy], now: float = 0.0) -> ACL:
    """Merge policies, whose templates are filled in, to what they permit at `now` (Unix seconds).

    `root` counts only alone; beside others it gives nothing.
    """
    given = tuple(policies)
    if len(given) == 1 and given[0].name == ROOT_POLICY:
        return ACL({}, {}, {}, is_root=True)
    tables: dict[Shape, dict[str, Permission]] = {shape: {} for shape in Shape}
    expires = 0.0
    for policy in given:
        for rule in policy.rules:
            if rule.expires:
                if now >= rule.expires:
                    continue
                expires = min(expires, rule.expires) if expires else rule.expires
            shape, path = shape_of(rule.path)
            tables[shape].setdefault(path, Permission()).merge(rule, policy.name)
    return ACL(tables[Shape.EXACT], tables[Shape.PREFIX], tables[Shape.SEGMENTS], expires=expires)


def _enclosing(ordered: list[str]) -> list[int]:
    """For each entry of a sorted list, the index of the longest other entry it begins with; -1 for none."""
    chain: list[int] = []
    open_: list[int] = []
    for index, path in enumerate(ordered):
        while open_ and not path.startswith(ordered[open_[-1]]):
            open_.pop()
        chain.append(open_[-1] if open_ else -1)
        open_.append(index)
    return chain


def _starting_with(ordered: list[str], prefix: str) -> list[str]:
    start = bisect_left(ordered, prefix)
    end = bisect_right(ordered, prefix, lo=start, key=lambda path: path[: len(prefix)])
    return ordered[start:end]
