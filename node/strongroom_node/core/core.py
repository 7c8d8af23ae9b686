"""The composition root: builds and owns every part of a node."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from strongroom_cluster.store import Store
from strongroom_node.audit.broker import AuditBroker
from strongroom_node.core.background import Background
from strongroom_node.core.ceremonies import Keeper, NodeFacts
from strongroom_node.core.ceremonies.bodies import InitBody, UnsealBody
from strongroom_node.core.founding import PRODUCT_VERSION, development_secrets, found
from strongroom_node.core.logins import Logins
from strongroom_node.core.mounts import SYSTEM_TTL_SECONDS, Mount, MountTable
from strongroom_node.core.moves import Moves
from strongroom_node.core.pipeline import Pipeline
from strongroom_node.core.plugins import Plugins
from strongroom_node.core.router import Route, Router
from strongroom_node.core.settings import Settings
from strongroom_node.core.token_support import token_type
from strongroom_node.core.wrapping import Wrapping
from strongroom_node.engines.identity import identity_type
from strongroom_node.expiration.index import LeaseIndex
from strongroom_node.expiration.lease import Lease
from strongroom_node.expiration.leases import LeaseStore
from strongroom_node.expiration.worker import ExpirationWorker
from strongroom_node.identity.lockout import Lockout
from strongroom_node.identity.store import IdentityStore
from strongroom_node.policy.acl import ACL
from strongroom_node.policy.store import PolicyStore
from strongroom_node.quotas.store import QuotaStore
from strongroom_node.sdk.engine import SecretType
from strongroom_node.sdk.errors import BadRequest, Internal, Sealed, Unavailable
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Raw, Response
from strongroom_node.sdk.timestamps import format_micros, micros
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.telemetry.metrics import Metrics
from strongroom_node.tokens.store import TokenStore
from strongroom_node.tokens.ttl import Limits

T = TypeVar("T")
POOL_THREADS = 4
"""Threads for password hashing, key generation and other blocking work; more would only queue on two cores."""

BLOCKING_MAX = 256
"""Calls that wait for a thread: some seconds of password hashing. Whoever floods logins must not make others wait."""

MAINTENANCE_SECONDS = 60.0
"""How often the barrier looks whether its key is due for rotation."""

_log = structlog.get_logger("core")


@dataclass(frozen=True, slots=True)
class CoreConfig:
    """What the core needs to know of the server's configuration. Durations are seconds."""

    default_lease_ttl: float = SYSTEM_TTL_SECONDS
    max_lease_ttl: float = SYSTEM_TTL_SECONDS
    cluster_name: str = ""
    api_addr: str = ""
    cluster_addr: str = ""
    storage_type: str = "inmem"
    raw_endpoint: bool = False
    user_lockout: dict[str, Any] = field(default_factory=dict)
    sanitized: dict[str, Any] = field(default_factory=dict)
    dev_root_token: str = field(default="", repr=False)
    dev_kv_version: str = "2"
    is_dev: bool = False


class Core:
    """Everything of one node but its listeners. `start` before use, `stop` after."""

    version = PRODUCT_VERSION

    def __init__(self, store: Store, seal: Any, config: CoreConfig, now: Callable[[], float] = time.time) -> None:
        """Build every part; nothing is read or run yet. `seal` opens the root key."""
        self.store, self.config, self.now = store, config, now
        self.barrier = store.barrier
        self.pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="core")
        self.settings = Settings(self.barrier)
        self.mounts = MountTable(self.barrier, (config.default_lease_ttl, config.max_lease_ttl))
        self.plugins = Plugins(self)
        self.router = Router(self.mounts, self.plugins.make)
        self.policies = PolicyStore(self.barrier, now)
        self.identity = IdentityStore(self.barrier, now)
        self.lockout = Lockout(now, config.user_lockout)
        index = LeaseIndex(self.barrier)
        self.tokens = TokenStore(self.barrier, index, now)
        self.leases = LeaseStore(self.barrier, index, self.tokens, now, self.revoke_secret)
        self.wrapping = Wrapping(self.barrier, self.tokens, now, api_address=lambda: config.api_addr)
        self.quotas = QuotaStore(self.barrier, now)
        self.audit = AuditBroker()
        self.logins = Logins(self)
        self.moves = Moves(self)
        self.pipeline = Pipeline(self)
        self.background = Background()
        self.expiration = ExpirationWorker(self.leases, self.tokens, index, now)
        self.plugins.provide(token_type(self))
        self.plugins.provide(identity_type(self.identity, self.mounts.by_accessor))
        self.keeper = Keeper(
            self.barrier,
            seal,
            make_root_token=self.tokens.create_root,
            on_unsealed=self._on_unsealed,
            on_sealing=self._on_sealing,
            discard_root_token=self._discard_token,
            facts=self.facts,
        )
        self.active_since = 0.0
        self._blocking = 0
        self._in_flight: dict[str, tuple[float, Request]] = {}
        self.metrics = Metrics()
        self.set_log_level: Callable[[str, str], None] = lambda _level, _name: None
        self.log_levels: Callable[[], dict[str, str]] = dict
        self.reload: Callable[[str], Awaitable[bool]] = _nothing_to_reload

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and, if the seal can do it alone, unseal."""
        await self.store.start()
        await self.keeper.start()

    async def stop(self) -> None:
        """End background work, forget keys, close the store."""
        await self.background.stop()
        await self.keeper.stop()
        await self.store.close()
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def _on_unsealed(self) -> None:
        """Found the cluster if it is new, then begin the work that only an unsealed node does."""
        await self.tokens.prepare()
        await found(self.mounts, self.settings, self.config.cluster_name, self.now())
        await self.policies.ensure_defaults()
        self._warn_of_tainted()
        self.active_since = self.now()
        self.background.start("expiration", self.expiration.run)
        self.background.start("maintenance", self._maintain)
        _log.info("vault is unsealed")

    def _warn_of_tainted(self) -> None:
        """Tell of mounts whose removal or move was broken off: they answer nothing until it is asked for again."""
        for mount in self.mounts.all().values():
            if mount.tainted:
                _log.warning(
                    "mount answers nothing, its removal or move was interrupted",
                    path=mount.path,
                    advice="disable or move it again",
                )

    async def _maintain(self) -> None:
        while True:
            await self.barrier.maintain()
            await asyncio.sleep(MAINTENANCE_SECONDS)

    async def _discard_token(self, token: str) -> None:
        entry = self.tokens.lookup(token)
        if entry is not None:
            await self.tokens.revoke(entry.key)

    async def _on_sealing(self) -> None:
        await self.background.stop()
        self.router.forget()
        _log.info("vault is sealed")

    async def seal(self) -> None:
        """Stop background work and forget the keys."""
        await self.keeper.seal()

    def facts(self) -> NodeFacts:
        """What status answers tell of this node; the cluster's name only while it can be read."""
        cluster = {} if self.barrier.is_sealed else self.settings.read("cluster")
        return NodeFacts(
            version=PRODUCT_VERSION,
            build_date="",
            storage_type=self.config.storage_type,
            cluster_name=cluster.get("name", ""),
            cluster_id=cluster.get("id", ""),
        )

    def health(self) -> dict[str, Any]:
        """The state of this node, as `sys/health` tells it."""
        facts = self.facts()
        is_sealed = self.keeper.is_sealed
        replication = "unknown" if is_sealed else "disabled"
        state: dict[str, Any] = {
            "initialized": self.keeper.is_initialized,
            "sealed": is_sealed,
            "standby": is_sealed,
            "performance_standby": False,
            "replication_performance_mode": replication,
            "replication_dr_mode": replication,
            "server_time_utc": int(self.now()),
            "version": PRODUCT_VERSION,
        }
        if facts.cluster_name:
            state |= {"cluster_name": facts.cluster_name, "cluster_id": facts.cluster_id}
        return state

    def leader(self) -> dict[str, Any]:
        """Who is active. Raises Sealed."""
        if self.keeper.is_sealed:
            raise Sealed
        return {
            "ha_enabled": False,
            "is_self": False,
            "active_time": "0001-01-01T00:00:00Z",
            "leader_address": "",
            "leader_cluster_address": "",
            "performance_standby": False,
            "performance_standby_last_remote_wal": 0,
        }

    def in_flight(self) -> dict[str, Any]:
        """The requests under way, by id."""
        return {
            request_id: {
                "start_time": format_micros(micros(started)),
                "client_remote_address": request.remote_address,
                "request_path": "/v1/" + request.path,
                "request_method": request.operation.value,
                "client_id": "",
            }
            for request_id, (started, request) in self._in_flight.items()
        }

    def render_metrics(self, wanted: str, accept: str) -> Raw:
        """The metrics in one of their forms: `prometheus`, or JSON for none."""
        return self.metrics.render(wanted, accept)

    async def step_down(self) -> None:
        """Give up being active, where another node could take over; a node alone stays active."""

    async def handle(self, request: Request) -> Response | None:
        """Run a request through the pipeline."""
        self._in_flight[request.id] = (self.now(), request)
        started, response = time.perf_counter(), None
        try:
            response = await self.pipeline.handle(request)
            return response
        finally:
            self._in_flight.pop(request.id, None)
            self.metrics.handled(request, response, time.perf_counter() - started)

    # --- what steps and engines use ------------------------------------------------------------------

    def acl_of(self, entry: TokenEntry, identity_policies: tuple[str, ...]) -> ACL:
        """The compiled rules of a token and its entity."""
        names = entry.policies if not identity_policies else (*entry.policies, *identity_policies)
        context = self.identity.template_context(entry.entity_id) if entry.entity_id else None
        return self.policies.compiled(names, context)

    async def run_blocking(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking work in the one bounded pool. Raises Unavailable if too much waits for it already."""
        if self._blocking >= BLOCKING_MAX:
            raise Unavailable("too many password checks and key generations are waiting; try again later")
        self._blocking += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, work, *args)
        finally:
            self._blocking -= 1

    @property
    def raw_endpoint(self) -> bool:
        """True if `sys/raw` is there."""
        return self.config.raw_endpoint

    def config_sanitized(self) -> dict[str, Any]:
        """The server's configuration without its secrets."""
        return self.config.sanitized

    def version_history(self) -> dict[str, Any]:
        """Versions that ran on this cluster."""
        return dict(self.settings.read("versions"))

    def plugin_names(self, kind: str) -> list[str]:
        """What can be mounted, by kind."""
        return self.plugins.names(kind)

    def check_type(self, mount: Mount) -> None:
        """Raises BadRequest if the mount's type does not exist or refuses its options."""
        self.plugins.check(mount)

    # --- mounts --------------------------------------------------------------------------------------

    async def enable(self, mount: Mount) -> None:
        """Put a new mount into service."""
        await self.mounts.add(mount)
        route = self.router.of(mount)
        if route.type.on_mount is not None:
            await route.type.on_mount(route.engine)
        _log.info("mounted", path=mount.path, type=mount.type)

    async def retune(self, before: Mount, after: Mount) -> None:
        """Write a mount's new settings, and let its engine take them up."""
        await self.mounts.replace(before, after)
        route = self.router.of(after)
        if route.type.on_mount is not None and before.options != after.options:
            await route.type.on_mount(route.engine)

    async def disable(self, mount: Mount) -> None:
        """Refuse new requests, revoke what the mount gave, drop its data, forget it."""
        await self.moves.disable(mount)

    async def move(self, mount: Mount, target: str, migration: str) -> None:
        """Move a mount to another path."""
        await self.moves.move(mount, target, migration)

    def migration(self, migration_id: str) -> dict[str, Any] | None:
        """How a move went."""
        return self.moves.status(migration_id)

    def limits(self, mount: Mount) -> Limits:
        """Default and longest lease durations of a mount, seconds."""
        return Limits(*self.mounts.ttls(mount))

    def mount_limits(self, path: str) -> Limits:
        """The same for the mount that serves a path; the server's own where there is none."""
        route = self.router.find(path)
        if route is None:
            return Limits(self.config.default_lease_ttl, self.config.max_lease_ttl)
        return self.limits(route.mount)

    async def revoke_secret(self, lease: Lease) -> None:
        """Have the engine take back what it leased. Raises if it cannot now."""
        found = self._secret_of(lease)
        if found is not None:
            await _revoke(*found, lease.path, lease.internal)

    async def take_back(self, request: Request, route: Route, response: Response) -> None:
        """Have the engine take back what it just made. A failure is logged: there is no lease to try it again by."""
        made = response.secret
        secret = None if made is None else route.secret_type(made.kind)
        if made is None or secret is None:
            return
        try:
            await _revoke(route, secret, request.path, made.internal)
        except Exception as error:  # noqa: BLE001  -- an engine may fail in any way; the caller has an error already
            _log.error("secret without a lease not taken back", path=request.path, error=type(error).__name__)

    async def renew_secret(self, lease: Lease, increment: float) -> Response:
        """Ask the engine to renew a lease. Raises BadRequest if it cannot be renewed."""
        found = self._secret_of(lease)
        if found is None or found[1].renew is None:
            raise BadRequest("lease is not renewable")
        route = found[0]
        request = Request(
            operation=Operation.RENEW,
            path=lease.path,
            mount=route.mount,
            secret_data=dict(lease.internal),
            increment=increment,
        )
        renewed = await found[1].renew(route.engine, request)
        return renewed or Response()

    def _secret_of(self, lease: Lease) -> tuple[Route, SecretType] | None:
        """The engine of a lease, wherever its mount stands by now; None if the mount is gone with all it knew."""
        mount = self.mounts.by_accessor(lease.mount_accessor)
        if mount is None:
            return None
        route = self.router.of(mount)
        secret = route.secret_type(lease.kind)
        if secret is None:
            # The secret may well live: to say that it was taken back would be a lie.
            raise Internal(f'the engine at "{mount.path}" does not know secrets of type "{lease.kind}"')
        return route, secret

    async def make_development(self) -> str:
        """Initialise with one key share, unseal, make the given root token and mount KV at `secret/`.

        Returns the key share in base64. For servers that forget everything when they stop.
        """
        made = await self.keeper.init(InitBody(secret_shares=1, secret_threshold=1))
        share: str = made["keys_base64"][0]
        await self.keeper.unseal(UnsealBody(key=share))
        await self._discard_token(made["root_token"])
        await self.tokens.create_root(
            token_id=self.config.dev_root_token, path="auth/token/create", display_name="token", leased=True
        )
        await self.mounts.add(development_secrets(self.now(), self.config.dev_kv_version))
        return share


async def _revoke(route: Route, secret: SecretType, path: str, internal: dict[str, Any]) -> None:
    request = Request(operation=Operation.REVOKE, path=path, mount=route.mount, secret_data=dict(internal))
    await secret.revoke(route.engine, request)


async def _nothing_to_reload(_subsystem: str) -> bool:
    return False
