"""Changes of one map at once, and the bound on work that waits for a thread."""

import asyncio

import pytest

from strongroom_node.core.core import BLOCKING_MAX
from strongroom_node.sdk import errors


async def test_of_two_headers_set_at_once_both_are_there(node):
    await asyncio.gather(
        *(node.ask("update", f"sys/config/ui/headers/X-{name}", values=["v"]) for name in ("One", "Two")),
        *(node.ask("update", f"sys/config/auditing/request-headers/X-{name}", hmac=True) for name in ("One", "Two")),
    )
    assert (await node.ask("list", "sys/config/ui/headers")).data["keys"] == ["X-One", "X-Two"]
    shown = (await node.ask("read", "sys/config/auditing/request-headers")).data["headers"]
    assert shown == {"x-one": {"hmac": True}, "x-two": {"hmac": True}}


async def test_a_header_is_replaced_and_deleted_in_any_case(node):
    await node.ask("update", "sys/config/ui/headers/X-One", values=["a"])
    await node.ask("update", "sys/config/ui/headers/x-one", values=["b"])
    assert node.core.settings.read("ui-headers") == {"x-one": ["b"]}
    await node.ask("delete", "sys/config/ui/headers/X-ONE")
    assert node.core.settings.read("ui-headers") == {}


async def test_a_flood_of_logins_is_refused_rather_than_queued(node):
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def block():
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    waiting = [asyncio.ensure_future(node.core.run_blocking(block)) for _ in range(BLOCKING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(errors.Unavailable):
        await node.core.run_blocking(block)
    release.set()
    await asyncio.gather(*waiting)
    await node.core.run_blocking(int)
