"""Tickets settle once, call back at once, and survive who stops waiting."""

import asyncio

import pytest

from strongroom_storage.ticket import Ticket


async def test_settling_calls_back_in_order_and_wakes() -> None:
    ticket = Ticket()
    heard: list[int] = []
    ticket.on_settled(lambda: heard.append(1))
    ticket.on_settled(lambda: heard.append(2))
    with pytest.raises(asyncio.InvalidStateError):
        ticket.result()
    asyncio.get_running_loop().call_soon(ticket.settle, 7)
    assert await ticket == 7
    assert heard == [1, 2]
    assert await ticket == ticket.result() == 7
    ticket.on_settled(lambda: heard.append(3))
    assert heard == [1, 2, 3]


async def test_failing_raises_for_all_and_warns_nobody() -> None:
    ticket = Ticket()
    waits = [asyncio.ensure_future(_wait(ticket)) for _ in range(2)]
    await asyncio.sleep(0)
    ticket.fail(KeyError("why"))
    for wait in waits:
        with pytest.raises(KeyError):
            await wait
    Ticket().fail(KeyError("nobody waits for this one"))


async def test_a_cancelled_wait_leaves_the_others() -> None:
    ticket = Ticket()
    first, second = (asyncio.ensure_future(_wait(ticket)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    ticket.settle(3)
    assert await second == 3


async def _wait(ticket: Ticket) -> int:
    return await ticket
