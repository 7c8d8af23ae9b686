"""Networks that a token is bound to."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from strongroom_node.sdk.errors import BadRequest

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


def parse_cidrs(cidrs: Iterable[str]) -> tuple[str, ...]:
    """The networks as they were written, each checked. Raises BadRequest for what is none."""
    found = []
    for cidr in cidrs:
        try:
            _network(cidr)
        except ValueError as error:
            raise BadRequest(f'error parsing bound_cidrs: error parsing address "{cidr}"') from error
        found.append(cidr.strip())
    return tuple(found)


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
