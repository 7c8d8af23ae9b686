"""`sys/leases/`: look up, list, renew and revoke leases; and the old spellings of the same."""

from collections.abc import Awaitable
from typing import Any, Final, Protocol

from strongroom_node.expiration.lease import Lease
from strongroom_node.expiration.leases import LeaseStore
from strongroom_node.expiration.worker import ExpirationWorker
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Field, Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.tokens.answers import timestamp
from strongroom_node.tokens.engine import TIDY_RUNNING, TIDY_STARTED
from strongroom_node.tokens.ttl import Limits, remaining

SHOWN_MAX: Final = 10_000
"""Irrevocable leases that a list shows unless it is told otherwise."""

MORE: Final = (
    "Command halted because many irrevocable leases were found. To emit the entire list, re-run the command with "
    "force set true."
)


class _Core(Protocol):
    leases: LeaseStore
    expiration: ExpirationWorker

    def mount_limits(self, path: str) -> Limits: ...

    def renew_secret(self, lease: Lease, increment: float) -> Awaitable[Response | None]: ...


class _Engine(Protocol):
    core: _Core


async def lookup(engine: _Engine, request: Request) -> Response:
    """A lease's times."""
    lease_id = _lease_id(request)
    lease = engine.core.leases.get(lease_id)
    if lease is None:
        raise BadRequest("invalid lease")
    data: dict[str, Any] = {
        "id": lease_id,
        "path": lease.path,
        "issue_time": timestamp(lease.issue_time),
        "expire_time": timestamp(lease.expire_time),
        "last_renewal": timestamp(lease.last_renewal),
        "renewable": lease.renewable,
        "ttl": remaining(lease.expire_time, engine.core.leases.now()),
    }
    return Response(data=data)


async def list_leases(engine: _Engine, request: Request) -> Response | None:
    """Names one level below a prefix."""
    prefix = request.get("prefix", "")
    return listing(engine.core.leases.list_page(prefix, request.get("after", ""), request.get("limit", -1)))


async def renew(engine: _Engine, request: Request) -> Response | None:
    """Give a secret's lease a new end."""
    increment = max(0.0, request.get("increment", 0.0))
    return await engine.core.leases.renew(
        _lease_id(request), increment, engine.core.renew_secret, engine.core.mount_limits
    )


async def revoke(engine: _Engine, request: Request) -> Response | None:
    """Revoke one lease, at once or soon."""
    lease_id = _lease_id(request)
    if request.get("sync", True):
        await engine.core.leases.revoke(lease_id)
        return None
    await engine.core.leases.revoke_later(lease_id)
    return Response(status=202)


async def revoke_prefix(engine: _Engine, request: Request) -> Response | None:
    """Revoke every lease below a prefix."""
    is_sync = request.get("sync", True)
    await engine.core.leases.revoke_prefix(_prefix(request), sync=is_sync)
    return None if is_sync else Response(status=202)


async def revoke_force(engine: _Engine, request: Request) -> None:
    """Drop every lease below a prefix, even those whose engine fails."""
    await engine.core.leases.revoke_prefix(_prefix(request), force=True)


async def tidy(engine: _Engine, request: Request) -> Response:  # noqa: ARG001  -- the shape of a handler
    """Start tidying up after errors of the past."""
    return Response(
        warnings=[TIDY_STARTED if engine.core.expiration.start_tidy("leases") else TIDY_RUNNING], status=202
    )


async def count(engine: _Engine, request: Request) -> Response | None:
    """How many irrevocable leases there are, by mount."""
    if request.get("type", "").lower() != "irrevocable":
        return None
    counts = engine.core.leases.count_irrevocable()
    return Response(data={"lease_count": sum(counts.values()), "counts": counts})


async def list_irrevocable(engine: _Engine, request: Request) -> Response | None:
    """The irrevocable leases, with the reason of each."""
    if request.get("type", "").lower() != "irrevocable":
        return None
    limit = _limit(request)
    found = engine.core.leases.irrevocable(-1 if limit is None else limit + 1)
    shown = found if limit is None else found[:limit]
    total = sum(engine.core.leases.count_irrevocable().values())
    leases = [{"lease_id": lease.id, "mount_id": lease.mount_accessor, "error": lease.error} for lease in shown]
    warnings = [MORE] if len(shown) < len(found) else []
    return Response(data={"lease_count": total, "leases": leases}, warnings=warnings)


def _limit(request: Request) -> int | None:
    """At most how many are shown; None for all."""
    text = request.get("limit", "")
    if not text:
        return SHOWN_MAX
    if text == "none":
        return None
    if not text.isdecimal() or len(text) > 9 or int(text) == 0:
        raise BadRequest("invalid 'limit' value")
    return int(text)


def _lease_id(request: Request) -> str:
    lease_id: str = request.get("lease_id", "") or request.get("url_lease_id", "")
    if not lease_id:
        raise BadRequest("lease_id must be specified")
    return lease_id


def _prefix(request: Request) -> str:
    prefix: str = request.get("prefix", "")
    if not prefix.strip("/"):
        # Nobody means every lease of the cluster, the caller's own token included.
        raise BadRequest("prefix must be specified")
    return prefix


_LEASE: Final[dict[str, Field]] = {"lease_id": Text("The lease."), "url_lease_id": Text("The lease, in the URL.")}
_SYNC: Final[dict[str, Field]] = {"sync": Bool("Whether to wait until it is done.", default=True)}
_RENEW: Final[dict[str, Field]] = {**_LEASE, "increment": Duration("How many seconds from now the lease should last.")}
_REVOKE: Final[dict[str, Field]] = {**_LEASE, **_SYNC}
_PREFIX: Final[dict[str, Field]] = {"prefix": Text("What the lease ids begin with."), **_SYNC}
_LIST: Final[dict[str, Field]] = {
    "prefix": Text("What the lease ids begin with."),
    "after": Text("Go on after this name.", query=True),
    "limit": Int("At most so many.", query=True, default=-1),
}
_KINDS: Final[dict[str, Field]] = {
    "type": Text("irrevocable", query=True),
    "include_child_namespaces": Bool("Whether to look into child namespaces.", query=True),
    "limit": Text("At most so many; none for all.", query=True),
}

PATHS: Final = (
    Path("leases", fields=_KINDS, read=list_irrevocable, sudo=True, help="List irrevocable leases."),
    Path("leases/count", fields=_KINDS, read=count, help="Count irrevocable leases."),
    Path("leases/lookup", fields=_LEASE, update=lookup, help="Look a lease up."),
    Path("leases/lookup", fields=_LIST, list=list_leases, sudo=True, help="List leases."),
    Path("leases/lookup/{prefix+}", fields=_LIST, list=list_leases, sudo=True, help="List leases below a prefix."),
    Path("leases/renew", fields=_RENEW, update=renew, help="Renew a lease."),
    Path("leases/renew/{url_lease_id+}", fields=_RENEW, update=renew, help="Renew a lease."),
    Path("leases/revoke", fields=_REVOKE, update=revoke, help="Revoke a lease."),
    Path("leases/revoke/{url_lease_id+}", fields=_REVOKE, update=revoke, help="Revoke a lease."),
    Path("leases/revoke-prefix/{prefix+}", fields=_PREFIX, update=revoke_prefix, sudo=True, help="Revoke by prefix."),
    Path("leases/revoke-force/{prefix+}", fields=_PREFIX, update=revoke_force, sudo=True, help="Drop by prefix."),
    Path("leases/tidy", update=tidy, help="Clean up after errors of the past."),
    Path("renew", fields=_RENEW, update=renew, help="Renew a lease."),
    Path("renew/{url_lease_id+}", fields=_RENEW, update=renew, help="Renew a lease."),
    Path("revoke", fields=_REVOKE, update=revoke, help="Revoke a lease."),
    Path("revoke/{url_lease_id+}", fields=_REVOKE, update=revoke, help="Revoke a lease."),
    Path("revoke-prefix/{prefix+}", fields=_PREFIX, update=revoke_prefix, sudo=True, help="Revoke by prefix."),
    Path("revoke-force/{prefix+}", fields=_PREFIX, update=revoke_force, sudo=True, help="Drop by prefix."),
)
