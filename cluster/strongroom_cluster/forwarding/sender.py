"""Sends requests to the active node, each once."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog

from strongroom_cluster.forwarding.frames import (
    VERSION,
    Ask,
    Cancel,
    Frame,
    FrameInvalid,
    Leave,
    Lose,
    Refuse,
    Reply,
    Welcome,
    encode,
)
from strongroom_cluster.forwarding.link import Link, make_forwarding_context
from strongroom_cluster.forwarding.outcome import Answer, ForwardRefused, ForwardUnknown
from strongroom_cluster.raft.certificates import CertificateInvalid, Credentials
from strongroom_cluster.raft.refusals import Refusals

_log = structlog.get_logger("strongroom.forwarding")

CONNECT_SECONDS_MAX: Final = 1.0
FLIGHT_MAX: Final = 512
FLIGHT_BYTES_MAX: Final = 64 << 20
WAITING_MAX: Final = 4096


class ForwardSender:
    """One connection to whoever is active. For one event loop."""

    def __init__(self, credentials: Credentials, connect_seconds_max: float = CONNECT_SECONDS_MAX) -> None:
        self.refusals = Refusals()
        self._connect_seconds_max = connect_seconds_max
        self._flight = _Flight()
        self._links: dict[tuple[str, str], _AskingLink] = {}
        self._dials: dict[tuple[str, str], asyncio.Task[_AskingLink]] = {}
        self._open: set[_AskingLink] = set()
        self._is_closed = False
        self.renew(credentials)

    def renew(self, credentials: Credentials) -> None:
        """Show another certificate, and trust other authorities, on new connections."""
        self._context = make_forwarding_context(credentials, is_server=False)

    @property
    def flight(self) -> int:
        """How many requests are on their way."""
        return self._flight.count

    def prepare(self, peer: str, address: str) -> None:
        """Connect ahead of the first request, once it is known who is active."""
        if not self._is_closed and self._usable((peer, address)) is None:
            self._dial((peer, address))

    async def forward(
        self, peer: str, address: str, header: Mapping[str, str], payload: bytes, patience_seconds: float
    ) -> Answer:
        """Have `peer` at `address` (host:port) answer a request.

        Raises ForwardRefused if surely nothing happened, also because of what was given; ForwardUnknown if it was
        sent and there is no answer.
        """
        link: _AskingLink | None = None
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(patience_seconds), self._flight.hold(len(payload)):
                ready = await self._connected((peer, address))
                left = patience_seconds - (asyncio.get_running_loop().time() - begun)
                asked = ready.ask(header, payload, max(1, int(left * 1000)))
                link = ready
                return await link.answer(asked)
        except TimeoutError:
            if link is None:
                raise ForwardRefused("the request could not be sent to the active node in time") from None
            raise ForwardUnknown("the active node did not answer in time") from None

    async def close(self) -> None:
        """End all connections; what is on its way ends as unknown. Idempotent."""
        self._is_closed = True
        dials = list(self._dials.values())
        for dial in dials:
            dial.cancel()
        for link in list(self._open):
            link.end()
        await asyncio.gather(*dials, return_exceptions=True)

    # Connecting

    async def _connected(self, target: tuple[str, str]) -> "_AskingLink":
        """A link that can be written to. Raises ForwardRefused."""
        link = self._usable(target)
        if link is None:
            if self._is_closed:
                raise ForwardRefused("this node stops")
            dial = self._dial(target)
            await asyncio.wait([dial])  # others may wait for the same: it goes on if one of them is cancelled
            if dial.cancelled():
                raise ForwardRefused("this node stops")
            if dial.exception() is not None:
                raise ForwardRefused("the active node cannot be reached") from dial.exception()
            link = dial.result()
        await link.until_writable()
        return link

    def _usable(self, target: tuple[str, str]) -> "_AskingLink | None":
        link = self._links.get(target)
        return link if link is not None and link.is_usable else None

    def _dial(self, target: tuple[str, str]) -> asyncio.Task["_AskingLink"]:
        dial = self._dials.get(target)
        if dial is None:
            dial = self._dials[target] = asyncio.get_running_loop().create_task(self._open_link(target))
            dial.add_done_callback(lambda done: self._dialed(target, done))
        return dial

    def _dialed(self, target: tuple[str, str], dial: asyncio.Task["_AskingLink"]) -> None:
        self._dials.pop(target, None)
        if dial.cancelled():
            return
        error = dial.exception()
        if isinstance(error, ssl.SSLError | CertificateInvalid):
            self.refused(str(error), target[0])
        elif error is None:
            for link in self._links.values():
                link.retire()
            self._links = {target: dial.result()}

    async def _open_link(self, target: tuple[str, str]) -> "_AskingLink":
        peer, address = target
        host, _, port = address.rpartition(":")
        link = _AskingLink(self)
        try:
            async with asyncio.timeout(self._connect_seconds_max):
                await asyncio.get_running_loop().create_connection(
                    lambda: link, host.strip("[]"), int(port), ssl=self._context, server_hostname="strongroom"
                )
                _require_peer(link, peer)
                await link.until_welcome()
        except BaseException:
            link.end()
            raise
        return link

    # What links tell

    def opened(self, link: "_AskingLink") -> None:
        """A link is secured."""
        self._open.add(link)

    def closed(self, link: "_AskingLink") -> None:
        """A link has ended."""
        self._open.discard(link)
        self._links = {target: other for target, other in self._links.items() if other is not link}

    def refused(self, reason: str, who: str) -> None:
        """Count it, and log it if there were not too many just now."""
        if self.refusals.note(asyncio.get_running_loop().time()):
            _log.warning("active node refused", reason=reason, peer=who, refused=self.refusals.count)


class _AskingLink(Link):
    """A connection to the active node, with the requests that wait for it."""

    def __init__(self, owner: ForwardSender) -> None:
        super().__init__()
        self._owner = owner
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._last = 0
        self._is_retired = False
        self._welcome = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_usable(self) -> bool:
        """Whether requests may be sent."""
        return self.is_open and not self._is_retired

    def retire(self) -> None:
        """End as soon as nothing is waited for."""
        self._is_retired = True
        if not self._asked:
            self.finish()

    async def until_welcome(self) -> None:
        """Wait until the other side takes requests. Raises ConnectionResetError if it will not."""
        await self._welcome.wait()
        if not self.is_usable:
            raise ConnectionResetError("the other side ended the connection at once")

    async def until_writable(self) -> None:
        """Wait while the other side does not read. Returns if the connection ends, too."""
        await self._writable.wait()

    def ask(self, header: Mapping[str, str], payload: bytes, patience_ms: int) -> int:
        """Send a request; its number. Raises ForwardRefused if it was not sent."""
        if not self.is_usable:
            raise ForwardRefused("the connection to the active node has just ended")
        number = self._last + 1
        try:
            data = encode(Ask(number, patience_ms, header, payload))
        except FrameInvalid as error:
            raise ForwardRefused(str(error)) from error
        self._last = number
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(data)
        return number

    async def answer(self, number: int) -> Answer:
        """The answer to a request. The other side is told if nobody waits any more."""
        answered = self._asked[number]
        try:
            return await answered
        finally:
            if self._asked.pop(number, None) is not None and self.is_open:
                self.say(Cancel(number))
            if self._is_retired and not self._asked:
                self.finish()

    # What the connection tells

    def opened(self) -> None:
        """Say so."""
        self._owner.opened(self)

    def refused(self, reason: str) -> None:
        """Pass it on."""
        self._owner.refused(reason, self.peer or self.where)

    def closed(self) -> None:
        """Whoever waits will never know."""
        self._welcome.set()
        self._writable.set()
        self._owner.closed(self)
        self._fail(0, ForwardUnknown("the connection to the active node was lost"))

    def unwritable(self) -> None:
        """Requests wait until the other side reads."""
        self._writable.clear()

    def writable(self) -> None:
        """They may go on."""
        self._writable.set()

    def received(self, frame: Frame) -> None:
        """Give an answer to whoever waits for it; one that came too late, to nobody."""
        match frame:
            case Welcome(version):
                if version != VERSION or self._welcome.is_set():
                    raise FrameInvalid("a welcome to another version, or a second one")
                self._welcome.set()
            case Leave(last_taken):
                self._is_retired = True
                self._fail(last_taken, ForwardRefused("the active node stops and did not begin this request"))
                if not self._asked:
                    self.finish()
            case Reply(number, header, payload):
                self._settle(number, Answer(header, payload))
            case Refuse(number, reason):
                self._settle(number, ForwardRefused(reason))
            case Lose(number, reason):
                self._settle(number, ForwardUnknown(reason))
            case _:
                raise FrameInvalid("only requests are sent this way")

    def _settle(self, number: int, outcome: Answer | ForwardRefused | ForwardUnknown) -> None:
        if not 0 < number <= self._last:
            raise FrameInvalid("an answer to nothing that was asked")
        waiting = self._asked.pop(number, None)
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, Answer):
            waiting.set_result(outcome)
        else:
            waiting.set_exception(outcome)

    def _fail(self, above: int, error: Exception) -> None:
        for number in [number for number in self._asked if number > above]:
            waiting = self._asked.pop(number)
            if not waiting.done():
                waiting.set_exception(error)


def _require_peer(link: Link, peer: str) -> None:
    if link.peer != peer:
        raise CertificateInvalid("another node answers at this address")


class _Flight:
    """How much may be on its way. Those who wait go in the order in which they came."""

    def __init__(self) -> None:
        self.count = 0
        self._bytes = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Take part. Raises ForwardRefused if too many wait already."""
        if self._waiting or not self._has_room(size):
            if len(self._waiting) >= WAITING_MAX:
                raise ForwardRefused("too many requests wait for the active node")
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((turn, size))
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._leave(size)
                else:
                    self._waiting.remove((turn, size))
                    self._admit()
                raise
        else:
            self._enter(size)
        try:
            yield
        finally:
            self._leave(size)

    def _has_room(self, size: int) -> bool:
        return self.count == 0 or (self.count < FLIGHT_MAX and self._bytes + size <= FLIGHT_BYTES_MAX)

    def _enter(self, size: int) -> None:
        self.count += 1
        self._bytes += size

    def _leave(self, size: int) -> None:
        self.count -= 1
        self._bytes -= size
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (self._waiting[0][0].done() or self._has_room(self._waiting[0][1])):
            turn, size = self._waiting.popleft()
            if not turn.done():
                self._enter(size)
                turn.set_result(None)
