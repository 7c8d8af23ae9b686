"""Every metric of a node, under Vault's names, and the few calls that feed them."""

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Raw, Response
from strongroom_node.telemetry.exposition import Family, Point, flat_name, json_summary, prometheus_text
from strongroom_node.telemetry.series import Counter, Labels, Many, Summary

PROMETHEUS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_MILLISECONDS: Final = 1000.0
_OPEN_METRICS: Final = "application/openmetrics-text"


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric. `name` lacks the prefix; `{}` stands for parts that come from the mount table."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


DECLARED: Final = (
    Declared("barrier.estimated_encryptions", "counter", "Encryptions under the active key term", ("term",)),
    Declared("core.active", "gauge", "1 on the active node", ("cluster",)),
    Declared("core.handle_login_request", "summary", "Milliseconds a login takes"),
    Declared("core.handle_request", "summary", "Milliseconds a request takes that is no login"),
    Declared("core.in_flight_requests", "gauge", "Requests being handled", ("cluster",)),
    Declared("core.locked_users", "gauge", "Users locked out after failed logins"),
    Declared("core.mount_table.num_entries", "gauge", "Entries of the mount tables", ("cluster", "local", "type")),
    Declared("core.unsealed", "gauge", "1 while the barrier is open", ("cluster",)),
    Declared("expire.leases.by_expiration", "gauge", "Leases by the hour of their end", ("expiring",)),
    Declared("expire.num_irrevocable_leases", "gauge", "Leases whose revocation was given up"),
    Declared("expire.num_leases", "gauge", "Leases"),
    Declared("identity.num_entities", "gauge", "Entities", ("cluster",)),
    Declared("raft_storage.stats.applied_index", "gauge", "Index of the last change applied"),
    Declared("route.{operation}.{mount}", "summary", "Milliseconds a request takes, by operation and mount"),
    Declared("runtime.alloc_bytes", "gauge", "Resident memory of the process"),
    Declared("runtime.num_goroutines", "gauge", "Tasks of the event loop and threads"),
    Declared("runtime.sys_bytes", "gauge", "Address space of the process"),
    Declared("runtime.total_gc_pause_ns", "gauge", "Nanoseconds the garbage collector has taken"),
    Declared("runtime.total_gc_runs", "gauge", "Runs of the garbage collector"),
    Declared("token.count", "gauge", "Service tokens", ("cluster",)),
    Declared(
        "token.creation",
        "counter",
        "Tokens made, without those that were wrapped",
        ("auth_method", "cluster", "creation_ttl", "mount_point", "namespace", "token_type"),
    ),
)
"""The only list; docs/metrics.md says the same."""

_BY_NAME: Final = {declared.name: declared for declared in DECLARED}
_TTL_BUCKETS: Final = (
    (60, "1m"), (600, "10m"), (1200, "20m"), (3600, "1h"), (7200, "2h"), (86_400, "1d"), (172_800, "2d"),
    (604_800, "7d"), (2_592_000, "30d"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """How metrics are named and kept; the stanza `telemetry`. Durations are seconds."""

    prefix: str = "vault"
    hostname: str = ""
    """Part of the name of gauges; empty with `disable_hostname`."""
    host_label: str = ""
    """A label of everything instead; empty without `enable_hostname_label`."""
    allows_by_default: bool = True
    filters: tuple[str, ...] = ()
    series_max: int = 500
    prometheus_seconds: float = 86_400.0
    """0 switches the Prometheus format off."""
    usage_seconds: float = 600.0
    """0 switches counting off."""
    lease_bucket_seconds: float = 3600.0
    lease_buckets: int = 168


@dataclass(frozen=True, slots=True)
class Reading:
    """A gauge's or counter's value at this moment. `name` is a declared one."""

    name: str
    value: float
    labels: Labels = ()


class Metrics:
    """All numbers of one node. `readings` are asked at every scrape and must not scan anything."""

    def __init__(self, settings: MetricsSettings | None = None, now: Callable[[], float] = time.time) -> None:
        """Nothing is counted yet. `now` gives Unix seconds."""
        self.settings = settings or MetricsSettings()
        self._now = now
        self.cluster: Callable[[], str] = str
        self.readings: list[Callable[[], Iterable[Reading]]] = []
        self.usage: list[Reading] = []
        """What the last count of everything came to."""
        self._requests = Summary()
        self._logins = Summary()
        limit = self.settings.series_max
        self._routes: Many[tuple[str, str], Summary] = Many(Summary, limit)
        self._created: Many[Labels, Counter] = Many(Counter, limit)

    # --- feeding

    def handled(self, request: Request, response: Response | None, seconds: float) -> None:
        """A request ended, well or not (`response` is then None). To be called once each."""
        mount = request.mount
        declaration = request.declaration
        is_auth = mount is not None and mount.is_auth
        is_login = is_auth and declaration is not None and declaration.unauthenticated
        self.request(seconds, mount.path if mount is not None else "", request.operation, is_login)
        auth = response.auth if response is not None else None
        is_new = not request.relative.startswith("renew")
        if is_new and is_auth and mount is not None and auth is not None and auth.client_token:
            self.token_created(mount.type, mount.path, auth.lease_duration, auth.token_type)

    def request(self, seconds: float, mount_path: str, operation: Operation | str, is_login: bool = False) -> None:
        """A request took so long. `mount_path` is empty where no mount answered."""
        milliseconds = seconds * _MILLISECONDS
        (self._logins if is_login else self._requests).observe(milliseconds)
        if mount_path:
            key = (operation, mount_path)
            route = self._routes.kept.get(key) or self._routes.get(key)
            if route is not None:
                route.observe(milliseconds)

    def token_created(self, method: str, mount_path: str, ttl_seconds: float, token_type: str) -> None:
        """A token was made."""
        labels = (
            ("auth_method", method),
            ("creation_ttl", ttl_bucket(ttl_seconds)),
            ("mount_point", mount_path),
            ("namespace", "root"),
            ("token_type", token_type),
        )
        counter = self._created.get(labels)
        if counter is not None:
            counter.add()

    def tick(self) -> None:
        """End an interval; every ten seconds."""
        for summary in (self._requests, self._logins, *self._routes.kept.values()):
            summary.tick()
        for counter in self._created.kept.values():
            counter.tick()

    def forget_routes(self, mount_paths: Iterable[str]) -> None:
        """Drop the series of mounts that are not among these."""
        known = set(mount_paths)
        for key in [key for key in self._routes.kept if key[1] not in known]:
            del self._routes.kept[key]

    # --- reading

    def families(self) -> list[Family]:
        """Everything that may be shown, with its whole name."""
        shown = []
        for family in self._all():
            name = f"{self.settings.prefix}.{family.name}" if self.settings.prefix else family.name
            if not self._allows(name):
                continue
            if family.kind == "gauge" and self.settings.hostname:
                name = f"{self.settings.prefix}.{self.settings.hostname}.{family.name}"
            points = [self._labelled(point) for point in family.points]
            shown.append(Family(name, family.kind, family.help, points))
        return shown

    def render(self, wanted: str, accept: str = "") -> Raw:
        """The answer of `sys/metrics`: for the format `prometheus` its text, for none the JSON summary.

        `accept` is the header; a scraper that asks for OpenMetrics gets the text without naming a format.
        """
        if not wanted and accept.startswith(_OPEN_METRICS):
            wanted = "prometheus"
        if wanted == "prometheus":
            if not self.settings.prometheus_seconds:
                return Raw(b"prometheus is not enabled", "text/plain", 400)
            return Raw((prometheus_text(self.families()) + _process_text()).encode(), PROMETHEUS_TYPE)
        if wanted:
            shown = json.dumps(wanted[:64])
            return Raw(f"metric response format {shown} unknown".encode(), "text/plain", 400)
        return Raw(json_summary(self.families(), self._now()))

    def _all(self) -> Iterator[Family]:
        yield self._summary("core.handle_request", self._requests)
        yield self._summary("core.handle_login_request", self._logins)
        routes: dict[str, list[Summary]] = {}
        for (operation, mount), series in self._routes.kept.items():
            routes.setdefault(f"route.{operation}.{mount.replace('/', '-')}", []).append(series)
        declared = _BY_NAME["route.{operation}.{mount}"]
        seen: set[str] = set()
        for name, some in routes.items():
            if flat_name(name) not in seen:  # two mounts may differ in a character that Prometheus lacks
                seen.add(flat_name(name))
                yield Family(name, "summary", declared.help, [_summary_point(some[0])])
        cluster = (("cluster", self.cluster()),)
        created = [
            Point(tuple(sorted((*labels, *cluster))), counter.value, interval=counter.interval)
            for labels, counter in self._created.kept.items()
        ]
        if created:
            yield self._family("token.creation", created)
        found: dict[str, list[Point]] = {}
        for reading in self._readings():
            labels = reading.labels
            if "cluster" in _BY_NAME[reading.name].labels:
                labels = tuple(sorted((*labels, *cluster)))
            found.setdefault(reading.name, []).append(Point(labels, reading.value))
        for name, points in found.items():
            yield self._family(name, points)

    def _readings(self) -> Iterator[Reading]:
        for read in self.readings:
            yield from read()
        yield from self.usage

    def _family(self, name: str, points: list[Point]) -> Family:
        declared = _BY_NAME[name]
        return Family(name, declared.kind, declared.help, points)

    def _summary(self, name: str, series: Summary) -> Family:
        return self._family(name, [_summary_point(series)])

    def _labelled(self, point: Point) -> Point:
        if not self.settings.host_label:
            return point
        labels = (*point.labels, ("host", self.settings.host_label))
        return Point(labels, point.value, point.count, point.quantiles, point.interval)

    def _allows(self, name: str) -> bool:
        """The longest rule that fits decides."""
        best, allowed = -1, self.settings.allows_by_default
        for rule in self.settings.filters:
            if len(rule) > best and name.startswith(rule[1:]):
                best, allowed = len(rule), rule.startswith("+")
        return allowed


def ttl_bucket(seconds: float) -> str:
    """The label of a lifetime: the smallest of Vault's bounds that holds it."""
    return next((name for bound, name in _TTL_BUCKETS if seconds <= bound), "+Inf")


def own_hostname() -> str:
    """The machine's name, empty if it has none."""
    return socket.gethostname()


def _summary_point(series: Summary) -> Point:
    return Point((), series.total, series.count, series.quantiles(), series.interval)


def _process_text() -> str:
    """`process_*`: CPU seconds, memory, open files."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415 -- costs 40 ms

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return generate_latest(registry).decode()
