"""The only import of pysyncobj. What is kept of it: elections, votes, log matching and the commit rule.

Everything it would do by itself (threads, sockets, files, pickle) is replaced or refuses. `Library` overrides private
names of one exact version; `require_names` refuses to start if any of them is not there. The reasons for each
override are measured facts about 0.3.17: acks are counted whatever their term, matching suffixes are truncated,
an exception in apply is retried forever, a damaged dump is swallowed, the guard of membership changes never closes.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

import pysyncobj.pickle as pickling
import pysyncobj.syncobj as library
from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.node import Node
from pysyncobj.version import VERSION

from strongroom_cluster.errors import ClusterError
from strongroom_cluster.raft.journal import RaftJournal
from strongroom_cluster.raft.timeouts import Timings

VERSION_WANTED: Final = "0.3.17"

FOLLOWER: Final = 0
CANDIDATE: Final = 1
LEADER: Final = 2

# Methods that are overridden or called, then fields that are read or set.
METHODS: Final = (
    "_onTick",
    "_checkCommandsToApply",
    "_SyncObj__applyLogEntries",
    "_SyncObj__changeCluster",
    "_SyncObj__connectedToAnyone",
    "_SyncObj__doApplyCommand",
    "_SyncObj__doChangeCluster",
    "_SyncObj__generateRaftTimeout",
    "_SyncObj__getEntries",
    "_SyncObj__loadDumpFile",
    "_SyncObj__onBecomeLeader",
    "_SyncObj__onMessageReceived",
    "_SyncObj__onSetCodeVersion",
    "_SyncObj__parseChangeClusterRequest",
    "_SyncObj__sendAppendEntries",
    "_SyncObj__setCurrentTerm",
    "_SyncObj__setState",
    "_SyncObj__tryLogCompaction",
)
FIELDS: Final = (
    "_SyncObj__connectedNodes",
    "_SyncObj__lastResponseTime",
    "_SyncObj__newAppendEntriesTime",
    "_SyncObj__noopIDx",
    "_SyncObj__otherNodes",
    "_SyncObj__raftCommitIndex",
    "_SyncObj__raftCurrentTerm",
    "_SyncObj__raftElectionDeadline",
    "_SyncObj__raftLastApplied",
    "_SyncObj__raftLeader",
    "_SyncObj__raftLog",
    "_SyncObj__raftMatchIndex",
    "_SyncObj__raftNextIndex",
    "_SyncObj__raftState",
    "_SyncObj__readonlyNodes",
    "_SyncObj__transferInProgress",
    "_SyncObj__transport",
    "_poller",
)
GLOBALS: Final = ("createJournal", "createPoller", "globalDnsResolver", "monotonicTime", "pickle")


class LibraryUnfit(ClusterError):
    """The installed pysyncobj is not the one this program was made for. It must not run: its safety rests on it."""


class PickleRefused(ClusterError):
    """Something tried to pickle or unpickle."""


def require_names(
    base: type = SyncObj, instance: object | None = None, module: object = library, version: str = VERSION
) -> None:
    """Raise LibraryUnfit unless every private name that is overridden or used exists."""
    missing = [name for name in METHODS if not callable(getattr(base, name, None))]
    missing += [name for name in GLOBALS if not hasattr(module, name)]
    if instance is not None:
        missing += [name for name in FIELDS if not hasattr(instance, name)]
    if missing or version != VERSION_WANTED:
        raise LibraryUnfit(
            f"pysyncobj {VERSION_WANTED} is needed, this is {version}; names missing: {', '.join(missing) or 'none'}"
        )


def _refuse(*_arguments: object, **_keywords: object) -> NoReturn:
    raise PickleRefused("pickle is disabled")


class _NoPickle:
    """Stands where pysyncobj has its pickle module. Nothing that is kept of it needs one."""

    loads = load = dumps = dump = staticmethod(_refuse)


class _NullPoller:
    """There are no sockets of pysyncobj to poll."""

    def subscribe(self, *_arguments: object) -> None:
        """Do nothing."""

    def unsubscribe(self, *_arguments: object) -> None:
        """Do nothing."""

    def poll(self, _seconds: float) -> None:
        """Do nothing."""


_clock: list[Callable[[], float]] = [time.monotonic]


def now() -> float:
    """Seconds on the clock that all consensus in this process uses."""
    return _clock[0]()


def use_clock(clock: Callable[[], float]) -> None:
    """Give the consensus core another clock. It is one for the process: the library knows only a global function."""
    _clock[0] = clock


def _open_journal(journal: RaftJournal) -> RaftJournal:
    return journal


def disarm() -> None:
    """Replace what pysyncobj takes from its surroundings. Idempotent; runs on import of this module.

    Modules of pysyncobj that copied pickle's functions on import get the refusal too.
    """
    names = ("loads", "load", "dumps", "dump")
    for name, module in list(sys.modules.items()):
        if name == "pysyncobj" or name.startswith("pysyncobj."):
            for function in names:
                if callable(getattr(module, function, None)):
                    setattr(module, function, _refuse)
            if getattr(module, "pickle", None) is not None and name != "pysyncobj.syncobj":
                setattr(module, "pickle", _NoPickle)  # noqa: B010  -- modules have no such attribute for the type checker
    pickling.pickle = _NoPickle
    library.pickle = _NoPickle
    library.createJournal = _open_journal
    library.createPoller = lambda _kind: _NullPoller()
    library.monotonicTime = now


require_names()
disarm()


class Adapter:
    """The transport that pysyncobj sees: what it sends goes to `send`, and nothing comes from it."""

    ready = True

    def __init__(self, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._send = send

    def send(self, node: Node, message: dict[str, Any]) -> bool:
        """Pass a message on."""
        self._send(node.id, message)
        return True

    def tryGetReady(self) -> None:  # noqa: N802  -- pysyncobj's name
        """Do nothing."""

    def _ignore(self, *_arguments: object) -> None:
        """Take a callback and never call it."""

    setOnNodeConnectedCallback = setOnNodeDisconnectedCallback = setOnMessageReceivedCallback = _ignore  # noqa: N815
    setOnReadonlyNodeConnectedCallback = setOnReadonlyNodeDisconnectedCallback = _ignore  # noqa: N815
    setOnUtilityMessageCallback = addNode = dropNode = destroy = _ignore  # noqa: N815


class Library(SyncObj):  # type: ignore[misc]  # the library has no types
    """pysyncobj with its outside replaced. A subclass decides what to send and what to apply."""

    _SyncObj__raftLeader: Any

    def __init__(
        self, node_id: str, journal: RaftJournal, timings: Timings, random: Callable[[], float], applied_index: int
    ) -> None:
        self._random = random
        self._journal = journal
        self._timings = timings
        self._nodes: dict[str, Node] = {}
        conf = SyncObjConf(
            autoTick=False,
            journalFile=journal,
            raftMinTimeout=timings.election_seconds_min,
            raftMaxTimeout=timings.election_seconds_max,
            appendEntriesPeriod=timings.heartbeat_seconds,
            leaderFallbackTimeout=timings.quorum_seconds_max,
            connectionTimeout=timings.election_seconds_max,
            appendEntriesUseBatch=True,
            commandsWaitLeader=False,
            dynamicMembershipChange=False,
            fullDumpFile=None,
            password=None,
        )
        super().__init__(Node(node_id), [], conf, transport=Adapter(self.convey), nodeClass=Node)
        require_names(instance=self)
        self._SyncObj__raftLastApplied = applied_index
        self._SyncObj__noopIDx = 0

    # For subclasses to fill in

    def convey(self, peer: str, message: dict[str, Any]) -> None:
        """Send one of the library's own messages (votes only)."""
        raise LibraryUnfit(f"nobody sends {message['type']} to {peer}")

    def send_round(self) -> None:
        """Send what followers lack, or a heartbeat."""

    def apply_committed(self) -> None:
        """Apply what is committed and durable."""

    def began_term(self) -> None:
        """This node was elected; its first entry is in the log."""

    # Typed views of the library's fields

    @property
    def term(self) -> int:
        """The current term."""
        term: int = self._SyncObj__raftCurrentTerm
        return term

    @property
    def is_leader(self) -> bool:
        """Whether this node believes to lead; only a read round proves it."""
        return bool(self._SyncObj__raftState == LEADER)

    @property
    def leader(self) -> str | None:
        """The leader this node knows of."""
        node = self._SyncObj__raftLeader
        return None if node is None else str(node.id)

    @property
    def commit_index(self) -> int:
        """The newest entry this node knows to be committed."""
        index: int = self._SyncObj__raftCommitIndex
        return index

    def node(self, name: str) -> Node:
        """The library's object for a node id."""
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = Node(name)
        return found

    def set_nodes(self, voters: set[str], others: set[str]) -> None:
        """Say who votes and who only listens, this node not among them."""
        moment = now()
        self._SyncObj__otherNodes = {self.node(name) for name in voters}
        self._SyncObj__readonlyNodes = {self.node(name) for name in others}
        present = self._SyncObj__otherNodes | self._SyncObj__readonlyNodes
        for gone in set(self._SyncObj__raftMatchIndex) - present:
            # A node that comes back may come back empty: what it once had must not count.
            del self._SyncObj__raftMatchIndex[gone]
            self._SyncObj__lastResponseTime.pop(gone, None)
        for node in present:
            self._SyncObj__raftMatchIndex.setdefault(node, 0)
            self._SyncObj__lastResponseTime.setdefault(node, moment)

    def tell(self, peer: str, message: dict[str, Any]) -> None:
        """Give the library a message from a peer."""
        super()._SyncObj__onMessageReceived(self.node(peer), message)

    def follow(self, term: int) -> None:
        """Enter a newer term as a follower."""
        self._SyncObj__setCurrentTerm(term, None)
        self._SyncObj__setState(FOLLOWER)
        self._SyncObj__raftLeader = None

    def resign(self) -> None:
        """Stop leading, in the same term; a vote given in it stays given."""
        self._SyncObj__setState(FOLLOWER)
        self._SyncObj__raftLeader = None
        self._SyncObj__raftElectionDeadline = now() + self._SyncObj__generateRaftTimeout()

    # Overrides of private names

    def _SyncObj__generateRaftTimeout(self) -> float:  # noqa: N802
        timings = self._timings
        return (
            timings.election_seconds_min
            + (timings.election_seconds_max - timings.election_seconds_min) * self._random()
        )

    def _SyncObj__getEntries(  # noqa: N802
        self,
        fromIDx: int,  # noqa: N803
        count: int | None = None,
        maxSizeBytes: int | None = None,  # noqa: N803
    ) -> Any:
        """Hide what is not on this disk from the commit rule, which counts the leader's log as soon as it is there."""
        if count == 1 and fromIDx > self._journal.durable_index:
            return []
        return super()._SyncObj__getEntries(fromIDx, count, maxSizeBytes)

    def _SyncObj__applyLogEntries(self) -> bool:  # noqa: N802
        self.apply_committed()
        return False

    def _SyncObj__sendAppendEntries(self) -> None:  # noqa: N802
        self._SyncObj__newAppendEntriesTime = now() + self._timings.heartbeat_seconds
        self.send_round()

    def _SyncObj__onBecomeLeader(self) -> None:  # noqa: N802
        self.began_term()
        super()._SyncObj__onBecomeLeader()

    def _SyncObj__onSetCodeVersion(self, newVersion: int) -> None:  # noqa: N802, N803
        """Nothing has versions here; the library would look through all attributes."""

    def _SyncObj__tryLogCompaction(self) -> None:  # noqa: N802
        """The checkpointer does it."""

    def _SyncObj__parseChangeClusterRequest(self, command: bytes) -> None:  # noqa: N802
        """Configurations are read from the journal, whole."""

    def _SyncObj__loadDumpFile(self, clearJournal: bool) -> NoReturn:  # noqa: N802, N803, ARG002
        raise LibraryUnfit("the library was to load a dump")

    def _SyncObj__doApplyCommand(self, command: bytes) -> NoReturn:  # noqa: N802, ARG002
        raise LibraryUnfit("the library was to apply a command")

    def _SyncObj__doChangeCluster(self, request: object, reverse: bool = False) -> NoReturn:  # noqa: N802, ARG002
        raise LibraryUnfit("the library was to change the members")

    def _SyncObj__changeCluster(self, request: object) -> NoReturn:  # noqa: N802, ARG002
        raise LibraryUnfit("the library was to change the members")
