"""The PROXY protocol, versions 1 and 2 (pure).

Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
"""

from ipaddress import ip_address
from typing import Final

V1_START: Final = b"PROXY "
V2_START: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_BYTES_MAX: Final = 107
_V2_HEAD_BYTES: Final = 16
_V2_BODY_BYTES_MAX: Final = 4096
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class ProxyHeaderInvalid(ValueError):
    """The connection does not begin as the protocol says."""


class NoProxyHeader(Exception):
    """The connection begins with something else: no header at all."""


def read_header(data: bytes) -> tuple[tuple[str, int] | None, int] | None:
    """Source address (None: the peer speaks for itself) and length of the header; None if more bytes are needed.

    Raises NoProxyHeader when the bytes cannot become a header, ProxyHeaderInvalid when they are a broken one.
    """
    if data[: len(V2_START)] == V2_START[: len(data)]:
        return _read_v2(data) if len(data) >= _V2_HEAD_BYTES else None
    if data[: len(V1_START)] == V1_START[: len(data)]:
        return _read_v1(data)
    raise NoProxyHeader


def _read_v1(data: bytes) -> tuple[tuple[str, int] | None, int] | None:
    end = data.find(b"\r\n", 0, _V1_BYTES_MAX)
    if end < 0:
        if len(data) >= _V1_BYTES_MAX:
            raise ProxyHeaderInvalid("the header has no end")
        return None
    fields = data[:end].split(b" ")
    if len(fields) >= 2 and fields[1] == b"UNKNOWN":
        return None, end + 2
    if len(fields) != 6 or fields[1] not in {b"TCP4", b"TCP6"}:
        raise ProxyHeaderInvalid("malformed header")
    try:
        source, version = ip_address(fields[2].decode("ascii")), 4 if fields[1] == b"TCP4" else 6
        ip_address(fields[3].decode("ascii"))
    except ValueError as error:
        raise ProxyHeaderInvalid("malformed address") from error
    if source.version != version or not fields[4].isdigit() or not fields[5].isdigit():
        raise ProxyHeaderInvalid("malformed header")
    port = int(fields[4][:6])
    if port > 65535 or int(fields[5][:6]) > 65535:
        raise ProxyHeaderInvalid("malformed port")
    return (str(source), port), end + 2


def _read_v2(data: bytes) -> tuple[tuple[str, int] | None, int] | None:
    command, family = data[12], data[13]
    length = int.from_bytes(data[14:16], "big")
    if command not in {_LOCAL, _PROXY} or length > _V2_BODY_BYTES_MAX:
        raise ProxyHeaderInvalid("malformed header")
    total = _V2_HEAD_BYTES + length
    if len(data) < total:
        return None
    if command == _LOCAL or family not in {_TCP4, _TCP6}:
        return None, total
    size = 4 if family == _TCP4 else 16
    if length < 2 * size + 4:
        raise ProxyHeaderInvalid("the addresses are cut short")
    body = data[_V2_HEAD_BYTES : _V2_HEAD_BYTES + length]
    return (str(ip_address(body[:size])), int.from_bytes(body[2 * size : 2 * size + 2], "big")), total
