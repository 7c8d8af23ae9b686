"""Addresses to bind and to advertise, and the templates in them."""

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Final

API_PORT: Final = 8200

_TEMPLATE: Final = re.compile(r"\{\{\s*(\w+)(?:\s+\"([^\"]*)\")?\s*\}\}")
_SIOCGIFADDR: Final = 0x8915


class AddressInvalid(ValueError):
    """The text is no address, or its template finds none."""


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`, `[v6]:port`, `:port`, or a host alone (port 8200). Raises AddressInvalid."""
    host, separator, port = address.rpartition(":")
    if not separator or (":" in host and not host.endswith("]")):
        host, port = address, str(API_PORT)
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        raise AddressInvalid(f'"{address}" is no address to listen on')
    return host.removeprefix("[").removesuffix("]"), int(port)


def local_addresses() -> dict[str, str]:
    """IPv4 address of every network interface that has one, by interface name."""
    found: dict[str, str] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            found[name] = socket.inet_ntoa(answer[20:24])
    return found


def expand_template(address: str, interfaces: Callable[[], Mapping[str, str]] = local_addresses) -> str:
    """Fill in `{{ GetPrivateIP }}`, `{{ GetPublicIP }}` and `{{ GetInterfaceIP "eth0" }}`. Raises AddressInvalid."""
    if "{{" not in address:
        return address

    def value(found: re.Match[str]) -> str:
        known = interfaces()
        if found[1] == "GetInterfaceIP":
            made = known.get(found[2] or "", "")
        else:
            wanted = {"GetPrivateIP": True, "GetPublicIP": False}.get(found[1])
            made = next((each for each in known.values() if wanted is not None and _is_private(each) == wanted), "")
            made = "" if made.startswith("127.") else made
        if not made:
            raise AddressInvalid(f'the template in "{address}" finds no address')
        return made

    filled = _TEMPLATE.sub(value, address)
    if "{{" in filled:
        raise AddressInvalid(f'"{address}" holds a template that is not known')
    return filled


def _is_private(address: str) -> bool | None:
    """None for loopback and link-local addresses, which are neither."""
    parsed = ipaddress.ip_address(address)
    return None if parsed.is_loopback or parsed.is_link_local else parsed.is_private
