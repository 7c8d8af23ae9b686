"""Networks that logins and tokens are bound to."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Final

from strongroom_node.sdk.errors import BadRequest

CIDRS_MAX: Final = 256
"""Each one is compared at every login and request."""

_ZONE: Final = re.compile(r"%[^/]*")
_Network = IPv4Network | IPv6Network


def address_in(address: str, cidrs: Iterable[str]) -> bool:
    """True if the address lies in one of the networks; no networks allow every address.

    An IPv4 address that arrives over an IPv6 socket (`::ffff:10.0.0.1`) counts as IPv4. An address that cannot be
    read, as that of a unix socket, lies in no network.
    """
    networks = [_network(cidr) for cidr in cidrs]
    if not networks:
        return True
    found = _address(address)
    return found is not None and any(found in network for network in networks)


def parse_cidrs(texts: Sequence[str]) -> tuple[str, ...]:
    """Addresses and blocks in one spelling: a block of one address is the address. Raises BadRequest."""
    if len(texts) > CIDRS_MAX:
        raise BadRequest(f"more than {CIDRS_MAX} address blocks")
    found: list[str] = []
    for text in texts:
        try:
            block = ip_interface(_ZONE.sub("", text.strip()))
        except ValueError as error:
            shown = text[:64]
            raise BadRequest(
                f'error parsing address "{shown}": Unable to convert "{shown}" to an IPv4 or IPv6 address, or a UNIX '
                "Socket"
            ) from error
        mapped = block.ip.ipv4_mapped if isinstance(block, IPv6Interface) else None
        if mapped is not None and block.network.prefixlen >= 96:  # callers' addresses are unmapped too
            block = ip_interface(f"{mapped}/{block.network.prefixlen - 96}")
        whole = block.network.prefixlen == block.max_prefixlen
        found.append(str(block.ip) if whole else f"{block.ip}/{block.network.prefixlen}")
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1024)
def _network(cidr: str) -> _Network:
    """Host bits are dropped: `10.1.2.3/24` means `10.1.2.0/24`. Raises ValueError."""
    return ip_network(cidr.strip(), strict=False)


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
