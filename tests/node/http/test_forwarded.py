"""Whose address a request comes from, behind proxies."""

from ipaddress import ip_network

import pytest
from support.edge import edge

from strongroom_node.http.settings import ForwardedFor

STS = "max-age=31536000; includeSubDomains"

HERE = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("192.0.2.0/24"),)


@pytest.mark.parametrize(
    ("rule", "lines", "address"),
    [
        (ForwardedFor(), ["1.1.1.1"], "127.0.0.1"),
        (ForwardedFor(HERE), ["1.1.1.1"], "1.1.1.1"),
        (ForwardedFor(HERE), ["1.1.1.1, 2.2.2.2"], "2.2.2.2"),
        (ForwardedFor(HERE), ["1.1.1.1", "2.2.2.2"], "2.2.2.2"),
        (ForwardedFor(HERE, 1), ["1.1.1.1", "2.2.2.2"], "1.1.1.1"),
        (ForwardedFor(HERE), ["[2001:db8::1]:443"], "2001:db8::1"),
        (ForwardedFor(HERE), ["2001:db8::1"], "2001:db8::1"),
        (ForwardedFor(HERE), ["3.3.3.3:80"], "3.3.3.3"),
        (ForwardedFor(HERE), ["::ffff:3.3.3.3"], "3.3.3.3"),
        (ForwardedFor(HERE, 2), ["1.1.1.1, 2.2.2.2"], None),
        (ForwardedFor(HERE), ["not an address"], None),
        (ForwardedFor(HERE), [""], None),
        (ForwardedFor(HERE), ["1.1.1.1,"], None),
        (ForwardedFor(HERE), [], None),
        (ForwardedFor(HERE), [",".join(["1.1.1.1"] * 65)], None),
        (ForwardedFor(HERE, rejects_absent=False), [], "127.0.0.1"),
        (ForwardedFor(ELSEWHERE), ["1.1.1.1"], None),
        (ForwardedFor(ELSEWHERE, rejects_unauthorized=False), ["1.1.1.1"], "127.0.0.1"),
        (ForwardedFor(ELSEWHERE), [], None),
    ],
)
async def test_forwarded_for(rule, lines, address):
    async with edge(forwarded_for=rule) as node:
        client = await node.connect()
        answer = await client.get("/v1/a", *(f"X-Forwarded-For: {line}" for line in lines))
        if address is None:
            assert (answer.status, node.core.requests) == (400, [])
            assert answer.errors
        else:
            assert node.core.requests[0].remote_address == address
        assert node.listener._connections
