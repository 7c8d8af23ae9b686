"""`sys/config/*`: CORS, custom UI headers, audited request headers, and the running configuration."""

from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_node.sdk.fields import Bool, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

CORS_HEADERS = (
    "Content-Type",
    "Authorization",
    "X-Vault-Token",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-Policy-Override",
)
"""Allowed in every CORS request, beside those that the operator adds."""


async def read_cors(engine: "SystemEngine", _request: Request) -> Response:
    """The CORS settings."""
    stored = engine.core.settings.read("cors")
    if not stored.get("enabled"):
        return Response(data={"enabled": False}, flat=True)
    return Response(data=stored, flat=True)


async def write_cors(engine: "SystemEngine", request: Request) -> None:
    """Switch CORS on for some origins."""
    origins = request.get("allowed_origins") or []
    if not origins:
        raise BadRequest("1 error occurred:\n\t* at least one origin or the wildcard must be provided\n\n")
    if "*" in origins and len(origins) > 1:
        raise BadRequest("to allow all origins the '*' must be the only value for allowed_origins")
    stored = {
        "enabled": True,
        "allowed_origins": origins,
        "allowed_headers": [*CORS_HEADERS, *(h for h in request.get("allowed_headers") or [] if h not in CORS_HEADERS)],
        "allow_credentials": bool(request.get("allow_credentials", False)),
    }
    await engine.core.settings.write("cors", stored)


async def delete_cors(engine: "SystemEngine", _request: Request) -> None:
    """Switch CORS off."""
    await engine.core.settings.write("cors", {})


async def list_ui_headers(engine: "SystemEngine", _request: Request) -> Response | None:
    """Names of the custom UI headers."""
    return listing(sorted(engine.core.settings.read("ui-headers")))


async def read_ui_header(engine: "SystemEngine", request: Request) -> Response | None:
    """One custom UI header."""
    stored = engine.core.settings.read("ui-headers")
    values = next((v for name, v in stored.items() if name.lower() == request.get("header").lower()), None)
    if values is None:
        return None
    return Response(data={"values": values} if request.get("multivalue") else {"value": values[0]})


async def write_ui_header(engine: "SystemEngine", request: Request) -> Response:
    """Set a custom UI header."""
    name, values = request.get("header"), request.get("values") or []
    if not name or not values:
        raise BadRequest("header and values must be specified")
    if name.lower().startswith("x-vault-"):
        raise BadRequest("X-Vault headers cannot be set")
    if any(not value.isprintable() for value in [name, *values]) or ":" in name:
        raise BadRequest("header and values must be printable")
    await engine.core.settings.set("ui-headers", name, values)
    return Response()


async def delete_ui_header(engine: "SystemEngine", request: Request) -> None:
    """Drop a custom UI header."""
    await engine.core.settings.set("ui-headers", request.get("header"), None)


async def list_audited(engine: "SystemEngine", _request: Request) -> Response:
    """The request headers that audit records show."""
    return Response(data={"headers": engine.core.settings.read("audited-headers")}, flat=True)


async def read_audited(engine: "SystemEngine", request: Request) -> Response:
    """One audited request header."""
    name = request.get("header").lower()
    found: Any = engine.core.settings.read("audited-headers").get(name)
    if found is None:
        raise BadRequest("Could not find header in config")
    return Response(data={name: found}, flat=True)


async def write_audited(engine: "SystemEngine", request: Request) -> None:
    """Have a request header audited."""
    entry = {"hmac": bool(request.get("hmac", False))}
    await engine.core.settings.set("audited-headers", request.get("header").lower(), entry)


async def delete_audited(engine: "SystemEngine", request: Request) -> None:
    """Have a request header audited no more."""
    await engine.core.settings.set("audited-headers", request.get("header"), None)


async def sanitized(engine: "SystemEngine", _request: Request) -> Response:
    """The server's configuration without its secrets."""
    return Response(data=engine.core.config_sanitized())


async def reload(engine: "SystemEngine", request: Request) -> None:
    """Read a subsystem's files again."""
    if not await engine.core.reload(request.get("subsystem")):
        raise NotFound("unknown subsystem")


_HEADER = {"header": Text("Name of the header.")}

PATHS = (
    Path(
        "config/cors",
        fields={
            "enable": Bool("Switch CORS on."),
            "allowed_origins": StringList("Origins that may ask, or `*`."),
            "allowed_headers": StringList("Further headers that may be sent."),
            "allow_credentials": Bool("Let browsers send credentials."),
        },
        read=read_cors,
        update=write_cors,
        delete=delete_cors,
        sudo=True,
        help="Cross-origin requests of browsers.",
    ),
    Path("config/ui/headers", list=list_ui_headers, sudo=True, help="List the custom UI headers."),
    Path(
        "config/ui/headers/{header}",
        fields={
            **_HEADER,
            "values": StringList("Values of the header."),
            "multivalue": Bool("Answer all values.", query=True),
        },
        read=read_ui_header,
        update=write_ui_header,
        delete=delete_ui_header,
        sudo=True,
        help="Custom headers of UI answers.",
    ),
    Path("config/auditing/request-headers", read=list_audited, sudo=True, help="List the audited request headers."),
    Path(
        "config/auditing/request-headers/{header}",
        fields={**_HEADER, "hmac": Bool("Show the value as an HMAC only.", default=False)},
        read=read_audited,
        update=write_audited,
        delete=delete_audited,
        sudo=True,
        help="Request headers that audit records show.",
    ),
    Path("config/state/sanitized", read=sanitized, help="Show the server's configuration without secrets."),
    Path(
        "config/reload/{subsystem}",
        fields={"subsystem": Text("What to reload, such as license.")},
        update=reload,
        sudo=True,
        help="Read a subsystem's configuration again.",
    ),
)
