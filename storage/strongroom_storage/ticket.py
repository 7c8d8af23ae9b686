"""The outcome of a queued write, before it is known.

A future of the event loop would do, at the price of two more passes of the loop for each write: one to call back, one
to shield it from whoever stops waiting. A ticket calls back at once, and nobody can cancel it.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import partial


class Ticket:
    """Settled once, with an index or an error; then calls back at once, in order, and wakes who awaits it.

    Await it as often as you like; cancelling a wait changes nothing for the write or for others who wait.
    """

    __slots__ = ("_callbacks", "_error", "_index", "is_settled")

    def __init__(self) -> None:
        self.is_settled = False
        self._index = 0
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], object]] = []

    def settle(self, index: int) -> None:
        """The write is durable and applied here, at this index."""
        self._index = index
        self._call()

    def fail(self, error: BaseException) -> None:
        """The write did not happen, or nobody knows; the error says which."""
        self._error = error
        self._call()

    def on_settled(self, callback: Callable[[], object]) -> None:
        """Call when settled; `callback` may not raise and may not write."""
        if self.is_settled:
            callback()
        else:
            self._callbacks.append(callback)

    def result(self) -> int:
        """The index, once settled. Raises the error the write failed with."""
        if not self.is_settled:
            raise asyncio.InvalidStateError("the write is not settled yet")
        if self._error is not None:
            raise self._error
        return self._index

    def __await__(self) -> Generator[object, None, int]:
        """Wait until it is settled; the index, or the error."""
        if not self.is_settled:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._callbacks.append(partial(_wake, woken))
            yield from woken.__await__()
        return self.result()

    def _call(self) -> None:
        self.is_settled = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


def _wake(woken: asyncio.Future[None]) -> None:
    """Wake a waiter, unless it has stopped waiting."""
    if not woken.done():
        woken.set_result(None)
