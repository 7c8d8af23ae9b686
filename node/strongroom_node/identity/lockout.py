"""User lockout: after too many wrong passwords nobody logs in as that user for a while, right password or not.

The state is in memory and belongs to the active node, where all logins are decided. It is bounded: a flood of made-up
names pushes out the oldest counters, never a lock that is in force, and 50,000 names take longer to hash than the
counting window lasts.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.errors import PermissionDenied
from strongroom_node.sdk.mount import Mount

COUNTERS_MAX: Final = 50_000
LOCKS_MAX: Final = 50_000

User = tuple[str, str]
"""Accessor of the mount, and alias."""


@dataclass(frozen=True, slots=True)
class LockoutRule:
    """How a mount locks out. Durations are seconds."""

    threshold: int = 5
    duration: float = 900.0
    counter_reset: float = 900.0
    disabled: bool = False

    def changed(self, given: Mapping[str, Any]) -> "LockoutRule":
        """The rule with what a configuration gives, under Vault's names; what cannot be read is passed over."""
        return LockoutRule(
            threshold=max(1, int(_seconds(given, "lockout_threshold", self.threshold))),
            duration=_seconds(given, "lockout_duration", self.duration),
            counter_reset=_seconds(given, "lockout_counter_reset_duration", self.counter_reset)
            if "lockout_counter_reset_duration" in given
            else _seconds(given, "lockout_counter_reset", self.counter_reset),
            disabled=_is_true(given.get("lockout_disable", given.get("disable_lockout", self.disabled))),
        )


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords so far, and when the count began (Unix seconds)."""

    count: int
    since: float


def count_failure(rule: LockoutRule, before: Failures | None, now: float) -> Failures:
    """The count after one more failure; an old count begins anew."""
    if before is None or now - before.since >= rule.counter_reset:
        return Failures(1, now)
    return Failures(before.count + 1, before.since)


class Lockout:
    """Counts failures by mount and alias, and refuses the locked ones.

    `now` gives Unix seconds; `server` is the configuration for all mounts, keyed by type or by "all".
    """

    def __init__(self, now: Callable[[], float], server: Mapping[str, Any] | None = None) -> None:
        """Nobody is locked out."""
        self._now = now
        self._server = server or {}
        self._failures: OrderedDict[User, Failures] = OrderedDict()
        self._locked: OrderedDict[User, float] = OrderedDict()

    def rule(self, mount: Mount) -> LockoutRule:
        """What holds for a mount: its own setting over its type's over the server's."""
        rule = LockoutRule()
        for given in (self._server.get("all"), self._server.get(mount.type), mount.config.user_lockout):
            if given:
                rule = rule.changed(given)
        return rule

    def check(self, mount: Mount, alias: str) -> None:
        """Raise PermissionDenied if the user is locked out. To be called before the login is tried."""
        user = (mount.accessor, alias)
        until = self._locked.get(user)
        if until is None:
            return
        if until <= self._now():
            del self._locked[user]
        elif not self.rule(mount).disabled:
            raise PermissionDenied

    def failed(self, mount: Mount, alias: str) -> None:
        """Count a wrong password.

        Raises PermissionDenied if the user was locked out while this login was under way: else whoever sends many
        at once would learn which of them was right.
        """
        self.check(mount, alias)
        rule = self.rule(mount)
        if rule.disabled:
            return
        now, user = self._now(), (mount.accessor, alias)
        failures = count_failure(rule, self._failures.pop(user, None), now)
        if failures.count >= rule.threshold:
            self._lock(user, now + rule.duration, now)
            return
        self._failures[user] = failures
        if len(self._failures) > COUNTERS_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, mount: Mount, alias: str) -> None:
        """Forget what was counted. Raises PermissionDenied as `failed` does."""
        self.check(mount, alias)
        self._failures.pop((mount.accessor, alias), None)

    def unlock(self, accessor: str, alias: str) -> None:
        """Let a user try again."""
        self._locked.pop((accessor, alias), None)
        self._failures.pop((accessor, alias), None)

    def locked(self, now: float) -> dict[str, list[str]]:
        """Locked aliases by mount accessor."""
        found: dict[str, list[str]] = {}
        for (accessor, alias), until in self._locked.items():
            if until > now:
                found.setdefault(accessor, []).append(alias)
        return found

    def forget_mount(self, accessor: str) -> None:
        """Drop what is known of a mount's users."""
        for known in (self._failures, self._locked):
            for user in [user for user in known if user[0] == accessor]:
                del known[user]

    def _lock(self, user: User, until: float, now: float) -> None:
        self._locked[user] = until
        if len(self._locked) > LOCKS_MAX:
            for old in [old for old, end in self._locked.items() if end <= now]:
                del self._locked[old]
        if len(self._locked) > LOCKS_MAX:
            self._locked.popitem(last=False)


def _seconds(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name)
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return default
    try:
        seconds = parse_duration(value)
    except DurationInvalid:
        return default
    return seconds if seconds > 0 else default


def _is_true(value: Any) -> bool:
    return value in (True, "true", "True", "TRUE", "1", "t")
