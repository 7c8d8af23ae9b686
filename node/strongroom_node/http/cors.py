"""Cross-origin requests of browsers, as `sys/config/cors` allows them."""

from typing import TYPE_CHECKING, Any, Final

from strongroom_node.http.answer import Answer
from strongroom_node.http.errors import WireError
from strongroom_node.http.head import Head
from strongroom_node.http.settings import CORSSettings
from strongroom_node.system.config import CORS_HEADERS

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

_METHODS: Final = ("DELETE", "GET", "OPTIONS", "POST", "PUT", "LIST", "PATCH")


class Decision:
    """Headers for the answer, or the whole answer to a preflight request."""

    __slots__ = ("headers", "preflight")

    def __init__(self, headers: dict[str, str], preflight: Answer | None = None) -> None:
        self.headers = headers
        self.preflight = preflight


def decide(core: "Core", listener: CORSSettings | None, origin: str, head: Head) -> Decision | None:
    """What CORS makes of a request; None while it is off. The listener's own settings go first. Raises WireError."""
    settings: dict[str, Any]
    if listener is not None:
        settings = {
            "allowed_origins": listener.allowed_origins,
            "allowed_headers": [*CORS_HEADERS, *listener.allowed_headers],
            "allow_credentials": listener.allow_credentials,
        }
    else:
        settings = {} if core.barrier.is_sealed else core.settings.read("cors")
        if not settings.get("enabled"):
            return None
    allowed = settings["allowed_origins"]
    if "*" not in allowed and not any(origin.lower() == one.lower() for one in allowed):
        raise WireError(403, "origin not allowed")
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if settings.get("allow_credentials"):
        headers["Access-Control-Allow-Credentials"] = "true"
    wanted = head.headers.get("Access-Control-Request-Method")
    if head.method != "OPTIONS":
        return Decision(headers)
    if wanted is None or wanted not in _METHODS:
        return Decision(headers, Answer(405, content_type=""))
    headers["Access-Control-Allow-Methods"] = ", ".join(_METHODS)
    headers["Access-Control-Allow-Headers"] = ", ".join(settings["allowed_headers"])
    headers["Access-Control-Max-Age"] = "300"
    return Decision(headers, Answer(200, content_type="", headers=headers))
