"""`sys/quotas/*`: rate limits."""

from typing import TYPE_CHECKING

import msgspec

from strongroom_node.quotas.bucket import RateLimit
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Number, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

QUOTAS_MAX = 10_000


async def names(engine: "SystemEngine", _request: Request) -> Response | None:
    """The names of all rate limits."""
    return listing(sorted(engine.core.quotas.rules()))


async def read(engine: "SystemEngine", request: Request) -> Response | None:
    """One rate limit."""
    rule = engine.core.quotas.rules().get(request.get("name"))
    if rule is None:
        return None
    return Response(
        data={
            "block_interval": int(rule.block_interval),
            "inheritable": rule.inheritable,
            "interval": int(rule.interval),
            "name": rule.name,
            "path": rule.path,
            "rate": int(rule.rate) if rule.rate.is_integer() else rule.rate,
            "role": rule.role,
            "type": "rate-limit",
        }
    )


async def write(engine: "SystemEngine", request: Request) -> None:
    """Create a rate limit or replace it. Left out fields take their defaults again, as in Vault."""
    rate = request.get("rate", 0.0)
    if rate <= 0:
        raise BadRequest("'rate' is invalid")
    interval = request.get("interval") or 1.0
    path = _mounted_path(engine, request.get("path", ""))
    role = request.get("role", "")
    if role and not path.startswith("auth/"):
        raise BadRequest("'role' needs the path of an auth method that has roles")
    rule = RateLimit(
        name=request.get("name"),
        rate=rate,
        path=path,
        role=role,
        interval=interval,
        block_interval=request.get("block_interval", 0.0),
        inheritable=request.get("inheritable", not path),
    )
    known = engine.core.quotas.rules()
    for other in known.values():
        if other.name != rule.name and (other.path, other.role) == (rule.path, rule.role):
            raise BadRequest(f'quota rule with similar properties exists under the name "{other.name}"')
    if rule.name not in known and len(known) >= QUOTAS_MAX:
        raise BadRequest(f"there are {QUOTAS_MAX} rate limits already")
    await engine.core.quotas.put(rule)


def _mounted_path(engine: "SystemEngine", path: str) -> str:
    """The quota's path: a mount's gets its slash. Raises BadRequest if no mount holds it."""
    if not path:
        return ""
    route = engine.core.router.find(path)
    if route is None:
        shown = path if path.endswith(("/", "*")) else path + "/"
        raise BadRequest(f'invalid mount path "{shown}"')
    return route.mount.path if path.strip("/") + "/" == route.mount.path else path


async def delete(engine: "SystemEngine", request: Request) -> None:
    """Drop a rate limit."""
    if request.get("name") in engine.core.quotas.rules():
        await engine.core.quotas.delete(request.get("name"))


async def read_config(engine: "SystemEngine", _request: Request) -> Response:
    """What holds for all quotas."""
    shown = msgspec.to_builtins(engine.core.quotas.config())
    return Response(data={**shown, "rate_limit_exempt_paths": list(shown["rate_limit_exempt_paths"])})


async def write_config(engine: "SystemEngine", request: Request) -> None:
    """Set what holds for all quotas."""
    given = dict(request.fields)
    if "rate_limit_exempt_paths" in given:
        given["rate_limit_exempt_paths"] = tuple(given["rate_limit_exempt_paths"])
    await engine.core.quotas.configure(msgspec.structs.replace(engine.core.quotas.config(), **given))


PATHS = (
    Path(
        "quotas/config",
        fields={
            "enable_rate_limit_audit_logging": Bool("Audit requests that a rate limit refused."),
            "enable_rate_limit_response_headers": Bool("Tell clients of their limits in headers."),
            "rate_limit_exempt_paths": StringList("Paths that no rate limit counts."),
        },
        read=read_config,
        update=write_config,
        help="Settings of all quotas.",
    ),
    Path("quotas/rate-limit", list=names, help="List the rate limits."),
    Path(
        "quotas/rate-limit/{name}",
        fields={
            "name": Text("Name of the quota."),
            "type": Text("Kind of quota: rate-limit."),
            "path": Text("Mount or path that is limited; empty for all."),
            "role": Text("Login role that is limited."),
            "rate": Number("Requests per interval."),
            "interval": Duration("Length of the window."),
            "block_interval": Duration("How long a client that went over is refused."),
            "inheritable": Bool("Holds for child namespaces too."),
        },
        read=read,
        update=write,
        delete=delete,
        help="Read, write or delete a rate limit.",
    ),
)
