"""Paths that tell about this node: version history, loggers, host, requests in flight."""

import os
import platform
import socket
from typing import TYPE_CHECKING

import msgspec

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Raw, Response

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

LEVELS = ("trace", "debug", "info", "warn", "error")


async def version_history(engine: "SystemEngine", _request: Request) -> Response:
    """Which versions ran on this cluster, and since when."""
    history = engine.core.version_history()
    return Response(data={"keys": list(history), "key_info": history})


async def loggers(engine: "SystemEngine", _request: Request) -> Response:
    """The level of every logger."""
    return Response(data=dict(engine.core.log_levels()))


async def logger(engine: "SystemEngine", request: Request) -> Response | None:
    """The level of one logger."""
    name = request.get("name")
    level = engine.core.log_levels().get(name)
    return None if level is None else Response(data={name: level})


async def set_level(engine: "SystemEngine", request: Request) -> None:
    """Change the level of all loggers, or of one."""
    level = str(request.get("level", "")).lower()
    if level not in LEVELS:
        raise BadRequest(f'invalid level provided: "{level[:32]}"; one of {", ".join(LEVELS)}')
    engine.core.set_log_level(level, request.get("name", ""))


async def reset_level(engine: "SystemEngine", request: Request) -> None:
    """Go back to the configured level."""
    engine.core.set_log_level("", request.get("name", ""))


async def host_info(_engine: "SystemEngine", _request: Request) -> Response:
    """The machine this node runs on."""
    load = os.getloadavg()
    return Response(
        data={
            "host": {
                "hostname": socket.gethostname(),
                "os": platform.system().lower(),
                "platform": platform.platform(),
                "kernelVersion": platform.release(),
                "kernelArch": platform.machine(),
            },
            "cpu": [{"cpu": number} for number in range(os.cpu_count() or 1)],
            "load": {"load1": load[0], "load5": load[1], "load15": load[2]},
        }
    )


async def metrics(engine: "SystemEngine", request: Request) -> Response:
    """The node's metrics, for Prometheus or as a summary in JSON."""
    raw = engine.core.render_metrics(request.get("format", ""), request.headers.get("Accept", ""))
    return Response(raw=raw)


async def in_flight(engine: "SystemEngine", _request: Request) -> Response:
    """The requests under way."""
    return Response(raw=Raw(msgspec.json.encode(engine.core.in_flight())))


_NAME = {"name": Text("Name of the logger.")}
_LEVEL = {"level": Text("One of trace, debug, info, warn, error.")}

PATHS = (
    Path("version-history", list=version_history, help="List the versions that ran on this cluster."),
    Path("loggers", fields=_LEVEL, read=loggers, update=set_level, delete=reset_level, help="Levels of all loggers."),
    Path(
        "loggers/{name}",
        fields={**_NAME, **_LEVEL},
        read=logger,
        update=set_level,
        delete=reset_level,
        help="Level of one logger.",
    ),
    Path(
        "metrics",
        fields={"format": Text("prometheus, or nothing for JSON.", query=True)},
        read=metrics,
        forward=False,
        help="Metrics of this node.",
    ),
    Path("in-flight-req", read=in_flight, forward=False, help="Requests under way on this node."),
    Path("host-info", read=host_info, help="Tell about the machine this node runs on."),
)
