"""Whose address a request is said to come from, where proxies stand in between."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from multidict import CIMultiDictProxy

from strongroom_node.http.errors import WireError
from strongroom_node.http.settings import ForwardedFor, Network

HOPS_MAX: Final = 64


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """True if the address lies in one of the networks."""
    found = _parse(address)
    return found is not None and any(found in network for network in networks)


def client_address(peer: tuple[str, int], headers: CIMultiDictProxy[str], rule: ForwardedFor) -> tuple[str, int]:
    """The address and port of the client behind trusted proxies; the peer's own without any.

    The header is read from its end, where the nearest proxy writes, `hop_skips` entries further on.
    Raises WireError 400.
    """
    if not rule.authorized:
        return peer
    trusted = is_within(peer[0], rule.authorized)
    values = headers.getall("X-Forwarded-For", [])
    if not values:
        if rule.rejects_absent:
            raise WireError(400, "missing x-forwarded-for header and configured to reject when not present")
        return peer
    if not trusted:
        if rule.rejects_unauthorized:
            raise WireError(400, "client address not authorized for x-forwarded-for")
        return peer
    hops = [hop for value in values for hop in value.split(",")]
    if len(hops) > HOPS_MAX:
        raise WireError(400, "too many hops in x-forwarded-for")
    at = len(hops) - 1 - rule.hop_skips
    if at < 0:
        raise WireError(400, "x-forwarded-for has fewer hops than are to be skipped")
    found = _parse(hops[at])
    if found is None:
        raise WireError(400, "malformed x-forwarded-for header")
    return str(found), 0
