"""Answers what other nodes forward to the active one."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

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
    shorten,
)
from strongroom_cluster.forwarding.link import Link, make_forwarding_context
from strongroom_cluster.forwarding.outcome import Forwarded, ForwardRefused, Handler
from strongroom_cluster.raft.certificates import Credentials
from strongroom_cluster.raft.refusals import Refusals

_log = structlog.get_logger("strongroom.forwarding")

# Of all peers together; beyond it requests are refused, and the peer tells its client so.
RUNNING_MAX: Final = 4096
RUNNING_BYTES_MAX: Final = 256 << 20
LINKS_OF_PEER_MAX: Final = 4
HANDSHAKES_MAX: Final = 16
HANDSHAKE_SECONDS_MAX: Final = 2.0
PATIENCE_SECONDS_MAX: Final = 600.0
_BACKLOG: Final = 128
_ACCEPT_AGAIN_SECONDS: Final = 0.1


class ForwardReceiver:
    """Takes connections of members and has `handler` answer their requests."""

    def __init__(self, credentials: Credentials, handler: Handler, is_member: Callable[[str], bool]) -> None:
        self.port = 0
        self.refusals = Refusals()
        self.handler = handler
        self.is_member = is_member
        self.running = 0
        self.running_bytes = 0
        self.is_leaving = False
        self._links: set[_AnsweringLink] = set()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._handshakes = 0
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Future[Any] | None = None
        self.renew(credentials)

    def renew(self, credentials: Credentials) -> None:
        """Show another certificate, and trust other authorities, on new connections."""
        self._context = make_forwarding_context(credentials, is_server=True)

    def make_link(self) -> asyncio.Protocol:
        """What answers one connection that another listener of the cluster port has secured, and chosen by ALPN."""
        return _AnsweringLink(self)

    async def listen(self, host: str, port: int) -> None:
        """Listen on a port of its own. Raises OSError if the address is taken."""
        self._socket = _listening(host, port)
        self.port = self._socket.getsockname()[1]
        self._accepting = self.own(self._accept(self._socket))

    def keep_members(self) -> None:
        """End the connections of those who are not members any more."""
        for link in list(self._links):
            if not self.is_member(link.peer):
                link.end()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Begin nothing more, tell so, let what runs finish for a while, and end. Idempotent."""
        self.is_leaving = True
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        if self._socket is not None:
            self._socket.close()
        for link in list(self._links):
            link.leave()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("forwarded requests cut off", running=self.running)
        for link in list(self._links):
            if link.is_idle:
                link.finish()
            else:
                link.end()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def own(self, work: Awaitable[Any]) -> asyncio.Future[Any]:
        """Run something until it ends or this is closed."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Accepting

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while not self.is_leaving:
            try:
                call, address = await loop.sock_accept(listening)
            except OSError as error:
                self.refused(f"cannot accept: {error}", "")
                await asyncio.sleep(_ACCEPT_AGAIN_SECONDS)
                continue
            who = f"{address[0]}:{address[1]}"
            if self._handshakes >= HANDSHAKES_MAX:
                call.close()
                self.refused("too many connections", who)
            else:
                self._handshakes += 1
                self.own(self._answer(call, who))

    async def _answer(self, call: socket.socket, who: str) -> None:
        """Take a call from a stranger."""
        link = _AnsweringLink(self)
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS_MAX):
                await asyncio.get_running_loop().connect_accepted_socket(lambda: link, call, ssl=self._context)
        except (OSError, TimeoutError) as error:
            self.refused(f"no handshake: {str(error) or 'timeout'}", who)
        finally:
            self._handshakes -= 1
            if not link.peer:
                link.end()
                call.close()

    # What links tell

    def opened(self, link: "_AnsweringLink") -> None:
        """A link is secured."""
        of_peer = [other for other in self._links if other.peer == link.peer]
        if self.is_leaving or not self.is_member(link.peer) or len(of_peer) >= LINKS_OF_PEER_MAX:
            if not self.is_leaving:
                self.refused("no member of this cluster, or too many connections of it", link.peer)
            link.end()
            return
        self._links.add(link)
        link.say(Welcome(VERSION))

    def closed(self, link: "_AnsweringLink") -> None:
        """A link has ended."""
        self._links.discard(link)

    def begin(self, size: int) -> bool:
        """Whether a request of so many bytes may begin; it is counted then."""
        if self.running >= RUNNING_MAX or (self.running and self.running_bytes + size > RUNNING_BYTES_MAX):
            return False
        self.running += 1
        self.running_bytes += size
        self._idle.clear()
        return True

    def done(self, size: int) -> None:
        """A request has ended."""
        self.running -= 1
        self.running_bytes -= size
        if not self.running:
            self._idle.set()

    def refused(self, reason: str, who: str) -> None:
        """Count it, and log it if there were not too many just now."""
        if self.refusals.note(asyncio.get_running_loop().time()):
            _log.warning("connection refused", reason=reason, peer=who, refused=self.refusals.count)


class _AnsweringLink(Link):
    """A connection from another node."""

    def __init__(self, owner: ForwardReceiver) -> None:
        super().__init__()
        self._owner = owner
        self._last = 0
        self._is_leaving = False
        self._running: dict[int, asyncio.Future[Any]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs for the other side."""
        return not self._running

    def leave(self) -> None:
        """Begin nothing more, and say what was the last that was begun."""
        if not self._is_leaving:
            self._is_leaving = True
            self.say(Leave(self._last))

    def opened(self) -> None:
        """Say so."""
        self._owner.opened(self)

    def refused(self, reason: str) -> None:
        """Pass it on."""
        self._owner.refused(reason, self.peer or self.where)

    def closed(self) -> None:
        """Nobody waits any more."""
        self._owner.closed(self)
        for task in self._running.values():
            task.cancel()

    def unwritable(self) -> None:
        """Who does not take answers may not ask for more."""
        self.hold_reading(True)

    def writable(self) -> None:
        """Go on."""
        self.hold_reading(False)

    def received(self, frame: Frame) -> None:
        """Begin a request, or stop one."""
        match frame:
            case Ask():
                self._take(frame)
            case Cancel(number):
                task = self._running.get(number)
                if task is not None:
                    task.cancel()
            case _:
                raise FrameInvalid("only answers are sent this way")

    def _take(self, ask: Ask) -> None:
        if ask.number <= self._last:
            raise FrameInvalid("a request came twice")
        owner = self._owner
        if self._is_leaving:
            return  # the other side has been told
        self._last = ask.number
        if not owner.is_member(self.peer):
            self.say(Refuse(ask.number, "this node is no member of the cluster any more"))
        elif not owner.begin(len(ask.payload)):
            self.say(Refuse(ask.number, "the active node is busy"))
        else:
            task = owner.own(self._answer(ask))
            self._running[ask.number] = task
            task.add_done_callback(lambda _: self._ended(ask.number, len(ask.payload)))

    def _ended(self, number: int, size: int) -> None:
        self._running.pop(number, None)
        self._owner.done(size)

    async def _answer(self, ask: Ask) -> None:
        patience = min(ask.patience_ms / 1000, PATIENCE_SECONDS_MAX)
        try:
            async with asyncio.timeout(patience):
                header, payload = await self._owner.handler(Forwarded(self.peer, ask.header, ask.payload, patience))
            answer = encode(Reply(ask.number, header, payload))
        except ForwardRefused as error:
            answer = encode(Refuse(ask.number, shorten(str(error))))
        except TimeoutError:
            answer = encode(Lose(ask.number, "the active node did not finish in time"))
        except FrameInvalid as error:
            answer = encode(Lose(ask.number, f"the answer was too large to be passed on: {error}"))
        except Exception as error:  # noqa: BLE001  -- the border: what it did, only the log may know
            _log.error("forwarded request failed", peer=self.peer, error=type(error).__name__)
            answer = encode(Lose(ask.number, "the active node failed"))
        self.send(answer)


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
