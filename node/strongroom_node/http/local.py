"""What a node answers for itself, sealed or not, without the pipeline: health, seal status, ceremonies, leader."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from strongroom_node.core.ceremonies import endpoints
from strongroom_node.http.answer import Answer, of_json
from strongroom_node.http.decode import read_body, read_query
from strongroom_node.http.errors import WireError
from strongroom_node.http.head import Head

if TYPE_CHECKING:
    from strongroom_node.http.listener import Listener

_CODES: Final = {
    "activecode": 200,
    "standbycode": 429,
    "sealedcode": 503,
    "uninitcode": 501,
    "drsecondarycode": 472,
    "performancestandbycode": 473,
    "perfstandbycode": 473,
}
_TRUE: Final = frozenset({"", "1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def health(listener: "Listener", head: Head, query: str) -> Answer:
    """`sys/health`: the state of this node as a status code that load balancers can choose."""
    if head.method not in {"GET", "HEAD"}:
        raise WireError(405)
    fields = read_query(query)
    codes = {name: _code(fields, name, usual) for name, usual in _CODES.items()} if fields else _CODES
    standby_is_fine = _flag(fields, "standbyok") or _flag(fields, "perfstandbyok")
    state = listener.core.health()
    if not state["initialized"]:
        status = codes["uninitcode"]
    elif state["sealed"]:
        status = codes["sealedcode"]
    elif state["standby"] and not standby_is_fine:
        status = codes["standbycode"]
    else:
        status = codes["activecode"]
    return of_json(state, status)


def _code(fields: dict[str, Any], name: str, usual: int) -> int:
    text = fields.get(name)
    if text is None:
        return usual
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or not 200 <= int(text[:4]) <= 599:
        raise WireError(400)
    return int(text)


def _flag(fields: dict[str, Any], name: str) -> bool:
    text = fields.get(name)
    if text is None or text in _FALSE:
        return False
    if text not in _TRUE:
        raise WireError(400)
    return True


def leader(listener: "Listener", head: Head, _query: str) -> Answer:
    """`sys/leader`: who is active."""
    if head.method != "GET":
        raise WireError(405)
    return of_json(listener.core.leader())


async def ceremony(listener: "Listener", head: Head, body: bytes, path: str) -> Answer:
    """Initialisation, unsealing, rekeying and new root tokens: shares and nonces are what protects them."""
    settings = listener.settings
    if (settings.rekey_disabled and path.startswith("sys/rekey")) or (
        settings.generate_root_disabled and path.startswith("sys/generate-root")
    ):
        raise WireError(405, "1 error occurred:\n\t* unsupported operation\n\n")
    method = "GET" if head.method == "HEAD" else head.method
    fields = read_body(body, head.headers.get("Content-Type", ""), settings.json_limits) if body else None
    result = await endpoints.answer(listener.core.keeper, method, path, fields)
    return Answer(204) if result is None else of_json(result)


def in_flight(listener: "Listener", head: Head, _query: str) -> Answer:
    """`sys/in-flight-req` where the listener shows it to everybody."""
    if head.method != "GET":
        raise WireError(405)
    return of_json(listener.core.in_flight())


def metrics(listener: "Listener", head: Head, query: str) -> Answer:
    """`sys/metrics` where the listener shows it to everybody."""
    if head.method != "GET":
        raise WireError(405)
    wanted = read_query(query).get("format", "")
    raw = listener.core.render_metrics(wanted if isinstance(wanted, str) else "", head.headers.get("Accept", ""))
    return Answer(raw.status, raw.body, raw.content_type)


Local = Callable[["Listener", Head, str], Answer]

ALWAYS: Final[dict[str, Local]] = {"sys/health": health, "sys/leader": leader}
"""Answered by every node for itself, at once."""

CEREMONIES: Final = endpoints.PATHS
