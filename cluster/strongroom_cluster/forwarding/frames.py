"""What nodes say when one forwards requests to another: msgpack arrays `[code, field, ...]`, all fields checked. Pure.

On the wire a frame is its length (4, big-endian) and its body. Numbers of requests grow by one on each connection.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgpack

from strongroom_cluster.errors import ClusterError

# The largest request body that a listener takes by default (32 MiB), and its envelope.
PAYLOAD_BYTES_MAX: Final = (32 << 20) + (256 << 10)
FRAME_BYTES_MAX: Final = PAYLOAD_BYTES_MAX + (64 << 10)
HEADER_PAIRS_MAX: Final = 32
TEXT_BYTES_MAX: Final = 1024
LENGTH_BYTES: Final = 4
VERSION: Final = 1
_NUMBER_MAX: Final = 1 << 63


class FrameInvalid(ClusterError):
    """Bytes are not a frame, or a request does not fit one. Names the fault, never the content."""


class Ask(NamedTuple):
    """A request. The other side waits for the answer `patience_ms` milliseconds at most."""

    number: int
    patience_ms: int
    header: Mapping[str, str]
    payload: bytes


class Reply(NamedTuple):
    """The answer."""

    number: int
    header: Mapping[str, str]
    payload: bytes


class Refuse(NamedTuple):
    """The request was not begun: nothing happened, and nothing will."""

    number: int
    reason: str


class Lose(NamedTuple):
    """The request was begun, and nobody can say how it ended."""

    number: int
    reason: str


class Cancel(NamedTuple):
    """Nobody waits for the answer any more."""

    number: int


class Leave(NamedTuple):
    """This side stops: requests above `last_taken` were not begun, and none will be."""

    last_taken: int


class Welcome(NamedTuple):
    """The first frame of who answers: until it has come, nothing is asked, so that nothing is lost with a refusal."""

    version: int


Frame = Welcome | Ask | Reply | Refuse | Lose | Cancel | Leave

_TYPES: Final[tuple[Any, ...]] = (Welcome, Ask, Reply, Refuse, Lose, Cancel, Leave)
_CODES: Final = {kind: code for code, kind in enumerate(_TYPES)}
_SHAPES: Final = {kind: tuple(kind.__annotations__.values()) for kind in _TYPES}
_FIELDS_MAX: Final = 5

_pack = msgpack.Packer(use_bin_type=True).pack


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the wire. Raises FrameInvalid for what the other side would refuse."""
    if type(frame) in {Ask, Reply}:
        require_fits(frame.header, frame.payload)  # type: ignore[union-attr]  # the two that have them
    body: bytes = _pack((_CODES[type(frame)], *frame))
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def require_fits(header: Mapping[str, str], payload: bytes) -> None:
    """Raise FrameInvalid unless a request or an answer is small enough to be sent."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise FrameInvalid(f"more than {PAYLOAD_BYTES_MAX} bytes cannot be forwarded")
    if len(header) > HEADER_PAIRS_MAX:
        raise FrameInvalid(f"a header has more than {HEADER_PAIRS_MAX} fields")
    if any(len(text.encode(errors="replace")) > TEXT_BYTES_MAX for pair in header.items() for text in pair):
        raise FrameInvalid(f"a header field is longer than {TEXT_BYTES_MAX} bytes")


def shorten(reason: str) -> str:
    """A reason that fits a frame."""
    return reason.encode(errors="replace")[:TEXT_BYTES_MAX].decode(errors="ignore")


def decode(body: bytes | memoryview) -> Frame:
    """The frame in a body. Raises FrameInvalid."""
    if len(body) > FRAME_BYTES_MAX:
        raise FrameInvalid("a frame is too large")
    try:
        fields = msgpack.unpackb(
            body,
            raw=False,
            max_bin_len=PAYLOAD_BYTES_MAX,
            max_str_len=TEXT_BYTES_MAX,
            max_array_len=_FIELDS_MAX,
            max_map_len=HEADER_PAIRS_MAX,
            max_ext_len=0,
        )
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise FrameInvalid("a frame is not msgpack, or larger than allowed") from error
    if type(fields) is not list or not fields or type(fields[0]) is not int or not 0 <= fields[0] < len(_TYPES):
        raise FrameInvalid("a frame is of no known type")
    kind = _TYPES[fields[0]]
    shape = _SHAPES[kind]
    if len(fields) - 1 != len(shape) or not all(map(_fits, fields[1:], shape)):
        raise FrameInvalid(f"a frame of type {kind.__name__} has a wrong shape")
    frame: Frame = kind(*fields[1:])
    return frame


def _fits(value: object, kind: object) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value < _NUMBER_MAX
    if kind is bytes or kind is str:
        return type(value) is kind
    return type(value) is dict and all(type(text) is str for pair in value.items() for text in pair)
